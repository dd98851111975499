"""How commands stand in a text: what they begin with, and what is polite around them and means nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from smsgw.answers.words import Words, written
from smsgw.dossiers.hints import Hint
from smsgw.dossiers.reading import Read, read

# A code may come right here: a chunk with a digit in it, or a letter slot whose digits are written as letters.
_CODE_HERE = re.compile(r"[A-Z0-9]*\d|[A-Z](?:[OILSB]{2})?[^A-Z0-9]+[OILSB]*\d")
_APART = "[^A-Z0-9]+"
LONGEST_END = 60  # characters in which polite words at the end are sought: a long text must not take long
_SCORE_LAST = re.compile(r"(?:^|\s)([1-5])\s*(?:SAO|DIEM|STARS?|/\s*5)?[^A-Z0-9]*$")
_SCORE_FIRST = re.compile(r"([1-5])(?:\s*(?:SAO|DIEM|STARS?|/\s*5))?\s+")
_SCORE_AND_WORDS = re.compile(r"\s([1-5])(?:\s*(?:SAO|DIEM|STARS?|/\s*5))?[^A-Z0-9]+[A-Z][^0-9]*$")


def holds(command: str, names: Iterable[str]) -> bool:
    """Whether one of these stands among squeezed words."""
    among = f" {command} "
    return any(f" {name} " in among for name in names)


def receiving(words: Words) -> frozenset[str]:
    """The words that opt out or in."""
    out = (*words.opt_out, *words.opt_out_notices, *words.opt_out_reminders)
    return written((*out, *words.opt_in, *words.opt_in_notices, *words.opt_in_reminders))


def unpolite(command: str, words: Words) -> tuple[str, str]:
    """The words of a text without what is polite before them; and without what is polite behind them, too."""
    spelt = "|".join(words.polite) or "(?!)"
    begun = re.sub(rf"^(?:(?:{spelt}) )+", "", command)
    return begun, without_polite_end(begun, words)


@lru_cache(maxsize=4)
def beginnings(words: Words) -> re.Pattern[str]:
    """The commands that more follows on; whoever opts in or out before a code means that one."""
    groups = (
        _group("follow", _following(words), ""),
        _group("unfollow", _unfollowing(words), ""),
        _group("rate", words.rate, r"(?![A-Z](?!\d))"),  # a code may be glued to it, and no word
        _group("speak", words.speak, "(?![A-Z])"),
    )
    begin = rf"[^A-Z0-9]*(?:{_group('polite', words.polite, _APART)})*"
    return re.compile(rf"{begin}(?:{'|'.join(filter(None, groups))})[^A-Z0-9]*" if any(groups) else "(?!)")


@lru_cache(maxsize=4)
def endings(words: Words) -> re.Pattern[str]:
    """The commands that may stand behind a code and end the text; behind a question mark somebody only asks."""
    polite, rate = _group("polite", words.polite, _APART), _spelt(words.rate)
    commands = filter(
        None,
        (
            _group("follow", words.follow, ""),
            _group("unfollow", words.unfollow, ""),
            f"(?:(?:{rate})[^A-Z0-9]*)?(?P<stars>[1-5])[^A-Z0-9]*(?:SAO|DIEM|STARS?)" if rate else "",
            f"(?:{rate})[^A-Z0-9]*(?P<score>[1-5])" if rate else "",
        ),
    )
    behind = rf"(?:{_APART}{_group('behind', words.polite, '')})*" if polite else ""
    return re.compile(rf"{_APART}(?:{polite or '(?!)'})*(?:{'|'.join(commands) or '(?!)'}){behind}[^A-Z0-9?]*$")


def _following(words: Words) -> tuple[str, ...]:
    return (*words.follow, *words.opt_in)


def _unfollowing(words: Words) -> tuple[str, ...]:
    return (*words.unfollow, *(word for word in words.opt_out if word not in words.look_up))


def up_to_the_opposite(rest: str, command: str, words: Words) -> str:
    """What stands behind "follow" or "unfollow" before the other one of them: the codes behind that aren't its own.

    Nothing, if that is only polite.
    """
    own = _opposite(_unfollowing(words) if command == "follow" else _following(words)).split(rest, 1)[0]
    return own if without_polite_end(f" {own}", words).strip() else ""


@lru_cache(maxsize=8)
def _opposite(commands: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Z0-9])(?:{'|'.join(commands)})(?![A-Z0-9])" if commands else "(?!)")


def _group(name: str, words: tuple[str, ...], behind: str) -> str:
    return f"(?P<{name}>(?:{_spelt(words)}){behind})" if words else ""


def _spelt(words: tuple[str, ...]) -> str:
    return "|".join(word.replace(" ", "[^A-Z0-9]*") for word in sorted(words, key=len, reverse=True))


def code_here(rest: str, words: Words) -> Read | None:
    """The codes that a text begins with, or what it has instead; nothing in an empty one, None for an ordinary text."""
    if not rest:
        return Read((), Hint.NOTHING)
    begun = without_keywords(rest, words)
    if not _CODE_HERE.match(begun):
        return None
    found = read(begun, ())
    return found if found.readings or found.hint is not Hint.NOTHING else None


def without_keywords(text: str, words: Words) -> str:
    keywords, polite = _group("keyword", words.look_up, "[^A-Z0-9]*"), _group("polite", words.polite, _APART)
    return re.sub(rf"^(?:{keywords}|{polite or '(?!)'})+", "", text)


def without_polite_end(text: str, words: Words) -> str:
    """A text without what is polite at its end: "5 A" is a score, and "129410 NHE" a number."""
    polite = _group("polite", words.polite, "")
    start = max(0, len(text) - LONGEST_END)
    return text[:start] + re.sub(rf"(?:{_APART}{polite})+[^A-Z0-9]*$", "", text[start:]) if polite else text


def scores(rest: str) -> list[tuple[int, str]]:
    """Each way to find a score in what follows on the command: the score, and what is left to be a code."""
    last = [found for found in (_SCORE_LAST.search(rest), _SCORE_AND_WORDS.search(rest)) if found]
    first = [found for found in [_SCORE_FIRST.match(rest)] if found]
    return [
        *((int(found[1]), rest[: found.start()]) for found in last),
        *((int(found[1]), rest[found.end() :]) for found in first),
    ]


@lru_cache(maxsize=4)
def complaints(words: Words) -> re.Pattern[str]:
    shortest, spelt = _group("short", words.speak[:1], "(?![A-Z0-9])"), _group("spelt", words.speak, r"\s*:")
    any_of = "|".join(filter(None, (shortest, spelt)))
    return re.compile(rf"(?<![A-Z0-9])(?:{any_of})" if any_of else "(?!)")
