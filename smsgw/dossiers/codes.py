"""Dossier codes as they are issued.

The first form (Circular 01/2018/TT-VPCP, article 19, after QCVN 102:2016) names the agency from the smallest unit to
the province: 000.17.22.H01-180802-0012. The second (Decision 20/2020/QD-TTg) turns it around and leaves out what is
empty: H01.22.17-180802-0012. Both are in use. Provinces issue a four-digit ordinal within the day and a six-digit
date; ministries up to seven digits and an eight-digit date.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

EARLIEST, LATEST = date(2010, 1, 1), date(2049, 12, 31)  # no code was issued before, and a typo gives any year

_CODE = re.compile(
    r"(?:(\d{3}\.\d{2}\.\d{2})\.)?([A-Z]\d{2})((?:\.\d{2,3}){0,3})-(\d{8}|\d{6})-(\d{4,7})",
    re.ASCII,
)
_PRINTED = re.compile(rf"(?<!\d)(?<!\d\.){_CODE.pattern}(?![A-Z0-9])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Code:
    """A code in its parts. `units` runs from the largest below the province to the smallest, in either form."""

    province: str
    units: tuple[str, ...]
    date: str
    ordinal: str
    reversed: bool  # the first form

    def __str__(self) -> str:
        return f"{self.agency}-{self.date}-{self.ordinal}"

    @property
    def agency(self) -> str:
        """The agency's identification."""
        return agency(self.province, self.units, reversed=self.reversed)


def agency(province: str, units: Sequence[str], *, reversed: bool) -> str:
    """An agency's identification; `units` from the largest below the province to the smallest."""
    return ".".join((*units[::-1], province) if reversed else (province, *units))


def agency_in_other_form(province: str, units: Sequence[str], *, reversed: bool) -> str:
    """What may be the same agency in the other form. Provinces renumbered, so it may be another."""
    if reversed:
        return agency(province, [unit for unit in units if unit.strip("0")], reversed=False)
    large, small, smallest = (*units, "00", "00", "000")[:3]
    return agency(province, (large, small, smallest.zfill(3)), reversed=True)


def with_fewer_zeros(code: str) -> list[str]:
    """The codes without one zero before the ordinal, without two and so on, while it has four digits."""
    head, _, ordinal = code.rpartition("-")
    zeros = len(ordinal) - len(ordinal.lstrip("0"))
    return [f"{head}-{ordinal[fewer:]}" for fewer in range(1, min(zeros, len(ordinal) - 4) + 1)]


def parse(text: str) -> Code | None:
    """The code that a text is, to the letter; None for anything else."""
    match = _CODE.fullmatch(text)
    if match is None:
        return None
    first_form, province, second_form, day, ordinal = match.groups()
    if (first_form and second_form) or day_of(day) is None:
        return None
    units = first_form.split(".")[::-1] if first_form else second_form.split(".")[1:]
    return Code(province, tuple(units), day, ordinal, reversed=bool(first_form))


def printed(text: str) -> frozenset[str]:
    """The codes that stand in a text to the letter."""
    return frozenset(found[0] for found in _PRINTED.finditer(text) if parse(found[0]))


def day_of(digits: str) -> date | None:
    """The day that yymmdd or yyyymmdd is; None if there is no such day, or no code could be so old or so new."""
    year = digits[:-4] if len(digits) == 8 else "20" + digits[:-4]
    try:
        day = date(int(year), int(digits[-4:-2]), int(digits[-2:]))
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST else None
