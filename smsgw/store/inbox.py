"""Citizens' messages: taking them in together with their answers, and those that still wait for one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from smsgw.store import chats, effects, outbox
from smsgw.store.batch import InsertNew, looked_at_last
from smsgw.store.effects import Said
from smsgw.store.passing import Passing
from smsgw.store.tables import inbound, outbound

State = Literal["answered", "waiting", "ignored"]


class Arrival(NamedTuple):
    """A message (MO) as it is to be stored, with what was decided about it.

    `reply`: the one to it, which names it by its id. `also`: what goes out because of it besides that. `changes`: in
    what is known of somebody in a chat.
    """

    id: str
    channel: str
    carrier_message_id: str
    sender: str
    recipient: str
    text: str
    sent_at: datetime | None
    received_at: datetime
    state: State
    kind: str | None = None
    codes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    misses: int = 0
    effects: tuple[Said, ...] = ()
    reply: outbox.NewMessage | None = None
    also: tuple[outbox.NewMessage, ...] = ()
    changes: tuple[chats.Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that could not be answered when it came."""

    id: str
    channel: str
    sender: str
    text: str
    received_at: datetime


def accept(connection: sa.Connection, arrivals: Sequence[Arrival], passing: Passing | None = None) -> list[Arrival]:
    """Store messages with the replies to them and what they change; those that are new, as they were stored.

    One that the channel has delivered before leaves no trace, and neither does what was decided on it. `passing`: how
    the only message's reply passes by the queue; it is given as in hand, and is queued if it may not pass.

    Raises Overtaken, and IntegrityError if the number of a complaint is taken.
    """
    if not arrivals:
        return []
    # By the carriers' ids, as other nodes that get the same ones insert them too, so that nobody waits in a circle.
    rows = [
        (
            arrival.id,
            arrival.carrier_message_id,
            arrival.sender,
            arrival.text,
            arrival.sent_at,
            arrival.kind,
            _joined(arrival.codes),
            _joined(arrival.options),
            arrival.channel,
            arrival.recipient,
            arrival.received_at,
            arrival.state,
            arrival.misses,
        )
        for arrival in sorted(arrivals, key=attrgetter("channel", "carrier_message_id"))
    ]
    if passing and (reply := arrivals[0].reply):
        kept = _keep_alone(connection, arrivals[0], rows, reply, passing)
    else:
        kept = _keep(connection, arrivals, rows)
    outbox.add(connection, [message for arrival in kept for message in arrival.also])
    changes = [(arrival.sender, change, arrival.received_at) for arrival in kept for change in arrival.changes]
    if changes:
        chats.write(connection, changes)
    effects.write(connection, [said for arrival in kept for said in arrival.effects])
    return kept


_Rows = Sequence[Sequence[Any]]


def _keep(connection: sa.Connection, arrivals: Sequence[Arrival], rows: _Rows) -> list[Arrival]:
    """Store messages and the replies to those that are new; these."""
    new = {*_KEEP.run(connection, rows)}
    kept = [arrival for arrival in arrivals if arrival.id in new]
    outbox.add(connection, [arrival.reply for arrival in kept if arrival.reply])
    return kept


def _keep_alone(
    connection: sa.Connection, arrival: Arrival, rows: _Rows, reply: outbox.NewMessage, passing: Passing
) -> list[Arrival]:
    """Store a message, its reply, and what that leaves of the rate; the message as it was stored, if it is new.

    PostgreSQL takes all of it as one statement: one round trip where there were four, for which somebody waits who
    came alone. Those who come together feel none of them.
    """
    queued = arrival._replace(reply=outbox.queued(reply))
    if connection.dialect.name == "postgresql":
        (_, packed), (_, replied) = _KEEP.on("postgresql").pack(rows), _REPLY.pack([reply])
        values = packed | replied | passing.parameters()
        return [arrival if passed else queued for passed in connection.scalars(_together(passing.statement()), values)]
    kept = [arrival if passing.take(connection) else queued for _ in _KEEP.run(connection, rows)]
    outbox.add(connection, [one.reply for one in kept if one.reply])
    return kept


