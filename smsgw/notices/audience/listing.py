"""What is wrong with the rows of an audience, and which it does not go to, as lines of a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from smsgw.notices.audience.problems import retold
from smsgw.notices.recipients import RowError
from smsgw.notices.spreadsheet import Record, harmless
from smsgw.store.notices import LeftOut, Why
from smsgw.text.languages import Language

_HEADINGS: dict[Language, Record] = {
    "en": ("row", "column", "problem"),
    "vi": ("dòng", "cột", "lỗi"),
}
_OF_LEFT_OUT: dict[Language, Record] = {
    "en": ("row", "phone number", "dossier code", "why"),
    "vi": ("dòng", "số điện thoại", "mã hồ sơ", "lý do"),
}
_WHY: dict[Language, dict[Why, str]] = {
    "en": {
        "duplicate": "the same number stands further up",
        "opted_out": "this person wants no notices",
        "unreachable": "this number gets no SMS",
    },
    "vi": {
        "duplicate": "trùng số với một dòng ở trên",
        "opted_out": "người này đã từ chối nhận thông báo",
        "unreachable": "số này không nhận được SMS",
    },
}


def records(errors: Iterable[RowError], language: Language) -> Iterator[Record]:
    """The headings, then a line for each fault."""
    yield _HEADINGS[language]
    for error in (retold(error, language) for error in errors):
        yield str(error.row), harmless(error.column), harmless(error.problem)


def left_out(rows: Iterable[LeftOut], language: Language) -> Iterator[Record]:
    """The headings, then a line for each row that the notice does not go to."""
    yield _OF_LEFT_OUT[language]
    for row in rows:
        yield str(row.line), harmless(row.number), harmless(row.dossier), _WHY[language][row.why]
