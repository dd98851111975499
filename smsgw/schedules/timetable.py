"""Schedules of which each is done once when it is due, by whichever node looks first.

A run of one may be worked on by any node, and is taken over if its node does not come back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa

from smsgw.clock import Clock
from smsgw.schedules.cron import Cron
from smsgw.store import schedules
from smsgw.store.database import Database
from smsgw.store.schedules import LeaseLost, Run

_T = TypeVar("_T")

log = logging.getLogger("smsgw.schedules")


class Timetable:
    """The schedules of a kind of work, by name."""

    def __init__(self, database: Database, crons: Mapping[str, Cron], clock: Clock) -> None:
        self.crons = crons
        self._database = database
        self._clock = clock

    def meet(self, connection: sa.Connection, at_once: Collection[str] = ()) -> None:
        """Write down those that are not known yet. `at_once`: those of them that are due right away."""
        now = self._clock()
        first = {name: now if name in at_once else cron.after(now) for name, cron in self.crons.items()}
        schedules.meet(connection, first.items())

    def due(self) -> list[str]:
        """Those that may have something to do now."""
        now = self._clock()
        with self._database.reading() as connection:
            next_due, pending = schedules.next_due(connection), schedules.pending(connection, now)
        self._set_back(next_due, now)
        return [name for name in pending if name in self.crons]

    def do(self, name: str, work: Callable[[Run, datetime], _T]) -> _T | None:
        """Begin the run of one that is due and work on it; None if another node has it, or has taken it over."""
        now = self._clock()
        with self._database.writing("run") as connection:
            mine = schedules.claim(connection, name, self.crons[name].firing(now), now)
        if mine is None:
            return None
        try:
            return work(mine, now)
        except LeaseLost:
            log.warning("%s: another node has taken over", name)
            return None

    def end(self, mine: Run, problem: str | None = None) -> None:
        """The run is over. `problem`: why it did nothing. Raises LeaseLost."""
        with self._database.writing("run") as connection:
            schedules.end(connection, mine, self._clock(), problem)

    def hanging(self, longer: timedelta) -> dict[str, str]:
        """Those that do not get done for longer than that, and why; empty if all is well, and before there are any."""
        with self._database.reading() as connection:
            hanging = schedules.hanging(connection, self._clock() - longer)
        return {name: why for name, why in hanging.items() if name in self.crons}

    def _set_back(self, next_due: Mapping[str, datetime], now: datetime) -> None:
        """A time that lies too far ahead was written under a clock that has been set back since."""
        right = {name: cron.after(now) for name, cron in self.crons.items()}
        ahead = [(name, due, right[name]) for name, due in next_due.items() if name in right and due > right[name]]
        if ahead:
            with self._database.writing("run") as connection:
                for name, wrong, due in ahead:
                    schedules.set_back(connection, name, wrong, due)
