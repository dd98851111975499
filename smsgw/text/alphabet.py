"""The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1)."""

from __future__ import annotations

import re
from typing import Literal

Encoding = Literal["gsm7", "ucs2"]

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("^{}\\[~]|€\f")  # each is sent as an escape and a character

_FOREIGN = re.compile(f"[^{re.escape(''.join(sorted(BASIC | EXTENSION)))}]")


def storable(text: str) -> str:
    """The text without what no database takes: NUL and halves of surrogate pairs become U+FFFD."""
    if text.isprintable():
        return text
    return text.replace("\0", "\ufffd").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def is_gsm7(text: str) -> bool:
    """Whether every character is in the alphabet or its extension."""
    return _FOREIGN.search(text) is None


def septets(text: str) -> int:
    """How many 7-bit units a GSM-7 text takes: characters of the extension take two."""
    return len(text) + sum(map(text.count, EXTENSION))


def utf16_units(text: str) -> int:
    """How many 16-bit units a text takes in UCS-2 as phones use it, which is UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
