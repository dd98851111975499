"""What was said between us and the carriers: kept for a week, and found by the message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from smsgw.store.batch import inserting
from smsgw.store.history import message
from smsgw.store.ids import new_id
from smsgw.store.tables import attempt, exchange
from smsgw.text.alphabet import storable
from smsgw.text.excerpt import about

KEPT_FOR = timedelta(days=7)

_e = exchange.c


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call to a carrier: what was sent, and what came back in so many seconds."""

    outbound_id: str | None
    seconds: float
    request: str
    answer: str


@dataclass(frozen=True, slots=True)
class Kept(Exchange):
    """The same as it was kept, with when and where."""

    channel: str
    at: datetime


_KEEP = inserting(*exchange.c)


def keep(connection: sa.Connection, channel: str, exchanges: Sequence[Exchange], now: datetime) -> None:
    """Keep what was said. `now`: the time at which its outcome is written down with the messages."""
    if exchanges:
        _KEEP.run(
            connection,
            (
                (new_id(), channel, now, item.outbound_id, item.seconds, storable(item.request), storable(item.answer))
                for item in exchanges
            ),
        )


def of_message(connection: sa.Connection, id: str) -> list[Kept]:
    """What was said about a message, oldest first: the calls of its failed tries, and the one that was accepted."""
    columns = (_e.outbound_id, _e.seconds, _e.request, _e.answer, _e.channel, _e.at)
    times = sa.union(
        sa.select(attempt.c.channel, attempt.c.at).where(attempt.c.outbound_id == id),
        sa.select(message.c.channel, message.c.submitted_at).where(message.c.id == id),
    ).subquery("times")
    rows = connection.execute(
        sa.select(*columns)
        .join(times, sa.and_(times.c.channel == _e.channel, times.c.at == _e.at))
        .where(sa.or_(_e.outbound_id == id, _e.outbound_id.is_(None)))
        .order_by(_e.id)
    )
    return [_about(Kept(*row), id) for row in rows]


def _about(kept: Kept, id: str) -> Kept:
    """Of a call of many messages the part about one: who may see this one may not see the others."""
    if kept.outbound_id is not None:
        return kept
    return replace(kept, request=about(kept.request, {id}), answer=about(kept.answer, {id}))


def forget(connection: sa.Connection, now: datetime, limit: int) -> int:
    """Remove what is older than a week; how much that was."""
    old = sa.select(_e.id).where(_e.at < now - KEPT_FOR).limit(limit)
    return connection.execute(sa.delete(exchange).where(_e.id.in_(old))).rowcount
