"""The outbox: queueing, sending and ending messages, each statement over as many of them as there are.

    add       queue messages, or keep those that are in a sender's hand or went in an answer
    claim     take what is due, for as long as a lease lasts
    give_back let go of a claim that was committed without our hearing of it
    prolong   keep a claim for longer than it was to last
    reword    change what a claimed message says, before it is handed over
    settle    write down what became of it, if the lease is still ours

With `overdue`, `pending`, where decisions are, `receipts` and `notice_sending`, which holds and ends a notice's, these
are the only statements that move an outbound message. Every move is guarded: it names the state that it found, or the
lease. A row that is not there any more has another owner, and is let go. Which moves are legal is said in `states`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from smsgw.store import attempts, parts, receipts
from smsgw.store.batch import Batch
from smsgw.store.states import AS_RECEIPT, FINAL, State, check_move
from smsgw.store.tables import Lane, outbound
from smsgw.text.alphabet import Encoding, storable

PUT_OFF = "put_off"  # the outcome of a try that was given up before the carrier was called
MOST_COUNTED = 32_767  # tries, the most that their column holds: one message more than that would stop its whole lane

_NOT_NOTED = ("accepted", PUT_OFF)

_c = outbound.c
_NOW = sa.bindparam("now", type_=_c.created_at.type)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class NewMessage(NamedTuple):
    """A message (MT) to be queued; or, with a `state` of its own, one that goes out by another way than the queue.

    `deadline`: of that state; None for what is queued, which waits until it expires. `lease`: of what is in hand.
    """

    id: str
    in_reply_to: str | None
    recipient: str
    text: str
    segments: int
    channel: str
    lane: Lane
    sender: str
    encoding: Encoding
    created_at: datetime
    not_before: datetime
    expires_at: datetime
    state: State = State.QUEUED
    deadline: datetime | None = None
    doubts: int = 0
    submitted_at: datetime | None = None
    lease: str | None = None


class Claimed(NamedTuple):
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
    doubts: int


@dataclass(frozen=True, slots=True)
class Readdressed:
    """The same message for another address of the same person, and as it goes out there."""

    recipient: str
    text: str
    encoding: Encoding
    segments: int


class Settled(NamedTuple):
    """What became of a try. `channel` and `sender` are set where the next try goes another way.

    `outcome` is the carrier's, in a word, or ours: anything but "accepted" and PUT_OFF is noted as an attempt, with its
    code and detail. `parts`: the carrier's ids of the parts, where it has none for the whole.
    """

    message: Claimed
    state: State
    deadline: datetime
    not_before: datetime | None = None  # None: as it was
    channel: str | None = None
    sender: str | None = None
    carrier_message_id: str | None = None
    outcome: str = "accepted"
    code: str | None = None
    detail: str = ""
    readdressed: Readdressed | None = None
    parts: tuple[str, ...] = ()

    @property
    def names(self) -> Sequence[str]:
        """The carrier's ids that receipts may name it by."""
        return self.parts if self.carrier_message_id is None else (self.carrier_message_id,)


def in_hand(message: NewMessage, *, lease: str, until: datetime) -> NewMessage:
    """A message as it is added by whoever sends it at once and himself, for as long as the lease lasts."""
    return message._replace(state=State.SENDING, lease=lease, deadline=until)


def queued(message: NewMessage) -> NewMessage:
    """The same message if nobody has it in hand."""
    return message._replace(state=State.QUEUED, lease=None, deadline=None)


def claimed(message: NewMessage) -> Claimed:
    """One that was added in hand, as if it had been claimed."""
    return Claimed(
        message.id,
        message.lane,
        message.sender,
        message.recipient,
        message.text,
        message.encoding,
        message.segments,
        message.expires_at,
        attempts=1,
        doubts=message.doubts,
    )


def _added(rows: sa.FromClause, given: Mapping[str, sa.ColumnElement[Any]]) -> sa.Executable:
    """Inserts messages from rows; `given`: what is given of each, by the names of columns."""
    leased = given["lease"].is_not(None)
    values = {
        **given,
        "deadline": sa.func.coalesce(given["deadline"], given["expires_at"]),
        "attempts": sa.case((leased, 1), else_=0),
        "tried_at": sa.case((leased, given["created_at"])),
    }
    return sa.insert(outbound).from_select([*values], sa.select(*values.values()).select_from(rows))


_NEW = [_c[name] for name in NewMessage._fields]
_ALIKE_FROM = NewMessage._fields.index("channel")  # in what is queued together, mostly
_ADD = Batch(_NEW[:_ALIKE_FROM], lambda given: _added(given, {**given.c}), alike=_NEW[_ALIKE_FROM:])


def add(connection: sa.Connection, messages: Sequence[NewMessage]) -> None:
    """Queue messages, or keep those that go another way."""
    if messages:
        _ADD.run(connection, messages)


