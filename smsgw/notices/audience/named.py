"""The audience that another system names, person by person."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import NamedTuple

from smsgw.notices.audience.columns import PHONE, key, placeholders
from smsgw.notices.audience.lines import Limits, Line, cell
from smsgw.notices.audience.table import TableAudience
from smsgw.text.languages import Language


class Named(NamedTuple):
    """A person by the number, however it is written, and what the text says of them."""

    phone: str
    values: Mapping[str, str]


class NamedAudience(TableAudience):
    """These people, with a column for whatever the text names. Rows count from 1."""

    def __init__(self, people: Sequence[Named], text: str, limits: Limits, language: Language) -> None:
        super().__init__(text, limits, language)
        self.people = people

    def lines(self) -> Generator[Line]:
        wanted = {name: written for name, written in placeholders(self.text).items() if name != PHONE}
        yield Line(0, [PHONE, *wanted.values()])
        for number, person in enumerate(self.people, start=1):
            values = {key(name): value for name, value in person.values.items()}
            cells = [person.phone, *(values.get(name, "") for name in wanted)]
            yield Line(number, [cell(text, self.limits.cell) for text in cells])
