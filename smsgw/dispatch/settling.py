"""From what a carrier said of a message to what is written down. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from providers.callbacks import LONGEST_ID
from providers.contract import Accepted, Outcome, Rejected, Throttled, Unknown
from smsgw.dispatch.channel import Channel
from smsgw.dispatch.retry import doubt_until, next_attempt
from smsgw.store.outbox import Claimed, Readdressed, Settled
from smsgw.store.states import LIVE_FOR, RECEIPT_WAIT, State
from smsgw.text.accents import plain
from smsgw.text.addresses import scheme
from smsgw.text.alphabet import storable
from smsgw.text.segments import measure

USUAL_PAUSE = 1.0  # seconds that a channel rests when its carrier says "later" without saying when
LONGEST_PAUSE = 3600.0  # seconds after which it is asked again, whatever it said

Elsewhere = Callable[[Claimed], Channel | None]
After = Callable[[Claimed, str], Channel | None]
Phones = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The whole call failed before the carrier could take anything. `held`: it does not accept us at all."""

    reason: str
    held: bool = False


Answer = Sequence[Outcome] | NotTaken


def failure(answer: Answer) -> str | None:
    """Why a call counts as failed; None for one that the carrier answered, whatever it said."""
    if isinstance(answer, NotTaken):
        return answer.reason
    doubts = [outcome.detail for outcome in answer if isinstance(outcome, Unknown)]
    return doubts[0] if len(doubts) == len(answer) else None


def asked_pause(answer: Answer) -> float | None:
    """The seconds that the carrier wants us to wait, if it said "later" to anything."""
    if isinstance(answer, NotTaken):
        return None
    pauses = [
        USUAL_PAUSE if outcome.retry_after is None else min(LONGEST_PAUSE, outcome.retry_after)
        for outcome in answer
        if isinstance(outcome, Throttled)
    ]
    return max(pauses, default=None)


def unreached(batch: Sequence[Claimed], answer: Answer) -> list[str]:
    """The addresses in a chat at which a call did not reach people who may have a phone."""
    if isinstance(answer, NotTaken):
        return []
    tried = zip(batch, answer, strict=True)
    return [
        message.recipient
        for message, outcome in tried
        if isinstance(outcome, Rejected) and outcome.elsewhere and scheme(message.recipient)
    ]


@dataclass(frozen=True, slots=True)
class Settler:
    """Settles one channel's calls. `elsewhere`: the channel that takes what this one surely did not.

    `after`: the one that takes a message for a phone if this one does not reach the person.
    """

    idempotent: bool
    elsewhere: Elsewhere
    after: After
    chance: Callable[[], float]

    def settled(self, batch: Sequence[Claimed], answer: Answer, phones: Phones, now: datetime) -> list[Settled]:
        """What is written down of each message of a call. `phones`: of people in a chat who were not reached there."""
        if isinstance(answer, NotTaken):
            return [self._not_taken(message, answer, now) for message in batch]
        tried = zip(batch, answer, strict=True)
        return [self._to_phone(message, outcome, phones, now) or self._one(message, outcome, now)
                for message, outcome in tried]  # fmt: skip

    def _to_phone(self, message: Claimed, outcome: Outcome, phones: Phones, now: datetime) -> Settled | None:
        """The same message on its way to the person's phone, if that is where they can be reached instead."""
        # One that an earlier try may have delivered must not come a second time in another way.
        if not (isinstance(outcome, Rejected) and outcome.elsewhere) or message.doubts:
            return None
        chat = scheme(message.recipient)
        phone = phones.get(message.recipient) if chat else message.recipient
        channel = self.after(message, phone) if phone else None
        if channel is None or phone is None:
            return None
        return Settled(
            message,
            State.QUEUED,
            message.expires_at,
            now,
            channel.name,
            channel.sender,
            outcome="unreached",
            code=outcome.code,
            detail=outcome.detail,
            readdressed=_for_phone(phone, message.text) if chat else None,
        )

    def _one(self, message: Claimed, outcome: Outcome, now: datetime) -> Settled:
        lane, attempts = message.lane, message.attempts
        match outcome:
            case Accepted(carrier_id, parts):
                id, ids = _usable(carrier_id), tuple(filter(_usable, parts))
                return Settled(message, State.SUBMITTED, now + RECEIPT_WAIT, carrier_message_id=id, parts=ids)
            case Rejected(code, detail):
                return Settled(message, State.REJECTED, now + LIVE_FOR, outcome="rejected", code=code, detail=detail)
            case Throttled(retry_after, detail):
                # The carrier is well and only asks for time, so the message keeps its channel.
                later = next_attempt(lane, attempts, self.chance(), now, min(LONGEST_PAUSE, retry_after or 0.0))
                return Settled(message, State.QUEUED, message.expires_at, later, outcome="throttled", detail=detail)
            case Unknown(detail, parts):
                until = doubt_until(lane, attempts, self.chance(), now, idempotent=self.idempotent)
                ids = tuple(_usable(part) or _nameless(message, number) for number, part in enumerate(parts, 1))
                return Settled(message, State.UNKNOWN, until, outcome="unknown", detail=detail, parts=ids)

    def _not_taken(self, message: Claimed, answer: NotTaken, now: datetime) -> Settled:
        # One that an earlier try may have left with this carrier can only be asked about here.
        other = self.elsewhere(message) if not message.doubts else None
        # Another channel can take it at once; and what waits for a person is due as soon as the channel is mended.
        at_once = other is not None or answer.held
        when = now if at_once else next_attempt(message.lane, message.attempts, self.chance(), now)
        return Settled(
            message,
            State.QUEUED,
            message.expires_at,
            when,
            other.name if other else None,
            other.sender if other else None,
            outcome="refused" if answer.held else "unreachable",
            detail=answer.reason,
        )


def _usable(id: str | None) -> str | None:
    """A carrier's id, unless no receipt could name a message by it, nor a database find it."""
    return id if id and len(id) <= LONGEST_ID and storable(id) == id else None


def _nameless(message: Claimed, number: int) -> str:
    """What stands for a part that may have a name nobody heard: while it does, not all of the parts have arrived."""
    return f"{message.id}/{number}"


def _for_phone(phone: str, text: str) -> Readdressed:
    """A chat's text as an SMS: without accents, since there it costs by its length."""
    size = measure(short := plain(text))
    return Readdressed(phone, short, size.encoding, size.segments)
