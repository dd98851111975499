"""Messages that no sender holds: those that something has to be decided on, and writing the decisions down."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

import sqlalchemy as sa

from smsgw.store import parts
from smsgw.store.batch import Batch, looked_at_last
from smsgw.store.overdue import past_deadline
from smsgw.store.states import FINAL, State, check_move
from smsgw.store.tables import Lane, outbound

_c = outbound.c


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that no sender holds: queued, or in doubt and past the time in which a receipt could help.

    `tried_at`: since when the carrier may have it, if it was ever handed over.
    """

    id: str
    channel: str
    lane: Lane
    recipient: str
    attempts: int
    doubts: int
    tried_at: datetime | None
    not_before: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Doubtful(Waiting):
    """A message in doubt. `deadline`: when it is decided on; `error_code`: what left it so, if that has a name."""

    created_at: datetime
    deadline: datetime
    error_code: str | None


@dataclass(frozen=True, slots=True)
class Move:
    """A decision on one message that no sender holds. None: as it was. `expires_at`: until when it is needed now.

    `tried_at`: set for one that is sent again whatever its carrier knows of it.
    """

    id: str
    state: State
    deadline: datetime
    not_before: datetime | None = None
    channel: str | None = None
    sender: str | None = None
    code: str | None = None
    expires_at: datetime | None = None
    tried_at: datetime | None = None


def doubt_again(connection: sa.Connection, channel: str, forgotten: datetime, now: datetime, limit: int = 500) -> int:
    """Messages that waited to be sent again until their carrier knows them no more are in doubt; how many."""
    check_move(State.QUEUED, State.UNKNOWN)
    queued = sa.select(_c.id).where(_c.channel == channel, _c.state == sa.text("'queued'"), _c.expires_at > now)
    late = queued.where(_c.doubts > 0, _c.tried_at <= forgotten).limit(limit).with_for_update(skip_locked=True)
    again = sa.update(outbound).where(_c.id.in_(sa.select(late.cte("late").c.id)))
    return len(connection.execute(again.values(state=State.UNKNOWN, deadline=now).returning(_c.id)).all())


def doubtful(
    connection: sa.Connection, channels: Collection[str], now: datetime, left_at: datetime, limit: int = 500
) -> list[Waiting]:
    """Messages in doubt at these channels whose deadline has come, locked until the transaction ends.

    Those at others if it had come by `left_at`, and no node that has their channel has decided on them since.
    """
    ours = sa.or_(_c.channel.in_(channels), _c.deadline <= left_at)
    return _waiting(connection, past_deadline(State.UNKNOWN, now, limit, looked_at_last(ours)))


def waiting_on(
    connection: sa.Connection, channel: str, lane: Lane, due_at: datetime, after: Waiting | None, limit: int = 500
) -> list[Waiting]:
    """Messages of a lane that were due by then at a channel that surely does not have them, in the order of the claim.

    `after`: the last one of the page before. They are locked until the transaction ends.
    """
    place = (_c.not_before, _c.id)
    queued = sa.select(_c.id).where(_c.channel == channel, _c.lane == lane, _c.state == sa.text("'queued'"))
    page = queued.where(_c.doubts == 0, _c.not_before <= due_at).order_by(*place).limit(limit)
    if after is not None:
        last = sa.literal(after.not_before, _c.not_before.type), sa.literal(after.id, _c.id.type)
        page = page.where(sa.tuple_(*place) > sa.tuple_(*last))
    return _waiting(connection, page.with_for_update(skip_locked=True).cte("queued"), place)


def tried_once(connection: sa.Connection, channel: str, ids: Sequence[str]) -> list[Waiting]:
    """Those of these messages that the carrier may have by a single try; locked until the transaction ends.

    They are in doubt, or their sender is about to say so: of one that no other try left in doubt, that is this try.
    """
    doubted = sa.or_(
        sa.and_(_c.state == State.UNKNOWN, _c.doubts == 1), sa.and_(_c.state == State.SENDING, _c.doubts == 0)
    )
    so = (_c.id.in_(ids), _c.channel == channel, doubted)
    return _waiting(connection, sa.select(_c.id).where(*so).order_by(_c.id).with_for_update().cte("tried_once"))


