"""What is wrong with the rows of an audience, as a CSV file that a spreadsheet program opens and runs nothing of."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from smsgw.notices.audience.refusals import Language
from smsgw.notices.recipients import RowError

_HEADINGS: dict[Language, tuple[str, str, str]] = {
    "en": ("row", "column", "problem"),
    "vi": ("dòng", "cột", "lỗi"),
}
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def errors_csv(errors: Iterable[RowError], language: Language) -> Iterator[str]:
    """The file piece by piece, to be encoded in UTF-8; it begins with the mark by which Excel knows that."""
    yield "\ufeff" + _record(_HEADINGS[language])
    for error in errors:
        yield _record((str(error.row), harmless(error.column), harmless(error.problem)))


def harmless(cell: str) -> str:
    """A text that no spreadsheet program takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULAS) else cell


def _record(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
