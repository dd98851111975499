"""Where the time comes from: passed in everywhere, so that a test can set it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)


def midnight(day: date, zone: tzinfo | None) -> datetime:
    """When a day begins in a time zone. In UTC, as hours are added up: by the clock on the wall, one may be twice."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def steady(clock: Clock) -> Clock:
    """A clock that begins with another one's time and goes on by itself, whatever that one is set to."""
    began, first = clock(), _seconds()
    return lambda: began + timedelta(seconds=_seconds() - first)


def _seconds() -> float:
    """Since the machine was started, also those that it slept where the system counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
