"""How many messages a channel may take now. Pure: the allowance is a number in the channel's row, for all nodes.

The allowance grows by the contract's messages a second and can be saved up for less than a batch, so that in any second
no more reaches the carrier than the rate and one batch, although calls are not equally long on their way. A share of it
only replies may use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from smsgw.store.channels import Channel
from smsgw.store.passing import Passing
from smsgw.store.tables import Lane

SET_BACK = timedelta(seconds=2)  # more than clocks of nodes differ by, which all follow the database's
SAVED_UP = 0.75  # of a batch at the most
LEAST_SAVED_UP = 0.25  # of a batch; with less, calls would hardly be worth making
UNEVEN = 0.05  # seconds by which calls may differ in how long they are on their way
LATE = 0.25  # seconds after which a claimed batch is late on any channel
WORTH_WAITING = 0.05  # seconds that messages wait for others, so that a call is worth making


@dataclass(frozen=True, slots=True)
class Pace:
    """A channel's contract: messages a second, messages a call, and the share that only replies may use."""

    tps: float
    batch: int
    reply_share: float = 0.2

    @property
    def full(self) -> float:
        """The largest allowance that can be saved up; no less than one message, nor than what a millisecond brings.

        What is on its way while calls are uneven comes on top of it at the carrier's door.
        """
        batch = min(self.tps, self.batch)
        saved = min(SAVED_UP * batch, max(LEAST_SAVED_UP * batch, batch - UNEVEN * self.tps))
        return max(1.0, saved, self.tps / 1000)

    @property
    def late(self) -> timedelta:
        """How long after its claim a batch would reach the carrier beside too many of those that were claimed since."""
        room = self.batch - self.full  # below 0 where a millisecond brings a batch, more than is ever claimed
        return timedelta(seconds=LATE if room < 0 else min(LATE, max(UNEVEN, room / self.tps)))

    def allowance(self, channel: Channel, now: datetime) -> float:
        """What may go out at `now`. A clock set back gives nothing."""
        elapsed = max(0.0, (now - channel.allowed_at).total_seconds())
        return min(self.full, channel.allowance + elapsed * self.tps)

    def for_others(self, allowance: float) -> float:
        """How much of it is for anything but replies: at the best one message, however slow the channel is."""
        return max(0.0, allowance - min(self.full * self.reply_share, self.full - 1))

    def passing(self, channel: str, now: datetime, *, theirs: bool) -> Passing:
        """The rule as the database keeps it for a reply as that is stored. `theirs`: by the clock there."""
        return Passing(channel, Lane.REPLY, self.tps, self.full, now, SET_BACK.total_seconds(), theirs)

    def until_worth_a_call(self, allowance: float) -> float:
        """The seconds until there is room for a message, and for as many as come while others wait for it."""
        worth = max(1.0, min(self.for_others(self.full) / 2, WORTH_WAITING * self.tps))
        return max(0.001, (worth - allowance) / self.tps)

    def spent(self, channel: Channel, messages: int, now: datetime) -> Channel:
        """The channel after so many messages went out at `now`."""
        left = self.allowance(channel, now) - messages
        return replace(channel, allowance=left, allowed_at=max(now, channel.allowed_at))


def at_this_time(channel: Channel, now: datetime) -> Channel:
    """The channel if its clock was set back: its rate and its pause are counted from now on.

    Else it would be silent until the clock has come again to where it was, be that a day. No allowance is gained by it.
    """
    back = channel.allowed_at - now
    if back <= SET_BACK:
        return channel
    return replace(channel, allowed_at=now, resume_at=channel.resume_at and channel.resume_at - back)


def slowed(channel: Channel, seconds: float, now: datetime) -> Channel:
    """The channel when its carrier asked for a pause. A longer one that it asked for before still holds."""
    until = now + timedelta(seconds=seconds)
    return replace(channel, resume_at=max(until, channel.resume_at or until))