def adding_reply(kept: sa.TableClause, passed: sa.TableClause) -> Batch:
    """A batch that adds the reply to the message that was kept, if it was: in hand if it has passed, or queued."""

    def build(given: sa.FromClause) -> sa.Executable:
        has_passed = passed.c.name.is_not(None)
        queued = {"state": State.QUEUED, "lease": None, "deadline": None}
        either = {name: sa.case((has_passed, given.c[name]), else_=queued[name]) for name in queued}
        return _added(
            given.join(kept, kept.c.id == given.c.in_reply_to).outerjoin(passed, sa.true()), {**given.c, **either}
        )

    return Batch(_NEW, build, document="replies")


def claim(
    connection: sa.Connection,
    channel: str,
    lanes: Sequence[Lane],
    limit: int,
    *,
    lease: str,
    until: datetime,
    now: datetime,
    forgotten: datetime | None = None,
) -> list[Claimed]:
    """Take up to `limit` messages that are due, in the order in which they go out: by lane, first in, first out.

    `forgotten`: which the carrier may have since then or longer are not taken, as it would not know them by our ref.
    """
    claimed: list[Claimed] = []
    for lane in lanes:
        if len(claimed) == limit:
            break
        values = {"at_channel": channel, "at_lane": lane, "limit": limit - len(claimed), "now": now}
        values["forgotten"] = forgotten or _NEVER
        rows = connection.execute(_CLAIM, {**values, "new_lease": lease, "until": until}).all()
        # An UPDATE returns its rows in any order.
        rows = sorted(rows, key=itemgetter(0, 1))
        claimed += [Claimed(id, lane, *rest) for _, id, *rest in rows]
    return claimed


