"""When a rule is due: at times of the clock, or so many days before or after a date of the dossier. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from smsgw.clock import midnight
from smsgw.dossiers.calendar import add_working_days, take_working_days
from smsgw.dossiers.candidates import Span
from smsgw.store.schedules import Times

MOMENT = timedelta(microseconds=1)
# Where the latest time is looked for, nearest first; of a schedule that was not looked at for longer, none is found.
LOOK_BACKS = (timedelta(hours=1), timedelta(days=1), timedelta(days=8))


class Cron:
    """Times of the clock in a time zone, in the notation of cron: minute, hour, day, month, day of week."""

    def __init__(self, notation: str, zone: ZoneInfo) -> None:
        self._trigger: Any = CronTrigger.from_crontab(notation, zone)  # raises ValueError for what is none

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


@dataclass(frozen=True, slots=True)
class Offset:
    """Days before (negative) or after a date of the dossier. What would fall on a day off moves to a working day:
    a time before the date to an earlier one, a time after it to a later one.
    """

    column: str
    days: int
    working: bool
    before: bool

    def __str__(self) -> str:
        days = f"{self.days} {'working ' * self.working}day{'s' * (self.days != 1)}"
        return f"{days} {'before' if self.before else 'after'} {self.column}"

    def day(self, anchor: date) -> date:
        """The day that it falls on."""
        if self.working:
            return take_working_days(anchor, self.days) if self.before else add_working_days(anchor, self.days)
        if self.before:
            return take_working_days(anchor - timedelta(days=self.days), 0)
        return add_working_days(anchor + timedelta(days=self.days), 0)

    def span(self, first: date, last: date, zone: ZoneInfo) -> Span:
        """Where the dossier's date lies if the day is one from `first` to `last`; perhaps a little more than that."""
        days = timedelta(days=0 if self.working else self.days)
        steps = self.days + 1 if self.working else 1
        if self.before:
            earliest, latest = first + days, add_working_days(last, steps) + days
        else:
            earliest, latest = take_working_days(first, steps) - days, last - days
        return Span(self.column, midnight(earliest, zone), midnight(latest + timedelta(days=1), zone))
