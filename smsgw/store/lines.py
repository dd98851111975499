"""What came by lines or in parts: parts that wait for the rest of their text, and what may be brought again.

A carrier that has no ids for messages can only be understood by what it says. Within one session it brings nothing
twice; what it brings by another one, and says the same as a message whose acknowledgement it has perhaps never read, is
that message again. Where a carrier has ids, each part of a text is remembered by its own: only one of them becomes that
of the text.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from smsgw.store.batch import Batch, InsertNew, InsertOrUpdate
from smsgw.store.chats import Overtaken
from smsgw.store.tables import inbound_part, unproved

UNPROVED_FOR = timedelta(days=1)  # a carrier that has not brought it again by then won't

_p, _u = inbound_part.c, unproved.c


@dataclass(frozen=True, slots=True)
class Whole:
    """A long text, by what its parts have in common."""

    channel: str
    sender: str
    recipient: str
    reference: str
    count: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of it. `id`: the carrier's, or ours where that has none."""

    whole: Whole
    number: int
    id: str
    text: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Unproved:
    """A message that may be brought again."""

    id: str
    channel: str
    session: str
    digest: str
    received_at: datetime


def unproved_like(connection: sa.Connection, said: Collection[tuple[str, str]]) -> list[Unproved]:
    """What may be brought again and says one of these things: pairs of channel and digest. The oldest first."""
    rows = _LIKE.rows(connection, said)
    return sorted((Unproved(*row) for row in rows), key=lambda row: (row.received_at, row.id))


_LIKE = Batch(
    (_u.channel, _u.digest),
    lambda given: sa.select(unproved).join(given, sa.and_(given.c.channel == _u.channel, given.c.digest == _u.digest)),
)


def expect_again(connection: sa.Connection, messages: Sequence[Unproved]) -> None:
    """These may be brought again. Raises Overtaken for one that another node has just had."""
    rows = sorted(map(astuple, messages))  # see inbox.accept
    if rows and len(_EXPECT.run(connection, rows)) < len(rows):
        raise Overtaken


_EXPECT = InsertNew(*unproved.c, returning=_u.carrier_message_id)


def brought_again(connection: sa.Connection, messages: Sequence[tuple[str, str, str]]) -> None:
    """Messages came again: the id of each then, and its id and session now. Raises Overtaken."""
    if messages and _AGAIN.run(connection, sorted(messages)).rowcount < len(messages):
        raise Overtaken


_AGAIN = Batch(
    (sa.Column("before", sa.Text), _u.carrier_message_id, _u.session),
    lambda given: (
        sa.update(unproved)
        .where(_u.carrier_message_id == given.c.before)
        .values(carrier_message_id=given.c.carrier_message_id, session=given.c.session)
    ),
)


def proved(connection: sa.Connection, ids: Sequence[str]) -> None:
    """The carrier has read that these were taken."""
    _PROVED.run(connection, ((id,) for id in ids))


_PROVED = Batch(
    (_u.carrier_message_id,),
    lambda given: sa.delete(unproved).where(_u.carrier_message_id.in_(sa.select(given.c.carrier_message_id))),
)


def pieces_of(connection: sa.Connection, wholes: Collection[Whole]) -> list[Piece]:
    """The parts that have come of these texts."""
    return [_piece(row) for row in _PIECES.rows(connection, map(astuple, wholes))] if wholes else []


_KEY = (_p.channel, _p.sender, _p.recipient, _p.reference, _p.count)


def _of_given(given: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(*(column == given.c[column.name] for column in _KEY))


_PIECES = Batch(_KEY, lambda given: sa.select(inbound_part).join(given, _of_given(given)))


def waiting_since(connection: sa.Connection, channels: Collection[str], before: datetime, limit: int) -> list[Whole]:
    """Texts of these channels of which nothing has come since then."""
    rows = connection.execute(
        sa.select(*_KEY)
        .where(_p.channel.in_(channels))
        .group_by(*_KEY)
        .having(sa.func.max(_p.received_at) <= before)
        .limit(limit)
    )
    return [Whole(*row) for row in rows]


def keep_pieces(connection: sa.Connection, pieces: Sequence[Piece]) -> None:
    """Keep parts; one that has come before is what it says now."""
    if pieces:
        latest = {(piece.whole, piece.number): piece for piece in pieces}
        _KEEP.run(
            connection,
            (
                (*astuple(piece.whole), piece.number, piece.id, json.dumps(piece.text), piece.received_at)
                for piece in latest.values()
            ),
        )


_KEEP = InsertOrUpdate(inbound_part)


def remove_pieces(connection: sa.Connection, wholes: Collection[Whole]) -> int:
    """Forget the parts of these texts; how many there were."""
    return _REMOVE.run(connection, map(astuple, wholes)).rowcount if wholes else 0


_REMOVE = Batch(
    _KEY,
    lambda given: sa.delete(inbound_part).where(sa.exists(sa.select(1).select_from(given).where(_of_given(given)))),
)


def _piece(row: sa.Row[Any]) -> Piece:
    whole = Whole(row.channel, row.sender, row.recipient, row.reference, row._mapping["count"])
    return Piece(whole, row.number, row.carrier_message_id, json.loads(row.text), row.received_at)
