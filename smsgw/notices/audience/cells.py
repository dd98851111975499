"""What a workbook's parts say while they stream by: shared texts, and the rows of a sheet with the values of cells.

A sheet of a hundred thousand rows has millions of elements, so what is called for each of them does little.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from functools import lru_cache

from openpyxl.utils.datetime import from_excel

from smsgw.notices.audience.lines import LAST_ROW, Cell, CellFault, Limits, Line, cell
from smsgw.notices.audience.package import Attributes
from smsgw.notices.audience.refusals import AudienceRefused

MOST_TEXTS = 2_000_000
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")  # a character that XML can't hold
_LETTERS = re.compile(r"[A-Z]{1,3}", re.ASCII)
_DIGITS = "0123456789"


class _Texts:
    """Collects the text within the elements that carry one, no more of it than a cell may hold."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._collecting = False
        self._passing = 0  # depth within phonetic readings, which are no part of the text
        self._pieces: list[str] = []
        self._size = 0

    def clear(self) -> None:
        self._pieces, self._size = [], 0

    def text(self) -> str:
        whole = "".join(self._pieces)
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), whole) if "_x" in whole else whole

    def characters(self, content: str) -> None:
        if self._collecting and self._size <= self._longest:
            self._pieces.append(content[: self._longest + 1])
            self._size += len(content)


class SharedTexts(_Texts):
    """The texts that cells refer to by number, as cells have them."""

    def __init__(self, longest: int) -> None:
        super().__init__(longest)
        self.texts: list[Cell] = []

    def begun(self, name: str, attributes: Attributes) -> None:
        """An element begins."""
        match name.rpartition(":")[2]:
            case "t":
                self._collecting = not self._passing
            case "si":
                self.clear()
            case "rPh":
                self._passing += 1

    def ended(self, name: str) -> None:
        """An element ends."""
        self._collecting = False
        match name.rpartition(":")[2]:
            case "si":
                if len(self.texts) >= MOST_TEXTS:
                    raise AudienceRefused("bomb")
                self.texts.append(cell(self.text(), self._longest))
            case "rPh":
                self._passing -= 1


class Values:
    """What cells say, with what the workbook holds for all of them."""

    def __init__(self, texts: list[Cell], date_styles: frozenset[int], epoch: datetime, longest: int) -> None:
        self._texts = texts
        self._date_styles = date_styles
        self._epoch = epoch
        self._longest = longest

    def said(self, kind: str, style: str, raw: str) -> Cell:
        """What a cell says, as a person would type it. Raises ValueError, IndexError or OverflowError."""
        if kind == "s":
            return self._texts[int(raw)]
        if kind == "n":
            return self._shown(style, raw)
        if kind == "b":
            return "TRUE" if raw == "1" else "FALSE"
        if kind == "d":
            return _moment(datetime.fromisoformat(raw))
        return cell(raw, self._longest)

    def _shown(self, style: str, raw: str) -> Cell:
        if len(raw) > self._longest:
            return CellFault.TOO_LONG
        return _date(raw, self._epoch) if int(style) in self._date_styles else _number(raw)


class SheetRows(_Texts):
    """The rows of a sheet. A cell without a place stands right of the one before it, as the standard has it."""

    def __init__(self, values: Values, limits: Limits) -> None:
        super().__init__(limits.cell)
        self._values = values
        self._last = limits.columns + 1
        self._ready: list[Line] = []
        self._row = self._column = 0
        self._cells: dict[int, Cell] = {}
        self._kind = self._style = ""
        self._formula = False

    def take(self) -> Iterator[Line]:
        """The rows that are complete."""
        ready, self._ready = self._ready, []
        yield from ready

    def begun(self, name: str, attributes: Attributes) -> None:
        """An element begins."""
        if ":" in name:
            name = name.rpartition(":")[2]
        if name in ("v", "t"):
            self._collecting = not self._passing
        elif name == "c":
            place = _column(attributes["r"].rstrip(_DIGITS)) if "r" in attributes else None
            self._column = place or self._column + 1
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "0")
            self._formula = False
            self.clear()
        elif name == "row":
            number = attributes.get("r", "")
            self._row = int(number) if number.isdigit() else self._row + 1
            if not 0 < self._row <= LAST_ROW:
                raise ValueError("no such row")
            self._column, self._cells = 0, {}
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._passing += 1

    def ended(self, name: str) -> None:
        """An element ends."""
        self._collecting = False
        if ":" in name:
            name = name.rpartition(":")[2]
        if name == "c":
            if self._column <= self._last and (said := self._said()):
                self._cells[self._column] = said
        elif name == "row":
            if cells := self._cells:
                self._ready.append(Line(self._row, [cells.get(place, "") for place in range(1, max(cells) + 1)]))
        elif name == "rPh":
            self._passing -= 1

    def _said(self) -> Cell:
        raw = self.text()
        if not raw:
            return CellFault.NO_RESULT if self._formula and self._kind != "str" else ""
        try:
            return self._values.said(self._kind, self._style, raw)
        except (ValueError, IndexError, OverflowError):
            return CellFault.FAILED


@lru_cache(maxsize=1024)
def _column(letters: str) -> int | None:
    """A column by its letters, from 1."""
    if not _LETTERS.fullmatch(letters):
        return None
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _number(raw: str) -> str:
    """A number without the tail that floating point gives it: 912345678, not 912345678.0 or 9.12345678E8."""
    value = float(raw)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"


@lru_cache(maxsize=1024)  # a list has few days
def _date(raw: str, epoch: datetime) -> str:
    return _moment(from_excel(float(raw), epoch))


def _moment(value: object) -> str:
    """A date as people of the province write it."""
    if isinstance(value, datetime) and value.time() != time():
        return value.strftime("%H:%M %d/%m/%Y")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    return value.strftime("%H:%M") if isinstance(value, time) else str(value)
