"""From what a carrier said of a message to what is written down. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from providers.contract import Accepted, Outcome, Rejected, Throttled, Unknown
from smsgw.dispatch.channel import Channel
from smsgw.dispatch.retry import doubt_until, next_attempt
from smsgw.store.outbox import Claimed, Settled
from smsgw.store.states import LIVE_FOR, RECEIPT_WAIT, State

USUAL_PAUSE = 1.0  # seconds that a channel rests when its carrier says "later" without saying when

Elsewhere = Callable[[Claimed], Channel | None]


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
        USUAL_PAUSE if outcome.retry_after is None else outcome.retry_after
        for outcome in answer
        if isinstance(outcome, Throttled)
    ]
    return max(pauses, default=None)


@dataclass(frozen=True, slots=True)
class Settler:
    """Settles one channel's calls. `elsewhere`: the channel that takes what this one surely did not."""

    idempotent: bool
    elsewhere: Elsewhere
    chance: Callable[[], float]

    def settled(self, batch: Sequence[Claimed], answer: Answer, now: datetime) -> list[Settled]:
        """What is written down of each message of a call."""
        if isinstance(answer, NotTaken):
            return [self._not_taken(message, answer, now) for message in batch]
        return [self._one(message, outcome, now) for message, outcome in zip(batch, answer, strict=True)]

    def _one(self, message: Claimed, outcome: Outcome, now: datetime) -> Settled:
        lane, attempts = message.lane, message.attempts
        match outcome:
            case Accepted(carrier_id):
                return Settled(message, State.SUBMITTED, now + RECEIPT_WAIT, carrier_message_id=carrier_id)
            case Rejected(code, detail):
                return Settled(message, State.REJECTED, now + LIVE_FOR, outcome="rejected", code=code, detail=detail)
            case Throttled(retry_after, detail):
                # The carrier is well and only asks for time, so the message keeps its channel.
                later = next_attempt(lane, attempts, self.chance(), now, retry_after)
                return Settled(message, State.QUEUED, message.expires_at, later, outcome="throttled", detail=detail)
            case Unknown(detail):
                until = doubt_until(lane, attempts, self.chance(), now, idempotent=self.idempotent)
                return Settled(message, State.UNKNOWN, until, outcome="unknown", detail=detail)

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
