"""The ZIP that an XLSX file is, opened with care: nothing is unpacked that could take the server down."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from defusedxml.expatreader import DefusedExpatParser

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

    def read(self, name: str, handler: ContentHandler) -> Iterator[None]:
        """Feed a part to a handler piece by piece; control comes back after each piece."""
        parser = DefusedExpatParser(forbid_dtd=True)
        parser.setContentHandler(handler)
        with _faults_of(name), self._archive.open(name) as part:
            while chunk := part.read(CHUNK):
                parser.feed(chunk)
                yield
            parser.close()
            yield


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
        zipfile.BadZipFile, zlib.error, ParseError, SAXException, KeyError, NotImplementedError, EOFError, OSError,
        ValueError, RuntimeError,
    ):  # fmt: skip
        raise AudienceRefused("damaged", part=part) from None
