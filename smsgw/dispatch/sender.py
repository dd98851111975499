"""A channel's senders: each claims what is due, hands it to the carrier, and settles what became of it.

Replies have a sender of their own, so that none waits for the call that carries notices. Whatever waits goes out in
one call, up to the batch. No transaction is open while the carrier is being called: a lease says who is sending, and
runs out if the sender does not come back. What a call ended with is written down in the transaction that claims the
next batch. While it has nothing to do, a reply may come into its hand without a claim.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa

from providers.contract import ChannelRefused, Unreachable
from smsgw import metrics
from smsgw.clock import Clock
from smsgw.dispatch import breaker, pace
from smsgw.dispatch.channel import Channel, Roads
from smsgw.dispatch.hand import Hand, NoticeHand, ReplyHand, Room
from smsgw.dispatch.handing import handed_over, outgoing
from smsgw.dispatch.hours import ALWAYS, Hours
from smsgw.dispatch.settling import Answer, NotTaken, Settler, asked_pause, failure, unreached
from smsgw.dispatch.vetting import Vet, all_go
from smsgw.store import channels, chats, outbox
from smsgw.store.clock import is_theirs
from smsgw.store.database import Database, trouble
from smsgw.store.exchanges import Exchange, keep
from smsgw.store.ids import new_id
from smsgw.store.passing import Passing
from smsgw.store.tables import Lane

POLL = 1.0  # seconds; the safety net under `wake`
TROUBLE_PAUSE = 2.0  # seconds before the database is tried again
BREATH = 0.05  # seconds between looks at whether the rate has room for a batch that comes late
LEASES = 3  # a lease lasts so many times the call's time limit

REPLIES = (Lane.REPLY,)
OTHERS = (Lane.REMINDER, Lane.NOTICE)

log = logging.getLogger("smsgw.dispatch")

AHand = TypeVar("AHand", bound=Hand)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Messages that are ours to send for as long as the lease lasts. `at`: since when, and the rate had room for them.

    `vetted`: by whoever put them into the hand, just now.
    """

    lease: str
    messages: Sequence[outbox.Claimed]
    at: datetime
    vetted: bool = False


@dataclass(frozen=True, slots=True)
class _Call:
    """A batch that went to the carrier, and what it answered."""

    batch: _Batch
    answer: Answer
    exchanges: Sequence[Exchange]


