"""XLSX: the first sheet that can be seen, row by row (ECMA-376, part 1, SpreadsheetML)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import BinaryIO
from xml.etree.ElementTree import Element

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

from smsgw.notices.audience.cells import SharedTexts, SheetRows, Values
from smsgw.notices.audience.lines import Limits, Line
from smsgw.notices.audience.package import Package, opened
from smsgw.notices.audience.refusals import AudienceRefused

WORKBOOK = "xl/workbook.xml"
_ID = re.compile(r"\{[^}]*/relationships\}id")


@dataclass(frozen=True, slots=True)
class _Parts:
    sheet: str
    texts: str | None
    styles: str | None
    from_1904: bool


def lines(file: BinaryIO, limits: Limits) -> Generator[Line]:
    """The rows that have anything in them. Raises AudienceRefused, also in the middle of the rows."""
    with opened(file) as package:
        parts = _parts(package)
        texts = SharedTexts(limits.cell)
        if parts.texts is not None:
            for _ in package.read(parts.texts, texts):
                pass
        epoch = CALENDAR_MAC_1904 if parts.from_1904 else CALENDAR_WINDOWS_1900
        rows = SheetRows(Values(texts.texts, _date_styles(package, parts.styles), epoch, limits.cell), limits)
        for _ in package.read(parts.sheet, rows):
            yield from rows.take()


def _parts(package: Package) -> _Parts:
    book = package.tree(WORKBOOK)
    targets, kinds = _relations(package)
    for sheet in _every(book, "sheet"):
        place = next((value for name, value in sheet.items() if _ID.fullmatch(name)), "")
        if sheet.get("state", "visible") == "visible" and kinds.get(place) == "worksheet":
            break
    else:
        raise AudienceRefused("no_sheet")
    by_kind = {kind: targets[place] for place, kind in kinds.items() if package.has(targets[place])}
    from_1904 = any(properties.get("date1904") in ("1", "true") for properties in _every(book, "workbookPr"))
    return _Parts(targets[place], by_kind.get("sharedStrings"), by_kind.get("styles"), from_1904)


def _relations(package: Package) -> tuple[dict[str, str], dict[str, str]]:
    """The parts that the workbook names, and their kinds, by the names that it has for them."""
    targets, kinds = {}, {}
    for relation in _every(package.tree("xl/_rels/workbook.xml.rels"), "Relationship"):
        name, target = relation.get("Id", ""), relation.get("Target", "")
        targets[name] = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
        kinds[name] = relation.get("Type", "").rpartition("/")[2]
    return targets, kinds


def _date_styles(package: Package, part: str | None) -> frozenset[int]:
    """The numbers of the cell styles that show a number as a date."""
    if part is None:
        return frozenset()
    styles = package.tree(part)
    formats = dict(BUILTIN_FORMATS)
    for own in _every(styles, "numFmt"):
        if (number := own.get("numFmtId", "")).isdigit():
            formats[int(number)] = own.get("formatCode", "")
    used = [style.get("numFmtId", "0") for cells in _every(styles, "cellXfs") for style in cells]
    return frozenset(
        place
        for place, number in enumerate(used)
        if number.isdigit() and is_date_format(formats.get(int(number), "General"))
    )


def _every(root: Element, name: str) -> Iterator[Element]:
    """All elements of a name, whichever of the two namespaces (transitional, strict) the file is in."""
    return (element for element in root.iter() if element.tag.rpartition("}")[2] == name)
