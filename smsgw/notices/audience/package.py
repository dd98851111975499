"""The ZIP that an XLSX file is, opened with care: nothing is unpacked that could take the server down."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol
from xml.etree.ElementTree import Element, ParseError
from xml.parsers import expat

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from smsgw.notices.audience.lines import MIB
from smsgw.notices.audience.refusals import AudienceRefused

MOST_ENTRIES = 5000
MOST_UNPACKED = 256 * MIB  # all parts together; 200,000 rows of ten columns take about 100
MOST_RATIO = 200  # of a part larger than a MiB; spreadsheets that repeat themselves reach about 40
LARGEST_SMALL = 4 * MIB  # a part that is read whole
CHUNK = 1 << 16

_REFUSED = (
    ("xl/vbaproject.bin", "macros"),
    ("xl/workbook.bin", "binary_workbook"),
    ("content.xml", "open_document"),
)


Attributes = dict[str, str]


class Handler(Protocol):
    """What becomes of a part's elements, by their names with a prefix as they stand there, and of the text in them."""

    def begun(self, name: str, attributes: Attributes) -> None: ...

    def ended(self, name: str) -> None: ...

    def characters(self, content: str) -> None: ...


class Package:
    """The parts of a workbook. What is wrong with one raises AudienceRefused."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        entries = archive.infolist()
        names = {entry.filename.lower() for entry in entries}
        for name, why in _REFUSED:
            if name in names:
                raise AudienceRefused(why)
        if "xl/workbook.xml" not in names:
            raise AudienceRefused("no_workbook")
        if any(entry.flag_bits & 1 for entry in entries):
            raise AudienceRefused("password")
        if (
            len(entries) > MOST_ENTRIES
            or sum(entry.file_size for entry in entries) > MOST_UNPACKED
            or any(entry.file_size > max(MIB, MOST_RATIO * entry.compress_size) for entry in entries)
        ):
            raise AudienceRefused("bomb")

    def has(self, name: str) -> bool:
        return name in self._archive.NameToInfo

    def tree(self, name: str) -> Element:
        """A small part whole."""
        with _faults_of(name), self._archive.open(name) as part:
            data = part.read(LARGEST_SMALL + 1)
            if len(data) > LARGEST_SMALL:
                raise AudienceRefused("bomb")
            root: Element = fromstring(data, forbid_dtd=True)
            return root

    def read(self, name: str, handler: Handler) -> Iterator[None]:
        """Feed a part to a handler piece by piece; control comes back after each piece."""
        # Not by xml.sax, which takes longer to pass on an element than all else takes. Without a DTD there are no
        # entities, and no part of a workbook has one.
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = _refuse_declarations
        parser.StartElementHandler, parser.EndElementHandler = handler.begun, handler.ended
        parser.CharacterDataHandler, parser.buffer_text = handler.characters, True
        with _faults_of(name), self._archive.open(name) as part:
            while chunk := part.read(CHUNK):
                parser.Parse(chunk)
                yield
            parser.Parse(b"", True)
            yield


def _refuse_declarations(*declared: object) -> None:
    raise AudienceRefused("declarations")


@contextmanager
def opened(file: BinaryIO) -> Iterator[Package]:
    """A package over a file, which stays the caller's."""
    with _faults_of("zip"):
        archive = zipfile.ZipFile(file)
    with archive:
        yield Package(archive)


@contextmanager
def _faults_of(part: str) -> Iterator[None]:
    try:
        yield
    except DefusedXmlException:
        raise AudienceRefused("declarations") from None
    except (
        zipfile.BadZipFile, zlib.error, ParseError, expat.ExpatError, KeyError, NotImplementedError, EOFError, OSError,
        ValueError, RuntimeError,
    ):  # fmt: skip
        raise AudienceRefused("damaged", part=part) from None
