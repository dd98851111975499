"""Vietnamese with and without accents."""

from __future__ import annotations

import unicodedata

from smsgw.text.alphabet import is_gsm7

_STROKES = str.maketrans({"đ": "d", "Đ": "D"})

# What word processors and phones put in place of plain characters.
_TYPOGRAPHY = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-",
        "…": "...", "•": "-", "·": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\t": " ",
    }
)  # fmt: skip


def fold(text: str) -> str:
    """The text without accents: marks dropped, đ and Đ made plain, everything else as it was."""
    decomposed = unicodedata.normalize("NFD", text.translate(_STROKES))
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def plain(text: str) -> str:
    """The text as an unaccented message carries it: always within GSM-7, whatever has no place there becomes `?`."""
    folded = fold(text.translate(_TYPOGRAPHY))
    if is_gsm7(folded):
        return folded
    return "".join(c if is_gsm7(c) else "?" for c in folded)
