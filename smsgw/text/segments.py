"""How many messages a text takes, and where it is cut (3GPP TS 23.040, concatenation with an 8-bit reference)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import regex

from smsgw.text.alphabet import Encoding, is_gsm7, septets, utf16_units

# Units that fit when the text is one message, and when it is several.
_ROOM: dict[Encoding, tuple[int, int]] = {"gsm7": (160, 153), "ucs2": (70, 67)}
_UNITS: dict[Encoding, Callable[[str], int]] = {"gsm7": septets, "ucs2": utf16_units}

_CLUSTER = regex.compile(r"\X")
# Latin letters, their signs and line feeds: in a composed text each is a grapheme of its own, wherever it stands.
_LATIN = re.compile("[\n -~\u00a0-\u02ff\u1e00-\u1eff\u2010-\u2027\u20a0-\u20bf]*")


@dataclass(frozen=True, slots=True)
class Measure:
    """A text's size.

    `units` are what its writer pays for: septets in GSM-7, and in UCS-2 characters as a person counts them.
    `remaining` is how many plain characters still fit into the last segment.
    """

    encoding: Encoding
    units: int
    segments: int
    remaining: int


@lru_cache(maxsize=1024)  # a reply is measured when it is made to fit, and again when it is queued
def measure(text: str) -> Measure:
    """The size of a text, which is composed (NFC) first, as it is sent. An empty one takes a message too."""
    text = unicodedata.normalize("NFC", text)
    encoding = _encoding(text)
    room = _UNITS[encoding](text)
    units = room if encoding == "gsm7" else _characters(text)
    alone, shared = _ROOM[encoding]
    if room <= alone:
        return Measure(encoding, units, 1, alone - room)
    parts = _cut(text, encoding)
    return Measure(encoding, units, len(parts), shared - _UNITS[encoding](parts[-1]))


def fits(text: str, segments: int) -> bool:
    """Whether a text takes no more than so many segments."""
    text = unicodedata.normalize("NFC", text)
    alone, shared = _ROOM["gsm7"]
    if len(text) > (alone if segments == 1 else segments * shared):
        return False  # each character takes a unit at least, and the other alphabet has less room
    return measure(text).segments <= segments


def split(text: str, encoding: Encoding | None = None) -> list[str]:
    """The segments of a text, composed (NFC). None of them splits an escape, a surrogate pair or a grapheme.

    `encoding`: the one that it goes out in, if that is not to be the shorter one.
    """
    text = unicodedata.normalize("NFC", text)
    encoding = encoding or _encoding(text)
    if _UNITS[encoding](text) <= _ROOM[encoding][0]:
        return [text]
    return _cut(text, encoding)


def _encoding(text: str) -> Encoding:
    return "gsm7" if is_gsm7(text) else "ucs2"


def _characters(text: str) -> int:
    """Graphemes; a line break of two characters counts as two, as carriers count it."""
    if _LATIN.fullmatch(text):
        return len(text)
    return len(_CLUSTER.findall(text)) + text.count("\r\n")


def _cut(text: str, encoding: Encoding) -> list[str]:
    room, units = _ROOM[encoding][1], _UNITS[encoding]
    if _LATIN.fullmatch(text) and units(text) == len(text):
        return [text[start : start + room] for start in range(0, len(text), room)]
    parts: list[str] = []
    left = 0
    for piece in _pieces(text, room, units):
        size = units(piece)
        if size > left:
            parts.append("")
            left = room
        parts[-1] += piece
        left -= size
    return parts


def _pieces(text: str, room: int, units: Callable[[str], int]) -> Iterable[str]:
    """What must stay together: graphemes, or the characters of one that no segment could hold."""
    for cluster in _CLUSTER.findall(text):
        if units(cluster) <= room:
            yield cluster
        else:
            yield from cluster