def put_back(connection: sa.Connection, tried: Sequence[Waiting], again: Mapping[str, datetime]) -> None:
    """Queue locked messages that the carrier surely has not; `again`: when each is to be sent. No lease lasts on."""
    for before in _TRIED:
        check_move(before, State.QUEUED)
    _PUT_BACK.run(connection, ((item.id, again[item.id]) for item in tried))
    parts.forget(connection, [*again])


_TRIED = (State.UNKNOWN, State.SENDING)
_PUT_BACK = Batch(
    (_c.id, _c.not_before),
    lambda given: (
        sa.update(outbound)
        .where(_c.id == given.c.id, looked_at_last(_c.state.in_(_TRIED)))
        .values(
            state=State.QUEUED,
            lease=None,
            deadline=_c.expires_at,
            not_before=given.c.not_before,
            doubts=0,
            error_code=None,
        )
    ),
)


def _waiting(
    connection: sa.Connection, which: sa.CTE, order: Sequence[sa.ColumnElement[object]] = (_c.id,)
) -> list[Waiting]:
    columns = [_c[name] for name in Waiting.__dataclass_fields__]
    rows = connection.execute(sa.select(*columns).where(_c.id.in_(sa.select(which.c.id))).order_by(*order))
    return [Waiting(id, channel, Lane(lane), *rest) for id, channel, lane, *rest in rows]


def move(connection: sa.Connection, before: State, moves: Sequence[Move], now: datetime) -> int:
    """Move messages that are queued, held or in doubt; how many were still in that state."""
    for item in moves:
        check_move(before, item.state)
    if not moves:
        return 0
    rows = (
        (
            item.id,
            before,
            item.state,
            item.deadline,
            item.not_before,
            item.channel,
            item.sender,
            item.code,
            now if item.state in FINAL else None,
            item.expires_at,
            item.tried_at,
        )
        for item in sorted(moves, key=attrgetter("id"))  # see outbox.settle
    )
    return _MOVE.run(connection, rows).rowcount


_MOVE = Batch(
    (
        _c.id,
        sa.Column("before", sa.Text),
        _c.state,
        _c.deadline,
        _c.not_before,
        _c.channel,
        _c.sender,
        _c.error_code,
        _c.finished_at,
        _c.expires_at,
        _c.tried_at,
    ),
    lambda given: (
        sa.update(outbound)
        .where(_c.id == given.c.id, looked_at_last(_c.state == given.c.before))
        .values(
            state=given.c.state,
            deadline=given.c.deadline,
            not_before=sa.func.coalesce(given.c.not_before, _c.not_before),
            channel=sa.func.coalesce(given.c.channel, _c.channel),
            sender=sa.func.coalesce(given.c.sender, _c.sender),
            error_code=sa.func.coalesce(given.c.error_code, _c.error_code),
            finished_at=given.c.finished_at,
            expires_at=sa.func.coalesce(given.c.expires_at, _c.expires_at),
            tried_at=sa.func.coalesce(given.c.tried_at, _c.tried_at),
        )
    ),
)


def unresolved(connection: sa.Connection, limit: int = 1000) -> list[Doubtful]:
    """Messages in doubt; if there are too many, those that stay in doubt for longest."""
    columns = [_c[name] for name in Doubtful.__dataclass_fields__]
    rows = connection.execute(
        sa.select(*columns).where(_c.state == State.UNKNOWN).order_by(_c.deadline.desc(), _c.id).limit(limit)
    )
    return [Doubtful(**{**row._mapping, "lane": Lane(row.lane)}) for row in rows]
