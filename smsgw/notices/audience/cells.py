"""What a workbook's parts say while they stream by: shared texts, and the rows of a sheet with the values of cells."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator
from datetime import date, datetime, time
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from openpyxl.utils.datetime import from_excel

from smsgw.notices.audience.lines import LAST_ROW, Cell, CellFault, Limits, Line, cell
from smsgw.notices.audience.refusals import AudienceRefused

MOST_TEXTS = 2_000_000
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})", re.ASCII)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")  # a character that XML can't hold


class _Texts(ContentHandler):
    """Collects the text within the elements that carry one, no more of it than a cell may hold."""

    def __init__(self, longest: int, carriers: tuple[str, ...]) -> None:
        super().__init__()
        self._longest = longest
        self._carriers = carriers
        self._collecting = False
        self._passing = 0  # depth within phonetic readings, which are no part of the text
        self._pieces: list[str] = []
        self._size = 0

    def clear(self) -> None:
        self._pieces, self._size = [], 0

    def text(self) -> str:
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), "".join(self._pieces))

    def startElement(self, name: str, attributes: AttributesImpl) -> None:  # noqa: N802 - as SAX calls it
        plain = name.rpartition(":")[2]
        if plain == "rPh":
            self._passing += 1
        self._collecting = plain in self._carriers and not self._passing
        self.begun(plain, attributes)

    def endElement(self, name: str) -> None:  # noqa: N802
        plain = name.rpartition(":")[2]
        if plain == "rPh":
            self._passing -= 1
        self._collecting = False
        self.ended(plain)

    def characters(self, content: str) -> None:
        if self._collecting and self._size <= self._longest:
            self._pieces.append(content[: self._longest + 1])
            self._size += len(content)

    @abstractmethod
    def begun(self, name: str, attributes: AttributesImpl) -> None:
        """An element begins, its name without a prefix."""

    @abstractmethod
    def ended(self, name: str) -> None:
        """An element ends; `text` is what was in it."""


class SharedTexts(_Texts):
    """The texts that cells refer to by number."""

    def __init__(self, longest: int) -> None:
        super().__init__(longest, ("t",))
        self.texts: list[str] = []

    def begun(self, name: str, attributes: AttributesImpl) -> None:
        if name == "si":
            self.clear()

    def ended(self, name: str) -> None:
        if name == "si":
            if len(self.texts) >= MOST_TEXTS:
                raise AudienceRefused("bomb")
            self.texts.append(self.text())


class Values:
    """What cells say, with what the workbook holds for all of them."""

    def __init__(self, texts: list[str], date_styles: frozenset[int], epoch: datetime) -> None:
        self._texts = texts
        self._date_styles = date_styles
        self._epoch = epoch

    def said(self, kind: str, style: str, raw: str) -> str:
        """The text of a cell, as a person would type it. Raises ValueError, IndexError or OverflowError."""
        if kind == "s":
            return self._texts[int(raw)]
        if kind == "b":
            return "TRUE" if raw == "1" else "FALSE"
        if kind == "d":
            return _moment(datetime.fromisoformat(raw))
        if kind != "n" or not raw:
            return raw
        if int(style or 0) in self._date_styles:
            return _moment(from_excel(float(raw), self._epoch))
        return _number(raw)


class SheetRows(_Texts):
    """The rows of a sheet. A cell without a place stands right of the one before it, as the standard has it."""

    def __init__(self, values: Values, limits: Limits) -> None:
        super().__init__(limits.cell, ("v", "t"))
        self._values = values
        self._limits = limits
        self._ready: list[Line] = []
        self._row = self._column = 0
        self._cells: dict[int, Cell] = {}
        self._kind = self._style = ""
        self._formula = False

    def take(self) -> Iterator[Line]:
        """The rows that are complete."""
        ready, self._ready = self._ready, []
        yield from ready

    def begun(self, name: str, attributes: AttributesImpl) -> None:
        if name == "c":
            place = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = _column(place[1]) if place else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "0")
            self._formula = False
            self.clear()
        elif name == "f":
            self._formula = True
        elif name == "row":
            number = attributes.get("r", "")
            self._row = int(number) if number.isdigit() else self._row + 1
            if not 0 < self._row <= LAST_ROW:
                raise ValueError("no such row")
            self._column, self._cells = 0, {}

    def ended(self, name: str) -> None:
        if name == "c":
            if self._column <= self._limits.columns + 1 and (said := self._said()):
                self._cells[self._column] = said
        elif name == "row" and self._cells:
            self._ready.append(Line(self._row, [self._cells.get(place, "") for place in _up_to(self._cells)]))

    def _said(self) -> Cell:
        raw = self.text()
        if not raw:
            return CellFault.NO_RESULT if self._formula and self._kind != "str" else ""
        try:
            return cell(self._values.said(self._kind, self._style, raw), self._limits.cell)
        except (ValueError, IndexError, OverflowError):
            return CellFault.FAILED


def _up_to(cells: dict[int, Cell]) -> range:
    return range(1, max(cells) + 1)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _number(raw: str) -> str:
    """A number without the tail that floating point gives it: 912345678, not 912345678.0 or 9.12345678E8."""
    value = float(raw)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"


def _moment(value: object) -> str:
    """A date as people of the province write it."""
    if isinstance(value, datetime) and value.time() != time():
        return value.strftime("%H:%M %d/%m/%Y")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    return value.strftime("%H:%M") if isinstance(value, time) else str(value)
