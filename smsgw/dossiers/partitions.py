"""How the digits behind a code's letter may be cut: into units, date and ordinal, each with what may have been meant.

A part never spans two groups of digits if there is a way to cut them in which it doesn't.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from smsgw.dossiers.codes import day_of


class Partition(NamedTuple):
    """One way to cut the groups behind the letter: units, date and ordinal, and how many groups that takes.

    `kept`: no part spans groups that may as well have been meant apart, as the units and the date do of which a digit
    was lost: 29.01-0815 is neither 29 and 010815 nor 290108 and 15.
    """

    units: tuple[str, ...]
    date: str
    ordinal: str
    groups: int
    kept: bool = True


def partitions(groups: list[str], whole: bool, named: bool) -> list[Partition]:
    """All ways that respect the groups; if there are none, those with a date in three groups, or across groups.

    `whole`: the groups are surely all. `named`: units stand before the letter, so that none have to be behind it.
    """
    if found := list(_cut(groups, 0, 0, ())):
        return found
    if found := [part for first in range(len(groups) - 2) for part in _cut_around_date(groups, first, named)]:
        return sorted(found, key=lambda part: not part.kept)
    everything = "".join(groups)
    if whole and len(groups) > 1 and len(everything) <= 24 and not _lacks_ordinal(groups):
        return [
            Partition(part.units, part.date, part.ordinal, len(groups), kept=False)
            for part in _cut([everything], 0, 0, ())
            if len(part.ordinal) >= 4
        ]
    return []


def _lacks_ordinal(groups: list[str]) -> bool:
    """Whether there are units and a date, and nothing behind it."""
    return len(groups[-1]) in (6, 8) and bool(days(groups[-1])) and all(len(unit) in (2, 3) for unit in groups[:-1])


def _cut(groups: list[str], at: int, used: int, units: tuple[str, ...]) -> Iterator[Partition]:
    """Partitions from `used` digits of group `at` on. A code ends where a group ends."""
    rest = groups[at][used:] if at < len(groups) else ""
    if len(rest) < 6 and all(len(group) < 6 for group in groups[at + 1 :]):
        return  # there is no room for a date any more
    yield from _date_and_ordinal(groups, at, used, units)
    if len(units) == 3:
        return
    for size in (2, 3):
        if len(rest) == size:
            yield from _cut(groups, at + 1, 0, (*units, rest))
        elif len(rest) > size:
            yield from _cut(groups, at, used + size, (*units, rest[:size]))
    if used == 0 and len(rest) == 1:  # a unit whose zero was left out
        yield from _cut(groups, at + 1, 0, (*units, "0" + rest))


def _date_and_ordinal(groups: list[str], at: int, used: int, units: tuple[str, ...]) -> Iterator[Partition]:
    rest = groups[at][used:]
    for size in (6, 8):
        if len(rest) < size or not days(rest[:size]):
            continue
        ordinal, behind = rest[size:], groups[at + 1 :]
        if 0 < len(ordinal) < 4 and behind and 4 <= len(behind[0]) <= 7:
            continue  # of a whole ordinal behind it, this digit is one too many, and which one nobody knows
        taken = at + 1
        if not ordinal and behind:
            ordinal, behind, taken = behind[0], behind[1:], at + 2
        if 1 <= len(ordinal) <= 7:
            for whole, more in _whole_ordinals(ordinal, behind):
                yield Partition(units, rest[:size], whole, taken + more)


def _whole_ordinals(ordinal: str, behind: list[str]) -> Iterator[tuple[str, int]]:
    """What an ordinal may be behind which more groups stand, and how many of these it takes: of "00 12" all.

    Of "12 34" it is either, as zeros may be missing and the rest be said of something else; zeros in front say which.
    """
    joined = ordinal
    for more, group in enumerate(behind if len(ordinal) < 4 else (), 1):
        joined += group
        if len(joined) >= 4:
            both = [(ordinal, 0)] + [(joined, more)] * (len(joined) <= 7)
            yield from reversed(both) if ordinal.startswith("0") else both
            return
    yield ordinal, 0


def _cut_around_date(groups: list[str], first: int, named: bool) -> Iterator[Partition]:
    """Partitions in which the three groups from `first` on are the date."""
    if joined := _date_in_three(groups[first : first + 3]):
        for part in _cut([*groups[:first], joined, *groups[first + 3 :]], 0, 0, ()):
            if part.date == joined:
                kept = named or bool(part.units) or len(joined) == 8  # H01.29.01-18-0001 has no date but half of one
                yield Partition(part.units, part.date, part.ordinal, part.groups + 2, kept)


def _date_in_three(groups: list[str]) -> str | None:
    """2/8/2018, 02/08/18 and 2018/8/2 as one group; None for what is no date."""
    sizes = [len(group) for group in groups]
    if sizes[0] == 4 and max(sizes[1:]) <= 2:
        joined = groups[0] + groups[1].zfill(2) + groups[2].zfill(2)
    elif max(sizes[:2]) <= 2 and sizes[2] in (2, 4):
        joined = groups[0].zfill(2) + groups[1].zfill(2) + groups[2]
    else:
        return None
    return joined if days(joined) else None


@lru_cache(maxsize=4096)  # twenty years of days
def days(digits: str) -> tuple[str, ...]:
    """The dates, as codes write them, that six or eight digits may be: year first as in the code, or day first."""
    year = digits[4:]
    dates: list[str] = []
    for order in (digits, year + digits[2:4] + digits[:2]):
        if day_of(order):
            short = order[-6:]
            dates += (short, "20" + short) if len(digits) == 6 else ("20" + short, short)
    return tuple(dates)


def ordinals(digits: str) -> list[str]:
    """The ordinals that digits may be whose zeros were left out; one with a zero in front lost none, and none is 0."""
    whole = [digits] if len(digits) >= 4 else []
    if digits.startswith("0") and (whole or not digits.strip("0")):
        return whole
    return whole + [digits.zfill(size) for size in range(max(4, len(digits) + 1), 8)]
