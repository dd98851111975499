"""The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1)."""

from __future__ import annotations

import re
from typing import Literal

Encoding = Literal["gsm7", "ucs2"]

ESCAPE = "\x1b"
# In the order of their septets.
_TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each is sent as an escape and the character of the table with this septet.
_EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
BASIC = frozenset(_TABLE) - {ESCAPE}
EXTENSION = frozenset(_EXTENSION.values())

_FOREIGN = re.compile(f"[^{re.escape(''.join(sorted(BASIC | EXTENSION)))}]")
_EXTENDED = re.compile(f"[{re.escape(''.join(sorted(EXTENSION)))}]")

_SEPTETS = {ord(char): chr(septet) for septet, char in enumerate(_TABLE)}
_SEPTETS |= {ord(char): ESCAPE + chr(septet) for septet, char in _EXTENSION.items()}
_ESCAPED = re.compile("\x1b([\\x00-\\x7f])")
_ILLEGIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


def storable(text: str) -> str:
    """The text without what no database takes: NUL and halves of surrogate pairs become U+FFFD."""
    if text.isprintable():
        return text
    return text.replace("\0", "\ufffd").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def legible(text: str) -> str:
    """A storable text also without what neither people nor spreadsheets can read: control signs become U+FFFD."""
    return text if text.isprintable() else _ILLEGIBLE.sub("\ufffd", storable(text))


def is_gsm7(text: str) -> bool:
    """Whether every character is in the alphabet or its extension."""
    return typed_plainly(text) or _FOREIGN.search(text) is None


def typed_plainly(text: str) -> bool:
    """Whether a text has nothing but signs of ASCII that the alphabet has too, as most of ours have; told at once."""
    return text.isascii() and text.isprintable() and "`" not in text


def septets(text: str) -> int:
    """How many 7-bit units a GSM-7 text takes: characters of the extension take two."""
    return len(text) + len(_EXTENDED.findall(text))


def utf16_units(text: str) -> int:
    """How many 16-bit units a text takes in UCS-2 as phones use it, which is UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def to_septets(text: str) -> bytes:
    """A GSM-7 text with a septet in each byte, as SMPP has it. Raises ValueError for what is not in the alphabet."""
    if foreign := _FOREIGN.search(text):
        raise ValueError(f"{foreign[0]!r} is not in the GSM 7-bit alphabet")
    return text.translate(_SEPTETS).encode("latin-1")


def from_septets(septets: bytes) -> str:
    """The text of unpacked septets; what is no septet becomes U+FFFD.

    As 6.2.1.1 wants it of a receiver: an unknown escape leaves its character as the table has it, two are a blank.
    """
    marked = _ESCAPED.sub(_unescaped, septets.decode("latin-1"))
    plain = marked.replace(ESCAPE, " ")
    return "".join(_TABLE[ord(char)] if char < "\x80" else _SPELT.get(char, "\ufffd") for char in plain)


# Places for characters of the extension while the others are still septets.
_PLACES = {septet: chr(0xE000 + septet) for septet in _EXTENSION}
_SPELT = {place: _EXTENSION[septet] for septet, place in _PLACES.items()}


def _unescaped(match: re.Match[str]) -> str:
    return _PLACES.get(ord(match[1]), match[1])
