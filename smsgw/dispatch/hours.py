"""When reminders and notices may go out: not in the quiet hours, and on holidays not at all. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


def no_holidays(day: date) -> bool:
    """For a province where holidays are days like others."""
    return False


@dataclass(frozen=True, slots=True, eq=False)  # a key of a cache, for which nobody has to hash it whole
class Hours:
    """The hours of a province. Quiet from `start` to `end` of its clock, over midnight too; the same twice: never."""

    start: time
    end: time
    zone: ZoneInfo
    is_holiday: Callable[[date], bool] = no_holidays

    def allow(self, now: datetime) -> bool:
        """Whether messages may go out now."""
        if self.start == self.end:
            return True
        today = now.astimezone(self.zone).date()
        return any(opens <= now < closes for opens, closes in self._of(today))

    def opened(self, now: datetime) -> datetime | None:
        """Since when messages may go out, looking back no further than yesterday; None: they may not now."""
        if self.start == self.end:
            return datetime.min.replace(tzinfo=UTC)
        today = now.astimezone(self.zone).date()
        since, closed = now, None
        for opens, closes in (*self._of(today - _DAY), *self._of(today)):
            if opens <= now:
                since, closed = since if opens == closed else opens, closes  # at midnight one goes over into the other
        return since if closed is not None and now < closed else None

    def next_allowed(self, now: datetime) -> datetime:
        """The time itself, or when the quiet that it lies in ends."""
        return now if self.allow(now) else next(opens for opens, _ in self._spans(now) if opens > now)

    def after(self, start: datetime, work: timedelta) -> datetime:
        """When work is done that is begun then and goes on in the allowed hours only."""
        if self.start == self.end:
            return start + work
        for opens, closes in self._spans(start):
            begun = max(opens, start)
            if begun + work <= closes:
                return begun + work
            work -= max(timedelta(), closes - begun)
        raise AssertionError("days do not end")

    def worth_until(self, start: datetime, life: timedelta) -> datetime:
        """Until when a message is worth sending that waits from then on: so long, and a third of that in allowed hours.

        Over Tet it is quiet for longer than most messages are to live, and yet none may end before it could go out.
        """
        return _worth_until(self, start, life)

    def _spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        day = start.astimezone(self.zone).date()
        while True:
            yield from (span for span in self._of(day) if span[1] > start)
            day += _DAY

    def _of(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The spans of a day, in order."""
        if self.is_holiday(day):
            return
        midnight, next_midnight = self._at(day, time()), self._at(day + _DAY, time())
        quiet_from, quiet_to = self._at(day, self.start), self._at(day, self.end)
        if quiet_from > quiet_to:
            yield quiet_to, quiet_from
        else:
            yield midnight, quiet_from
            yield quiet_to, next_midnight

    def _at(self, day: date, hour: time) -> datetime:
        return datetime.combine(day, hour, self.zone).astimezone(UTC)


@lru_cache(maxsize=256)  # those of a batch begin at the same time
def _worth_until(hours: Hours, start: datetime, life: timedelta) -> datetime:
    return max(start + life, hours.after(start, life / 3))


ALWAYS = Hours(time(), time(), ZoneInfo("UTC"))
