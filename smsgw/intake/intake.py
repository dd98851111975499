"""From a carrier's callback to committed rows: decide on each message, store it with its reply, wake the sender.

Callbacks that come at the same time are decided on together and committed in one transaction, and each is answered
after that. The order matters. The one-stop database is asked before the gateway's transaction begins, so that no lock
is held while another agency's server thinks; a message and its reply are committed before the carrier is told anything.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from providers.contract import Inbound, Refused, Taken
from smsgw import metrics
from smsgw.answers.answering import Reply
from smsgw.clock import Clock, utc_now
from smsgw.dispatch.channel import Channel, Roads
from smsgw.dispatch.retry import RULES
from smsgw.intake import in_body
from smsgw.intake.clerk import Clerk, Decision, NoReply
from smsgw.intake.jointly import Jointly
from smsgw.store import inbox, people
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.outbox import NewMessage
from smsgw.store.tables import Lane
from smsgw.store.wakes import Bell
from smsgw.text import phones
from smsgw.text.alphabet import storable
from smsgw.text.segments import measure

MOST_CALLBACKS = 64  # in one transaction
LATE_BATCH = 200

log = logging.getLogger("smsgw.intake")


@dataclass(frozen=True, slots=True)
class _Callback:
    """What one callback brought."""

    channel: Channel
    messages: Sequence[Inbound | Refused]


class Intake:
    """Takes messages in, and rings for those who send the replies."""

    def __init__(
        self,
        database: Database,
        clerk: Clerk,
        roads: Roads,
        *,
        bell: Bell,
        apologise_after: timedelta = timedelta(minutes=5),
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._clerk = clerk
        self._roads = roads
        self._our_numbers = {channel.sender for channel in roads.channels.values()}
        self._bell = bell
        self._apologise_after = apologise_after
        self._clock = clock
        self._together = Jointly(self._take_all, MOST_CALLBACKS)

    def take(self, channel: Channel, messages: Sequence[Inbound | Refused]) -> Future[list[Taken]]:
        """Store messages with their replies; later, what became of each, in order.

        When that is there, everything is committed. It is the database's error if that can't be written.
        """
        return self._together.begin(_Callback(channel, messages))

    def _take_all(self, callbacks: Sequence[_Callback]) -> list[list[Taken] | Exception]:
        """What became of each message of each callback."""
        try:
            return list(self._commit(callbacks))
        except sa.exc.OperationalError:
            raise
        except Exception as error:
            if len(callbacks) == 1:
                raise
            # Somebody's message breaks what all have in common; the others must not suffer from it.
            log.warning("a group of callbacks is taken one by one: %s", type(error).__name__)
            return [self._alone(callback) for callback in callbacks]

    def _alone(self, callback: _Callback) -> list[Taken] | Exception:
        try:
            return self._commit([callback])[0]
        except Exception as error:
            return error

    def _commit(self, callbacks: Sequence[_Callback]) -> list[list[Taken]]:
        arrivals = self._arrivals(
            [
                (callback.channel, message)
                for callback in callbacks
                for message in callback.messages
                if isinstance(message, Inbound)
            ]
        )
        with self._database.writing("accept") as connection:
            new = inbox.accept(connection, arrivals)
            bodies = in_body.replies(connection, self._roads.channels, arrivals, new, self._clock())
            taken = [arrival for arrival in arrivals if arrival.id in new]
            channels = {arrival.reply.channel for arrival in taken if arrival.reply and arrival.id not in bodies}
            for name in channels:
                self._bell.tell(connection, name, Lane.REPLY)
        for name in channels:
            self._bell.ring(name, Lane.REPLY)
        for (channel, what), count in Counter(
            (arrival.channel, arrival.kind or arrival.state) for arrival in taken
        ).items():
            metrics.messages_in.labels(channel, what).inc(count)
        verdicts = iter(
            [
                Taken(arrival.carrier_message_id, _verdict(arrival, new), reply=bodies.get(arrival.id))
                for arrival in arrivals
            ]
        )
        return [
            [
                next(verdicts) if isinstance(message, Inbound) else Taken(message.id, "rejected", error=message.error)
                for message in callback.messages
            ]
            for callback in callbacks
        ]

    def answer_waiting(self) -> int:
        """Answer what came while the one-stop database was away; how many messages got their reply.

        One that has waited too long gets an apology instead, with where to ask.
        """
        now = self._clock()
        with self._database.reading() as connection:
            waiting = inbox.waiting(connection, self._roads.channels.keys(), LATE_BATCH)
        decisions = self._clerk.decide([(message.sender, message.text) for message in waiting], now)
        answered = 0
        for message, decision in zip(waiting, decisions, strict=True):
            if decision is NoReply.LATER and now - message.received_at >= self._apologise_after:
                decision = self._clerk.apology(message.sender, now)
            if decision is NoReply.NEVER:
                # It must not stand in the way of those who wait behind it.
                with self._database.writing("answer late") as connection:
                    inbox.ignore(connection, message)
            if not isinstance(decision, Reply):
                continue
            channel = self._roads.first(Lane.REPLY, message.sender, message.channel)
            reply = _message(channel, message.id, message.sender, decision, now)
            with self._database.writing("answer late") as connection:
                answered += inbox.answer_late(
                    connection, message, decision.kind, decision.codes, decision.options, reply
                )
                self._bell.tell(connection, reply.channel, Lane.REPLY)
            self._bell.ring(reply.channel, Lane.REPLY)
        return answered

    def _arrivals(self, messages: Sequence[tuple[Channel, Inbound]]) -> list[inbox.Arrival]:
        now = self._clock()
        senders = [self._person(message.sender) for _, message in messages]
        texts = [storable(message.text) for _, message in messages]
        asked = [(phone, text) for phone, text in zip(senders, texts, strict=True) if phone]
        decisions = iter(self._clerk.decide(asked, now))
        return [
            self._arrival(channel, message, phone, text, next(decisions) if phone else NoReply.NEVER, now)
            for (channel, message), phone, text in zip(messages, senders, texts, strict=True)
        ]

    def _arrival(
        self, channel: Channel, message: Inbound, phone: str | None, text: str, decision: Decision, now: datetime
    ) -> inbox.Arrival:
        id, sender = new_id(), phone or message.sender
        reply = decision if isinstance(decision, Reply) else None
        waits = decision is NoReply.LATER
        return inbox.Arrival(
            id=id,
            channel=channel.name,
            carrier_message_id=message.id,
            sender=sender,
            recipient=message.recipient,
            text=text,
            sent_at=message.received_at,
            received_at=now,
            state="answered" if reply else "waiting" if waits else "ignored",
            kind=reply.kind if reply else None,
            codes=reply.codes if reply else (),
            options=reply.options if reply else (),
            preference=_preference(reply) if reply else None,
            reply=self._reply(channel, id, sender, reply, now) if reply else None,
        )

    def _reply(self, came_by: Channel, in_reply_to: str, phone: str, reply: Reply, now: datetime) -> NewMessage:
        if came_by.provider.abilities.answers_in_body and not reply.delay:
            return in_body.handed_over(came_by, _message(came_by, in_reply_to, phone, reply, now), now)
        return _message(self._roads.first(Lane.REPLY, phone, came_by.name), in_reply_to, phone, reply, now)

    def _person(self, address: str) -> str | None:
        """The phone of a person; None for machines, which are never answered, ourselves among them."""
        if address in self._our_numbers or not phones.is_person(address):
            return None
        phone = phones.msisdn(address)
        return None if phone in self._our_numbers else phone


def _message(channel: Channel, in_reply_to: str, phone: str, reply: Reply, now: datetime) -> NewMessage:
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
        not_before=now + timedelta(seconds=reply.delay) if reply.delay else now,
        expires_at=now + RULES[Lane.REPLY].lifetime,
    )


def _verdict(arrival: inbox.Arrival, new: set[str]) -> Literal["accepted", "duplicate"]:
    return "accepted" if arrival.id in new else "duplicate"


def _preference(reply: Reply) -> people.Preference | None:
    return people.Preference(reply.language, reply.accents) if reply.kind == "preference" else None
