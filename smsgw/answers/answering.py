"""What is said in reply. Pure: a request, who asks, what was found, and the time go in; the reply comes out.

The code alone is easily guessed, so anyone gets a dossier's state, step and dates, and only the phone on the dossier
gets what is missing, the fee, the postal number and the agency's reason for a delay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from smsgw.answers import status
from smsgw.answers.asking import Choose, Help, Language, LookUp, Prefer, Request
from smsgw.answers.wording import Wording
from smsgw.dossiers.dossier import Dossier
from smsgw.dossiers.reading import Hint, Reading
from smsgw.store.chats import Change
from smsgw.text.accents import plain
from smsgw.text.phones import msisdn

Kind = Literal[
    "status", "not_found", "ambiguous", "incomplete", "help", "preference", "refused", "apology", "greeting", "link"
]

MOST_ANSWERED = 3  # dossiers in one reply
MOST_OPTIONS = 3
EXAMPLE = "H01.12-180802-0012"
SLOWEST = 60.0  # seconds

_HINTS = {
    Hint.TAIL: "incomplete",
    Hint.PROCEDURE: "procedure",
    Hint.PHONE: "phone",
    Hint.CITIZEN_ID: "citizen_id",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How many unknown codes an hour before replies slow down, and before they stop."""

    slow: int = 5
    refuse: int = 20


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and how they want to be answered. On the web there is no phone.

    `misses`: unknown codes asked for in the last hour. `options`: the codes that the last question offered. `whole`: a
    text need not fit into an SMS.
    """

    phone: str | None
    language: Language = "vi"
    accents: bool = False
    misses: int = 0
    options: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said. `codes` it is about; `options` it offers, to be chosen by number; `delay` in seconds; `changes` in
    what is known of somebody in a chat.

    `language` and `accents` are what the asker wants from now on.
    """

    text: str
    kind: Kind
    language: Language
    accents: bool
    codes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    delay: float = 0.0
    changes: tuple[Change, ...] = ()


class Answers:
    """Replies in a wording, with times of a time zone and a hotline to ask."""

    def __init__(self, wording: Wording, *, timezone: str, hotline: str, limits: Limits = Limits()) -> None:
        self._wording = wording
        self._shortened = lru_cache(maxsize=1024)(wording.shortened)  # a province's agencies, over and over
        self._zone = ZoneInfo(timezone)
        self._hotline = hotline
        self._limits = limits

    def reply(self, request: Request, asker: Asker, found: Mapping[str, Dossier], now: datetime) -> Reply:
        """The reply to a request. `found` holds what exists of the codes that it asks for."""
        match request:
            case LookUp(read) if read.readings:
                return self._look_up(read.readings, asker, found, now)
            case LookUp(read) if read.hint is not Hint.NOTHING:
                return self._said(asker, "incomplete", _HINTS[read.hint])
            case Choose(number) if number <= len(asker.options):
                chosen = Reading((asker.options[number - 1],), ())
                return self._look_up((chosen,), asker, found, now)
            case Choose():
                return self._said(asker, "incomplete", "no_question")
            case Prefer(language, accents):
                return self._prefer(asker, language, accents)
            case LookUp() | Help():
                return self._said(asker, "help", "help")

    def apology(self, asker: Asker) -> Reply:
        """For a message that could not be looked up for too long."""
        return self._said(asker, "apology", "apology")

    def _look_up(
        self, readings: tuple[Reading, ...], asker: Asker, found: Mapping[str, Dossier], now: datetime
    ) -> Reply:
        owned = any(owns(asker, found[code]) for reading in readings for code in reading.candidates if code in found)
        if asker.misses >= self._limits.refuse and not owned:
            return self._said(asker, "refused", "refused")
        if len(readings) > 1:
            return self._several(readings, asker, found, now)
        (reading,) = readings
        existing = tuple(code for code in reading.candidates if code in found)
        if len(existing) == 1:
            key, values = self._state(found[existing[0]], asker, now, short=False)
            return self._said(asker, "status", key, values, codes=existing, delay=0.0 if owned else None)
        if existing:
            return self._ask(asker, "ambiguous", None, existing)
        literal = reading.candidates[0]
        if others := tuple(code for code in reading.suggestions if code in found):
            return self._ask(asker, "suggested", literal, others)
        return self._said(asker, "not_found", "not_found", {"code": literal}, codes=(literal,))

    def _several(
        self, readings: tuple[Reading, ...], asker: Asker, found: Mapping[str, Dossier], now: datetime
    ) -> Reply:
        lines, codes = [], []
        for reading in readings[:MOST_ANSWERED]:
            existing = [code for code in reading.candidates if code in found]
            code = existing[0] if len(existing) == 1 else reading.candidates[0]
            if len(existing) == 1:
                key, values = self._state(found[code], asker, now, short=True)
                codes.append(code)
            else:
                key, values = ("ambiguous" if existing else "not_found"), {}
            lines.append(f"{code}: {self._wording.state(asker.language, key, values)}")
        if len(readings) > MOST_ANSWERED:
            values = {"most": str(MOST_ANSWERED)}
            lines.append(self._wording.text(asker.language, "several_left", values, accents=asker.accents))
        text = "\n".join(lines)
        kind: Kind = "status" if codes else "not_found"
        return self._reply(asker, kind, text if asker.accents else plain(text), codes=tuple(codes))

    def _ask(self, asker: Asker, key: str, code: str | None, codes: tuple[str, ...]) -> Reply:
        options = codes[:MOST_OPTIONS]
        listed = "\n".join(f"{number}) {option}" for number, option in enumerate(options, 1))
        return self._said(asker, "ambiguous", key, {"code": code, "options": listed}, options=options)

    def _prefer(self, asker: Asker, language: Language | None, accents: bool | None) -> Reply:
        accented = asker.accents if accents is None else accents
        wanted = replace(asker, language=language or asker.language, accents=accented)
        form = {"form": "có dấu" if wanted.accents else "không dấu"}
        return self._said(wanted, "preference", "preference", form)

    def _state(
        self, dossier: Dossier, asker: Asker, now: datetime, *, short: bool
    ) -> tuple[str, dict[str, str | None]]:
        private = not owns(asker, dossier)
        key = status.key(dossier, private=private, now=now)
        names = self._wording.names(asker.language, key, short=short)
        values = status.values(dossier, self._zone, names - status.PRIVATE if private else names)
        return key, values | {"agency": self._shortened(dossier.agency_name)}

    def _said(
        self,
        asker: Asker,
        kind: Kind,
        key: str,
        values: Mapping[str, str | None] | None = None,
        *,
        codes: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
        delay: float | None = None,
    ) -> Reply:
        everything = {"hotline": self._hotline, "example": EXAMPLE, **(values or {})}
        text = self._wording.text(asker.language, key, everything, accents=asker.accents, whole=asker.whole)
        return self._reply(asker, kind, text, codes=codes, options=options, delay=delay)

    def _reply(
        self,
        asker: Asker,
        kind: Kind,
        text: str,
        *,
        codes: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
        delay: float | None = None,
    ) -> Reply:
        waits = self._delay(asker.misses) if delay is None else delay
        return Reply(text, kind, asker.language, asker.accents, codes, options, waits)

    def _delay(self, misses: int) -> float:
        """Who guesses waits ever longer."""
        return min(SLOWEST, 10.0 * max(0, misses - self._limits.slow + 1))


def owns(asker: Asker, dossier: Dossier) -> bool:
    """Whether the asker's phone is the one on the dossier, which may be written there in any form."""
    return asker.phone is not None and asker.phone == msisdn(dossier.applicant_phone or "")
