"""The last look at messages before they are handed over: what a lane's room says of those that are claimed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from smsgw.store.outbox import PUT_OFF, Claimed, Settled
from smsgw.store.states import LIVE_FOR, State


@dataclass(frozen=True, slots=True)
class Vetted:
    """Those that go out, perhaps with another text, and those that don't, with what becomes of them."""

    going: Sequence[Claimed]
    stopped: Sequence[Settled]


# It is given the lease and the messages. The database's errors may come out of it: nothing has been handed over then.
Vet = Callable[[str, Sequence[Claimed]], Vetted]


def in_turn(*looks: Vet) -> Vet:
    """Each look at what those before it let go."""

    def look(lease: str, messages: Sequence[Claimed]) -> Vetted:
        stopped: list[Settled] = []
        for one in looks:
            vetted = one(lease, messages)
            messages = vetted.going
            stopped += vetted.stopped
        return Vetted(messages, stopped)

    return look


def withdrawn(message: Claimed, code: str, why: str, now: datetime) -> Settled:
    """A message that does not go out any more."""
    return Settled(message, State.CANCELLED, now + LIVE_FOR, outcome="withdrawn", code=code, detail=why)


def put_off(message: Claimed, when: datetime) -> Settled:
    """A message that goes back into the queue until then."""
    return Settled(message, State.QUEUED, message.expires_at, when, outcome=PUT_OFF)


def all_go(lease: str, messages: Sequence[Claimed]) -> Vetted:
    """For messages that are as true when they go out as when they were queued."""
    return Vetted(messages, ())
