"""Removing what is old once a day, at an hour when nobody texts, on whichever node looks first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from smsgw.clock import Clock
from smsgw.retention.purge import Purge
from smsgw.schedules.cron import Cron
from smsgw.schedules.timetable import Timetable
from smsgw.store import schedules
from smsgw.store.database import Database
from smsgw.store.removing import Hands
from smsgw.store.schedules import LEASE, Run

PURGE = "purge"
WHEN = "20 2 * * *"


class Leased(Hands):
    """Hands that work as long as the run is theirs."""

    def __init__(self, database: Database, mine: Run, clock: Clock, stopping: threading.Event) -> None:
        super().__init__(database, stopping)
        self._mine = mine
        self._clock = clock
        self._kept = clock()

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """Where there is much to read and nothing to remove, the lease would run out. Raises LeaseLost, Stopped."""
        if not self._kept <= self._clock() < self._kept + LEASE / 4:
            with self.writing():
                pass
        return super().reading()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """The lease is looked at in every transaction. Raises LeaseLost, Stopped."""
        with super().writing() as connection:
            self._kept = self._clock()
            schedules.work(connection, self._mine, self._kept)
            yield connection


class Daily:
    """The schedule of the purge. `tick` is a tick's work, on any number of nodes."""

    def __init__(self, database: Database, purge: Purge, zone: ZoneInfo, clock: Clock) -> None:
        self._database = database
        self._purge = purge
        self._timetable = Timetable(database, {PURGE: Cron(WHEN, zone)}, clock)
        self._clock = clock
        self._stopping = threading.Event()

    def meet(self) -> None:
        """Write the schedule down if it is not known yet."""
        with self._database.writing("run") as connection:
            self._timetable.meet(connection)

    def stop(self) -> None:
        """Let go after the page that is in hand."""
        self._stopping.set()

    def tick(self) -> bool:
        """Remove what is old if that is due and no other node does it; whether it was done. Raises Stopped."""
        return any(self._timetable.do(name, self._remove) for name in self._timetable.due())

    def silence(self, days: float = 2) -> bool:
        """Whether it has been due for so long and was not done."""
        return bool(self._timetable.hanging(timedelta(days=days)))

    def _remove(self, mine: Run, now: datetime) -> bool:
        done = self._purge.remove(Leased(self._database, mine, self._clock, self._stopping))
        self._timetable.end(mine, next((one.problem for one in done if one.problem), None))
        return True
