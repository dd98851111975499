"""How people mistype dossier codes: each mistake takes a text and a source of chance, and gives a text."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Sequence

Mistake = Callable[[str, random.Random], str]

SEPARATORS = (" ", ",", "/", "_", "–", "—", "…", ". ", " - ", ":", "\n", "\u00a0")
LOOKALIKES = {"0": "Oo", "1": "Il", "5": "Ss", "8": "B"}
KEYWORDS = (
    "HS ",
    "hs ",
    "HS HS ",
    "HS",
    "hồ sơ ",
    "Hồ Sơ: ",
    "ma ho so ",
    "tra cuu ",
    "TC ",
    "Tra cứu hồ sơ ",
    "mã hồ sơ:",
)
TAILS = (" cam on", " a", " ạ", "?", ".", ". Xin cảm ơn!", " giup em voi", " 5 ngay roi", " ơi", " nhe :)")


def no_separators(text: str, chance: random.Random) -> str:
    """H0112180802 0012"""
    kept = chance.choice(("", " "))
    head, _, tail = text.rpartition("-")
    return re.sub(r"[.\-]", "", head) + kept + tail


def other_separators(text: str, chance: random.Random) -> str:
    """H01,12/180802_0012"""
    return re.sub(r"[.\-]", lambda _: chance.choice(SEPARATORS), text)


def lookalikes(text: str, chance: random.Random) -> str:
    """HO1.12-l8O8O2-OO12"""

    def instead(match: re.Match[str]) -> str:
        return chance.choice(LOOKALIKES[match[0]]) if chance.random() < 0.4 else match[0]

    return re.sub("[0158]", instead, text)


def apart(text: str, chance: random.Random) -> str:
    """H 0 1 . 1 2 - 1 8 0 8 0 2 - 0 0 1 2"""
    return " ".join(text.replace(" ", ""))


def any_case(text: str, chance: random.Random) -> str:
    """h01.12-180802-0012"""
    return chance.choice((str.lower, str.upper, str.swapcase))(text)


def zeros_lost(text: str, chance: random.Random) -> str:
    """H01.12-180802-12"""
    head, dash, ordinal = text.rpartition("-")
    return head + dash + (ordinal.lstrip("0") or "0")


def prefix_lost(text: str, chance: random.Random) -> str:
    """12.H01-180802-0012"""
    return re.sub(chance.choice((r"^000\.00\.", r"^000\.")), "", text)


def other_date(text: str, chance: random.Random) -> str:
    """H01.12-20180802-0012, H01.12-020818-0012, H01.12-02082018-0012"""

    def instead(match: re.Match[str]) -> str:
        digits = match[1] if len(match[1]) == 8 else "20" + match[1]
        year, month, day = digits[:4], digits[4:6], digits[6:]
        written = chance.choice((digits, day + month + year[2:], day + month + year, digits[2:]))
        return f"-{written}-"

    return re.sub(r"-(\d{8}|\d{6})-", instead, text)


def keyword(text: str, chance: random.Random) -> str:
    """Tra cứu hồ sơ H01.12-180802-0012"""
    return chance.choice(KEYWORDS) + text


def tail(text: str, chance: random.Random) -> str:
    """H01.12-180802-0012 cam on"""
    return text + chance.choice(TAILS)


def decomposed(text: str, chance: random.Random) -> str:
    """Accents as characters of their own."""
    return unicodedata.normalize("NFD", text)


def full_width(text: str, chance: random.Random) -> str:
    """Ｈ０１．１２－１８０８０２－００１２"""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def invisible(text: str, chance: random.Random) -> str:
    """With characters that come along when a code is pasted."""
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice("\u200b\u200d\ufeff\u2060\u202a\u00ad") + text[at:]


# In the order in which they happen: to the code first, then to the text around it, then to all of it.
TO_THE_CODE: Sequence[Mistake] = (zeros_lost, prefix_lost, other_date)
TO_ITS_FORM: Sequence[Mistake] = (no_separators, other_separators)
TO_ITS_LETTERS: Sequence[Mistake] = (lookalikes, apart, any_case)
TO_THE_TEXT: Sequence[Mistake] = (keyword, tail)
TO_ALL: Sequence[Mistake] = (decomposed, full_width, invisible)
EVERY = (*TO_THE_CODE, *TO_ITS_FORM, *TO_ITS_LETTERS, *TO_THE_TEXT, *TO_ALL)


def mistyped(code: str, mistakes: Sequence[Mistake], seed: int) -> str:
    """The code with these mistakes, whatever order they were named in."""
    chance = random.Random(seed)
    text = code
    for mistake in EVERY:
        if mistake in mistakes:
            text = mistake(text, chance)
    return text
