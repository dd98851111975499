"""The lines of a table, whatever file it came in: what the readers of CSV and XLSX have in common."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from smsgw.text.alphabet import legible

MIB = 1 << 20
LAST_ROW = 1_048_576  # of a spreadsheet, as Excel's own limit


class CellFault(StrEnum):
    """What stands in the place of a cell that has no text."""

    NO_RESULT = "no_result"  # a formula that was never calculated
    FAILED = "failed"  # a formula that ended in #N/A or the like
    TOO_LONG = "too_long"


Cell = str | CellFault


@dataclass(frozen=True, slots=True)
class Line:
    """One row. `number` is the one that a spreadsheet program shows beside it; blank cells are empty texts."""

    number: int
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may have: bytes, rows with something in them, columns, and characters in a cell."""

    bytes: int = 20 * MIB
    rows: int = 200_000
    columns: int = 100
    cell: int = 1000


_FAILED = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
)


# Marks that nobody sees: of direction, as Windows puts around a number that is copied, and of where a word may break.
_UNSEEN = str.maketrans(dict.fromkeys("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u00ad", ""))
_UNSEEN |= str.maketrans(dict.fromkeys("\u200b\ufeff", " "))


def cell(text: str, longest: int) -> Cell:
    """A cell's text, composed (NFC), with one blank for every run of blanks, and U+FFFD for what nobody can read."""
    if len(text) > longest:
        return CellFault.TOO_LONG
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_UNSEEN))
    text = legible(" ".join(text.split()))
    return CellFault.FAILED if text in _FAILED else text
