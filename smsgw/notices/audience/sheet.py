"""A table in a file, by what the file is and not by what it is called."""

from __future__ import annotations

import io
from collections.abc import Generator
from typing import BinaryIO

from smsgw.notices.audience import delimited, workbook
from smsgw.notices.audience.lines import MIB, Limits, Line
from smsgw.notices.audience.refusals import AudienceRefused

_ZIP = b"PK\x03\x04"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Microsoft's container: .xls, and .xlsx with a password
_PROTECTED = "EncryptedPackage".encode("utf-16-le")
_MARKS = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"


def lines(file: BinaryIO, limits: Limits) -> Generator[Line]:
    """The rows that have anything in them, in their order. Raises AudienceRefused, also in the middle of the rows."""
    if (size := file.seek(0, io.SEEK_END)) > limits.bytes:
        raise AudienceRefused("too_large", limit=limits.bytes // MIB)
    if not size:
        raise AudienceRefused("empty")
    file.seek(0)
    head = file.read(64)
    file.seek(0)
    if head.startswith(_COMPOUND):
        raise AudienceRefused("password" if _PROTECTED in file.read() else "old_xls")
    if head.lstrip(_MARKS).startswith(b"<"):
        raise AudienceRefused("web_page")
    if head.startswith(_ZIP):
        yield from workbook.lines(file, limits)
    else:
        yield from delimited.lines(file, limits)
