"""How people mistype dossier codes, and what they may have meant.

Only the form is repaired, never a digit: ordinals are dense, so a corrected digit is somebody else's dossier. Where a
text can be read in several ways, all of them are given, and whoever asks the one-stop database which of them exist
either finds one, or asks back. That is safe as long as the code that was meant is among them: so a text either gets
every reading of its form, or none at all.

A code hangs on its letter: the province's, with two digits behind it. The digits around it come in groups, cut where
something other than a letter or digit stands; a group may hold several parts of the code, and a part never spans two
groups if there is a reading in which it doesn't.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from smsgw.dossiers.codes import agency, agency_in_other_form, parse, printed, with_fewer_zeros
from smsgw.dossiers.further import further, in_short
from smsgw.dossiers.hints import CITIZEN_NUMBER, FIXED_LINE, LETTERS, Hint, hint
from smsgw.dossiers.partitions import Partition, days, ordinals, partitions
from smsgw.dossiers.printed import DIGITS, LETTERS_AS_DIGITS, LOOKALIKES, as_printed
from smsgw.text.accents import fold, latin

MOST_CODES = 5  # in one text
MOST_CANDIDATES = 128  # of one code; what has more says too little
LONGEST_TEXT = 1000  # characters that are looked at
DEFAULT_KEYWORDS = ("HS", "HO SO", "MA HO SO", "MA SO", "MA", "TRA CUU", "TC")

# H 01, H-01, H O1; and as a phone writes down the name of the letter H that it is told: hát 01.
_LONE_LETTER = re.compile(rf"(?<![A-Z0-9])([{LETTERS}])(?:(?<=H)AT)?[^A-Z0-9]+(?=\d[{DIGITS}]|[{DIGITS}]\d)")
_CHUNK = re.compile(r"[A-Z0-9]+")
_ANCHOR = re.compile(rf"[{LETTERS}](?=([{DIGITS}]{{2}}|\d$))")
_HEAD = re.compile(rf"[{DIGITS}]+")
_ORDINAL_IN_LETTERS = re.compile(rf"O[{DIGITS}]{{3,6}}")  # OOOI is no word
_GLUED_TAIL = re.compile(rf"\d[{DIGITS}]*$")
_WORD_BEFORE_GROUP = re.compile(rf"[A-Z]{{2,}}\d[{DIGITS}]*$")

# A mobile number, in one group or several.
_MOBILE = (
    r"0(?:3[2-9]|5[25689]|7[06-9]|8[1-9]|9\d)"
    r"(?:\d{7}|\d([ .-])(?:\d{6}|\d{3}\1\d{3}|\d{2}\1\d{2}\1\d{2})|([ .-])\d{3}\2\d{4}|[ .-]\d{7})(?!\d)"
)
# An identity number: nine digits, or twelve of a citizen. A code has nine in one group only where its ordinal stands
# behind them, as six are its date and four the ordinal. Behind a blank also a number in groups, and a mobile one.
_NO_ORDINAL_BEHIND = r"(?![A-Z0-9])(?![^A-Z0-9]+\d{4,7}(?![A-Z0-9]))"
_OF_A_PERSON = {
    True: re.compile(rf"(?:\d{{9}}|0\d\d[0-3]\d{{8}}){_NO_ORDINAL_BEHIND}"),
    False: re.compile(rf"(?:{_MOBILE}|\d{{9}}|(?:\d{{3}}[ .]){{2,3}}\d{{3}}|{CITIZEN_NUMBER}){_NO_ORDINAL_BEHIND}"),
}

_CONTROLS = str.maketrans(dict.fromkeys([*range(0x20), 0x7F], " "))

# "hoi 0912345678" asks about a mobile number and not about H01; the same of "toi", "goi", "moi", and of "goi toi",
# and of a fixed line as in "goi toi (0296) 3852345". Not where its digits are grouped as a date and an ordinal may be.
# So does "toi 089180123456", a citizen's number, which must not come back as a code of T01.
_WORDS_BEFORE_PHONE = re.compile(
    rf"(?<![A-Z0-9])(?:[{LETTERS}][OIL]{{2}}\W+)+(?="
    rf"{_MOBILE}"
    rf"|(?!(?:\d+\W+)*\d{{6}}(?:\d\d)?\W+\d)(?:0|(?<=\+)84[ .-]?){FIXED_LINE}"
    rf"|{CITIZEN_NUMBER}(?!\d))"
)
# "CMND cua toi la 351234567"
_WORDS_BEHIND_ID = re.compile(
    r"(?<![A-Z])(CMND|CMT|CCCD|CAN CUOC)(?:\W+[A-Z]+){1,6}\W+(?=(?:\d{3}[ .]?){3}(?:\d{3})?(?!\d))"
)


class Reading(NamedTuple):
    """One code in a text, as it may have been meant.

    `candidates`: canonical codes, the most literal first. `elsewhere`: agencies that may be the same in the other form
    of codes, each with the dates and ordinals that may stand behind it. `sure`: it is one of the candidates if it is a
    whole code at all; where not, digits may be missing, and a candidate that exists is to be asked about. `date`: its
    digits in the order in which they were typed; without them, the first candidate's.
    """

    candidates: tuple[str, ...]
    elsewhere: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sure: bool = True
    date: str = ""

    @property
    def literal(self) -> str:
        """The code as it is repeated to who typed it: of a day that there is not, the digits must not change places."""
        agency, date, ordinal = self.candidates[0].split("-")
        return f"{agency}-{self.date or date}-{ordinal}"

    @property
    def suggestions(self) -> tuple[str, ...]:
        """What has a zero less, or may be the same office's code in the other form.

        It is to be asked about, and never taken for the code.
        """
        shorter = [code for candidate in self.candidates for code in with_fewer_zeros(candidate)]
        others = [agency + tail for agency, tails in self.elsewhere for tail in tails]
        return tuple(code for code in dict.fromkeys((*shorter, *others)) if code not in self.candidates)


@dataclass(frozen=True, slots=True)
class Read:
    """The codes in a text, in order; or a hint at what it has instead.

    `printed`: those that stand there to the letter. `short`: behind the last one, further dossiers are named by less
    than whole ordinals.
    """

    readings: tuple[Reading, ...]
    hint: Hint
    printed: frozenset[str] = field(default=frozenset(), compare=False)
    short: bool = field(default=False, compare=False)


def read(text: str, keywords: Sequence[str] = DEFAULT_KEYWORDS) -> Read:
    """Every code that a text may hold. Never raises. `keywords` may be glued to the code; upper case, no accents."""
    text = _without(keywords, text)
    if found := _issued(text) or _issued(text := _begun(text)):
        return found
    to_the_letter = printed(text)
    readings = tuple(_readings(text := as_printed(text)))
    if not readings:
        return Read((), hint(text))
    return Read(readings, Hint.NOTHING, printed=to_the_letter, short=in_short(text))


def alone(text: str, keywords: Sequence[str]) -> Read | None:
    """The same of a text that is one code to the letter, as most are, with at most keywords before it."""
    return _issued(_without(keywords, text))


def normalised(text: str) -> str:
    """Upper case without accents, in our letters; full width made plain, what can't be seen dropped or made a blank."""
    if text.isascii():
        return text.translate(_CONTROLS).upper()
    return fold("".join(map(_visible, unicodedata.normalize("NFKC", text)))).upper()


