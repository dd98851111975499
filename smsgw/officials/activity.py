"""How the gateway does, today and over the last weeks, for those who watch over it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from smsgw.clock import Clock
from smsgw.store import activity
from smsgw.store.activity import Traffic
from smsgw.store.database import Database
from smsgw.store.figures import Outbox, outbox

FRESH_FOR = timedelta(seconds=15)  # so long the figures of today are shown again before they are counted anew
SETTLES_FOR = 3  # days in which receipts still come in for a day that is over
COUNT_AGAIN_AFTER = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Today:
    """Since midnight: traffic by channel, the time to reply in seconds (None: no replies yet), and what waits now."""

    at: datetime
    channels: dict[str, Traffic]
    reply_p50: float | None
    reply_p95: float | None
    outbox: Outbox

    @property
    def total(self) -> Traffic:
        return sum(self.channels.values(), Traffic())


class Activity:
    """Figures by the province's days. Days that are over are kept, so that history is never read for them."""

    def __init__(self, database: Database, clock: Clock, timezone: ZoneInfo, tariffs: Mapping[str, int]) -> None:
        self._database = database
        self._clock = clock
        self._timezone = timezone
        self._tariffs = tariffs
        self._lock = threading.Lock()
        self._last: Today | None = None

    def today(self) -> Today:
        """Since midnight; some seconds old at the most."""
        now = self._clock()
        with self._lock:
            if self._last is None or not now - FRESH_FOR < self._last.at <= now:
                self._last = self._counted_today(now)
            return self._last

    def days(self, count: int) -> list[tuple[date, Traffic]]:
        """The last days, today being the last one."""
        today = self._day(self._clock())
        first = today - timedelta(days=count - 1)
        with self._database.reading() as connection:
            kept = activity.days(connection, first)
        kept[today] = self.today().total
        return [(day, kept.get(day, Traffic())) for day in (first + timedelta(days=n) for n in range(count))]

    def keep_days(self) -> int:
        """Write down the days that are over and not yet settled; how many those were."""
        now = self._clock()
        recent = [self._day(now) - timedelta(days=n) for n in range(1, SETTLES_FOR + 1)]
        with self._database.reading() as connection:
            counted = activity.counted(connection, recent)
            due = [day for day in recent if day not in counted or counted[day] < now - COUNT_AGAIN_AFTER]
            found = {day: activity.traffic(connection, *self._span(day), self._tariffs) for day in due}
        if due:
            with self._database.writing("daily") as connection:
                for day, channels in found.items():
                    # Also a day without any traffic has a row, so that it is known to be counted.
                    activity.keep(connection, day, {name: Traffic() for name in self._tariffs} | channels, now)
        return len(due)

    def _counted_today(self, now: datetime) -> Today:
        start, end = self._span(self._day(now))
        with self._database.reading() as connection:
            channels = activity.traffic(connection, start, end, self._tariffs)
            seconds = activity.reply_seconds(connection, start, end)
            return Today(now, channels, percentile(seconds, 50), percentile(seconds, 95), outbox(connection, now))

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._timezone).date()

    def _span(self, day: date) -> tuple[datetime, datetime]:
        start = datetime.combine(day, time(), self._timezone)
        return start, datetime.combine(day + timedelta(days=1), time(), self._timezone)


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The smallest value that so many per cent don't exceed (nearest rank); None of nothing."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else None
