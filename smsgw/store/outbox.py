"""The outbox: claim, settle and sweep, the only statements that move an outbound message.

Every move is guarded: it names the state that it found, and the lease where there is one. A row that is not there any
more has another owner, and is let go. Which moves are legal is said in `states`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from smsgw.store import receipts
from smsgw.store.database import insert_new
from smsgw.store.states import State, check_move
from smsgw.store.tables import Lane, attempt, outbound
from smsgw.text.alphabet import Encoding

RECEIPT_WAIT = timedelta(hours=72)  # a carrier that has not reported by then won't
NO_RECEIPT = "no_receipt"
LEASE_LOST = "lease_lost"


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message (MT) to be queued."""

    id: str
    channel: str
    lane: Lane
    in_reply_to: str | None
    sender: str
    recipient: str
    text: str
    encoding: Encoding
    segments: int
    created_at: datetime
    not_before: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is ours to send until its lease runs out. `attempts` counts this try."""

    id: str
    lane: Lane
    sender: str
    recipient: str
    text: str
    encoding: Encoding
    segments: int
    expires_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a try. Every field but `detail` and `outcome` goes into the row."""

    id: str
    state: State
    deadline: datetime | None
    not_before: datetime | None = None  # None: as it was
    carrier_message_id: str | None = None
    code: str | None = None
    outcome: str = "accepted"  # anything else is noted as an attempt
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A message whose fate is unknown and whose time to wait is over."""

    id: str
    channel: str
    lane: Lane
    attempts: int
    expires_at: datetime
    doubts: int


def add(connection: sa.Connection, messages: Sequence[NewMessage]) -> None:
    """Queue messages."""
    if messages:
        rows = [asdict(message) | {"state": State.QUEUED, "deadline": message.expires_at} for message in messages]
        connection.execute(sa.insert(outbound), rows)


def claim(
    connection: sa.Connection, channel: str, *, replies: int, others: int, lease: str, until: datetime, now: datetime
) -> list[Claimed]:
    """Take messages that are due: up to `replies` in all, up to `others` of them from the other lanes.

    In the order in which they go out: replies first, and within a lane first in, first out.
    """
    claimed = _claim(connection, channel, outbound.c.lane == Lane.REPLY, replies, lease, until, now)
    if (room := min(others, replies - len(claimed))) > 0:
        claimed += _claim(connection, channel, outbound.c.lane > Lane.REPLY, room, lease, until, now)
    return claimed


def settle(connection: sa.Connection, channel: str, lease: str, settled: Sequence[Settled], now: datetime) -> int:
    """Write down what became of claimed messages, and apply receipts that overtook them; how many were still ours."""
    for item in settled:
        check_move(State.SENDING, item.state)
    statement = (
        sa.update(outbound)
        .where(
            outbound.c.id == sa.bindparam("_id"),
            outbound.c.state == State.SENDING,
            outbound.c.lease == sa.bindparam("_lease"),
        )
        .values(
            state=sa.bindparam("_state"),
            lease=None,
            deadline=sa.bindparam("_deadline"),
            not_before=sa.func.coalesce(
                sa.bindparam("_not_before", type_=outbound.c.not_before.type), outbound.c.not_before
            ),
            carrier_message_id=sa.bindparam("_carrier_message_id"),
            submitted_at=sa.bindparam("_submitted_at"),
            finished_at=sa.bindparam("_finished_at"),
            error_code=sa.bindparam("_code"),
        )
    )
    # Rows are locked in the order of their ids here and for receipts, so that nobody waits in a circle.
    rows = [_settlement(item, lease, now) for item in sorted(settled, key=lambda item: item.id)]
    ours = connection.execute(statement, rows).rowcount
    _note_attempts(connection, lease, settled, now)
    receipts.apply_parked(connection, channel, {item.id: item.carrier_message_id for item in settled}, now)
    return ours


def rescue(connection: sa.Connection, now: datetime, limit: int = 500) -> int:
    """Messages whose sender did not come back are in doubt: the carrier may have them."""
    lost = _past_deadline(State.SENDING, now, limit)
    rows = connection.execute(
        sa.update(outbound)
        .where(outbound.c.id.in_(lost), outbound.c.state == State.SENDING)
        .values(state=State.UNKNOWN, lease=None, deadline=now, error_code=LEASE_LOST)
        .returning(outbound.c.id, outbound.c.channel, outbound.c.attempts)
    ).all()
    if rows:
        connection.execute(
            insert_new(connection, attempt),
            [
                {"outbound_id": row.id, "number": row.attempts, "at": now, "outcome": "unknown", "code": LEASE_LOST}
                for row in rows
            ],
        )
        for channel in {row.channel for row in rows}:
            receipts.apply_parked(connection, channel, {row.id: None for row in rows if row.channel == channel}, now)
    return len(rows)


def doubtful(connection: sa.Connection, now: datetime, limit: int = 500) -> list[Doubtful]:
    """Messages in doubt whose deadline has come, locked until the transaction ends."""
    doubts = (
        sa.select(sa.func.count())
        .where(attempt.c.outbound_id == outbound.c.id, attempt.c.outcome == "unknown")
        .scalar_subquery()
    )
    rows = connection.execute(
        sa.select(
            outbound.c.id, outbound.c.channel, outbound.c.lane, outbound.c.attempts, outbound.c.expires_at, doubts
        )
        .where(outbound.c.id.in_(_past_deadline(State.UNKNOWN, now, limit)))
        .order_by(outbound.c.id)
    )
    return [Doubtful(id, channel, Lane(lane), *rest) for id, channel, lane, *rest in rows]


def move(
    connection: sa.Connection,
    id: str,
    before: State,
    after: State,
    *,
    deadline: datetime | None,
    now: datetime,
    not_before: datetime | None = None,
    code: str | None = None,
) -> bool:
    """Move one message that is queued, held or in doubt; False if it is not in that state any more."""
    check_move(before, after)
    values: dict[str, object] = {"state": after, "deadline": deadline}
    if not_before is not None:
        values["not_before"] = not_before
    if code is not None:
        values["error_code"] = code
    if deadline is None:
        values["finished_at"] = now
    moved = connection.execute(
        sa.update(outbound).where(outbound.c.id == id, outbound.c.state == before).values(values)
    )
    return moved.rowcount == 1


def expire(connection: sa.Connection, now: datetime, limit: int = 500) -> int:
    """Messages that waited too long to be sent, or whose receipt never came, are over."""
    expired = 0
    for state, code in ((State.QUEUED, None), (State.HELD, None), (State.SUBMITTED, NO_RECEIPT)):
        expired += connection.execute(
            sa.update(outbound)
            .where(outbound.c.id.in_(_past_deadline(state, now, limit)), outbound.c.state == state)
            .values(state=State.EXPIRED, deadline=None, finished_at=now, error_code=code)
        ).rowcount
    return expired


def _past_deadline(state: State, now: datetime, limit: int) -> sa.Select[tuple[str]]:
    return (
        sa.select(outbound.c.id)
        .where(outbound.c.deadline <= now, outbound.c.state == state)
        .order_by(outbound.c.deadline)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def _claim(
    connection: sa.Connection,
    channel: str,
    lanes: sa.ColumnElement[bool],
    limit: int,
    lease: str,
    until: datetime,
    now: datetime,
) -> list[Claimed]:
    due = (
        sa.select(outbound.c.id)
        .where(outbound.c.channel == channel, lanes, outbound.c.state == State.QUEUED)
        .where(outbound.c.not_before <= now, outbound.c.expires_at > now)
        .order_by(outbound.c.lane, outbound.c.not_before, outbound.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rows = connection.execute(
        sa.update(outbound)
        .where(outbound.c.id.in_(sa.select(due.c.id)))
        .values(state=State.SENDING, lease=lease, deadline=until, attempts=outbound.c.attempts + 1)
        .returning(
            outbound.c.lane,
            outbound.c.not_before,
            outbound.c.id,
            outbound.c.sender,
            outbound.c.recipient,
            outbound.c.text,
            outbound.c.encoding,
            outbound.c.segments,
            outbound.c.expires_at,
            outbound.c.attempts,
        )
    ).all()
    # An UPDATE returns its rows in any order.
    return [Claimed(id, Lane(lane), *rest) for lane, _, id, *rest in sorted(rows)]


def _settlement(item: Settled, lease: str, now: datetime) -> dict[str, object]:
    return {
        "_id": item.id,
        "_lease": lease,
        "_state": item.state,
        "_deadline": item.deadline,
        "_not_before": item.not_before,
        "_carrier_message_id": item.carrier_message_id,
        "_submitted_at": now if item.state is State.SUBMITTED else None,
        "_finished_at": now if item.deadline is None else None,
        "_code": item.code,
    }


def _note_attempts(connection: sa.Connection, lease: str, settled: Sequence[Settled], now: datetime) -> None:
    failed = {item.id: item for item in settled if item.outcome != "accepted"}
    if not failed:
        return
    numbers = connection.execute(sa.select(outbound.c.id, outbound.c.attempts).where(outbound.c.id.in_(failed)))
    connection.execute(
        insert_new(connection, attempt),
        [
            {
                "outbound_id": id,
                "number": number,
                "at": now,
                "outcome": failed[id].outcome,
                "code": failed[id].code,
                "detail": failed[id].detail,
            }
            for id, number in numbers
        ],
    )
