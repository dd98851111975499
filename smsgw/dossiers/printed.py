"""Codes whose characters stand apart or whose signs are words, written as they are printed."""

from __future__ import annotations

import re

from smsgw.dossiers.hints import LETTERS

# Letters that stand for digits where a digit has to be, by their look.
LETTERS_AS_DIGITS = "OILSB"
LOOKALIKES = str.maketrans(LETTERS_AS_DIGITS, "01158")
DIGITS = f"0-9{LETTERS_AS_DIGITS}"  # what may be one, within a pattern's brackets

# "H 0 1 . 1 2 - 1 8 0 8 0 2": each character apart, so that only signs can tell where a part ends. Where a word follows
# on without one, the end is sure of an ordinal as long as they are printed; in "- 0 1 2 5 ngay roi" it is not. A letter
# that follows is part of it, as it may have slipped into the ordinal.
_ONE_MORE = rf"[^A-Z0-9]+[{DIGITS}](?![A-Z0-9])"
_SPELT = re.compile(
    rf"(?<![A-Z0-9])(?:[{DIGITS}][^A-Z0-9]+){{0,7}}[{LETTERS}](?:{_ONE_MORE}){{9,}}(?!{_ONE_MORE})"
    r"(?:\s+[A-Z](?![A-Z]))?"
)
_ORDINAL_LAST = re.compile(rf"[^A-Z0-9][{DIGITS}]{{4}}[A-Z]?$")
_WORD_FOLLOWS = re.compile(r"\s+[A-Z]{2}")
_BLANKS = re.compile(r"\s+")

# "H01 cham 12 gach ngang 180802 gach ngang 0012", as a phone writes down what it is told: two such signs at least, as
# "cham" is late, too.
_CHUNK_WITH_DIGIT = r"(?=[A-Z]*\d)[A-Z0-9]+"
_SPOKEN_SIGN = re.compile(
    r"\s+(?:CHAM|PHAY|GACH(?:\s+(?:NGANG|NOI|DUOI|CHEO))?|NGANG|TRU|XET|XUYET|DOT|POINT|DASH|HYPHEN|MINUS)\s+"
)
_PAIRS = r"(?:\s+\d\d(?!\d))*"  # of a date or an ordinal that is read out two by two
_DICTATED = re.compile(rf"(?<![A-Z0-9]){_CHUNK_WITH_DIGIT}(?:{_PAIRS}{_SPOKEN_SIGN.pattern}{_CHUNK_WITH_DIGIT}){{2,}}")

# "H01.12-1808 02-0012": between the two dashes stands the date, whatever blanks or ends of lines a text has in it.
_DASH = r"\s*[-\u2013\u2014]\s*"
_DATE_APART = re.compile(
    rf"([{LETTERS}][{DIGITS}]{{2}}(?:\s*[.]\s*\d{{2,3}}){{0,3}}{_DASH})(\d(?:\s*\d){{5}}(?:\s*\d\s*\d)?)(?={_DASH})"
)

# "H01.12-180802-0012H01.12-180802-0013": two codes, each of them whole.
_CODE_GLUED = re.compile(rf"(-(?:\d{{6}}|\d{{8}})-\d{{4,7}})(?=[{LETTERS}]\d\d(?:[.]\d{{2,3}}){{0,3}}-\d{{6}})")

# "H01.12 ngay 2/8/2018 so 0012", "H01.12-180802 stt 12": words that name the parts of a code are signs where its other
# parts stand right there. Behind "so" a number may be a house's, unless it begins with 0 or nothing follows it.
_UNITS = r"(?:[ .]{0,2}\d{2,3}(?!\d)){0,3}"
_DAY = r"(?:\d{6}(?:\d\d)?|\d{1,2}[/.-]\d{1,2}[/.-](?:20)?\d\d)(?!\d)"
_NO_NUMBER_BEHIND = r"(?![A-Z0-9]|[/.-]\d|[ .-]{1,2}\d\d)"
_ORDINAL_NAMED = (
    rf"\W+(?:(?:SO\s+THU\s+TU|STT)\W+(?=\d{{1,7}}{_NO_NUMBER_BEHIND})"
    rf"|SO\W+(?=0\d{{3,6}}{_NO_NUMBER_BEHIND}|\d{{1,5}}\W*$))"
)
_BEFORE_ORDINAL = re.compile(
    rf"([{LETTERS}][{DIGITS}]{{2}}(?:{_UNITS}\W{{1,3}}{_DAY}|(?:\d{{2,3}})?\d{{6}}(?!\d))){_ORDINAL_NAMED}"
)
_BEFORE_DAY = re.compile(
    rf"([{LETTERS}][{DIGITS}]{{2}}{_UNITS})\W+(?:NOP\s+)?NGAY\W+({_DAY})(?={_ORDINAL_NAMED}|\s*-\s*\d{{4}}(?!\d))"
)


def as_printed(text: str) -> str:
    """The text with codes as they are printed, where characters stand apart, signs are words or two are glued."""
    text = _CODE_GLUED.sub(r"\1 ", text)
    text = _BEFORE_ORDINAL.sub(r"\1-", _BEFORE_DAY.sub(_dashed, text))
    text = _SPELT.sub(_spelt_together, text)
    text = _DATE_APART.sub(lambda found: found[1] + _BLANKS.sub("", found[2]), text)
    return _DICTATED.sub(lambda found: _SPOKEN_SIGN.sub("-", found[0]), text)


def _dashed(found: re.Match[str]) -> str:
    """An agency and the day that is named behind it, in one group, so that none of its digits can be the agency's."""
    day = "".join(part.zfill(2) for part in re.split("[/.-]", found[2]))
    return f"{found[1]}-{day}"


def _spelt_together(found: re.Match[str]) -> str:
    together = _BLANKS.sub("", found[0])
    ends = _ORDINAL_LAST.search(together) or not _WORD_FOLLOWS.match(found.string, found.end())
    return f"{together} " if ends else found[0]
