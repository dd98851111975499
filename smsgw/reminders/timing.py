"""When a rule is due that goes by a date of the dossier: so many days before or after it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from smsgw.clock import midnight
from smsgw.dossiers.calendar import add_working_days, take_working_days
from smsgw.dossiers.candidates import Span


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
