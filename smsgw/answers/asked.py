"""The requests that a text may be: what is asked, of which dossiers; and what can be made of a request."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from smsgw.dossiers.hints import Hint
from smsgw.dossiers.reading import Read, Reading
from smsgw.store.opt_outs import Purpose
from smsgw.text.languages import Language

NO_CODES = frozenset[str]()
Misspelling = Literal["follow", "unfollow", "rate", "speak", "disown"]


@dataclass(frozen=True, slots=True)
class LookUp:
    """Where a dossier stands; or something that was meant to be a code."""

    read: Read


@dataclass(frozen=True, slots=True)
class Help:
    """How this works."""


@dataclass(frozen=True, slots=True)
class Choose:
    """The number of an option that a question offered, from 1. `instead`: what it says where nothing was asked."""

    number: int
    instead: Help | None = None


@dataclass(frozen=True, slots=True)
class Thank:
    """Nothing: somebody thanks for an answer."""


@dataclass(frozen=True, slots=True)
class Agree:
    """Yes, to a question with one option. `instead`: what it says where nothing was asked."""

    instead: Thank | Help


@dataclass(frozen=True, slots=True)
class Disagree:
    """No, to a question. `instead`: what it says where nothing was asked."""

    instead: Request


@dataclass(frozen=True, slots=True)
class NoneOfThem:
    """Nothing that a question offered was meant."""


@dataclass(frozen=True, slots=True)
class CallForHelp:
    """Fire, violence, a life in danger: nobody reads this, so the police, firemen or an ambulance have to be called."""


@dataclass(frozen=True, slots=True)
class Prefer:
    """How to be written to. None: as before."""

    language: Language | None = None
    accents: bool | None = None


@dataclass(frozen=True, slots=True)
class Follow:
    """To be told of dossiers."""

    read: Read


@dataclass(frozen=True, slots=True)
class Unfollow:
    """To be told no more of dossiers."""

    read: Read


@dataclass(frozen=True, slots=True)
class ListFollowed:
    """The sender's own dossiers, and those that the sender follows.

    `question`: how they stand, where or when; whoever has none asks it of what they were told of last.
    """

    question: bool = False


@dataclass(frozen=True, slots=True)
class AskWhatLacks:
    """What to hand in or to pay, and where: about a dossier only behind an answer that says that it lacks something."""


@dataclass(frozen=True, slots=True)
class Receive:
    """To get messages of these purposes again, or no more."""

    purposes: tuple[Purpose, ...]
    wanted: bool


@dataclass(frozen=True, slots=True)
class HowToReceive:
    """How to opt out or back in: nearly its words, and only exactly these do it."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How a dossier was handled, from 1 to 5; without a code, the one whose result came last. None: not said.

    `bare`: "5 sao" and nothing else, which is no command: it is for the only dossier that it can be for.
    """

    read: Read
    score: int | None
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Speak:
    """A complaint or question in the sender's own words, and the dossiers named in it. An empty one asks how."""

    text: str
    read: Read


@dataclass(frozen=True, slots=True)
class AskVoice:
    """What became of the complaint or question with this number."""

    number: int


@dataclass(frozen=True, slots=True)
class Misspelt:
    """Nearly a command for the dossiers with these codes: nothing is done by guess, and its sender is told its form.

    "disown": that the dossier is not the sender's.
    """

    command: Misspelling
    read: Read


Command = Follow | Unfollow | Receive | Rate | Speak | AskVoice | Misspelt
OfCodes = LookUp | Follow | Unfollow | Rate | Speak  # what is asked of the dossiers with these codes
OfPhone = Command | ListFollowed  # what only a phone can ask
Request = (
    LookUp
    | AskWhatLacks
    | Choose
    | Help
    | Thank
    | Agree
    | Disagree
    | NoneOfThem
    | HowToReceive
    | CallForHelp
    | Prefer
    | OfPhone
)


def exactly(code: str) -> LookUp:
    """A look-up of one code to the letter, with no other reading: what a link or a choice asks for."""
    return LookUp(Read((Reading((code,)),), Hint.NOTHING))


def asks_nothing(request: Request) -> bool:
    """Whether somebody only thanks, asks how to text or to be texted, or was not understood."""
    no_dossier = Thank | AskWhatLacks | Help | HowToReceive | CallForHelp | Prefer
    return isinstance(request, no_dossier) or (isinstance(request, LookUp) and not request.read.readings)


def chosen(question: Request, code: str) -> Request:
    """What was asked, of the one code that was meant."""
    match question:
        case Follow() | Unfollow() | Rate():
            return replace(question, read=exactly(code).read)
    return exactly(code)


def reading_again(request: Request, readings: tuple[Reading, ...]) -> Request:
    """The same, with its codes read in this way."""
    return replace(request, read=replace(request.read, readings=readings)) if isinstance(request, OfCodes) else request


def codes_read(request: Request) -> Read | None:
    """The codes that a request names, if it may name any."""
    return request.read if isinstance(request, OfCodes) else None


def without(request: Request, codes: Collection[str]) -> Request:
    """The same, but for the dossiers with these codes."""
    match request:
        case Follow(found) | Unfollow(found):
            left = tuple(reading for reading in found.readings if not set(reading.candidates).intersection(codes))
            return replace(request, read=replace(found, readings=left))
    return request


def codes_asked(request: Request) -> frozenset[str]:
    """Every code that a request names, however it may be read."""
    return frozenset[str]().union(*[reading.candidates for reading in _readings(request)])


def codes_suggested(request: Request, existing: Collection[str]) -> frozenset[str]:
    """What a request may be asked back about, where no code that it names is among those that exist."""
    missing = [reading for reading in _readings(request) if not _exists(reading, existing)]
    return frozenset(code for reading in missing for code in reading.suggestions) if missing else NO_CODES


def unknown(request: Request, existing: Collection[str]) -> int:
    """How many codes a request names of which, however they may be read, none is among those that exist."""
    return [_exists(reading, existing) for reading in _readings(request)].count(False)


def _exists(reading: Reading, existing: Collection[str]) -> bool:
    return any(map(existing.__contains__, reading.candidates))


def _readings(request: Request) -> Sequence[Reading]:
    found = codes_read(request)
    return found.readings if found else ()
