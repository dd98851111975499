"""Removing what is old once a day, at an hour when nobody texts, on whichever node looks first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from smsgw.clock import Clock
from smsgw.reminders.timing import Cron
from smsgw.retention.purge import Purge
from smsgw.store import schedules
from smsgw.store.database import Database
from smsgw.store.removing import Hands
from smsgw.store.schedules import LEASE, LeaseLost, Run

PURGE = "purge"
WHEN = "20 2 * * *"

log = logging.getLogger("smsgw.retention")


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
        self._cron = Cron(WHEN, zone)
        self._clock = clock
        self._stopping = threading.Event()

    def meet(self) -> None:
        """Write the schedule down if it is not known yet."""
        with self._database.writing("run") as connection:
            schedules.meet(connection, [(PURGE, self._cron.after(self._clock()))])

    def stop(self) -> None:
        """Let go after the page that is in hand."""
        self._stopping.set()

    def tick(self) -> bool:
        """Remove what is old if that is due and no other node does it; whether it was done. Raises Stopped."""
        now = self._clock()
        with self._database.reading() as connection:
            due, pending = schedules.next_due(connection).get(PURGE), schedules.pending(connection, now)
        if due is not None and due > (right := self._cron.after(now)):
            with self._database.writing("run") as connection:
                schedules.set_back(connection, PURGE, due, right)
        return PURGE in pending and self._fire(now)

    def _fire(self, now: datetime) -> bool:
        with self._database.writing("run") as connection:
            mine = schedules.claim(connection, PURGE, self._cron.firing(now), now)
        if mine is None:
            return False
        try:
            done = self._purge.remove(Leased(self._database, mine, self._clock, self._stopping))
            problem = next((one.problem for one in done if one.problem), None)
            with self._database.writing("run") as connection:
                schedules.end(connection, mine, self._clock(), problem)
        except LeaseLost:
            log.warning("%s: another node has taken over", PURGE)
            return False
        return True

    def silence(self, days: float = 2) -> bool:
        """Whether it has been due for so long and was not done."""
        with self._database.reading() as connection:
            return PURGE in schedules.hanging(connection, self._clock() - timedelta(days=days))