class Sender:
    """Sends for some lanes of one channel, in a thread of its own once started."""

    def __init__(
        self,
        database: Database,
        channel: Channel,
        roads: Roads,
        lanes: Collection[Lane],
        *,
        clock: Clock,
        hours: Hours = ALWAYS,
        chance: Callable[[], float] = random.random,
        vet: Vet = all_go,
    ) -> None:
        self._database = database
        self._channel = channel
        self._roads = roads
        self._lanes = tuple(lanes)
        self._call_limit = timedelta(seconds=channel.provider.time_limit)
        self._clock = clock
        self._hours = hours
        self._vet = vet
        self._settler = Settler(channel.provider.abilities.idempotent_by_ref, self._elsewhere, self._after_this, chance)
        self._unsent: set[str] = set()  # leases under which there may be messages, and nothing was handed over
        self._free = threading.Lock()  # whoever has it is the only one who takes anything into this sender's hand
        self._handed: _Batch | None = None  # what was put into it and not yet sent
        self._aside: Callable[[], object] | None = None  # what came with it and waits until it was sent
        self._work = threading.Event()
        self._stopping = threading.Event()
        self._given_up = threading.Event()  # whoever stops us waits no longer
        name = f"send-{channel.name}-{self._lanes[0].name.lower()}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def serves(self, channel: str, lane: Lane) -> bool:
        """Whether messages of that channel and lane are its work."""
        return channel == self._channel.name and lane in self._lanes

    def start(self) -> None:
        self._thread.start()

    def works(self) -> bool:
        """Whether it sends, and goes on sending."""
        return self._thread.is_alive() and not self._stopping.is_set()

    def wake(self) -> None:
        """There is something to send."""
        self._work.set()

    def finish(self) -> None:
        """Send no more after the call in hand."""
        self._stopping.set()
        self._work.set()

    def stop(self, timeout: float) -> None:
        """The same, and wait so many seconds for that call to be settled."""
        self.finish()
        self._thread.join(timeout)
        self._given_up.set()

    def hand_for_reply(self) -> AbstractContextManager[ReplyHand | None]:
        """A hand for a reply that is about to be stored; None if this sender has something else to do.

        The block commits it. It is sent when that has ended; if it fails and it is there all the same, queued.
        """
        return self._held_out(ReplyHand(new_id(), LEASES * self._call_limit, self._passing))

    def hand_for_notices(self, patience: float) -> AbstractContextManager[NoticeHand | None]:
        """The same for messages of notices; None if this sender has something else to do for so long."""
        lasts, spent = LEASES * self._call_limit, self._channel.pace.spent
        return self._held_out(NoticeHand(new_id(), lasts, self._look, self._lock, spent), patience)

    @contextmanager
    def _held_out(self, hand: AHand, patience: float = 0.0) -> Iterator[AHand | None]:
        if not self._holds_out(hand, patience):
            yield None
            return
        try:
            yield hand
            self._take(hand)
        finally:
            self._free.release()
            self._work.set()

    def _holds_out(self, hand: Hand, patience: float) -> bool:
        """Whether it has nothing to do; if so, `_free` is taken, for whoever gets the hand to release."""
        if not self._free.acquire(timeout=patience):
            return False
        if self.works() and not (self._handed or self._unsent):
            self._unsent.add(hand.lease)  # until we have heard that it was committed
            return True
        self._free.release()
        return False

    def _take(self, hand: Hand) -> None:
        self._unsent.discard(hand.lease)
        if hand.messages:
            self._handed = _Batch(hand.lease, [*map(outbox.claimed, hand.messages)], hand.at, vetted=True)
            self._aside = hand.aside

    def _passing(self) -> Passing:
        return self._channel.pace.passing(self._channel.name, self._clock(), theirs=is_theirs(self._clock))

    def _look(self, connection: sa.Connection) -> Room | None:
        """The channel's room for messages of a notice, if none waits before them."""
        looked = channels.look_to_pass(connection, self._channel.name, Lane.NOTICE, self._clock)
        return self._as_room(*looked) if looked else None

    def _lock(self, connection: sa.Connection) -> Room | None:
        """The same of a locked channel, whoever waits: some of those may have been stored with what is in the hand."""
        return self._as_room(*channels.lock_for_rate(connection, self._channel.name, self._clock))

    def _as_room(self, before: channels.Channel, at: datetime) -> Room | None:
        now = pace.at_this_time(before, at)
        most, _ = self._room(now, at)
        return Room(before, now, most, at) if most else None

    def send_due(self) -> float:
        """Send all that is due and may go now; the seconds until it is worth trying again, unless woken before."""
        batch, self._handed, pause = self._handed, None, POLL
        if batch is None:
            batch, pause = self._turn(None)
        while batch.messages:
            call = self._call(batch)
            batch, pause = self._turn(call)
            self._do_what_waited()
        return pause

    def _do_what_waited(self) -> None:
        """Do what came with the messages in the hand. It must not keep the next batch, which is claimed, from going."""
        aside, self._aside = self._aside, None
        try:
            if aside:
                aside()
        except sa.exc.SQLAlchemyError as error:
            log.warning("channel %s: what waited was not written down: %s", self._channel.name, trouble(error))
        except Exception:
            log.exception("channel %s: what waited was not done", self._channel.name)

    def _run(self) -> None:
        while True:
            with self._free:
                if self._stopping.is_set() and self._handed is None:
                    break  # and nothing can come into the hand any more
                # Cleared before looking: what is committed after the look sets it again.
                self._work.clear()
                pause = self._guarded()
            if not self._stopping.is_set():
                self._work.wait(pause)
        if self._unsent:
            self._guarded()  # lets go of what was committed unheard

    def _guarded(self) -> float:
        """Send what is due, whatever happens: a sender that dies leaves its channel silent for good."""
        try:
            return self.send_due()
        except sa.exc.SQLAlchemyError as error:
            log.warning("channel %s: the database failed: %s", self._channel.name, trouble(error))
        except Exception:
            log.exception("channel %s: sending failed", self._channel.name)
        return TROUBLE_PAUSE

    def _turn(self, call: _Call | None) -> tuple[_Batch, float]:
        """Settle a call and claim the next batch. What the carrier said is not forgotten while the database is away."""
        while True:
            try:
                return self._settle_and_claim(call)
            except (sa.exc.DataError, sa.exc.IntegrityError):
                raise  # no later try writes it down either: the lease runs out, and others are sent meanwhile
            except sa.exc.SQLAlchemyError as error:
                if call is None or self._given_up.wait(TROUBLE_PAUSE):
                    raise
                log.warning("channel %s: settling has to wait: %s", self._channel.name, trouble(error))

    def _settle_and_claim(self, call: _Call | None) -> tuple[_Batch, float]:
        now, name, lease = self._clock(), self._channel.name, new_id()
        given_back = [*self._unsent]
        self._unsent.add(lease)  # until we have heard that it was committed
        with self._database.writing("settle" if call else "claim") as connection:
            if given_back:
                outbox.give_back(connection, given_back)
            if call:
                self._settle(connection, call, now)
            before, now = channels.lock_for_rate(connection, name, self._clock)
            after = pace.at_this_time(before, now)
            after = self._after(after, call.answer, now) if call else after
            most, pause = self._room(after, now)
            claimed: Sequence[outbox.Claimed] = ()
            if most:
                until = now + LEASES * self._call_limit
                forgotten = self._channel.forgotten(now)
                claimed = outbox.claim(
                    connection, name, self._lanes, most, lease=lease, until=until, now=now, forgotten=forgotten
                )
            if claimed:
                after = self._channel.pace.spent(after, len(claimed), now)
            channels.write(connection, before, after, now)
        self._unsent.clear()
        self._roads.note(after)
        if after.state != before.state:
            log.error("channel %s is %s: %s", name, after.state, after.reason)
        return _Batch(lease, claimed, now), pause

    def _room(self, channel: channels.Channel, now: datetime) -> tuple[int, float]:
        """How many messages may be claimed; and the pause if there are none to claim."""
        if self._stopping.is_set() or channel.state != "open":
            return 0, POLL
        if channel.resume_at is not None and channel.resume_at > now:
            return 0, min(POLL, (channel.resume_at - now).total_seconds())
        if not self._may_send(now):
            return 0, POLL
        contract = self._channel.pace
        allowance = contract.allowance(channel, now)
        if Lane.REPLY not in self._lanes:
            allowance = contract.for_others(allowance)
        most = min(self._channel.batch, int(allowance))
        return most, POLL if most else min(POLL, contract.until_worth_a_call(allowance))

    def _may_send(self, now: datetime) -> bool:
        """Whether it is the hour for what it sends; for replies it always is."""
        return Lane.REPLY in self._lanes or self._hours.allow(now)

    def _after(self, channel: channels.Channel, answer: Answer, now: datetime) -> channels.Channel:
        """The channel after a call."""
        if isinstance(answer, NotTaken) and answer.held:
            return breaker.refused(channel, answer.reason, now)
        if (asked := asked_pause(answer)) is not None:
            channel = pace.slowed(channel, asked, now)
        return breaker.called(channel, failure(answer), now)

    def _call(self, batch: _Batch) -> _Call | None:
        """Hand a batch over; None if nothing of it goes out now."""
        self._unsent.add(batch.lease)
        batch = self._vetted(batch)
        known = self._chats(batch.messages)
        if not batch.messages:
            self._unsent.discard(batch.lease)
            return None
        if not self._in_time(batch):
            return None  # it is given back by the next turn
        self._unsent.discard(batch.lease)
        messages = [outgoing(message, known.get(message.recipient)) for message in batch.messages]
        answer, exchanges = handed_over(self._channel.provider, messages)
        if isinstance(answer, NotTaken):
            self._count(Counter({ChannelRefused if answer.held else Unreachable: len(batch.messages)}))
        else:
            self._count(Counter(map(type, answer)))
        return _Call(batch, answer, exchanges)

    def _vetted(self, batch: _Batch) -> _Batch:
        """The part of a batch that is still to go out."""
        if batch.vetted:
            return batch
        vetted = self._vet(batch.lease, batch.messages)
        if vetted.stopped:
            with self._database.writing("withdraw") as connection:
                outbox.settle(connection, self._channel.name, batch.lease, vetted.stopped, self._clock())
        return replace(batch, messages=vetted.going)

    def _in_time(self, batch: _Batch) -> bool:
        """Whether a batch may go out: its lease outlasts the call, and hour, channel and rate allow it now, not then.

        Between claim and call lies the vetting, and nobody knows how long the machine slept. The call gets two limits
        of the lease's three: one to be made in, and one for an answer that has begun to come.
        """
        at: datetime | None = batch.at
        if (now := self._clock()) - batch.at >= self._channel.pace.late:
            latest = now + self._call_limit
            while (at := self._taken_again(batch)) == batch.at:
                if self._clock() >= latest or self._stopping.wait(BREATH):
                    return False
        now = self._clock()
        return at is not None and now < at + self._call_limit and self._may_send(now)

    def _taken_again(self, batch: _Batch) -> datetime | None:
        """Take a batch's room from what the rate has now, and its lease anew; when. As before: there is no room yet.

        None if another one has taken the messages over, the channel was closed, or its carrier asked for a pause.
        """
        with self._database.writing("claim") as connection:
            before, now = channels.lock_for_rate(connection, self._channel.name, self._clock)
            after, messages = pace.at_this_time(before, now), len(batch.messages)
            if after.state != "open" or after.waits(now):
                return None
            if self._channel.pace.allowance(after, now) < messages:
                return batch.at
            if outbox.prolong(connection, batch.lease, now + LEASES * self._call_limit) < messages:
                return None
            channels.write(connection, before, self._channel.pace.spent(after, messages, now), now)
        return now

    def _chats(self, messages: Sequence[outbox.Claimed]) -> Mapping[str, str]:
        """Where the holders of these phones have lately written to us, if the carrier has a chat."""
        abilities = self._channel.provider.abilities
        if abilities.scheme is None:
            return {}
        since = self._clock() - abilities.chat_open
        with self._database.reading() as connection:
            return chats.open_for(connection, [message.recipient for message in messages], abilities.scheme, since)

    def _count(self, kinds: Counter[type]) -> None:
        for kind, count in kinds.items():
            metrics.messages_out.labels(self._channel.name, kind.__name__.lower()).inc(count)

    def _settle(self, connection: sa.Connection, call: _Call, now: datetime) -> None:
        missed = unreached(call.batch.messages, call.answer)
        phones = chats.phones(connection, missed) if missed else {}
        settled = self._settler.settled(call.batch.messages, call.answer, phones, now)
        keep(connection, self._channel.name, call.exchanges, now)
        ours = outbox.settle(connection, self._channel.name, call.batch.lease, settled, now)
        if ours < len(settled):
            log.warning("channel %s: %d leases had run out", self._channel.name, len(settled) - ours)
        if failed := [item for item in settled if item.outcome != "accepted"]:
            why = f"{failed[0].outcome}: {failed[0].detail}"
            log.info("channel %s: %d of %d not accepted: %s", self._channel.name, len(failed), len(settled), why)

    def _elsewhere(self, message: outbox.Claimed) -> Channel | None:
        return self._roads.instead(message.lane, message.recipient, self._channel.name)

    def _after_this(self, message: outbox.Claimed, phone: str) -> Channel | None:
        return self._roads.after(message.lane, phone, self._channel.name)
