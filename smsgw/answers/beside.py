"""What is said beside a code and is no command: a complaint, a wish or a refusal, which must not seem to be heard.

Nothing is done by it, as it may be part of a question; its sender is told how to say it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from smsgw.answers.asked import Misspelling
from smsgw.answers.spelling import holds, is_plain, no_more, unpolite, without_polite_end
from smsgw.answers.vocabulary import HOW_FAR, NOT_MINE
from smsgw.answers.words import Words, spelt_out, squeezed, written
from smsgw.dossiers.reading import Read, normalised

_CODE = "0"  # in its place: so that of "ho so ... khieu nai" it is seen that the dossier is none about a complaint
_ASKED = re.compile(r"(?:^| )(?:CHUA|KHONG)$")


def beside(text: str, found: Read, words: Words) -> Misspelling | None:
    """Of which command somebody is told the form who wrote more than codes; None if that only asks how it stands."""
    chunks = (_CODE if any(map(str.isdigit, chunk)) else chunk for chunk in normalised(text).split())
    said = spelt_out(squeezed(" ".join(chunks)))
    begun, bare = unpolite(said.rpartition(_CODE)[2].strip(), words)
    if _ASKED.search(without_polite_end(said, words)) or holds(said, HOW_FAR):
        return None
    if words.unfollow and holds(said, no_more(words)):
        return "unfollow"
    if words.unfollow and found.readings[0].sure and holds(said, (*NOT_MINE, *filter(is_plain, words.opt_out))):
        return "disown"
    if words.speak and (bare in written(words.speak) or _complains(words).search(said)):
        return "speak"
    wishes = (name for name in words.follow if name.endswith(("THEO DOI", "NHAN TIN")))
    return "follow" if any(f"{begun} ".startswith(f"{name} ") for name in wishes) else None


@lru_cache(maxsize=4)
def _complains(words: Words) -> re.Pattern[str]:
    """A complaint, which is not what a dossier is about: "don khieu nai"."""
    names = "|".join(filter(is_plain, (*words.speak, *words.upset)))
    return re.compile(rf"\b(?<!DON )(?<!HO SO )(?<!VIEC )(?<!GIAI QUYET )(?:{names})\b" if names else "(?!)")
