"""What is wrong with the rows of an audience, as lines of a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from smsgw.notices.audience.problems import retold
from smsgw.notices.audience.refusals import Language
from smsgw.notices.recipients import RowError
from smsgw.notices.spreadsheet import Record, harmless

_HEADINGS: dict[Language, Record] = {
    "en": ("row", "column", "problem"),
    "vi": ("dòng", "cột", "lỗi"),
}


def records(errors: Iterable[RowError], language: Language) -> Iterator[Record]:
    """The headings, then a line for each fault."""
    yield _HEADINGS[language]
    for error in (retold(error, language) for error in errors):
        yield str(error.row), harmless(error.column), harmless(error.problem)
