"""CSV as spreadsheet programs write it: `;`, `,` or tab; UTF-8, UTF-16 or the Vietnamese code page of Windows."""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
from collections.abc import Generator
from typing import BinaryIO

from smsgw.notices.audience.lines import Limits, Line, cell
from smsgw.notices.audience.refusals import AudienceRefused

CHUNK = 1 << 16
DELIMITERS = ";,\t"
LOOKED_INTO = 64  # bytes in which the encoding is looked for
LOOKED_AT = 20  # lines in which the delimiter is looked for

_QUOTED = re.compile(r'"[^"]*"')
_NAMED = re.compile(r"sep=([;,\t])\r?\n?", re.IGNORECASE)  # Excel's own first line, which it shows as no row
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def lines(file: BinaryIO, limits: Limits) -> Generator[Line]:
    """The rows that have anything in them, of a file that stands at its beginning. Raises AudienceRefused."""
    text = io.TextIOWrapper(file, encoding_of(file), newline="")
    number = 0
    try:
        delimiter, shown = _delimiter(text)
        text.seek(0)
        if not shown:
            text.readline()
        csv.field_size_limit(sys.maxsize)  # how long a cell may be is said with its column
        for number, cells in enumerate(csv.reader(text, delimiter=delimiter, strict=True), start=1):
            if any(read := [cell(value, limits.cell) for value in cells]):
                yield Line(number, read)
    except UnicodeError:
        raise AudienceRefused("encoding") from None
    except csv.Error:
        raise AudienceRefused("quotes", row=number + 1) from None
    finally:
        text.detach()  # the file belongs to the caller


def encoding_of(file: BinaryIO) -> str:
    """The encoding that the whole file can be read in; the file is at its beginning again. Raises AudienceRefused."""
    head = file.read(LOOKED_INTO)
    file.seek(0)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Without a mark it is seen by its Latin letters, a quarter at least: each has a zero, all on the same side.
    even, odd = head[::2].count(0), head[1::2].count(0)
    if not (even and odd) and 8 * max(even, odd) >= len(head) > 0:
        return "utf-16-be" if even else "utf-16-le"
    # Everything is valid in a code page with few holes, so UTF-8 is asked first and has to fit to the last byte.
    for name in ("utf-8-sig", "cp1258"):
        if _fits(file, name):
            return name
    raise AudienceRefused("encoding")


def _fits(file: BinaryIO, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    try:
        while chunk := file.read(CHUNK):
            if _NO_TEXT.search(chunk):
                raise AudienceRefused("no_text")
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True


def _delimiter(text: io.TextIOWrapper) -> tuple[str, bool]:
    """The delimiter, and whether the first line is a row: it may also only name the delimiter."""
    first = text.readline(CHUNK)
    if named := _NAMED.fullmatch(first):
        return named[1], False
    for line in (first, *(text.readline(CHUNK) for _ in range(LOOKED_AT))):
        bare = _QUOTED.sub("", line)
        best = max(DELIMITERS, key=bare.count)
        if best in bare:
            return best, True
    return ",", True