@lru_cache(maxsize=2048)  # texts are long and use few characters
def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cf", "Mn", "Me"):
        return ""
    return " " if category in ("Cc", "Zs", "Zl", "Zp") else latin(character)


def _begun(text: str) -> str:
    """The text without words before a phone number, and its letter slots closed."""
    return _LONE_LETTER.sub(r"\1", _WORDS_BEFORE_PHONE.sub("", _WORDS_BEHIND_ID.sub(r"\1 ", text)))


def _without(keywords: Sequence[str], text: str) -> str:
    return _beginning(tuple(keywords)).sub("", normalised(text)[:LONGEST_TEXT])


@lru_cache(maxsize=16)
def _beginning(keywords: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(keywords, key=len, reverse=True)
    words = "|".join(re.escape(keyword).replace(r"\ ", r"\W*") for keyword in longest_first)
    return re.compile(rf"^\W*(?:(?:{words})\W*)+" if words else "^")


def _issued(text: str) -> Read | None:
    """The code that a text is to the letter, and that can't be cut in any other way."""
    code = parse(text)
    if code is None or code.province[0] in LETTERS_AS_DIGITS or len(code.date) != 6 or len(code.ordinal) > 5:
        return None
    prefixes, units = ((code.units[::-1],), ()) if code.reversed else ((), code.units)
    reading = _reading(code.province, prefixes, [Partition(units, code.date, code.ordinal, 0)])
    return Read((reading,), Hint.NOTHING, printed=frozenset((text,))) if reading else None


class _Chunk(NamedTuple):
    """A run of letters and digits. `tight`: no blank stands between it and the one before. `end` in the text."""

    text: str
    tight: bool
    end: int = 0


class _Group(NamedTuple):
    """Digits behind a code's letter as they were typed, and the letters glued to them that are none, up to a blank."""

    digits: str
    letters: str


def _chunks(text: str) -> list[_Chunk]:
    chunks, end = [], 0
    for found in _CHUNK.finditer(text):
        gap, end = text[end : found.start()], found.end()
        chunks.append(_Chunk(found[0], bool(gap.strip()) and " " not in gap, end))
    return chunks


def _readings(text: str) -> Iterator[Reading]:
    chunks = _chunks(text)
    given: set[tuple[str, ...]] = set()
    start = at = 0
    while at < len(chunks):
        found = _readings_at(text, chunks, start, at)
        if found is None:
            at += 1
            continue
        readings, start = found
        at = start
        for reading in readings:
            if reading.candidates not in given:
                given.add(reading.candidates)
                yield reading
            if len(given) == MOST_CODES:
                return


def _readings_at(text: str, chunks: list[_Chunk], start: int, at: int) -> tuple[list[Reading], int] | None:
    """The code whose letter stands in chunk `at`, those that go on from it, and the chunk after them.

    What is before `start` is used up.
    """
    chunk = chunks[at].text
    if chunk.isdecimal():
        return None
    for anchor in _ANCHOR.finditer(chunk):
        province = _province(chunk, anchor)
        if province is None:
            continue
        behind = chunk[anchor.end() + 2 :]
        groups, whole = _groups_after(text, chunks, at, behind)
        prefixes = _groups_before(chunks, start, at, chunk[: anchor.start()])
        parts = partitions(_as_digits(group.digits for group in groups), whole, named=all(prefixes))
        parts = _with_their_letters(parts, groups)
        if not prefixes and not all(part.units for part in parts):
            continue  # the units are those before the letter
        if reading := _reading(province, prefixes, parts):
            end = at + parts[0].groups + (0 if behind else 1)
            others, last = further(text, chunks[end - 1].end, parts)
            found = filter(None, (_reading(province, prefixes, other) for other in others))
            return [reading, *found], end + len(_CHUNK.findall(text, chunks[end - 1].end, last))
    return None


def _province(chunk: str, anchor: re.Match[str]) -> str | None:
    digits, before, behind = anchor[1], chunk[: anchor.start()], chunk[anchor.end() + 2 :]
    if not (_has_digit(digits + behind[:3]) or len(chunk) == 3 or _GLUED_TAIL.search(before)):
        return None  # a word such as HOSO; HOL alone, HOL12 and 12HOL may well be H01
    return anchor[0] + digits.translate(LOOKALIKES).zfill(2)


def _groups_after(text: str, chunks: list[_Chunk], at: int, behind: str) -> tuple[list[_Group], bool]:
    """The groups that follow the letter and its two digits, up to a number of a person; and if they are surely all.

    They may not be where letters follow that can be a word as well as digits: of "2018 oi" the end may be a number.
    """
    groups = []
    if behind:
        group = _group(behind)
        if group is None:
            return [], True
        groups.append(group)
        if group.letters:
            return groups, True
    for place in range(at + 1, min(at + 9, len(chunks))):
        chunk = chunks[place]
        group = _group(chunk.text)
        if group is None or _OF_A_PERSON[chunk.tight].match(text, chunk.end - len(chunk.text)):
            break
        if not (chunk.tight or _has_digit(group.digits) or _ORDINAL_IN_LETTERS.fullmatch(chunk.text)):
            return groups, False
        groups.append(group)
        if group.letters:
            break
    return groups, True


def _group(chunk: str) -> _Group | None:
    """The group that a chunk begins with; letters of a word are no digits, so that 12LAU has two and LAU has none."""
    head = _HEAD.match(chunk)
    if head is None:
        return None
    digits = head[0] if head.end() == len(chunk) else head[0].rstrip(LETTERS_AS_DIGITS)
    return _Group(digits, chunk[len(digits) :]) if digits else None


def _with_their_letters(parts: list[Partition], groups: list[_Group]) -> list[Partition]:
    """What the partitions may mean with the letters behind their ordinals.

    Nothing if these stand where a digit may have to: of 001Z nobody knows the last.
    """
    meant = []
    for part in parts:
        group = groups[part.groups - 1]
        if group.letters and (len(part.ordinal) < 4 or _has_digit(group.letters)):
            return []
        meant += _with_and_without_word(part, group)
    return meant


def _with_and_without_word(part: Partition, group: _Group) -> list[Partition]:
    """Both readings of an ordinal that ends in letters which look like digits, and may be a word: 0012OI, 12OI.

    Where it is whole without them, that is the first. Behind one that is not, a single letter is a digit: 001O.
    """
    letters = len(group.digits) - len(group.digits.rstrip(LETTERS_AS_DIGITS))
    without = part._replace(ordinal=part.ordinal[:-letters]) if letters else part
    if letters and len(without.ordinal) >= 4:
        return [without, part]
    return [part, without] if letters > 1 and without.ordinal.strip("0") else [part]


def _groups_before(chunks: list[_Chunk], start: int, at: int, glued: str) -> tuple[tuple[str, ...], ...]:
    """Up to three groups of digits that stand before the letter: the smaller units of the first form.

    Several ways to read them where a group may as well be a word: SO 12.H01 is "number 12.H01" or 50.12.H01. None where
    a letter stands in a group, as nobody knows of A2.H01 which unit it is.
    """
    groups: list[str] = []
    words = []
    following = _Chunk("", tight=True) if glued else chunks[at]
    for text, tight in [(glued, chunks[at].tight)] * bool(glued) + [
        (chunk.text, chunk.tight) for chunk in reversed(chunks[max(start, at - 3) : at])
    ]:
        whole = _HEAD.fullmatch(text)
        if following.tight and whole is None and _has_digit(text) and not _WORD_BEFORE_GROUP.match(text):
            return ()
        tail = whole or _GLUED_TAIL.search(text)
        if tail is None or len(groups) == 3:
            break
        groups.append(tail[0])
        if not _has_digit(tail[0]) and not following.tight:
            words.append(len(groups) - 1)
        if whole is None:
            break
        following = _Chunk(text, tight)
    return tuple(tuple(_as_digits(reversed(groups[:end]))) for end in (*words, len(groups)))


def _has_digit(group: str) -> bool:
    return not group.isalpha()


def _as_digits(groups: Iterable[str]) -> list[str]:
    return [group if group.isdecimal() else group.translate(LOOKALIKES) for group in groups]


def _reading(province: str, prefixes: tuple[tuple[str, ...], ...], parts: Sequence[Partition]) -> Reading | None:
    """What these partitions may mean; None if that is nothing, or too much."""
    meant = [(_agencies(province, part.units, prefixes), _tails(part)) for part in parts]
    candidates = dict.fromkeys([named + tail for agencies, tails in meant for named, _ in agencies for tail in tails])
    if not candidates or len(candidates) > MOST_CANDIDATES:
        return None
    elsewhere = tuple([(other, tails) for agencies, tails in meant for _, other in agencies])
    date = next(part.date for part, (_, tails) in zip(parts, meant, strict=True) if tails)
    return Reading(tuple(candidates), elsewhere, any(part.kept for part in parts), date)


def _tails(part: Partition) -> tuple[str, ...]:
    """What may stand behind an agency in a code."""
    ends = ordinals(part.ordinal)
    return tuple([f"-{day}-{ordinal}" for day in days(part.date) for ordinal in ends])


@lru_cache(maxsize=4096)  # a province's agencies, in either form
def _agencies(
    province: str, units: tuple[str, ...], prefixes: tuple[tuple[str, ...], ...]
) -> tuple[tuple[str, str], ...]:
    """The agencies that may be named, by units behind the letter or groups before it; each in the other form, too."""
    meant = [(units, False)]
    if not units:
        reversed_units = [units for prefix in prefixes if prefix for units in _reversed_units(prefix)]
        meant = [(units, True) for units in dict.fromkeys(reversed_units)] + meant
    return tuple(
        (agency(province, units, reversed=first), agency_in_other_form(province, units, reversed=first))
        for units, first in meant
    )


def _reversed_units(groups: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The units of the first form, largest first, from the groups before the letter; zeros in front may be missing."""
    found = []
    widths = (3, 2, 2)[-len(groups) :]
    if all(len(group) <= width for group, width in zip(groups, widths, strict=True)):
        filled = [group.zfill(width) for group, width in zip(groups, widths, strict=True)]
        found.append("".join(filled).zfill(7))
    everything = "".join(groups)
    if len(everything) <= 7:
        found.append(everything.zfill(7))
    return [(digits[5:], digits[3:5], digits[:3]) for digits in dict.fromkeys(found)]
