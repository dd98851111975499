"""The time that all nodes have in common: the database's, kept in step by looking at it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeGuard

import sqlalchemy as sa

from smsgw.clock import Clock, steady
from smsgw.store.database import Database
from smsgw.store.tables import UtcTime

THEIRS = sa.func.clock_timestamp()  # when PostgreSQL gets to it, and not when the transaction began
THEIRS_AS_KEPT = sa.func.timezone(sa.literal_column("'UTC'"), THEIRS, type_=UtcTime)  # as a column has it


class CommonClock:
    """A machine's clock, put right by PostgreSQL's. On SQLite there is one node, and its own clock is the common one.

    Leases, pauses and the channel's rate are times that one node writes and another reads: where clocks differ, a
    lease would be over before it began, or a channel silent until the slower clock has caught up. What a machine's
    clock is set to while the gateway runs is nothing to it.
    """

    def __init__(self, database: Database, machine: Clock) -> None:
        self._database = database
        self.follows = not database.on_sqlite
        self._machine = steady(machine) if self.follows else machine
        self._behind = timedelta()

    def __call__(self) -> datetime:
        return self._machine() + self._behind

    def compare(self) -> None:
        """Look at the database's clock."""
        if self.follows:
            with self._database.reading() as connection:
                self.look(connection, sa.select(THEIRS))

    def look(self, connection: sa.Connection, statement: sa.Select[Any], **values: Any) -> sa.Row[Any]:
        """The one row of a statement that ends with THEIRS, which is followed from then on if ours can't be right."""
        before = self._machine()
        row = connection.execute(statement, values).one()
        after, theirs = self._machine(), row[-1]
        # It was read at some moment between the two; within them nothing can be said.
        if not before + self._behind <= theirs <= after + self._behind:
            self._behind = theirs - (before + (after - before) / 2)
        return row


def is_theirs(clock: Clock) -> TypeGuard[CommonClock]:
    """Whether a clock goes by the database's."""
    return isinstance(clock, CommonClock) and clock.follows
