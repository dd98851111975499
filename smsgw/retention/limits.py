"""For how long things are kept, as the settings say. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from smsgw.store.removing import Bounds


@dataclass(frozen=True, slots=True)
class Limits:
    """Days; 0: for ever."""

    messages: int
    notices: int
    complaints: int
    ratings: int
    audit: int

    def bounds(self, now: datetime) -> Bounds:
        """Up to when things are old."""
        return Bounds(
            now,
            messages=_before(now, self.messages),
            notices=_before(now, self.notices),
            complaints=_before(now, self.complaints),
            ratings=_before(now, self.ratings),
            audit=_before(now, self.audit),
        )


def _before(now: datetime, days: int) -> datetime | None:
    return now - timedelta(days=days) if days else None
