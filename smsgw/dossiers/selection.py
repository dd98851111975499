"""A selection of dossiers, as somebody states it: by agency, procedure, status, level, days, and whether overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

BELOW = "*"  # after an agency: with all that are under it


@dataclass(frozen=True, slots=True)
class Days:
    """Days of the province's calendar, both ends included; None: no bound at that end."""

    first: date | None = None
    last: date | None = None

    def __bool__(self) -> bool:
        return self.first is not None or self.last is not None

    def meeting(self, other: Days) -> Days:
        """The days that are in both."""
        firsts = [day for day in (self.first, other.first) if day is not None]
        lasts = [day for day in (self.last, other.last) if day is not None]
        return Days(max(firsts, default=None), min(lasts, default=None))


@dataclass(frozen=True, slots=True)
class Selection:
    """What dossiers have to be; an empty part asks for nothing. `agencies` may end in `*`.

    `overdue`: still being worked on after their due time; None: both those and the others.
    """

    agencies: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()
    levels: tuple[int, ...] = ()
    received: Days = Days()
    due: Days = Days()
    finished: Days = Days()
    overdue: bool | None = None
