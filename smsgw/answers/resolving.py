"""Which dossier a code in a text means, by which of its readings exist; and what is said where that is not sure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date

from smsgw.answers.asked import Request, Unfollow, codes_read, reading_again
from smsgw.answers.asker import Asker, Said
from smsgw.answers.asking import EXAMPLE
from smsgw.dossiers.codes import day_of, parse
from smsgw.dossiers.dossier import Dossier
from smsgw.dossiers.reading import Read, Reading, normalised

MOST_OPTIONS = 3


def settled(request: Request, asker: Asker, found: Mapping[str, Dossier]) -> Request:
    """A request in which each code that two dossiers may have is the one that is surely meant, if one is.

    That is the code as it is printed, where no other has a later date: who writes the day first means another one only
    of a dossier that is years old. HUY is for nothing but what is printed. Else it is the only one that the asker owns
    or follows.
    """
    named = codes_read(request)
    if named is None:
        return request
    readings = tuple([_settled(reading, request, named, asker, found) for reading in named.readings])
    return request if readings == named.readings else reading_again(request, readings)


def doubtful(request: Request, asker: Asker, found: Mapping[str, Dossier]) -> bool:
    """Whether a code that it names may be two dossiers', by all that is known of its asker."""
    return _has_two(request, found) and _has_two(settled(request, asker, found), found)


def _has_two(request: Request, found: Mapping[str, Dossier]) -> bool:
    named = codes_read(request)
    return named is not None and any(len(_near(reading, found, ())) > 1 for reading in named.readings)


def repeats(text: str, code: str) -> bool:
    """Whether a text is this code and nothing else, also with the number that it was offered under: "1) H01..."."""
    return re.fullmatch(rf"\W*(?:[1-{MOST_OPTIONS}]\W+)?{re.escape(code)}\W*", normalised(text)) is not None


def _settled(reading: Reading, request: Request, named: Read, asker: Asker, found: Mapping[str, Dossier]) -> Reading:
    ends = isinstance(request, Unfollow)
    near = _near(reading, found, asker.ties.followed if ends else ())
    if len(near) < 2 or not reading.sure:
        return reading
    literal = reading.candidates[0]
    if literal in near and _is_printed(literal, named) and (ends or max(map(_day, near)) == _day(literal)):
        return Reading((literal,))
    theirs = [code for code in near if code in asker.ties.followed or (code in found and asker.owns(found[code]))]
    return Reading((theirs[0],)) if len(theirs) == 1 else reading


def _is_printed(code: str, named: Read) -> bool:
    """Whether a code stands in the text to the letter, or goes on from one that does: "..., 0014"."""
    return code.rpartition("-")[0] in {printed.rpartition("-")[0] for printed in named.printed}


def _near(reading: Reading, found: Mapping[str, Dossier], kept: Collection[str]) -> list[str]:
    """What a code may mean. `kept`: what can still be meant although the one-stop database has it no more."""
    return [code for code in reading.candidates if code in found or code in kept]


def _day(code: str) -> date:
    parsed = parse(code)
    return (parsed and day_of(parsed.date)) or date.min


def resolved(reading: Reading, found: Mapping[str, Dossier]) -> Dossier | Said:
    """The dossier that a reading means; if that is not sure, what to say instead."""
    existing = tuple(code for code in reading.candidates if code in found)
    if len(existing) == 1 and reading.sure:
        return found[existing[0]]
    if existing:
        return _question("ambiguous", None, existing)
    if not reading.sure:
        return Said("not_found", "incomplete")  # it counts as a guess, and nobody typed what it was read as
    if others := tuple(code for code in reading.suggestions if code in found):
        return _question("suggested", reading.literal, others)
    key = "only_example" if reading.literal == EXAMPLE else "not_found"
    return Said("not_found", key, {"code": reading.literal}, (reading.literal,))


def about(readings: tuple[Reading, ...], asker: Asker, found: Mapping[str, Dossier]) -> Dossier | None:
    """The dossier that somebody speaks about: the first one named, else the last one that the phone was told of."""
    named = (resolved(reading, found) for reading in readings)
    last = (found[code] for code in asker.ties.recent if code in found)
    return next((item for item in (*named, *last) if isinstance(item, Dossier)), None)


def _question(key: str, code: str | None, codes: tuple[str, ...]) -> Said:
    options = codes[:MOST_OPTIONS]
    listed = "\n".join(f"{number}) {option}" for number, option in enumerate(options, 1))
    return Said("ambiguous", key, {"code": code, "options": listed}, options=options)
