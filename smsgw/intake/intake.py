"""From a carrier's callback to committed rows: decide on each message, store it with its reply, wake the sender.

The order matters. The one-stop database is asked before the gateway's transaction begins, so that no lock is held
while another agency's server thinks; a message and its reply are committed before the carrier is told anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from providers.contract import Inbound, Refused, Taken
from smsgw import metrics
from smsgw.answers.answering import Reply
from smsgw.clock import Clock, utc_now
from smsgw.dispatch.channel import Channel
from smsgw.intake.clerk import Clerk, Decision, NoReply
from smsgw.store import inbox, people
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.outbox import NewMessage
from smsgw.store.tables import Lane
from smsgw.text import phones
from smsgw.text.alphabet import storable
from smsgw.text.segments import measure

REPLY_LIFETIME = timedelta(hours=12)  # a status that comes later has often changed
LATE_BATCH = 200


class Intake:
    """Takes messages in. `wake` is told the name of a channel that has something to send."""

    def __init__(
        self,
        database: Database,
        clerk: Clerk,
        channels: Mapping[str, Channel],
        *,
        wake: Callable[[str], None],
        apologise_after: timedelta = timedelta(minutes=5),
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._clerk = clerk
        self._channels = channels
        self._our_numbers = {channel.sender for channel in channels.values()}
        self._wake = wake
        self._apologise_after = apologise_after
        self._clock = clock

    def take(self, channel: Channel, messages: Sequence[Inbound | Refused]) -> list[Taken]:
        """Store messages with their replies and say what became of each, in order.

        When this returns, everything is committed. Raises the database's error if it can't be written.
        """
        arrivals = self._arrivals(channel, [message for message in messages if isinstance(message, Inbound)])
        with self._database.writing() as connection:
            new = inbox.accept(connection, arrivals)
        taken = [arrival for arrival in arrivals if arrival.id in new]
        for arrival in taken:
            metrics.messages_in.labels(channel.name, arrival.kind or arrival.state).inc()
        if any(arrival.reply for arrival in taken):
            self._wake(channel.name)
        results = iter([Taken(arrival.carrier_message_id, _verdict(arrival, new)) for arrival in arrivals])
        return [
            Taken(message.id, "rejected", error=message.error) if isinstance(message, Refused) else next(results)
            for message in messages
        ]

    def answer_waiting(self) -> int:
        """Answer what came while the one-stop database was away; how many messages got their reply.

        One that has waited too long gets an apology instead, with where to ask.
        """
        now = self._clock()
        with self._database.reading() as connection:
            waiting = inbox.waiting(connection, LATE_BATCH)
        decisions = self._clerk.decide([(message.sender, message.text) for message in waiting], now)
        answered = 0
        for message, decision in zip(waiting, decisions, strict=True):
            if decision is NoReply.LATER and now - message.received_at >= self._apologise_after:
                decision = self._clerk.apology(message.sender, now)
            channel = self._channels.get(message.channel)
            if channel is None or not isinstance(decision, Reply):
                continue
            reply = _new_message(channel, message.id, message.sender, decision, now)
            with self._database.writing() as connection:
                answered += inbox.answer_late(
                    connection, message, decision.kind, decision.codes, decision.options, reply
                )
            self._wake(channel.name)
        return answered

    def _arrivals(self, channel: Channel, messages: Sequence[Inbound]) -> list[inbox.Arrival]:
        now = self._clock()
        senders = [self._person(message.sender) for message in messages]
        messages = [replace(message, text=storable(message.text)) for message in messages]
        texts = [(phone, message.text) for phone, message in zip(senders, messages, strict=True) if phone]
        decisions = iter(self._clerk.decide(texts, now))
        return [
            _arrival(channel, message, phone or message.sender, next(decisions) if phone else NoReply.NEVER, now)
            for phone, message in zip(senders, messages, strict=True)
        ]

    def _person(self, address: str) -> str | None:
        """The phone of a person; None for machines, which are never answered, ourselves among them."""
        if address in self._our_numbers or not phones.is_person(address):
            return None
        phone = phones.msisdn(address)
        return None if phone in self._our_numbers else phone


def _verdict(arrival: inbox.Arrival, new: set[str]) -> Literal["accepted", "duplicate"]:
    return "accepted" if arrival.id in new else "duplicate"


def _arrival(channel: Channel, message: Inbound, sender: str, decision: Decision, now: datetime) -> inbox.Arrival:
    id = new_id()
    reply = decision if isinstance(decision, Reply) else None
    waits = decision is NoReply.LATER
    return inbox.Arrival(
        id=id,
        channel=channel.name,
        carrier_message_id=message.id,
        sender=sender,
        recipient=message.recipient,
        text=message.text,
        sent_at=message.received_at,
        received_at=now,
        state="answered" if reply else "waiting" if waits else "ignored",
        kind=reply.kind if reply else None,
        codes=reply.codes if reply else (),
        options=reply.options if reply else (),
        preference=people.Preference(reply.language, reply.accents) if reply and reply.kind == "preference" else None,
        reply=_new_message(channel, id, sender, reply, now) if reply else None,
    )


def _new_message(channel: Channel, in_reply_to: str, phone: str, reply: Reply, now: datetime) -> NewMessage:
    size = measure(reply.text)
    return NewMessage(
        id=new_id(),
        channel=channel.name,
        lane=Lane.REPLY,
        in_reply_to=in_reply_to,
        sender=channel.sender,
        recipient=phone,
        text=reply.text,
        encoding=size.encoding,
        segments=size.segments,
        created_at=now,
        not_before=now + timedelta(seconds=reply.delay),
        expires_at=now + REPLY_LIFETIME,
    )
