"""The audience that a file names."""

from __future__ import annotations

from collections.abc import Generator
from typing import BinaryIO

from smsgw.notices.audience import sheet
from smsgw.notices.audience.lines import Limits, Line
from smsgw.notices.audience.table import TableAudience
from smsgw.text.languages import Language


class FileAudience(TableAudience):
    """The rows of a file, CSV or a workbook, that stands at its beginning."""

    def __init__(self, file: BinaryIO, text: str, limits: Limits | None = None, language: Language = "vi") -> None:
        super().__init__(text, limits or Limits(), language)
        self.file = file

    def lines(self) -> Generator[Line]:
        return sheet.lines(self.file, self.limits)
