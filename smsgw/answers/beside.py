"""What is said beside a code: a question, or a complaint, a wish or a refusal, which must not seem to be heard.

Nothing is done by what is no command, as it may be part of a question; its sender is told how to say it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from smsgw.answers.asked import Misspelling
from smsgw.answers.spelling import has_waited, holds, is_plain, no_more, unpolite, without_polite_end
from smsgw.answers.vocabulary import (
    HOW_FAR,
    NOT_MINE,
    NOT_WITHDRAWN,
    WAITS,
    WHEN,
    WITHDRAW_BESIDE_CODE,
    WRONG_IN_DOSSIER,
)
from smsgw.answers.words import Words, spelt_out, squeezed, sums_named, written
from smsgw.dossiers.reading import Read

_CODE = "0"  # in its place: so that of "ho so ... khieu nai" it is seen that the dossier is none about a complaint
_ASKED = re.compile(r"(?:^| )(?:CHUA|KHONG)$")
_ASKED_WHETHER = re.compile(rf" (?:(?:KHONG|SAO)(?: (?:VAY|THE|HA))?|HA|{'|'.join(WHEN)})$")
_ASKED_BY_SIGN = re.compile(r"\?\W*$")
_ASKED_WHAT_IT_IS = re.compile(
    r" (?:(?:TIEN|PHI) KHONG|BAO NHIEU(?: TIEN)?|BAO LAU|LA (?:GI|SAO))(?: (?:VAY|THE|HA))?$"
)
_ASKED_TO_HELP = ("GIUP", "GIUM", "DUM")


def beside(text: str, found: Read, words: Words) -> Misspelling | None:
    """Of which command somebody is told the form who wrote more than codes; None if that only asks how it stands."""
    said = _without_codes(text)
    begun, bare = unpolite(said.rpartition(_CODE)[2].strip(), words)
    if words.speak and holds(said, NOT_WITHDRAWN):
        return "speak"  # before "tôi đâu có rút" is read as how far it is, "tới đâu"
    if _ASKED.search(without_polite_end(said, words)) or holds(said, HOW_FAR):
        return None
    if words.unfollow and holds(said, (*no_more(words), *WITHDRAW_BESIDE_CODE)):
        return "unfollow"
    if words.unfollow and found.readings[0].sure and holds(said, (*NOT_MINE, *filter(is_plain, words.opt_out))):
        return "disown"
    complains = bare in written(words.speak) or holds(bare, WRONG_IN_DOSSIER) or _complains(words).search(said)
    if words.speak and complains:
        return "speak"
    wishes = (name for name in words.follow if name.endswith(("THEO DOI", "NHAN TIN")))
    return "follow" if any(f"{begun} ".startswith(f"{name} ") for name in wishes) else None


def asks_how_far(text: str, words: Words) -> bool:
    """Whether a text with a code asks how far it is, whatever command stands before that: "Huy ... xong chưa"."""
    said = _without_codes(text)
    return without_polite_end(said, words).endswith(" CHUA") or holds(said, HOW_FAR)


def asks_whether(text: str, words: Words) -> bool:
    """Whether a text with a code asks what would come of a command, or whether it can be given: "hủy ... được không".

    "Hủy ... giúp em được không" asks for it.
    """
    said = _without_codes(text)
    asks = _ASKED_BY_SIGN.search(text) or _ASKED_WHETHER.search(without_polite_end(said, words))
    return asks is not None and not holds(said, _ASKED_TO_HELP)


def asks_what_it_is(text: str, words: Words) -> bool:
    """Whether a text with a code asks what following it costs or is: "theo dõi ... có tốn tiền không"."""
    return _ASKED_WHAT_IT_IS.search(without_polite_end(_without_codes(text), words)) is not None


def waits(text: str) -> bool:
    """Whether a text with a code tells how long somebody has watched it already: "theo dõi ... 3 tháng rồi"."""
    said = _without_codes(text)
    return holds(said, WAITS) or has_waited(said)


def _without_codes(text: str) -> str:
    """The words of a text, spelt out, with a sign in place of each code."""
    chunks = (_CODE if any(map(str.isdigit, chunk)) else chunk for chunk in sums_named(text).split())
    return spelt_out(squeezed(" ".join(chunks)))


@lru_cache(maxsize=4)
def _complains(words: Words) -> re.Pattern[str]:
    """A complaint, which is not what a dossier is about: "don khieu nai"."""
    names = "|".join(filter(is_plain, (*words.speak, *words.upset)))
    return re.compile(rf"\b(?<!DON )(?<!HO SO )(?<!VIEC )(?<!GIAI QUYET )(?:{names})\b" if names else "(?!)")
