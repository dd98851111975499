"""The last look at messages before they are handed over: what a lane's room says of those that are claimed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smsgw.store.outbox import Claimed, Settled


@dataclass(frozen=True, slots=True)
class Vetted:
    """Those that go out, perhaps with another text, and those that don't, with what becomes of them."""

    going: Sequence[Claimed]
    stopped: Sequence[Settled]


# It is given the lease and the messages. The database's errors may come out of it: nothing has been handed over then.
Vet = Callable[[str, Sequence[Claimed]], Vetted]


def all_go(lease: str, messages: Sequence[Claimed]) -> Vetted:
    """For messages that are as true when they go out as when they were queued."""
    return Vetted(messages, ())
