"""Further dossiers of the agency and day of a code, which are named behind it by their ordinals."""

from __future__ import annotations

import re
from collections.abc import Sequence

from smsgw.dossiers.partitions import Partition, days

_TIME = r"(?:0[5-9]|1\d)[0-5]\d\s*(?:H|GIO|SANG|TRUA|CHIEU|MAI|HOM)\b"

# Each of "H01.12-180802-0012, 0013 va 0014" is a dossier of that agency and day; with its own day before it, as in
# "va 180803-0002", of that one. A year is none, nor are the first digits of a phone number, a sum or a time of the day
# that is called one; and where no more than a blank stands before it, only its zeros or a day say what it is.
_FURTHER_ORDINAL = re.compile(
    r"(?:\s*[,;/&+(]|\s+(?=VA|VOI|AND|HOAC|HAY|00|\d{6}(?:\d\d)?-\d))"
    r"\s*(?:(?:VA|VOI|AND|HOAC|HAY|HO SO|HS|MA|SO)\s+)*-?"
    rf"(?:(?P<day>\d{{6}}(?:\d\d)?)[ ./-]{{1,3}})?(?P<ordinal>(?!(?:19|20)\d\d(?!\d)|{_TIME})\d{{4,7}})"
    r"(?![A-Z0-9]|[ .-]{1,2}(?!00\d\d)\d\d|\s*(?:D|DONG|VND|K|NGAN|NGHIN|TRIEU)\b)"
)

# "H01.12-180802-0012,13,14", "... va 13", "... den 0014" and nothing else: what is meant is not read, as zeros may be
# missing, and a number or two behind a code may be anything.
_IN_SHORT = re.compile(
    r"-\d{4,7}(?:\s*(?:[,;&+]|VA|VOI)\s*-?\d{1,4})*"
    r"(?:\s*[,;&+]\s*-?\d{1,3}\s*[,;&+]\s*-?\d{1,3}|\s*(?:[,;&+]|VA|VOI)\s*-?\d{2,3}|\s*DEN\s*-?(?:\d{2,3}|0\d{3}))"
    r"\W*(?:A\W*)?$"
)


def further(text: str, at: int, parts: Sequence[Partition]) -> tuple[list[list[Partition]], int]:
    """The partitions of those that go on by their ordinals from a code which ends `at`, and where they end.

    They have as many digits as the first one, which is whole; a ministry's also the same two in front, which name it.
    """
    first, found = parts[0], list[list[Partition]]()
    whole = first.kept and len(first.ordinal) >= 4
    if not whole or any((part.ordinal, part.groups) != (first.ordinal, first.groups) for part in parts):
        return found, at
    ministry = first.ordinal[:2] if len(first.ordinal) > 4 else ""
    while named := _FURTHER_ORDINAL.match(text, at):
        day, ordinal = named["day"], named["ordinal"]
        if len(ordinal) != len(first.ordinal) or not ordinal.startswith(ministry) or (day and not days(day)):
            break
        parts = [part._replace(date=day or part.date, ordinal=ordinal) for part in parts]
        found.append(parts)
        at = named.end()
    return found, at


def in_short(text: str) -> bool:
    """Whether a text ends in a code and, behind it, further dossiers by less than whole ordinals."""
    return _IN_SHORT.search(text) is not None
