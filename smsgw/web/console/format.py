"""Times, numbers and money as officials read them."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from smsgw.text.languages import Language
from smsgw.web.console.texts import say

_OURS = re.compile(r"84(\d{3})(?:(\d{3})(\d{3})|(\*{3})(\d{3}))", re.ASCII)


def ceiling(value: float) -> float:
    """The next round number for the top of a scale: 1, 2, 4, 6 or 8 times a power of ten, so that its half is round."""
    unit = 10.0 ** math.floor(math.log10(max(value, 2)))
    return next(step * unit for step in (1, 2, 4, 6, 8, 10) if step * unit >= value)


class Format:
    """How things are shown in a language, with times of the province's zone."""

    def __init__(self, timezone: ZoneInfo, language: Language) -> None:
        self._timezone = timezone
        self._language = language

    def time(self, at: datetime | None) -> str:
        """A moment, to the minute."""
        return "" if at is None else f"{at.astimezone(self._timezone):%d/%m/%Y %H:%M}"

    def day(self, at: datetime) -> str:
        """The day of a moment."""
        return f"{at.astimezone(self._timezone):%d/%m/%Y}"

    def second(self, at: datetime | None) -> str:
        """A moment, to the second."""
        return "" if at is None else f"{at.astimezone(self._timezone):%d/%m/%Y %H:%M:%S}"

    def number(self, value: float | None, places: int = 0) -> str:
        """A number with its thousands apart: 1.234,5 in Vietnamese, 1,234.5 in English."""
        if value is None:
            return "–"
        text = f"{value:,.{places}f}"
        return text if self._language == "en" else text.translate(str.maketrans(",.", ".,"))

    def short(self, value: float) -> str:
        """A number in the little room beside a chart: millions as 3,5 tr."""
        if value < 1_000_000:
            return self.number(value)
        millions = value / 1_000_000
        return say(self._language, "shell.millions", count=self.number(millions, 0 if millions == int(millions) else 1))

    def phone(self, address: str) -> str:
        """A number as people here write it, whole or masked: 0912 345 678, 0912 *** 678; others from abroad."""
        if ours := _OURS.fullmatch(address):
            return " ".join(part for part in (f"0{ours[1]}", *ours.groups()[1:]) if part)
        return f"+{address}" if address.isdigit() and len(address) > len("1900123") else address

    def money(self, dong: int) -> str:
        """An amount of đồng, on one line."""
        return f"{self.number(dong)}\N{NO-BREAK SPACE}₫"

    def share(self, part: int, whole: int) -> str:
        """A part of a whole in per cent, to one place; a dash where there is no whole. Only all of it is 100 %."""
        if not whole:
            return "–"
        percent = 100 * part / whole
        return f"{self.number(percent if part == whole else min(percent, 99.9), 1)} %"

    def wait(self, left: timedelta) -> str:
        """How long somebody has to wait yet, rounded up: who comes too early has to wait once more."""
        seconds = max(2, math.ceil(left.total_seconds()))  # one second is not worth a plural of its own
        if seconds < 120:
            return say(self._language, "shell.seconds", count=self.number(seconds))
        return say(self._language, "shell.minutes", count=self.number(math.ceil(seconds / 60)))

    def duration(self, given: timedelta | float | None) -> str:
        """A span of time in its largest unit."""
        if given is None:
            return "–"
        seconds = given.total_seconds() if isinstance(given, timedelta) else given
        for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
            if seconds >= 2 * length:
                return say(self._language, f"shell.{unit}s", count=self.number(seconds / length))
        if 0 < seconds < 0.1:
            return say(self._language, "shell.seconds", count=f"<\N{NO-BREAK SPACE}{self.number(0.1, 1)}")
        return say(self._language, "shell.seconds", count=self.number(seconds, 1 if seconds < 10 else 0))
