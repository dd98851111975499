"""How many messages a channel may take now. Pure: the allowance is a number in the channel's row, for all nodes.

The allowance grows by the contract's messages a second and can be saved up for less than a batch, so that in any second
no more reaches the carrier than the rate and one batch, although calls are not equally long on their way. A share of it
only replies may use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from smsgw.store.channels import Channel

SAVED_UP = 0.75  # of a batch; the rest is for calls that were on their way for longer than those after them


@dataclass(frozen=True, slots=True)
class Pace:
    """A channel's contract: messages a second, messages a call, and the share that only replies may use."""

    tps: float
    batch: int
    reply_share: float = 0.2

    @property
    def full(self) -> float:
        """The largest allowance that can be saved up; no less than one message, nor than what a millisecond brings."""
        return max(1.0, min(self.tps, self.batch) * SAVED_UP, self.tps / 1000)

    def allowance(self, channel: Channel, now: datetime) -> float:
        """What may go out at `now`. A clock set back gives nothing."""
        elapsed = max(0.0, (now - channel.allowed_at).total_seconds())
        return min(self.full, channel.allowance + elapsed * self.tps)

    def for_others(self, allowance: float) -> float:
        """How much of it is for anything but replies. A channel of one message at a time keeps nothing back."""
        kept = self.full * self.reply_share if self.full > 1 else 0.0
        return max(0.0, allowance - kept)


def spent(channel: Channel, allowance: float, messages: int, now: datetime) -> Channel:
    """The channel after so many messages of an allowance went out."""
    return replace(channel, allowance=allowance - messages, allowed_at=max(now, channel.allowed_at))


def slowed(channel: Channel, seconds: float, now: datetime) -> Channel:
    """The channel when its carrier asked for a pause. A longer one that it asked for before still holds."""
    until = now + timedelta(seconds=seconds)
    return replace(channel, resume_at=max(until, channel.resume_at or until))
