"""How the gateway does, today and over the last weeks, for those who watch over it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from smsgw.clock import Clock, midnight
from smsgw.store import activity
from smsgw.store.activity import ReplyTimes, Traffic
from smsgw.store.database import Database
from smsgw.store.figures import Outbox, outbox

FRESH_FOR = timedelta(seconds=15)  # so long the figures of today are shown again before they are counted anew
RECENT = 3  # days whose messages are still among the live ones, at least in part
SETTLES_FOR = 2  # days in which a day that is over is counted again; then its first messages go to history
FURTHEST = 30  # days that are looked back on for those that nobody counted, as the gateway stood still
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
            if self._last is None or not self._is_fresh(self._last, now):
                self._last = self._counted_today(now)
            return self._last

    def _is_fresh(self, last: Today, now: datetime) -> bool:
        """Whether what was counted last may be shown again; after midnight it is yesterday's."""
        return now - FRESH_FOR < last.at <= now and self._day(last.at) == self._day(now)

    def days(self, count: int) -> list[tuple[date, Traffic]]:
        """The last days, today being the last one."""
        so_far = self.today()
        today = self._day(so_far.at)
        first = today - timedelta(days=count - 1)
        with self._database.reading() as connection:
            kept = activity.days(connection, first)
        kept[today] = so_far.total
        return [(day, kept.get(day, Traffic())) for day in (first + timedelta(days=n) for n in range(count))]

    def reply_times(self, count: int) -> list[ReplyTimes]:
        """How long replies took on each of the last days, today being the last one."""
        so_far = self.today()
        today = self._day(so_far.at)
        days = [today - timedelta(days=n) for n in reversed(range(count))]
        with self._database.reading() as connection:
            kept = activity.reply_times(connection, days[0])
        kept[today] = ReplyTimes(so_far.reply_p50, so_far.reply_p95)
        return [kept.get(day, ReplyTimes()) for day in days]

    def keep_days(self) -> int:
        """Write down the days that are over and not yet settled; how many those were."""
        now = self._clock()
        with self._database.reading() as connection:
            due = self._due(connection, now)
            found = {day: activity.traffic(connection, *self._span(day), self._tariffs) for day in due}
            times = {day: self._reply_times(connection, day) for day in due}
        if due:
            with self._database.writing("daily") as connection:
                for day, channels in found.items():
                    # Also a day without any traffic has a row, so that it is known to be counted.
                    activity.keep(connection, day, {name: Traffic() for name in self._tariffs} | channels, now)
                activity.keep_reply_times(connection, times)
        return len(due)

    def _due(self, connection: sa.Connection, now: datetime) -> list[date]:
        """The days to count: those never counted, and those that may have changed since and are still there whole."""
        today = self._day(now)
        recent = [today - timedelta(days=n) for n in range(1, RECENT + 1)]
        counted = activity.counted(connection, recent)
        missed = self._missed(today, activity.newest(connection))
        settling = [day for day in recent[:SETTLES_FOR] if day in counted and counted[day] < now - COUNT_AGAIN_AFTER]
        return [day for day in recent if day not in counted] + missed + settling

    @staticmethod
    def _missed(today: date, newest: date | None) -> list[date]:
        """The days since the newest one counted that are over for longer than recent ones."""
        days = (today - timedelta(days=n) for n in range(RECENT + 1, FURTHEST + 1))
        return [day for day in days if newest is not None and day > newest]

    def _reply_times(self, connection: sa.Connection, day: date) -> ReplyTimes:
        """Of the latest replies of each hour, so that no hour speaks for the day."""
        start, end = self._span(day)
        seconds: list[float] = []
        while start < end:
            until = min(start + timedelta(hours=1), end)
            seconds += activity.reply_seconds(connection, start, until)
            start = until
        seconds.sort()
        return ReplyTimes(percentile(seconds, 50), percentile(seconds, 95))

    def _counted_today(self, now: datetime) -> Today:
        start, end = self._span(self._day(now))
        with self._database.reading() as connection:
            channels = activity.traffic(connection, start, end, self._tariffs)
            seconds = activity.reply_seconds(connection, start, end)
            return Today(now, channels, percentile(seconds, 50), percentile(seconds, 95), outbox(connection, now))

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._timezone).date()

    def _span(self, day: date) -> tuple[datetime, datetime]:
        return midnight(day, self._timezone), midnight(day + timedelta(days=1), self._timezone)


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The smallest value that so many per cent don't exceed (nearest rank); None of nothing."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else None
