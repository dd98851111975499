"""How long a notice takes, and what it leaves of a budget. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from smsgw.dispatch.hours import Hours
from smsgw.dispatch.pace import Pace

WARN_FROM = 0.8  # of a budget


@dataclass(frozen=True, slots=True)
class Course:
    """When the first message goes out, when the last, and how long that is of the channels' time."""

    starts: datetime
    ends: datetime
    takes: timedelta


@dataclass(frozen=True, slots=True)
class Budget:
    """A month's segments of an agency. `with_this`: when the notice is approved; `limit`: None if there is none."""

    month: str
    used: int
    with_this: int
    limit: int | None

    @property
    def refused(self) -> bool:
        return self.limit is not None and self.with_this > self.limit

    @property
    def near(self) -> bool:
        """Whether to warn."""
        return self.limit is not None and self.with_this >= WARN_FROM * self.limit


def course(messages: Mapping[str, int], paces: Mapping[str, Pace], hours: Hours, start: datetime) -> Course:
    """The course of so many messages by channel, begun at `start` with nothing else to send. Channels work at once."""
    seconds = max((count / _rate(paces[name]) for name, count in messages.items() if name in paces), default=0.0)
    starts, takes = hours.next_allowed(start), timedelta(seconds=seconds)
    return Course(starts, hours.after(starts, takes), takes)


def _rate(pace: Pace) -> float:
    """Messages a second that replies leave to notices even when they use their share."""
    return pace.tps * (1 - pace.reply_share)
