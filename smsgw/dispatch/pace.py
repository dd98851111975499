"""How many messages a channel may take now. Pure: the allowance is a number in the channel's row.

The allowance grows by the contract's messages a second and can be saved up for one second and one batch at the most,
so that in any second no more goes out than the rate and one batch. A share of it only replies may use.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Pace:
    """A channel's contract: messages a second, messages a call, and the share that only replies may use."""

    tps: float
    batch: int
    reply_share: float = 0.2

    @property
    def full(self) -> float:
        """The largest allowance that can be saved up; never less than one message."""
        return max(1.0, min(self.tps, self.batch))

    def allowance(self, left: float, since: datetime, now: datetime) -> float:
        """What may go out at `now`, when `left` was allowed at `since`. A clock set back gives nothing."""
        elapsed = max(0.0, (now - since).total_seconds())
        return min(self.full, left + elapsed * self.tps)

    def for_others(self, allowance: float) -> int:
        """How many of it may be anything but replies. A channel of one message at a time keeps nothing back."""
        kept = self.full * self.reply_share if self.full > 1 else 0.0
        return max(0, int(allowance - kept))
