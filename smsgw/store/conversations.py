"""What was written to and by a citizen, with every try and every receipt, newest first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from smsgw.store.batch import Batch
from smsgw.store.history import message
from smsgw.store.tables import attempt, inbound, notice, notice_recipient, receipt, reminder
from smsgw.store.tables.messages import names_several

LATEST = 100  # messages of a conversation that are shown, of either side


@dataclass(slots=True)
class Sent:
    """A message (MT), and what became of it: tries that went wrong, and receipts."""

    row: Any
    attempts: list[Any] = field(default_factory=list)
    receipts: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Thread:
    """The latest messages from a phone (MO), newest first, and those to it, of which replies name what they answer.

    `older`: there were more of either.
    """

    came: list[Any]
    went: list[Sent]
    older: bool


@dataclass(frozen=True, slots=True)
class Talk:
    """Somebody who asked about a dossier: one of their messages, by which the conversation is found, and when."""

    id: str
    phone: str
    at: datetime


def thread(connection: sa.Connection, phone: str) -> Thread:
    """What was written to and by a phone."""
    from_it = sa.select(inbound).where(inbound.c.sender == phone).order_by(inbound.c.received_at.desc())
    to_it = sa.select(message).where(message.c.recipient == phone).order_by(message.c.created_at.desc())
    came = [*connection.execute(from_it.limit(LATEST + 1))]
    went = [*connection.execute(to_it.limit(LATEST + 1))]
    sent = {row.id: Sent(row) for row in went[:LATEST]}
    ids = [(id,) for id in sent]
    for row in _ATTEMPTS.rows(connection, ids):
        sent[row.outbound_id].attempts.append(row)
    for row in _RECEIPTS.rows(connection, ids):
        sent[row.outbound_id].receipts.append(row)
    return Thread(came[:LATEST], [*sent.values()], older=len(came) > LATEST or len(went) > LATEST)


_ATTEMPTS = Batch(
    (attempt.c.outbound_id,),
    lambda given: (
        sa.select(attempt).where(attempt.c.outbound_id.in_(sa.select(given.c.outbound_id))).order_by(attempt.c.at)
    ),
)
_RECEIPTS = Batch(
    (receipt.c.outbound_id,),
    lambda given: (
        sa.select(receipt)
        .where(receipt.c.outbound_id.in_(sa.select(given.c.outbound_id)))
        .order_by(receipt.c.received_at)
    ),
)


def notices_of(connection: sa.Connection, ids: Collection[str], agency: str) -> set[str]:
    """Those of these messages that are an agency's notices."""
    r, n = notice_recipient.c, notice.c
    sent = sa.select(r.message_id).join_from(notice_recipient, notice, n.id == r.notice_id)
    return {*connection.execute(sent.where(r.message_id.in_(ids), n.agency == agency)).scalars()}


def reminders_of(connection: sa.Connection, ids: Collection[str]) -> dict[str, str]:
    """The dossier that each of these messages reminds of, as far as they are reminders."""
    r = reminder.c
    return dict(connection.execute(sa.select(r.message, r.dossier).where(r.message.in_(ids))).all())


def phone_of(connection: sa.Connection, id: str) -> str | None:
    """The citizen's phone of a message, from or to them."""
    came = connection.scalar(sa.select(inbound.c.sender).where(inbound.c.id == id))
    return came or connection.scalar(sa.select(message.c.recipient).where(message.c.id == id))


def with_phones(connection: sa.Connection, phones: Collection[str]) -> list[Talk]:
    """The latest message from or to each of these phones, as far as there is one."""
    found = []
    for phone in phones:
        came = sa.select(inbound.c.id, inbound.c.sender, inbound.c.received_at).where(inbound.c.sender == phone)
        went = sa.select(message.c.id, message.c.recipient, message.c.created_at).where(message.c.recipient == phone)
        latest = [
            Talk(*row)
            for query in (came, went)
            for row in connection.execute(query.order_by(sa.literal_column("3").desc()).limit(1))
        ]
        found += sorted(latest, key=lambda talk: talk.at)[-1:]
    return found


def about(connection: sa.Connection, codes: Collection[str], limit: int = 50) -> list[Talk]:
    """Those who asked about any of these dossiers, alone or together with others, the latest first."""
    c = inbound.c
    # Each by an index of its own: messages that name one dossier, and those that name more, which are read only once.
    alone = sa.select(c.id, c.sender, c.received_at).where(c.codes.in_(codes))
    named = sa.or_(sa.false(), *((" " + c.codes + " ").like(f"% {code} %") for code in codes))
    among = sa.select(c.id, c.sender, c.received_at).where(names_several(c.codes), named)
    talks: dict[str, Talk] = {}
    for row in connection.execute(sa.union_all(alone, among)):
        talk = Talk(*row)
        if talk.phone not in talks or talks[talk.phone].at < talk.at:
            talks[talk.phone] = talk
    return sorted(talks.values(), key=lambda talk: talk.at, reverse=True)[:limit]
