"""What was said between us and the carriers: kept for a week, and found by the message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from smsgw.store.batch import inserting
from smsgw.store.history import message
from smsgw.store.ids import new_id
from smsgw.store.packing import packed, unpacked
from smsgw.store.tables import attempt, exchange
from smsgw.text.alphabet import storable
from smsgw.text.excerpt import about
from smsgw.text.phones import mask_all

KEPT_FOR = timedelta(days=7)

_e = exchange.c


_ANSWER = "\x1e"  # stands between a request and its answer


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call to a carrier: what was sent, and what came back in so many seconds. Numbers are not masked yet.

    `outbound_id`: the message, if the call carried but one.
    """

    outbound_id: str | None
    seconds: float
    request: str
    answer: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What was said of one message in a call, numbers masked, with when and where."""

    seconds: float
    request: str
    answer: str
    channel: str
    at: datetime


_KEEP = inserting(*exchange.c)


def keep(connection: sa.Connection, channel: str, exchanges: Sequence[Exchange], now: datetime) -> None:
    """Keep what was said. `now`: the time at which its outcome is written down with the messages."""
    if exchanges:
        _KEEP.run(
            connection,
            ((new_id(), channel, now, item.outbound_id, item.seconds, _packed(item)) for item in exchanges),
        )


def of_message(connection: sa.Connection, id: str) -> list[Kept]:
    """What was said about a message, oldest first: the calls of its failed tries, and the one that was accepted."""
    times = sa.union(
        sa.select(attempt.c.channel, attempt.c.at).where(attempt.c.outbound_id == id),
        sa.select(message.c.channel, message.c.submitted_at).where(message.c.id == id),
    ).subquery("times")
    rows = connection.execute(
        sa.select(_e.outbound_id, _e.seconds, _e.packed, _e.channel, _e.at)
        .join(times, sa.and_(times.c.channel == _e.channel, times.c.at == _e.at))
        .where(sa.or_(_e.outbound_id == id, _e.outbound_id.is_(None)))
        .order_by(_e.id)
    )
    return [kept for row in rows if (kept := _kept(row, id))]


def _packed(said: Exchange) -> str:
    return packed(f"{said.request.replace(_ANSWER, ' ')}{_ANSWER}{said.answer}")


def _kept(row: Any, id: str) -> Kept | None:
    """Of a call of many messages the part about one: who may see this one may not see the others.

    None of a call without it: a batch may take several.
    """
    said: Sequence[str] = unpacked(row.packed).split(_ANSWER, 1)
    if row.outbound_id is None:
        if id not in said[0]:
            return None
        said = [about(part, {id}) for part in said]
    request, answer = (mask_all(storable(part)) for part in said)
    return Kept(row.seconds, request, answer, row.channel, row.at)
