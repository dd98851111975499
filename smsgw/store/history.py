"""Finished messages leave the outbox for history, so that the live ones stay few; searches look at both."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from smsgw.store import parts
from smsgw.store.batch import Batch
from smsgw.store.states import FINAL
from smsgw.store.tables import history, outbound

_COLUMNS = [column.name for column in history.c]

# Every message that there ever was, live or not.
message = sa.union_all(
    sa.select(*(outbound.c[name] for name in _COLUMNS)), sa.select(*(history.c[name] for name in _COLUMNS))
).subquery("message")


def retire(connection: sa.Connection, now: datetime, limit: int = 1000) -> int:
    """Move finished messages that have been live for long enough; how many those were."""
    past = sa.select(outbound.c.id).where(outbound.c.state.in_(sorted(FINAL)), outbound.c.deadline <= now)
    chosen = connection.execute(past.limit(limit).with_for_update(skip_locked=True)).all()
    if chosen:
        _COPY.run(connection, chosen)
        parts.forget(connection, (id for (id,) in chosen))
        _REMOVE.run(connection, chosen)
    return len(chosen)


def by_id(connection: sa.Connection, ids: Collection[str]) -> list[sa.Row[Any]]:
    """The messages with these ids of ours, newest first."""
    return [*connection.execute(sa.select(message).where(message.c.id.in_(ids)).order_by(message.c.created_at.desc()))]


_COPY = Batch(
    (outbound.c.id,),
    lambda given: sa.insert(history).from_select(
        _COLUMNS, sa.select(*(outbound.c[name] for name in _COLUMNS)).join(given, given.c.id == outbound.c.id)
    ),
)
_REMOVE = Batch((outbound.c.id,), lambda given: sa.delete(outbound).where(outbound.c.id.in_(sa.select(given.c.id))))
