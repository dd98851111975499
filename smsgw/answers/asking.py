"""What a citizen's text asks."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Literal

from smsgw.dossiers.reading import DEFAULT_KEYWORDS, Hint, Read, Reading, normalised, read

Language = Literal["vi", "en"]
LONGEST_COMMAND = 3  # words
_CHOICE = re.compile("[1-9]")  # the number of an option


@dataclass(frozen=True, slots=True)
class Words:
    """The commands, each with its words; upper and lower case, accents and signs don't matter.

    Raises ValueError for words that are too long, empty, or stand for two commands.
    """

    look_up: tuple[str, ...] = DEFAULT_KEYWORDS
    help: tuple[str, ...] = ("HELP", "HD", "HUONG DAN", "TRO GIUP", "GIUP")
    accents_on: tuple[str, ...] = ("CO DAU", "DAU")
    accents_off: tuple[str, ...] = ("KHONG DAU", "KO DAU")
    vietnamese: tuple[str, ...] = ("TIENG VIET", "VIET", "VI", "VIETNAMESE")
    english: tuple[str, ...] = ("ENGLISH", "EN", "TIENG ANH")
    link: tuple[str, ...] = ("LK", "LIEN KET", "LINK")
    unlink: tuple[str, ...] = ("HUY LK", "HUY LIEN KET", "UNLINK")

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
                if _CHOICE.fullmatch(word):
                    raise ValueError(f"{field.name}: {word!r} is the number of an option that a question offers")
                if seen.setdefault(word, field.name) != field.name:
                    raise ValueError(f"{field.name}: {word!r} stands for {seen[word]} already")


@dataclass(frozen=True, slots=True)
class LookUp:
    """Where a dossier stands; or something that was meant to be a code."""

    read: Read


@dataclass(frozen=True, slots=True)
class Choose:
    """The number of an option that a question offered, from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Help:
    """How this works."""


@dataclass(frozen=True, slots=True)
class Prefer:
    """How to be written to. None: as before."""

    language: Language | None = None
    accents: bool | None = None


Request = LookUp | Choose | Help | Prefer


def understand(text: str, words: Words) -> Request:
    """What a text asks. A code in it makes it a look-up, whatever stands around it."""
    found = read(text, words.look_up)
    if found.readings:
        return LookUp(found)
    command = squeezed(text)
    if _CHOICE.fullmatch(command):
        return Choose(int(command))
    requests: tuple[tuple[tuple[str, ...], Request], ...] = (
        (words.help, Help()),
        (words.look_up, Help()),
        (words.accents_on, Prefer(language="vi", accents=True)),
        (words.accents_off, Prefer(accents=False)),
        (words.vietnamese, Prefer(language="vi")),
        (words.english, Prefer(language="en")),
    )
    return next((request for names, request in requests if command in names), Help() if not command else LookUp(found))


def exactly(code: str) -> Request:
    """A look-up of one code to the letter, with no other reading: what a link or a choice asks for."""
    return LookUp(Read((Reading((code,), ()),), Hint.NOTHING))


def codes_asked(request: Request, options: tuple[str, ...]) -> frozenset[str]:
    """Every code that has to be looked up before the request can be answered."""
    match request:
        case LookUp(found):
            return frozenset(code for reading in found.readings for code in (*reading.candidates, *reading.suggestions))
        case Choose(number) if number <= len(options):
            return frozenset({options[number - 1]})
    return frozenset()


def squeezed(text: str) -> str:
    """Upper case without accents and signs, words apart by one blank."""
    return " ".join(re.findall(r"[A-Z0-9]+", normalised(text)))
