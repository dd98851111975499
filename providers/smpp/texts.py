"""Texts and the octets that carry them: alphabets, the headers that join parts, data codings.

Source: 3GPP TS 23.040, 9.2.3.24 (user data header), TS 23.038, 4 (data codings) and SMPP 3.4, 5.2.19.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from providers.contract import Encoding, Part
from providers.smpp.pdu import PAYLOAD, SAR_COUNT, SAR_NUMBER, SAR_REFERENCE, Pdu
from smsgw.text.alphabet import from_septets, to_septets
from smsgw.text.segments import split

Alphabet = Literal["gsm7", "latin1", "ascii"]

HAS_HEADER = 0x40  # in esm_class
DEFAULT, IA5, LATIN1, UCS2 = 0, 1, 3, 8  # data codings
LONGEST_SAR = 4  # octets; the specification has one or two
JOIN_8, JOIN_16 = 0x00, 0x08  # elements of a user data header

_WRITE: Mapping[Alphabet, Callable[[str], bytes]] = {
    "gsm7": to_septets,
    "latin1": lambda text: text.encode("latin-1"),
    "ascii": lambda text: text.encode("ascii"),
}
_READ: Mapping[Alphabet, Callable[[bytes], str]] = {
    "gsm7": from_septets,
    "latin1": lambda octets: octets.decode("latin-1"),
    "ascii": lambda octets: octets.decode("ascii", "replace"),
}


@dataclass(frozen=True, slots=True)
class Cut:
    """A text as it goes out: each part's octets without its header, in the order of the parts."""

    data_coding: int
    parts: tuple[bytes, ...]


def cut(text: str, encoding: Encoding, default: Alphabet) -> Cut:
    """Cut a text. What the SMSC's default alphabet lacks goes out in UCS-2, whatever it was to be."""
    if encoding == "gsm7":
        try:
            return Cut(DEFAULT, tuple(map(_WRITE[default], split(text, "gsm7"))))
        except ValueError:
            pass
    return Cut(UCS2, tuple(_utf16(part) for part in split(text, "ucs2")))


def header(reference: int, count: int, number: int) -> bytes:
    """The user data header of one part of several, with a reference of 8 bits."""
    return bytes((5, JOIN_8, 3, reference, count, number))


def text_of(unit: Pdu, default: Alphabet) -> tuple[str, Part | None]:
    """What a delivered message says, and which part of what. Raises ValueError for what is no text."""
    octets = unit.fields.get("short_message") or unit.tlvs.get(PAYLOAD, b"")
    part = _by_tlvs(unit)
    if unit.number("esm_class") & HAS_HEADER and octets:
        head, octets = octets[1 : octets[0] + 1], octets[octets[0] + 1 :]
        part = _by_header(head) or part
    return _decoded(octets, unit.number("data_coding"), default), part


def _decoded(octets: bytes, coding: int, default: Alphabet) -> str:
    meant = _alphabet(coding)
    if meant == UCS2:
        return octets[: len(octets) // 2 * 2].decode("utf-16-be", "surrogatepass")
    alphabets: Mapping[int, Alphabet] = {DEFAULT: default, IA5: "ascii", LATIN1: "latin1"}
    if meant not in alphabets:
        raise ValueError(f"a message of data_coding {coding} is no text")
    return _READ[alphabets[meant]](octets)


def _alphabet(coding: int) -> int:
    """The data coding without what it says of message classes and compression; those of other things as they are."""
    if coding & 0xF0 == 0xF0:
        return 4 if coding & 0x04 else DEFAULT
    if coding & 0xF0 == 0x10:
        return {0x00: DEFAULT, 0x08: UCS2}.get(coding & 0x0C, coding)
    return coding


def _by_header(head: bytes) -> Part | None:
    """The part that a user data header names; other elements of it are of no account here."""
    while len(head) >= 2:
        tag, length = head[0], head[1]
        value, head = head[2 : 2 + length], head[2 + length :]
        if tag == JOIN_8 and len(value) == 3:
            return _part(f"8:{value[0]}", value[1], value[2])
        if tag == JOIN_16 and len(value) == 4:
            return _part(f"16:{int.from_bytes(value[:2])}", value[2], value[3])
    return None


def _by_tlvs(unit: Pdu) -> Part | None:
    said = [unit.tlvs.get(tag, b"") for tag in (SAR_REFERENCE, SAR_COUNT, SAR_NUMBER)]
    if not all(0 < len(octets) <= LONGEST_SAR for octets in said):
        return None
    reference, count, number = map(int.from_bytes, said)
    return _part(f"sar:{reference}", count, number)


def _part(reference: str, count: int, number: int) -> Part | None:
    return Part(reference, count, number) if 1 <= number <= count <= 255 and count > 1 else None


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")
