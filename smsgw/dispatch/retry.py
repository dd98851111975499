"""When a message is tried again, and what is done about one whose fate is unknown. Pure: no clock, no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from smsgw.store.pending import Doubtful, Move, Waiting
from smsgw.store.states import LIVE_FOR, State
from smsgw.store.tables import Lane

UNDECIDED = "undecided"
Outlook = Literal["again", "waits", "official"]

BLIND_WAIT = timedelta(seconds=30)  # in which a receipt may tell what a carrier can't be asked


@dataclass(frozen=True, slots=True)
class Rule:
    """How a lane's messages are tried. `lifetime`: after it nobody needs the message any more.

    `blind_resends`: how often one that may have gone out is sent again to a carrier that can't be asked about it. A
    citizen left without an answer is worse off than one who reads it twice; a notice waits for its receipt, and then
    `decision_wait` for an official.
    """

    first_pause: timedelta
    longest_pause: timedelta
    lifetime: timedelta
    blind_resends: int = 0
    decision_wait: timedelta = timedelta()


RULES = {
    # A status that comes after half a day has often changed.
    Lane.REPLY: Rule(timedelta(seconds=1), timedelta(seconds=60), timedelta(hours=12), blind_resends=1),
    Lane.REMINDER: Rule(
        timedelta(seconds=2), timedelta(minutes=5), timedelta(hours=24), decision_wait=timedelta(days=30)
    ),
    Lane.NOTICE: Rule(
        timedelta(seconds=2), timedelta(minutes=5), timedelta(hours=72), decision_wait=timedelta(days=30)
    ),
}


def next_attempt(lane: Lane, attempts: int, chance: float, now: datetime, asked: float | None = None) -> datetime:
    """When to try again after so many tries (at least 1). It may lie beyond the message's expiry: it then expires.

    The pause doubles with every try up to the lane's longest. `chance` (0 to 1) spreads it over its upper half, so that
    what failed together is not tried again together. A carrier that asked for a pause gets at least that one, in
    seconds.
    """
    rule = RULES[lane]
    longest = min(rule.longest_pause, rule.first_pause * float(2 ** min(attempts - 1, 20)))
    return now + max(longest * (0.5 + chance / 2), timedelta(seconds=asked or 0.0))


def doubt_until(lane: Lane, attempts: int, chance: float, now: datetime, *, idempotent: bool) -> datetime:
    """How long a message stays in doubt before anything is done about it."""
    return next_attempt(lane, attempts, chance, now, 0.0 if idempotent else BLIND_WAIT.total_seconds())


def decided(message: Waiting, *, idempotent: bool, now: datetime) -> Move:
    """What is done about a message in doubt whose time to wait is over.

    A carrier that honours our ref is sent it again under that, as often as it takes. Another one gets a reply once
    more; what is not sent again stays in doubt until a receipt or an official settles it.
    """
    rule = RULES[message.lane]
    if message.expires_at > now:
        if not idempotent and message.doubts > rule.blind_resends:
            return Move(message.id, State.UNKNOWN, message.expires_at + rule.decision_wait)
        # What a killed sender left behind may come here sooner than a time-out does.
        if not idempotent and message.tried_at and message.tried_at + BLIND_WAIT > now:
            return Move(message.id, State.UNKNOWN, message.tried_at + BLIND_WAIT)
        tried_at = None if idempotent else now
        return Move(message.id, State.QUEUED, message.expires_at, not_before=now, tried_at=tried_at)
    until = message.expires_at + rule.decision_wait
    if idempotent or until <= now:
        return Move(message.id, State.EXPIRED, now + LIVE_FOR, code=UNDECIDED)
    return Move(message.id, State.UNKNOWN, until)


def outlook(message: Doubtful, *, idempotent: bool) -> Outlook:
    """What becomes of a message in doubt that no receipt comes for, nor a decision.

    again: it is sent again by itself; waits: it is left to an official when its time to wait for a receipt is over;
    official: nothing but a decision is left, and at the deadline it is given up.
    """
    match decided(message, idempotent=idempotent, now=message.deadline).state:
        case State.QUEUED:
            return "again"
        case State.UNKNOWN:
            return "waits"
        case _:
            return "official"
