"""Times of the clock, in the notation of cron. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from smsgw.store.schedules import Times

MOMENT = timedelta(microseconds=1)
# Where the latest time is looked for, nearest first; of a schedule that was not looked at for longer, none is found.
LOOK_BACKS = (timedelta(hours=1), timedelta(days=1), timedelta(days=8))


_WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")  # as cron numbers them
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)


class Cron:
    """Times of the clock in a time zone, in the notation of cron: minute, hour, day, month, day of week.

    Raises ValueError for what is none, and for a time that never comes.
    """

    def __init__(self, notation: str, zone: ZoneInfo) -> None:
        *others, days = notation.split()
        self._trigger: Any = CronTrigger.from_crontab(" ".join([*others, _by_name(days)]), zone)
        self.after(_SOME_DAY)

    def after(self, moment: datetime) -> datetime:
        """The first time after a moment. Raises ValueError if there is none."""
        return self._next(moment + MOMENT)

    def at_or_after(self, moment: datetime) -> datetime:
        return self._next(moment)

    def latest(self, due: datetime, now: datetime) -> datetime:
        """The last time up to now, of those from `due` on, which is one of them."""
        latest = due
        for look_back in LOOK_BACKS:
            following = self.after(max(due, now - look_back))
            while following <= now:
                latest, following = following, self.after(following)
            if latest > due:
                break
        return latest

    def firing(self, now: datetime) -> Times:
        """For a schedule that is due: which of its times counts now, as several may have passed, and the next one."""
        return lambda due_at: (self.latest(due_at, now), self.after(now))

    def _next(self, moment: datetime) -> datetime:
        found: datetime | None = self._trigger.get_next_fire_time(None, moment)
        if found is None:
            raise ValueError("there is no such time")
        return found.astimezone(UTC)


def _by_name(days: str) -> str:
    """Days of the week, which the library counts from Monday on."""
    named = re.sub(r"(?<![\d/])[0-7](?!\d)", lambda day: _WEEK[int(day[0])], days)
    return re.sub("^sun-|(?<=,)sun-", "sun,mon-", named)
