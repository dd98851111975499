"""Commands that are other words as well: names as HUY and PHAN ANH, or VIET, EN, HAI, MOT alone; and DUNG."""

from __future__ import annotations

import re
import unicodedata
from enum import Enum, auto

from smsgw.answers.words import alphanumeric
from smsgw.dossiers.reading import normalised

# As a name is written, and nearly no command: in capitals at its beginning only, and without their accents.
_NAME = re.compile(r"(?<!\w)(?:Huy|Phan Anh)(?!\w)")
_BEFORE_A_NAME = re.compile(r"\b(?:ANH|A|EM|E|CHI|CHU|BAC|CAU|BAN|ONG|CON|CHAU|TEN|CHAO|ALO|AD|NHO|OI)\W*$")
_SIGNED_OR_DONE = re.compile(r"(?<!\w)(?:Huy(?!\w)|[Đđ]ã\s+h(?:ủy|uỷ))")
_WISHES = re.compile(r"\b(?:CHO|XIN|MUON|MUN)\b")
_RIGHT_OR_TO_USE = re.compile(r"(?<!\w)(?:[dđ][úùụ]ng|dd?u(?:sng|ngs))\W+(?:theo|nh[aắậâ]|g[uử])")
_ALONE_CALLED = re.compile(r"(?:HAI|BA|MOT|NHAT|VIET|VI|EN) OI$")
_SUNDAY = re.compile(r"CHU NHAT\b")


class Name(Enum):
    """Whether a command is somebody's name."""

    NO = auto()
    MAY_BE = auto()
    YES = auto()


def named(text: str, begun: str) -> Name:
    """Whether the command that a text begins with is a name. `begun`: up to its end, normalised.

    "Chào Huy" and "Huy oi" speak to somebody. "Huy H01... xong chưa" may: who writes accents would have written "hủy".
    """
    if alphanumeric(begun).endswith("HUY") and re.match(r"OI\b", normalised(text)[len(begun) :]):
        return Name.YES
    composed = unicodedata.normalize("NFC", text)
    found = _NAME.search(composed)
    if found is None or alphanumeric(normalised(composed[: found.end()])) != alphanumeric(begun):
        return Name.NO
    before = normalised(composed[: found.start()])
    if _BEFORE_A_NAME.search(before) and not _WISHES.search(before):
        return Name.YES
    return Name.NO if composed.isascii() else Name.MAY_BE


def may_be_no_wish(text: str) -> bool:
    """Whether "huy" behind a code may be who writes it, or what has become of the dossier: "... Huy", "... đã hủy"."""
    return _SIGNED_OR_DONE.search(unicodedata.normalize("NFC", text)) is not None


def is_not_to_stop(text: str) -> bool:
    """Whether a "dung" before more of a command is "đúng", right, or "dùng", to use, and not "dừng" or "đừng"."""
    return _RIGHT_OR_TO_USE.search(unicodedata.normalize("NFC", text).lower()) is not None


def calls_somebody(command: str) -> bool:
    """Whether squeezed words that may be a command call a person: "Hải ơi" is no second option, "En oi" no English."""
    return _ALONE_CALLED.search(command) is not None


def is_sunday(command: str) -> bool:
    """Whether squeezed words begin with "chủ nhật", which is not a polite "chú" before the first option."""
    return _SUNDAY.match(command) is not None