_DUE = (
    sa.select(_c.id)
    # The literal, and not a parameter, lets the planner see that the partial index serves.
    .where(
        _c.channel == sa.bindparam("at_channel"), _c.lane == sa.bindparam("at_lane"), _c.state == sa.text("'queued'")
    )
    .where(_c.not_before <= _NOW, _c.expires_at > _NOW)
    .where(sa.or_(_c.doubts == 0, _c.tried_at > sa.bindparam("forgotten", type_=_c.tried_at.type)))
    .order_by(_c.not_before, _c.id)
    .limit(sa.bindparam("limit"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_CLAIM = (
    sa.update(outbound)
    .where(_c.id.in_(sa.select(_DUE.c.id)))
    .values(
        state=State.SENDING,
        lease=sa.bindparam("new_lease"),
        deadline=sa.bindparam("until"),
        attempts=sa.case((_c.attempts < MOST_COUNTED, _c.attempts + 1), else_=_c.attempts),
        # Of tries before it, without doubt, the carrier took nothing.
        tried_at=sa.case((_c.doubts == 0, _NOW), else_=_c.tried_at),
    )
    .returning(
        sa.type_coerce(_c.not_before, sa.types.NULLTYPE),  # to be sorted by, as the driver has it
        _c.id,
        _c.sender,
        _c.recipient,
        _c.text,
        _c.encoding,
        _c.segments,
        _c.expires_at,
        _c.attempts,
        _c.doubts,
    )
)


def give_back(connection: sa.Connection, leases: Collection[str]) -> int:
    """Queue again, in its old place, what was claimed under leases of ours and surely not sent; how many messages."""
    check_move(State.SENDING, State.QUEUED)
    given_back = sa.update(outbound).where(_c.state == State.SENDING, _c.lease.in_(leases))
    values = {"state": State.QUEUED, "lease": None, "deadline": _c.expires_at}
    return connection.execute(given_back.values(values)).rowcount


def prolong(connection: sa.Connection, lease: str, until: datetime) -> int:
    """Keep what is being sent under a lease of ours until then; how many messages that are, and in nobody's hands."""
    # Whoever has a lock on one may wait for the channel's row, which whoever asks for this has.
    ours = sa.select(_c.id).where(_c.state == State.SENDING, _c.lease == lease).with_for_update(skip_locked=True)
    kept = sa.update(outbound).where(_c.id.in_(sa.select(ours.cte("ours").c.id)))
    return len(connection.execute(kept.values(deadline=until).returning(_c.id)).all())


def reword(connection: sa.Connection, lease: str, messages: Sequence[Claimed]) -> None:
    """Messages of ours, none of which a carrier may have yet, say something else from now on."""
    if messages:
        rows = ((message.id, message.text, message.encoding, message.segments) for message in messages)
        _REWORD.run(connection, rows, ours=lease)


_REWORD = Batch(
    (_c.id, _c.text, _c.encoding, _c.segments),
    lambda given: (
        sa.update(outbound)
        .where(_c.id == given.c.id, _c.lease == sa.bindparam("ours", type_=sa.Text()), _c.doubts == 0)
        .values(text=given.c.text, encoding=given.c.encoding, segments=given.c.segments)
    ),
)


def settle(connection: sa.Connection, channel: str, lease: str, settled: Sequence[Settled], now: datetime) -> int:
    """Write down what became of claimed messages, and apply receipts that overtook them; how many were still ours.

    What the carrier said of one whose lease ran out is no less true: it counts like a receipt that says so.
    """
    for item in settled:
        check_move(State.SENDING, item.state)
    # In the order of the ids, as receipts lock them too, so that nobody waits in a circle.
    rows = [_settlement(item, lease) for item in sorted(settled, key=lambda item: item.message.id)]
    ours = set(_SETTLE.run(connection, rows, now=now).scalars().all())
    _readdress(connection, [item for item in settled if item.readdressed and item.message.id in ours])
    attempts.note(connection, [_attempt(item, channel, now) for item in settled if item.outcome not in _NOT_NOTED])
    kept = [item for item in settled if item.message.id in ours]
    in_parts = {item.message.id: item.parts for item in kept if item.parts}
    # Where a first try ends in doubt, the parts have names already if the answer came meanwhile.
    doubted = [item.message.id for item in kept if item.state is State.UNKNOWN and not item.message.doubts]
    told = parts.named(connection, [id for id in doubted if id in in_parts])
    parts.name(connection, channel, {id: names for id, names in in_parts.items() if id not in told})
    receipts.apply_parked(connection, channel, {item.message.id: item.names for item in kept}, now)
    _heard_late(connection, channel, [item for item in settled if item.message.id not in ours], now)
    return len(ours)


def _heard_late(connection: sa.Connection, channel: str, settled: Sequence[Settled], now: datetime) -> None:
    """What the carrier said of messages that have another owner by now, or none."""
    reports = [
        receipts.Report(
            item.message.id,
            storable(item.carrier_message_id) if item.carrier_message_id else None,
            AS_RECEIPT[item.outcome],
            storable(item.code) if item.code else None,
            now,
            item.parts,
        )
        for item in settled
        if item.outcome in AS_RECEIPT
    ]
    receipts.record(connection, channel, reports, now)


def _settlement(item: Settled, lease: str) -> tuple[Any, ...]:
    return (
        item.message.id,
        lease,
        storable(item.carrier_message_id) if item.carrier_message_id else None,
        item.state,
        item.deadline,
        item.not_before,
        item.channel,
        item.sender,
        storable(item.code) if item.code else None,
        1 if item.outcome == "unknown" else 0,
    )


def _attempt(item: Settled, channel: str, now: datetime) -> attempts.Attempt:
    message = item.message
    return attempts.Attempt(message.id, message.attempts, now, channel, item.outcome, item.code, item.detail)


_SETTLE = Batch(
    (_c.id, _c.lease, _c.carrier_message_id),
    lambda given: (
        sa.update(outbound)
        # A lease says that the state is `sending`; a constraint holds that. To name the state here as well would lead
        # PostgreSQL to the index of states, where each batch leaves as many dead entries as it has messages; and were
        # the lease one parameter, it would take that for so rare as to look through the rows once for each message.
        .where(_c.id == given.c.id, _c.lease == given.c.lease)
        .values(
            state=given.c.state,
            lease=None,
            deadline=given.c.deadline,
            not_before=sa.func.coalesce(given.c.not_before, _c.not_before),
            channel=sa.func.coalesce(given.c.channel, _c.channel),
            sender=sa.func.coalesce(given.c.sender, _c.sender),
            carrier_message_id=sa.func.coalesce(given.c.carrier_message_id, _c.carrier_message_id),
            error_code=given.c.error_code,
            doubts=_c.doubts + given.c.doubts,
            submitted_at=sa.case((given.c.state == State.SUBMITTED, _NOW)),
            finished_at=sa.case((given.c.state.in_(sorted(FINAL)), _NOW)),
        )
        .returning(_c.id)
    ),
    # Mostly a carrier takes all that it is handed.
    alike=(_c.state, _c.deadline, _c.not_before, _c.channel, _c.sender, _c.error_code, _c.doubts),
)


def _readdress(connection: sa.Connection, settled: Sequence[Settled]) -> None:
    """Of messages that are settled in this transaction. Rare, and so apart from what every message goes through."""
    if settled:
        news = ((item.message.id, item.readdressed) for item in settled)
        rows = ((id, new.recipient, new.text, new.encoding, new.segments) for id, new in news if new)
        _READDRESS.run(connection, rows)


_READDRESS = Batch(
    (_c.id, _c.recipient, _c.text, _c.encoding, _c.segments),
    lambda given: (
        sa.update(outbound)
        .where(_c.id == given.c.id)
        .values(recipient=given.c.recipient, text=given.c.text, encoding=given.c.encoding, segments=given.c.segments)
    ),
)
