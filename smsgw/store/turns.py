"""One at a time of those who would write about the same thing, where there is no row yet that could be locked."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from smsgw.store.batch import Batch


def take_turn(connection: sa.Connection, things: Collection[str]) -> None:
    """Whoever else wants a turn with one of these waits until this transaction ends. On SQLite they wait anyhow."""
    if things and connection.dialect.name == "postgresql":
        _TURN.rows(connection, ((thing,) for thing in sorted(things)))  # in an order: nobody waits in a circle


_TURN = Batch(
    (sa.Column("thing", sa.Text),),
    lambda given: sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(given.c.thing, 0))),
)
