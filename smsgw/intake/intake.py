"""From a carrier's callback to committed rows: decide on each message, store it with its reply, wake the sender.

Callbacks that come at the same time are decided on together and committed in one transaction, and each is answered
after that. The order matters. The one-stop database is asked before the gateway's transaction begins, so that no lock
is held while another agency's server thinks; a message and its reply are committed before the carrier is told anything.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from providers.contract import Inbound, Refused, Taken
from providers.contract import Reply as InBody
from smsgw import metrics
from smsgw.answers.asker import Reply
from smsgw.clock import Clock
from smsgw.dispatch.channel import Channel, Roads
from smsgw.dispatch.hand import ReplyHand
from smsgw.dispatch.retry import RULES
from smsgw.dispatch.sender import Sender
from smsgw.intake import in_body, lines, talks
from smsgw.intake.chat_desk import ChatDesk, Heard, Word
from smsgw.intake.clerk import Clerk, Decision, NoReply
from smsgw.intake.jointly import Jointly, all_or_each
from smsgw.intake.talks import Brought, Talk
from smsgw.store import followers, inbox
from smsgw.store.chats import LinkAsked, Overtaken
from smsgw.store.database import Database
from smsgw.store.effects import Following, Said
from smsgw.store.ids import new_id
from smsgw.store.outbox import NewMessage
from smsgw.store.states import State
from smsgw.store.tables import Lane
from smsgw.store.wakes import Bell
from smsgw.text import addresses
from smsgw.text.alphabet import storable

LATE_BATCH = 200

log = logging.getLogger("smsgw.intake")


class Intake:
    """Takes messages in, and rings for those who send the replies. `senders`: of replies here, by channel."""

    def __init__(
        self,
        database: Database,
        desk: ChatDesk,
        clerk: Clerk,
        roads: Roads,
        *,
        bell: Bell,
        senders: Mapping[str, Sequence[Sender]],
        apologise_after: timedelta,
        clock: Clock,
    ) -> None:
        self._database = database
        self._desk = desk
        self._clerk = clerk
        self._roads = roads
        self._our_numbers = {channel.sender for channel in roads.channels.values()}
        self._bell = bell
        self._senders = senders
        self._apologise_after = apologise_after
        self._clock = clock
        self._together = Jointly(self._take_all, talks.MOST_TOGETHER, talks.size)

    def take(
        self, channel: Channel, messages: Sequence[Inbound | Refused], talk: Talk | None = None
    ) -> Future[list[Taken]]:
        """Store messages with their replies, and how the carrier said them; later, what became of each, in order.

        When that is there, everything is committed. It is the database's error if that can't be written.
        """
        brought = Brought(channel, messages, talk)
        talks.tell_of_refused(brought)
        return self._together.begin(brought)

    def _take_all(self, callbacks: Sequence[Brought[Inbound | Refused]]) -> list[list[Taken] | Exception]:
        """What became of each message of each callback."""
        return all_or_each(self._commit, callbacks)

    def _commit(self, callbacks: Sequence[Brought[Inbound | Refused]]) -> list[list[Taken]]:
        came = [
            (callback.channel, message)
            for callback in callbacks
            for message in callback.items
            if isinstance(message, Inbound)
        ]
        return self._accept(callbacks, self._look(came))

    def _look(self, came: Sequence[tuple[Channel, Inbound]]) -> lines.Look:
        now = self._clock()
        if not any(lines.by_line(message) for _, message in came):
            return lines.look(None, came, now)
        with self._database.reading() as connection:
            return lines.look(connection, came, now)

    def _accept(self, callbacks: Sequence[Brought[Inbound | Refused]], seen: lines.Look) -> list[list[Taken]]:
        """Decide on what was looked at, and commit it; what became of each callback."""
        arrivals = self._arrivals(seen.whole)
        with self._hand(arrivals) as hand, self._database.writing("accept") as connection:
            lines.write(connection, seen)
            passing = None
            if hand:
                passing = hand.opens()
                arrivals = [one._replace(reply=one.reply and hand.holding(one.reply)) for one in arrivals]
            taken = inbox.accept(connection, arrivals, passing)
            new = {arrival.id for arrival in taken}
            bodies = in_body.replies(connection, self._roads.channels, arrivals, new, self._clock())
            answers = _verdicts(callbacks, seen.places, arrivals, new, bodies)
            out = [message for arrival in taken for message in (arrival.reply, *arrival.also) if message]
            channels = {message.channel for message in out if message.state is State.QUEUED}
            if hand:
                hand.closes(out)
            if new:
                said, at = [*zip(callbacks, answers, strict=True)], arrivals[0].received_at
                if hand and hand.messages:
                    hand.aside = partial(self._trace, said, at)  # nobody waits for it, and the reply would
                else:
                    talks.keep(connection, said, at)
            for name in channels:
                self._bell.tell(connection, name, Lane.REPLY)
        for name in channels:
            self._bell.ring(name, Lane.REPLY)
        for (channel, what), count in Counter(
            (arrival.channel, arrival.kind or arrival.state) for arrival in taken
        ).items():
            metrics.messages_in.labels(channel, what).inc(count)
        return answers

    def _trace(self, said: Sequence[tuple[Brought[Inbound | Refused], Sequence[Taken]]], at: datetime) -> None:
        with self._database.writing("trace") as connection:
            talks.keep(connection, said, at)

    def _hand(self, arrivals: Sequence[inbox.Arrival]) -> AbstractContextManager[ReplyHand | None]:
        """The hand of the sender that will send the reply to a message which comes alone, if it is to go out now.

        Those who come together are better sent together.
        """
        reply = arrivals[0].reply if len(arrivals) == 1 else None
        if reply is None or reply.state is not State.QUEUED or reply.not_before > reply.created_at:
            return nullcontext()
        senders = self._senders.get(reply.channel)
        return senders[0].hand_for_reply() if senders else nullcontext()

    def take_late_parts(self) -> int:
        """Take in long texts of which a part never came, as far as they go; how many."""
        with self._database.reading() as connection:
            seen = lines.look_at_late(connection, self._roads.channels, self._clock(), LATE_BATCH)
        if not seen.whole:
            return 0
        try:
            self._accept((), seen)
        except Overtaken:
            return 0  # one of them has just come, or another node takes them in
        return len(seen.whole)

    def answer_waiting(self) -> int:
        """Answer what came while the one-stop database was away; how many messages got their reply.

        One that has waited too long gets an apology instead, with where to ask.
        """
        now = self._clock()
        left_at = now - 2 * self._apologise_after
        with self._database.reading() as connection:
            waiting = inbox.waiting(connection, self._roads.channels.keys(), left_at, LATE_BATCH)
        answered = 0
        for message, decision in zip(waiting, self._decisions(waiting, now), strict=True):
            try:
                answered += self._answer_late(message, decision, now)
            except sa.exc.OperationalError:
                raise
            except Exception:
                log.exception("a message that waits can't be answered")  # and nobody waits for it
        return answered

    def _answer_late(self, message: inbox.Waiting, first_decision: Decision, now: datetime) -> int:
        """Answer one that waits, or leave it, or give it up; how many got their reply."""
        decision = self._still_so(message, first_decision, now)
        if decision is NoReply.LATER and now - message.received_at >= self._apologise_after:
            decision = self._clerk.apology(message.sender, now)
        channel = self._roads.back(message.sender, message.channel)
        if decision is NoReply.NEVER or channel is None:
            # It must not stand in the way of those who wait behind it.
            with self._database.writing("answer late") as connection:
                inbox.ignore(connection, message)
        if channel is None or not isinstance(decision, Reply):
            return 0
        reply = reply_message(channel, message.id, message.sender, decision, now)
        said = _said(decision, message.id, message.sender, message.channel, message.received_at)
        with self._database.writing("answer late") as connection:
            if _spoken_of_since(connection, message, decision):
                return 0  # at this moment: it is decided on anew when the next are
            answered = inbox.answer_late(
                connection,
                message,
                kind=decision.kind,
                codes=decision.codes,
                options=decision.options,
                misses=decision.misses,
                said=said,
                reply=reply,
            )
            self._bell.tell(connection, reply.channel, Lane.REPLY)
        self._bell.ring(reply.channel, Lane.REPLY)
        return answered

    def _still_so(self, message: inbox.Waiting, decision: Decision, now: datetime) -> Decision:
        """A decision on a message that has waited, without what the same phone has said something newer about."""
        if not (isinstance(decision, Reply) and _followings(decision)):
            return decision
        with self._database.reading() as connection:
            newer = _spoken_of_since(connection, message, decision)
        if not newer:
            return decision
        if newer.issuperset(_followings(decision)):
            return NoReply.NEVER  # they have had their answer to what they said since
        return self._clerk.decide_without(message.sender, message.text, newer, now)

    def _decisions(self, waiting: Sequence[inbox.Waiting], now: datetime) -> list[Decision]:
        """What each is answered with. One that can't be decided on waits for its apology, and nobody waits for it."""
        decided = all_or_each(
            lambda some: self._clerk.decide([(message.sender, message.text) for message in some], now), waiting
        )
        for error in decided:
            if isinstance(error, Exception):
                log.error("a message that waits can't be decided on", exc_info=error)
        return [NoReply.LATER if isinstance(decision, Exception) else decision for decision in decided]

    def _arrivals(self, messages: Sequence[tuple[Channel, Inbound]]) -> list[inbox.Arrival]:
        now = self._clock()
        senders = [self._person(channel, message.sender) for channel, message in messages]
        texts = [storable(message.text) for _, message in messages]
        heard = self._desk.hear(
            [_word(message, phone) for (_, message), phone in zip(messages, senders, strict=True)], now
        )
        asks = [phone and (at_desk is None or at_desk.for_clerk) for phone, at_desk in zip(senders, heard, strict=True)]
        asked = [(phone, text) for phone, text, clerk in zip(senders, texts, asks, strict=True) if phone and clerk]
        decisions = iter(self._clerk.decide(asked, now))
        return [
            self._arrival(channel, message, phone, text, next(decisions) if clerk else None, at_desk, now)
            for (channel, message), phone, text, clerk, at_desk in zip(
                messages, senders, texts, asks, heard, strict=True
            )
        ]

    def _arrival(
        self,
        channel: Channel,
        message: Inbound,
        phone: str | None,
        text: str,
        decision: Decision | None,
        heard: Heard | None,
        now: datetime,
    ) -> inbox.Arrival:
        id, sender = new_id(), phone or message.sender
        reply = decision if isinstance(decision, Reply) else heard.reply if heard else None
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
            misses=reply.misses if reply else 0,
            effects=_said(reply, id, sender, channel.name, now) if reply else (),
            reply=self._reply(channel, id, sender, reply, now) if reply else None,
            also=tuple(self._codes(reply, now)) if reply else (),
            changes=(*((heard.seen,) if heard else ()), *(reply.changes if reply else ())),
        )

    def _reply(self, came_by: Channel, in_reply_to: str, phone: str, reply: Reply, now: datetime) -> NewMessage:
        if came_by.provider.abilities.answers_in_body and not reply.delay:
            return in_body.handed_over(came_by, reply_message(came_by, in_reply_to, phone, reply, now), now)
        return reply_message(self._roads.first(Lane.REPLY, phone, came_by.name), in_reply_to, phone, reply, now)

    def _codes(self, reply: Reply, now: datetime) -> Iterator[NewMessage]:
        """The SMS that bring the codes which somebody in a chat is to type back."""
        for change in reply.changes:
            if isinstance(change, LinkAsked):
                link = change.link
                channel = self._roads.first(Lane.REPLY, link.phone)
                yield channel.message(Lane.REPLY, link.phone, change.text, now, link.expires_at)

    def _person(self, channel: Channel, address: str) -> str | None:
        """The address of a person; None for machines, which are never answered, ourselves among them."""
        if address in self._our_numbers:
            return None
        person = addresses.person(address, channel.provider.abilities.scheme)
        return None if person in self._our_numbers else person


