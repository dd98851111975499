"""The audience that the rows of a table name: each a recipient, or what is wrong with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import zip_longest

from smsgw.notices.audience import problems
from smsgw.notices.audience.columns import Columns, columns, is_heading, placeholders
from smsgw.notices.audience.lines import Cell, CellFault, Limits, Line
from smsgw.notices.audience.numbers import NoNumber, Unreachable, number
from smsgw.notices.audience.refusals import AudienceRefused
from smsgw.notices.recipients import OfRow, Recipient, RowError
from smsgw.store.notices import LeftOut
from smsgw.text.languages import Language
from smsgw.text.phones import national

HEADING_WITHIN = 20  # rows that may stand above the headings: a title, a date
_UNREADABLE = "\ufffd"  # what the readers of files leave of a character that nobody can read


@dataclass
class TableAudience(ABC):
    """The rows of a table for a text. It is read while it is iterated over, and counts them."""

    text: str
    limits: Limits = field(default_factory=Limits)
    language: Language = "vi"
    rows: int = 0

    @abstractmethod
    def lines(self) -> Generator[Line]:
        """The rows, with one of headings among the first. Raises AudienceRefused, also in the middle of them."""

    def __iter__(self) -> Generator[OfRow]:
        """What is said of each row, in their order. Raises AudienceRefused, also in the middle of the rows."""
        self.rows = 0
        with closing(self.lines()) as rows:
            there = self._headings(rows)
            for line in rows:
                self.rows += 1
                if self.rows > self.limits.rows:
                    raise AudienceRefused("rows", limit=self.limits.rows)
                yield from self._read(line, there)
        if not self.rows:
            raise AudienceRefused("no_rows")

    def _headings(self, rows: Iterator[Line]) -> Columns:
        wanted = placeholders(self.text)
        first: Sequence[str] = ()
        above = Line(0, [])
        for count, line in enumerate(rows):
            headings = _texts(line)
            first = first or headings
            if is_heading(headings):
                if above.number == line.number - 1:
                    headings = _merged(_texts(above), headings)
                while headings and not headings[-1]:
                    headings.pop()
                return columns(headings, wanted, self.limits.columns)
            if count >= HEADING_WITHIN:
                break
            above = line
        if not first:
            raise AudienceRefused("empty")
        return columns(first, wanted, self.limits.columns)

    def _read(self, line: Line, there: Columns) -> Iterator[OfRow]:
        cells = [*line.cells, *[""] * (there.width - len(line.cells))]
        errors = [*self._stray(line, there)]
        values = {}
        for name, (place, heading) in there.values.items():
            if place == there.phone:
                continue
            values[name] = cells[place]
            if problem := _problem(cells[place]):
                errors.append(self._error(line, heading, problem))
        written = cells[there.phone]
        phone = _number(written)
        if isinstance(phone, NoNumber | CellFault):
            errors.insert(0, self._error(line, there.phone_heading, phone, written))
        if errors:
            yield from errors
        elif isinstance(phone, Unreachable):
            yield LeftOut(line.number, "unreachable", written)
        else:
            yield Recipient(line.number, phone, self._with_phone(values, there, phone))

    def _with_phone(self, values: dict[str, str], there: Columns, phone: str) -> dict[str, str]:
        """The values, with the number as people write it where the text asks for it."""
        asked = {name: national(phone) for name, (place, _) in there.values.items() if place == there.phone}
        return values | asked

    def _stray(self, line: Line, there: Columns) -> Iterator[RowError]:
        for place, cell in enumerate(line.cells[there.width : self.limits.columns], start=there.width):
            if cell:
                yield self._error(line, _letters(place), problems.NO_HEADING, cell)

    def _error(self, line: Line, column: str, problem: str, cell: Cell = "") -> RowError:
        shown = "" if isinstance(cell, CellFault) else cell
        said = problems.said(problem, self.language, cell=shown, longest=self.limits.cell)
        return RowError(line.number, column, said)


def _texts(line: Line) -> list[str]:
    return ["" if isinstance(cell, CellFault) else cell for cell in line.cells]


def _merged(above: list[str], headings: list[str]) -> list[str]:
    """The headings, where some stand in cells that reach over two rows: a file has those in the upper one."""
    return [own or upper for upper, own in zip_longest(above, headings, fillvalue="")]


def _number(cell: Cell) -> str | NoNumber | Unreachable | CellFault:
    return cell if isinstance(cell, CellFault) else number(cell)


def _problem(cell: Cell) -> str | None:
    if isinstance(cell, CellFault):
        return cell
    if not cell:
        return problems.NO_VALUE
    return problems.CONTROL if _UNREADABLE in cell else None


def _letters(place: int) -> str:
    """A column's letters, as a spreadsheet program shows them; places count from 0."""
    letters, place = "", place + 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
