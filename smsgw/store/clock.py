"""The time that all nodes have in common: the database's, kept in step by looking at it now and then."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from smsgw.clock import Clock
from smsgw.store.database import Database


class CommonClock:
    """A machine's clock, put right by PostgreSQL's. On SQLite there is one node, and its own clock is the common one.

    Leases, pauses and the channel's rate are times that one node writes and another reads: where clocks differ, a
    lease would be over before it began, or a channel silent until the slower clock has caught up.
    """

    def __init__(self, database: Database, machine: Clock) -> None:
        self._database = database
        self._machine = machine
        self._behind = timedelta()

    def __call__(self) -> datetime:
        return self._machine() + self._behind

    def compare(self) -> None:
        """Look at the database's clock, and follow it if ours can't be right."""
        if self._database.on_sqlite:
            return
        with self._database.reading() as connection:
            before = self._machine()
            theirs: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
            after = self._machine()
        # It was read at some moment between the two; within them nothing can be said.
        if not before + self._behind <= theirs <= after + self._behind:
            self._behind = theirs - (before + (after - before) / 2)