def _word(message: Inbound, address: str | None) -> Word | None:
    """What the desk is to hear of a message; None if it came by no chat."""
    return Word(address, message.text, message.event) if address and addresses.scheme(address) else None


def reply_message(channel: Channel, in_reply_to: str | None, phone: str, reply: Reply, now: datetime) -> NewMessage:
    """A reply as it goes out by a channel. `in_reply_to`: whose one reply it is; None: that had one."""
    until = now + RULES[Lane.REPLY].lifetime
    message = channel.message(Lane.REPLY, phone, reply.text, now, until, in_reply_to=in_reply_to)
    if addresses.scheme(phone):
        message = message._replace(segments=1)  # a chat counts messages
    if reply.delay:
        message = message._replace(not_before=now + timedelta(seconds=reply.delay))
    return message


def _verdicts(
    callbacks: Sequence[Brought[Inbound | Refused]],
    places: Sequence[lines.Place],
    arrivals: Sequence[inbox.Arrival],
    new: Collection[str],
    bodies: Mapping[str, InBody],
) -> list[list[Taken]]:
    """What each callback is told of each of its messages."""
    said = iter(places)

    def verdict(item: Inbound | Refused) -> Taken:
        if isinstance(item, Refused):
            return Taken(item.id, "rejected", error=item.error)
        place = next(said)
        if isinstance(place, str):
            return Taken(item.id, place)
        arrival = arrivals[place]
        return Taken(item.id, "accepted" if arrival.id in new else "duplicate", reply=bodies.get(arrival.id))

    return [[verdict(item) for item in callback.items] for callback in callbacks]


def _spoken_of_since(connection: sa.Connection, message: inbox.Waiting, decision: Reply) -> frozenset[str]:
    """Those of the dossiers that a decision has a phone follow or not of which it has said something newer."""
    codes = _followings(decision)
    if not codes:
        return frozenset()
    return followers.said_since(connection, decision.phone or message.sender, codes, message.received_at)


def _followings(decision: Reply) -> list[str]:
    return [effect.code for effect in decision.effects if isinstance(effect, Following)]


def _said(reply: Reply, message: str, sender: str, channel: str, at: datetime) -> tuple[Said, ...]:
    """What a message changes, besides getting this reply."""
    return tuple(Said(message, sender, reply.phone or sender, channel, at, effect) for effect in reply.effects)
