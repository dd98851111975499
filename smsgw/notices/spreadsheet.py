"""Files for a spreadsheet program, which runs nothing of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from smsgw.text.alphabet import legible

Record = tuple[str, ...]
Cell = str | int | datetime | None  # a time without a zone, as spreadsheets have them
Row = tuple[Cell, ...]

MOMENT = "dd/mm/yyyy hh:mm:ss"
MEASURED = 200  # rows by which the columns get their widths
WIDEST = 50  # characters

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


def write_xlsx(title: str, lines: Iterable[Row], file: BinaryIO) -> None:
    """A workbook of which the first line is the heading; its rows go through a temporary file, not through memory."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    coming = iter(lines)
    heading, *measured = islice(coming, MEASURED)
    for place, column in enumerate(zip(heading, *measured, strict=True), start=1):
        sheet.column_dimensions[get_column_letter(place)].width = min(WIDEST, max(map(_width, column)) + 2)
    sheet.freeze_panes = "A2"
    sheet.append([_bold(sheet, cell) for cell in heading])
    for line in chain(measured, coming):
        sheet.append([_typed(sheet, cell) for cell in line])
    book.save(file)


def _width(cell: Cell) -> int:
    return len(MOMENT) if isinstance(cell, datetime) else len(str(cell or ""))


def _bold(sheet: Any, cell: Cell) -> Any:
    made = WriteOnlyCell(sheet, _typed(sheet, cell))
    made.font = Font(bold=True)
    return made


def _typed(sheet: Any, cell: Cell) -> Any:
    """What the library makes the right kind of cell of."""
    if isinstance(cell, datetime):
        made = WriteOnlyCell(sheet, cell)
        made.number_format = MOMENT
        return made
    return cell
