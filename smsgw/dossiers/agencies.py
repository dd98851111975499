"""Whether there is an agency of a code. An official who is bound to one that there is not sees nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from smsgw.dossiers import selecting
from smsgw.dossiers.source import OneStopUnavailable


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why there may be no such agency: it has no dossiers. `nearest`: up to three codes that may have been meant.

    `away`: why not even that can be said, if so.
    """

    nearest: tuple[str, ...] = ()
    away: str = ""

    def __str__(self) -> str:
        if self.away:
            return f"could not be checked: {self.away}"
        return "has no dossiers" + (f"; nearest are {', '.join(self.nearest)}" if self.nearest else "")


def doubt(url: str, code: str) -> Doubt | None:
    """What speaks against an agency of that code; None for one that has dossiers."""
    try:
        return None if selecting.has_agency(url, code) else Doubt(_nearest(code, selecting.agency_codes(url)))
    except OneStopUnavailable as error:
        return Doubt(away=str(error))


def _nearest(code: str, there: Sequence[str]) -> tuple[str, ...]:
    """The codes that are most like one, the likest first; capital letters or small ones don't matter."""
    folded = {each.casefold(): each for each in there}
    return tuple(folded[each] for each in get_close_matches(code.casefold(), folded))
