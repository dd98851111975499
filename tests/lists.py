"""Lists of recipients as tests write and read them: tables and workbooks, and what is said of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import Workbook

from smsgw.notices.audience.file import FileAudience
from smsgw.notices.audience.lines import Limits
from smsgw.notices.audience.refusals import AudienceRefused
from smsgw.notices.recipients import Recipient, RowError

SHEET = "xl__worksheets__sheet1_0_xml"


def audience(content: bytes | str, text: str = "Xin chao.", **limits: int) -> FileAudience:
    data = content.encode() if isinstance(content, str) else content
    return FileAudience(io.BytesIO(data), text, Limits(**limits), "en")


def recipients(content: bytes | str, text: str = "Xin chao.") -> list[Recipient]:
    return [found for found in audience(content, text) if isinstance(found, Recipient)]


def errors(content: bytes | str, text: str = "Xin chao.") -> list[RowError]:
    return [found for found in audience(content, text) if isinstance(found, RowError)]


def refusal(content: bytes | str, text: str = "Xin chao.", **limits: int) -> str:
    with pytest.raises(AudienceRefused) as refused:
        list(audience(content, text, **limits))
    said = [refused.value.said("en"), refused.value.said("vi")]
    assert all(sentence and "\n" not in sentence for sentence in said)
    return said[0]


def xlsx(*rows: list[Any], change: Callable[[Workbook], object] = lambda book: None) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    change(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def repacked(content: bytes, **parts: bytes | Callable[[bytes], bytes]) -> bytes:
    """A workbook with parts added or changed; `__` in a name stands for `/`, `_0_` for a dot."""
    changes = {name.replace("__", "/").replace("_0_", "."): change for name, change in parts.items()}
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), *changes]):
            change = changes.get(name)
            if callable(change):
                new.writestr(name, change(old.read(name)))
            else:
                new.writestr(name, old.read(name) if change is None else change)
    return made.getvalue()


def read_or_refused(content: bytes | str) -> None:
    try:
        found = list(audience(content if isinstance(content, bytes) else content.encode("utf-8", "replace"), "((x))"))
    except AudienceRefused:
        return
    assert all(isinstance(one, Recipient | RowError) for one in found)
