"""Vietnamese with and without accents."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from smsgw.text.alphabet import is_gsm7, typed_plainly

_STROKES = {"đ": "d", "Đ": "D"}

# What word processors and phones put in place of plain characters.
_TYPOGRAPHY = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-",
        "…": "...", "•": "-", "·": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\t": " ",
        "\v": "\n", "\u2028": "\n", "\u2029": "\n", "₫": "d", "°": "o", "×": "x", "÷": "/", "\u2044": "/", "`": "'",
        "≤": "<=", "≥": ">=", "→": "->",
    }
)  # fmt: skip

# Letters of other alphabets that look like ours: what is copied from a PDF, or typed on the other keyboard, has them.
_LIKE_OURS = dict(
    zip(
        "АВЕКМНОРСТУХІЅЈавекмнорстухіѕјһΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
        "ABEKMHOPCTYXISJabekmhopctyxisjhABEZHIKMNOPTYXo",
        strict=True,
    )
)


def latin(character: str) -> str:
    """The letter of ours that a Cyrillic or Greek one looks like; any other character as it was."""
    return _LIKE_OURS.get(character, character)


def fold(text: str) -> str:
    """The text without accents: marks dropped, đ and Đ made plain, everything else as it was."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", "".join(map(_bare, text)))


@lru_cache(maxsize=2048)  # texts are long and use few characters
def _bare(character: str) -> str:
    decomposed = unicodedata.normalize("NFD", _STROKES.get(character, character))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def unaccented(text: str) -> str:
    """The text without accents and without a word processor's typography."""
    return text if typed_plainly(text) else _unaccented(text)


@lru_cache(maxsize=1024)  # a province's agencies and steps, over and over
def _unaccented(text: str) -> str:
    return unicodedata.normalize("NFC", "".join(map(_typed, text.translate(_TYPOGRAPHY))))


@lru_cache(maxsize=2048)
def _typed(character: str) -> str:
    """The same character as one types it, if it can be: m² as m2; nothing for what is not seen, as a soft hyphen."""
    bare = _bare(character)
    if is_gsm7(bare):
        return bare
    if unicodedata.category(character) == "Cf":
        return ""
    spelled = unicodedata.normalize("NFKD", latin(character)).translate(_TYPOGRAPHY)
    typed = "".join(map(_bare, spelled))
    return typed if is_gsm7(typed) else bare


def plain(text: str) -> str:
    """The text as an unaccented message carries it: always within GSM-7, whatever has no place there becomes `?`."""
    return joined_plain(unaccented(text))


def lost(text: str) -> list[str]:
    """The characters of a text that `plain` has no place for, each once."""
    return [character for character in dict.fromkeys(text) if character != "?" and plain(character) == "?"]


def joined_plain(text: str) -> str:
    """The same of what was put together from texts that are `unaccented` already."""
    composed = unicodedata.normalize("NFC", text)  # what meets where two texts were joined may be one character
    if is_gsm7(composed):
        return composed
    return "".join(c if is_gsm7(c) else "?" for c in composed)
