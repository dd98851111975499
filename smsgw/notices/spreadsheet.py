"""Files for a spreadsheet program, which runs nothing of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from openpyxl import Workbook

from smsgw.text.alphabet import legible

Record = tuple[str, ...]

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def harmless(cell: str) -> str:
    """A text that every spreadsheet program can read, and none takes for a formula."""
    cell = legible(cell)
    return f"'{cell}" if cell.startswith(_FORMULAS) else cell


def as_csv(lines: Iterable[Record]) -> Iterator[str]:
    """The file piece by piece, to be encoded in UTF-8; it begins with the mark by which Excel knows that."""
    yield "\ufeff"
    for line in lines:
        written = io.StringIO()
        csv.writer(written).writerow(line)
        yield written.getvalue()


def write_xlsx(lines: Iterable[Record], file: BinaryIO) -> None:
    """The same as a workbook, with every cell a text; its rows go through a temporary file, not through memory."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("report")
    for line in lines:
        sheet.append(line)
    book.save(file)
