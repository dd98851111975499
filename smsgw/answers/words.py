"""The words of the commands, as the settings may change them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, fields
from functools import lru_cache

from smsgw.answers import vocabulary
from smsgw.dossiers.reading import DEFAULT_KEYWORDS, normalised

LONGEST_COMMAND = 4  # words
# Before a code or a command the one, else the other; a yes alone, and thanks among more.
_SHARED = ({"look_up", "opt_out"}, {"thanks", "polite"}, {"agree", "polite"}, {"agree", "thanks"})

# The number of an option: "1", "so mot", "chac la so thu tu 1", "ma 2 do", "cai thu hai", "cai dau", "the first one".
_CHOICE = re.compile(
    "(?:(?:CHAC|HINH NHU|LA|SO|MA|HS|HO SO|CAI|CHON|CAU|MUC|THU TU|THU|STT|NO(?= [0-9])|NUMBER|OPTION|THE) )*"
    "(0?[1-9]|MOT|NHAT|DAU TIEN|HAI|BA|(?<=CAI )DAU|ONE|FIRST|1ST|TWO|SECOND|2ND|THREE|THIRD|3RD)"
    "(?: ONE)?(?: (?:DO|NAY))?"
)
_NUMBERS = {
    name: number
    for number, names in enumerate(("MOT NHAT DAU ONE FIRST 1ST", "HAI TWO SECOND 2ND", "BA THREE THIRD 3RD"), 1)
    for name in names.split()
}
_STAR = re.compile(r"(?<=[1-5])\s*[*⭐★🌟]+")
_STAR_SIGN = re.compile("[⭐★🌟]")
_ONLY_STARS = re.compile(r"\s*(?:[⭐★🌟]\s*){1,5}")
POINTS = "(?:SAO|DIEM|STARS?)"
_STARS = re.compile(f"(?:CHAM )?([1-5]|MOT|HAI|BA|BON|NAM|ONE|TWO|THREE|FOUR|FIVE) ?{POINTS}")
_SCORE_AT_END = re.compile(f" [1-5] ?{POINTS}$|^(?:[1-5] 5|10 10)$")  # "5/5" may be a day, too
_STARS_SPELT = {"MOT": 1, "HAI": 2, "BA": 3, "BON": 4, "NAM": 5, "ONE": 1, "TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5}
_WHO_ASKS = re.compile(
    rf"\b({'|'.join(vocabulary.WHEN)})(?: (?:TOI|EM|MINH|CON|CHAU|ANH|CHI|BAC|CHU))?(?: SE)?(?: DUOC)?(?= [A-Z])"
)
# "500k", "2 trieu ruoi", "300.000d", "nam tram ngan": before a unit that is a letter or two nothing is apart.
_SUM = re.compile(
    r"(?<![A-Z0-9.,/-])(?:\d{1,3}(?:[.,]\d{3})+\s?(?:D|DONG|VND)|\d{5,8}\s?(?:D|DONG|VND)|\d+(?:[.,]\d+)?(?:K|TR)"
    rf"|(?:\d+(?:[.,]\d+)?\s?|(?:(?:{vocabulary.NUMERAL}|TRAM|CHUC)\s)+)(?:TRIEU|NGAN|NGHIN))(?:\s(?:RUOI|\d))?(?![A-Z0-9])"
)
_TELEX = re.compile(r"(?<=[AEIOUY])[SFRXJW]+|(?<=[CGHMNPT])[SFRXJ](?![A-Z0-9])")  # no syllable has these here
_TWICE = re.compile(r"([AEOD])\1")
_VNI = re.compile(r"(?<=[A-Z])\d+")
_VIQR = re.compile(r"(?<=[A-Z])[\^`'?~.+(]+")


@dataclass(frozen=True, slots=True, eq=False)  # a key of caches, for which nobody has to hash all words at each text
class Words:
    """The commands, each with its words; upper and lower case, accents and signs don't matter.

    `upset`, `bothered`: who says these among others, or a single word alone, is told how to complain, or to opt out.
    `emergency`: who says these among others, and nothing else that is understood, is told whom to call.
    `polite`: what may stand around a command and is none, as in "cho toi dang ky ... a".
    Raises ValueError for words that are too long, empty, or stand for two commands.
    """

    look_up: tuple[str, ...] = DEFAULT_KEYWORDS
    thanks: tuple[str, ...] = vocabulary.THANKS
    agree: tuple[str, ...] = vocabulary.AGREE
    disagree: tuple[str, ...] = vocabulary.DISAGREE
    help: tuple[str, ...] = vocabulary.HELP
    accents_on: tuple[str, ...] = vocabulary.ACCENTS_ON
    accents_off: tuple[str, ...] = ("KHONG DAU", "TIN KHONG DAU", "KO DAU")
    vietnamese: tuple[str, ...] = ("TIENG VIET", "VIET", "VI", "VIETNAMESE")
    english: tuple[str, ...] = vocabulary.ENGLISH
    link: tuple[str, ...] = ("LK", "LIEN KET", "LINK")
    unlink: tuple[str, ...] = ("HUY LK", "HUY LIEN KET", "BO LK", "BO LIEN KET", "HUY LIEN KET ZALO", "UNLINK")
    follow: tuple[str, ...] = vocabulary.FOLLOW
    unfollow: tuple[str, ...] = vocabulary.UNFOLLOW
    followed: tuple[str, ...] = vocabulary.FOLLOWED
    opt_out: tuple[str, ...] = vocabulary.OPT_OUT
    opt_out_notices: tuple[str, ...] = ("TC TB", "TC THONG BAO", "TU CHOI THONG BAO")
    opt_out_reminders: tuple[str, ...] = ("TC NHAC", "TC NHAC HEN", "TC TIN NHAC", "TU CHOI TIN NHAC")
    opt_in: tuple[str, ...] = ("DKY", "START")
    opt_in_notices: tuple[str, ...] = ("DKY TB", "DKY THONG BAO")
    opt_in_reminders: tuple[str, ...] = ("DKY NHAC", "DKY NHAC HEN", "DKY TIN NHAC")
    speak: tuple[str, ...] = vocabulary.SPEAK
    rate: tuple[str, ...] = ("DG", "DANH GIA", "CHAM DIEM", "RATE")
    upset: tuple[str, ...] = vocabulary.UPSET
    bothered: tuple[str, ...] = vocabulary.BOTHERED
    emergency: tuple[str, ...] = vocabulary.EMERGENCY
    polite: tuple[str, ...] = vocabulary.POLITE

    def __post_init__(self) -> None:
        if not self.look_up:
            raise ValueError("look_up: needs at least one word, which citizens are told of")
        seen: dict[str, str] = {}
        for field in fields(self):
            words = tuple(squeezed(word) for word in getattr(self, field.name))
            object.__setattr__(self, field.name, words)
            for word in words:
                if not 1 <= len(word.split()) <= LONGEST_COMMAND:
                    raise ValueError(f"{field.name}: {word!r} must have one to {LONGEST_COMMAND} words")
                if choice(word):
                    raise ValueError(f"{field.name}: {word!r} is the number of an option that a question offers")
                other = seen.setdefault(word, field.name)
                if other != field.name and {other, field.name} not in _SHARED:
                    raise ValueError(f"{field.name}: {word!r} stands for {other} already")


def squeezed(text: str) -> str:
    """Upper case without accents and signs, words apart by one blank; stars behind a score, or alone, as their word."""
    plain = normalised(text)
    if _ONLY_STARS.fullmatch(plain):
        return f"{len(plain) - len(_STAR_SIGN.sub('', plain))} SAO"
    return " ".join(re.findall(r"[A-Z0-9]+", _STAR.sub(" SAO", plain)))


@lru_cache(maxsize=64)
def written(names: tuple[str, ...]) -> frozenset[str]:
    """These words, and as those write them who leave out blanks: CODAU."""
    return frozenset((*names, *(name.replace(" ", "") for name in names)))


def spelt_out(command: str) -> str:
    """Squeezed words with what they are short for: "co kq chua" is CO KET QUA CHUA.

    Who asks when is left out: "khi nao toi duoc lay" is KHI NAO LAY.
    """
    meant = " ".join(filter(None, (vocabulary.SHORT.get(word, word) for word in command.split())))
    return _WHO_ASKS.sub(r"\1", meant)


def sums_named(text: str) -> str:
    """A text, normalised, in which each sum of money is called that: "can bo doi 5 trieu" is CAN BO DOI TIEN."""
    return _SUM.sub("TIEN", normalised(text))


def without_keys(text: str) -> str:
    """A text's squeezed words without the keys that were to make accents, where the phone made none.

    HOOF SOW, HO26 SO7 and HO^` SO+ are all HO SO: by Telex, VNI and VIQR.
    """
    command = _VNI.sub("", squeezed(_VIQR.sub("", normalised(text))))
    return _TWICE.sub(r"\1", _TELEX.sub("", command))


def keyed(syllable: str) -> str:
    """A pattern for a syllable, also with the keys by which Telex gives it accents: DDAWNG, HURY, ANHS."""
    letters = (
        f"{letter}{letter}?[SFRXJW]*" if letter in "AEO" else f"{letter}[SFRXJW]*" if letter in "IUY" else letter
        for letter in syllable
    )
    return "".join(letters).replace("D", "DD?") + "[SFRXJ]*"


def stars(command: str) -> int | None:
    """The score that squeezed words give, if that is all they do: "5 sao", "nam sao"."""
    given = _STARS.fullmatch(command)
    return _STARS_SPELT.get(given[1]) or int(given[1]) if given else None


def scored(command: str) -> bool:
    """Whether squeezed words end with a score, as "phuc vu tot 5 sao"."""
    return _SCORE_AT_END.search(command) is not None


def choice(command: str) -> int | None:
    """The number of the option that squeezed words choose, if that is all they do."""
    chosen = _CHOICE.fullmatch(command)
    return _NUMBERS.get(chosen[1].split()[0]) or int(chosen[1]) if chosen else None


def weekday(command: str) -> bool:
    """Whether squeezed words that choose an option may as well be a day: "thu hai" is Monday."""
    return command.startswith("THU ") and not command.startswith("THU TU ")


def behind(text: str, letters: int) -> str:
    """A text as it was written, without its first letters and digits and the signs behind these."""
    composed = unicodedata.normalize("NFC", text)
    seen = at = 0
    while seen < letters:
        seen += len(alphanumeric(normalised(composed[at])))
        at += 1
    return composed[at:].lstrip(" \t\r\n:;,.-–").rstrip()


def alphanumeric(text: str) -> str:
    """The letters and digits of a normalised text."""
    return re.sub(r"[^A-Z0-9]", "", text)