@cache
def _together(passing: sa.Update) -> sa.Select[Any]:
    """PostgreSQL's statement, each of whose steps looks at the one before; for a new message, whether it has passed."""
    keep: Any = _KEEP.on("postgresql").statement("postgresql", False)
    reply: Any = _REPLY.statement("postgresql", False)
    passes = passing.where(_KEPT.select().exists())
    steps = (keep.cte(_KEPT.name), passes.cte(_PASSED.name), reply.cte("replied"))
    return sa.select(_PASSED.select().exists()).select_from(_KEPT).add_cte(*steps)


_c = inbound.c
_KEEP = InsertNew(
    *(_c.id, _c.carrier_message_id, _c.sender, _c.text, _c.sent_at, _c.kind, _c.codes, _c.options),
    returning=_c.id,
    alike=(_c.channel, _c.recipient, _c.received_at, _c.state, _c.misses),  # in what is taken in together, mostly
)
# What the steps of that statement have written.
_KEPT, _PASSED = sa.table("kept", sa.column("id")), sa.table("passed", sa.column("name"))
_REPLY = outbox.adding_reply(_KEPT, _PASSED)


def answer_late(
    connection: sa.Connection,
    waiting: Waiting,
    *,
    kind: str,
    codes: Sequence[str],
    options: Sequence[str],
    misses: int,
    said: Sequence[Said],
    reply: outbox.NewMessage,
) -> bool:
    """Give a waiting message its reply, and write down what it changes; False if another node was quicker."""
    answered = connection.execute(
        sa.update(inbound)
        .where(inbound.c.id == waiting.id, inbound.c.state == "waiting")
        .values(state="answered", kind=kind, codes=_joined(codes), options=_joined(options), misses=misses)
    )
    if answered.rowcount != 1:
        return False
    outbox.add(connection, [reply])
    effects.write(connection, said)
    return True


def ignore(connection: sa.Connection, waiting: Waiting) -> None:
    """A waiting message will get no reply."""
    still = (inbound.c.id == waiting.id, inbound.c.state == "waiting")
    connection.execute(sa.update(inbound).where(*still).values(state="ignored"))


def waiting(connection: sa.Connection, channels: Collection[str], left_at: datetime, limit: int) -> list[Waiting]:
    """The messages that have waited longest, of these channels, or of others if no node of theirs has answered by then.

    `left_at`: when they came at the latest; their channel was taken out of the settings since.
    """
    ours = sa.or_(inbound.c.channel.in_(channels), inbound.c.received_at <= left_at)
    columns = (inbound.c.id, inbound.c.channel, inbound.c.sender, inbound.c.text, inbound.c.received_at)
    rows = connection.execute(
        sa.select(*columns)
        # The literal, and not a parameter, lets the planner see that the partial index serves.
        .where(inbound.c.state == sa.text("'waiting'"), looked_at_last(ours))
        .order_by(inbound.c.received_at)
        .limit(limit)
    )
    return [Waiting(*row) for row in rows]


def replies_again(
    connection: sa.Connection, channel: str, carrier_message_ids: Collection[str], until: datetime
) -> dict[str, Any]:
    """The id, recipient, text and encoding of replies that went out in the body of an answer, by the carrier's id.

    What is still in doubt stays so until then. One that was queued meanwhile goes another way and is not among them:
    no try is counted for a reply in a body, and one for each that a sender claims.
    """
    answered = sa.select(inbound.c.id).where(
        inbound.c.channel == channel, inbound.c.carrier_message_id.in_(carrier_message_ids)
    )
    in_bodies = (outbound.c.in_reply_to.in_(answered), outbound.c.channel == channel, outbound.c.attempts == 0)
    doubtful = sa.update(outbound).where(*in_bodies, outbound.c.state == "unknown")
    connection.execute(doubtful.values(deadline=until))
    rows = connection.execute(
        sa.select(
            inbound.c.carrier_message_id,
            outbound.c.id,
            outbound.c.recipient,
            outbound.c.text,
            outbound.c.encoding,
        )
        .join(inbound, inbound.c.id == outbound.c.in_reply_to)
        .where(*in_bodies, outbound.c.state.not_in(("queued", "held", "cancelled")))
    )
    return {row.carrier_message_id: row for row in rows}


def _joined(codes: Iterable[str]) -> str | None:
    return " ".join(codes) or None
