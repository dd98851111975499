"""What is said in reply. Pure: a request, who asks, what was found, and the time go in; the reply comes out.

The code alone is easily guessed, so anyone gets a dossier's state, step and dates, and only the phone on the dossier
gets what is missing, the fee, the postal number and the agency's reason for a delay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from smsgw.answers import commands, status, usage
from smsgw.answers.asked import (
    Agree,
    AskVoice,
    AskWhatLacks,
    CallForHelp,
    Choose,
    Command,
    Disagree,
    Follow,
    Help,
    HowToReceive,
    ListFollowed,
    LookUp,
    Misspelt,
    NoneOfThem,
    OfPhone,
    Prefer,
    Rate,
    Receive,
    Request,
    Speak,
    Thank,
    Unfollow,
    unknown,
)
from smsgw.answers.asker import Asker, Kind, Reply, Said
from smsgw.answers.asking import EXAMPLE
from smsgw.answers.quoting import Quoting
from smsgw.answers.resolving import about, resolved, settled
from smsgw.answers.wording import Wording
from smsgw.answers.words import Words
from smsgw.dossiers.dossier import Dossier
from smsgw.dossiers.hints import Hint
from smsgw.dossiers.reading import Read, Reading
from smsgw.store.people import Preference
from smsgw.text.accents import plain
from smsgw.text.languages import Language

MOST_ANSWERED = 3  # dossiers in one reply
SLOWEST = 60.0  # seconds
DEFAULT_WORDS = Words()

# In a chat it is no help to be told to write from the phone on the dossier, which may be the one that lies in the hand.
_TO_LINK = {
    "supplement_private": "supplement_unlinked",
    "fee_private": "fee_unlinked",
    "phone": "phone_unlinked",
    "followed_none": "followed_unlinked",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How many unknown codes an hour before replies slow down, and before they stop; how many dossiers to follow."""

    slow: int = 5
    refuse: int = 20
    follow: int = 20


class Answers:
    """Replies in a wording, with times of a time zone and a hotline to ask."""

    def __init__(
        self,
        wording: Wording,
        *,
        timezone: str,
        hotline: str,
        limits: Limits = Limits(),
        words: Words = DEFAULT_WORDS,
    ) -> None:
        self._wording = wording
        self._words = words
        self._quoting = Quoting(wording)
        self._shortened = lru_cache(maxsize=1024)(wording.shortened)  # a province's agencies, over and over
        self._zone = ZoneInfo(timezone)
        self._everywhere = {"hotline": hotline, "example": EXAMPLE, **_commands(words)}
        self._limits = limits

    def understand(self, text: str) -> Request:
        """What a text asks, which may quote what is said here."""
        return self._quoting.understand(text, self._words)

    def reply(self, request: Request, asker: Asker, found: Mapping[str, Dossier], now: datetime) -> Reply:
        """The reply to a request. `found` holds what exists of the codes that it names or that the asker's ties do."""
        reply = self._replied(settled(request, asker, found), asker, found, now)
        misses = unknown(request, found)
        return reply._replace(misses=misses) if misses else reply

    def _replied(self, request: Request, asker: Asker, found: Mapping[str, Dossier], now: datetime) -> Reply:
        if asker.phone is None and isinstance(request, OfPhone):
            return self._said(asker, Said("needs_sms", "needs_sms"))
        match request:
            case LookUp(read) if read.readings:
                return self._look_up(read, asker, found, now)
            case Choose(number, None):
                return self._said(asker, usage.unasked(number, asker, found))
            case Prefer(language, accents):
                return self._prefer(asker, language, accents)
            case ListFollowed(question):
                return self._list(asker, found, now, or_last=question)
            case AskWhatLacks() if commands.told_lacking(asker, found):
                return self._list(asker, found, now, or_last=True)
            case Disagree(instead):
                return self._replied(instead, asker, found, now)
            case LookUp() | AskWhatLacks() | Help() | Thank() | Agree() | Choose() | HowToReceive() | NoneOfThem():
                return self._said(asker, usage.helped(request))
            case CallForHelp():
                return self._said(asker, Said("help", "emergency"))
        return self._said(asker, self._commanded(request, asker, found))

    def voice_answer(self, number: int, answer: str, asker: Asker) -> Reply:
        """What a citizen gets when an official has answered a complaint or question."""
        return self._said(asker, Said("voice", "voice_answer", {"number": str(number), "answer": answer}, delay=0.0))

    def apology(self, asker: Asker) -> Reply:
        """For a message that could not be looked up for too long."""
        return self._said(asker, Said("apology", "apology"))

    def _commanded(self, request: Command, asker: Asker, found: Mapping[str, Dossier]) -> Said:
        match request:
            case Follow(read) | Unfollow(read) if not read.readings:
                if read.hint is not Hint.NOTHING:
                    return usage.hinted(read.hint)
                return usage.how_to("follow" if isinstance(request, Follow) else "unfollow", asker)
            case Follow(read):
                return self._follow(read, asker, found)
            case Unfollow(read):
                return self._unfollow(read.readings, asker, found)
            case Rate():
                return self._rate(request, asker, found)
            case Misspelt(command, read):
                return Said("incomplete", usage.FORMS[command], usage.example(read))
            case Receive():
                return commands.receive(request)
            case AskVoice(number):
                return commands.ask_voice(number, asker, self._zone)
            case Speak(_, read):
                dossier = about(self._open_to(asker, read.readings, found), asker, found)
                return commands.speak(request, dossier, asker)

    def _look_up(self, read: Read, asker: Asker, found: Mapping[str, Dossier], now: datetime) -> Reply:
        if not (readings := self._open_to(asker, read.readings, found)):
            return self._said(asker, Said("refused", "refused"))
        left = self._left(readings, asker, short=read.short)
        if len(readings) > 1:
            return self._several(readings, left, asker, found, now)
        meant = resolved(readings[0], found)
        if isinstance(meant, Said):
            return self._said(asker, meant)
        if left:
            return self._several(readings, left, asker, found, now)
        key, values = self._state(meant, asker, now, short=False)
        delay = 0.0 if asker.owns(meant) else None
        return self._said(asker, Said("status", key, values, (meant.code,), delay=delay))

    def _meant(
        self, readings: tuple[Reading, ...], asker: Asker, found: Mapping[str, Dossier]
    ) -> Sequence[Dossier] | Said:
        """The dossiers that are surely meant; if there are none, what to say instead."""
        if not (readings := self._open_to(asker, readings, found)):
            return Said("refused", "refused")
        meant = [resolved(reading, found) for reading in readings[:MOST_ANSWERED]]
        dossiers = [item for item in meant if isinstance(item, Dossier)]
        return dossiers or next(item for item in meant if isinstance(item, Said))

    def _follow(self, read: Read, asker: Asker, found: Mapping[str, Dossier]) -> Said:
        """Whoever names several is told of those that are not followed, too."""
        meant = self._meant(read.readings, asker, found)
        if isinstance(meant, Said):
            return meant
        said = commands.follow(meant, asker, self._limits.follow)
        named = self._open_to(asker, read.readings, found)
        unknown = [reading for reading in named[:MOST_ANSWERED] if isinstance(resolved(reading, found), Said)]
        lines = [self._unknown(reading, asker, found) for reading in unknown]
        return said._replace(below=(*lines, *self._left(named, asker, short=read.short)))

    def _unfollow(self, readings: tuple[Reading, ...], asker: Asker, found: Mapping[str, Dossier]) -> Said:
        """A dossier that the one-stop database has no more can still be let go of."""
        followed = [code for reading in readings for code in reading.candidates if code in asker.ties.followed]
        if followed:
            return commands.unfollow(followed, found, asker)
        meant = self._meant(readings, asker, found)
        if isinstance(meant, Said):
            return meant
        return commands.unfollow([dossier.code for dossier in meant], found, asker)

    def _rate(self, request: Rate, asker: Asker, found: Mapping[str, Dossier]) -> Said:
        """A score is for one dossier; without a code, for the one that it can be for."""
        readings = request.read.readings
        if len(readings) > 1:
            return Said("incomplete", "rate_usage", usage.example(request.read))
        if not readings:
            meant_without = commands.only_result if request.bare else commands.last_result
            return commands.rate(request, meant_without(asker, found), asker)
        meant = self._meant(readings, asker, found)
        return meant if isinstance(meant, Said) else commands.rate(request, meant[0], asker)

    def _open_to(
        self, asker: Asker, readings: tuple[Reading, ...], found: Mapping[str, Dossier]
    ) -> tuple[Reading, ...]:
        """Those that an asker is told about: who guessed too often hears of their own dossiers only."""
        if asker.misses < self._limits.refuse:
            return readings
        return tuple(
            reading
            for reading in readings
            if any(asker.owns(found[code]) for code in reading.candidates if code in found)
        )

    def _list(self, asker: Asker, found: Mapping[str, Dossier], now: datetime, *, or_last: bool) -> Reply:
        """As many dossiers as fit, and of these the states of the first ones. A single one in full.

        `or_last`: the one that they were just told of; for whoever has none, what they were told of last.
        """
        just_told = [found[code] for code in asker.ties.lately if code in found] if or_last else []
        dossiers = just_told if len(just_told) == 1 else commands.followed(asker, found)
        if not dossiers and or_last and not asker.unlinked:  # in a chat there may be more, and it says how to see them
            dossiers = [found[code] for code in asker.ties.recent if code in found]
        if not dossiers:
            return self._said(asker, Said("list", "followed_none", delay=0.0))
        if len(dossiers) == 1:
            key, values = self._state(dossiers[0], asker, now, short=False)
            return self._said(asker, Said("list", key, values, (dossiers[0].code,), delay=0.0))
        lines = [
            f"{dossier.code}: {self._wording.state(asker.language, *self._state(dossier, asker, now, short=True))}"
            for dossier in dossiers
        ]
        codes = [dossier.code for dossier in dossiers]
        shorter = (
            "\n".join([*lines[:told], *codes[told:most], *self._rest(asker, len(codes) - most)])
            for most in range(len(codes), 0, -1)
            for told in range(min(most, MOST_ANSWERED), -1, -1)
        )
        text = self._wording.fitting(("\n".join(lines), *shorter), accents=asker.accents, whole=asker.whole)
        return self._reply(asker, text, Said("list", "", codes=tuple(codes), delay=0.0))

    def _rest(self, asker: Asker, count: int) -> list[str]:
        if not count:
            return []
        return [self._wording.text(asker.language, "followed_more", {"more": str(count)}, accents=asker.accents)]

    def _several(
        self,
        readings: tuple[Reading, ...],
        left: Sequence[str],
        asker: Asker,
        found: Mapping[str, Dossier],
        now: datetime,
    ) -> Reply:
        """A line for each dossier; `left`: lines on those that are left out."""
        lines, codes = [], []
        for reading in readings[:MOST_ANSWERED]:
            meant = resolved(reading, found)
            if isinstance(meant, Said):
                lines.append(self._unknown(reading, asker, found))
                continue
            key, values = self._state(meant, asker, now, short=True)
            lines.append(f"{meant.code}: {self._wording.state(asker.language, key, values)}")
            codes.append(meant.code)
        lines += left
        text = "\n".join(lines)
        kind: Kind = "status" if codes else "not_found"
        return self._reply(asker, text if asker.accents else plain(text), Said(kind, "", codes=tuple(codes)))

    def _unknown(self, reading: Reading, asker: Asker, found: Mapping[str, Dossier]) -> str:
        """A line for a code among several of which it is not known which dossier it is."""
        doubtful = not reading.sure or any(code in found for code in reading.candidates)
        code = reading.literal if reading.sure else f"{re.split('[.-]', reading.literal)[0]}..."
        return f"{code}: {self._wording.state(asker.language, 'ambiguous' if doubtful else 'not_found', {})}"

    def _left(self, readings: tuple[Reading, ...], asker: Asker, *, short: bool) -> list[str]:
        """Lines on the dossiers that a text names besides those that are told of."""
        keys = ["several_left"] * (len(readings) > MOST_ANSWERED) + ["several_short"] * short
        most = {"most": str(MOST_ANSWERED)}
        return [self._wording.text(asker.language, key, most, accents=asker.accents) for key in keys]

    def _prefer(self, asker: Asker, language: Language | None, accents: bool | None) -> Reply:
        accented = asker.accents if accents is None or asker.whole else accents  # a chat is always with accents
        wanted = asker._replace(language=language or asker.language, accents=accented)
        form = {"form": "có dấu" if wanted.accents else "không dấu"}
        effects = (Preference(wanted.language, wanted.accents),)
        return self._said(wanted, Said("preference", "preference", form, effects=effects))

    def _state(
        self, dossier: Dossier, asker: Asker, now: datetime, *, short: bool
    ) -> tuple[str, dict[str, str | None]]:
        private = not asker.owns(dossier)
        key = status.key(dossier, private=private, now=now)
        if not short:
            key = _to_link(key, asker)
        names = self._wording.names(asker.language, key, short=short)
        values = status.values(dossier, self._zone, names - status.PRIVATE if private else names)
        if private:
            values["rate"] = None  # it is not theirs to rate
        return key, values | {"agency": self._agency(dossier.agency_name, asker)}

    def _agency(self, name: str, asker: Asker) -> str:
        """An agency as it is named to somebody: only in an SMS room is scarce."""
        return name if asker.whole else self._shortened(name)

    def _said(self, asker: Asker, said: Said) -> Reply:
        values = {**self._everywhere, **self._other_accents(asker), **said.values}
        if said.options:
            values["choose"] = self._wording.text(
                asker.language, f"choose_{len(said.options)}", {}, accents=asker.accents
            )
        if agency := values.get("agency"):
            values["agency"] = self._agency(agency, asker)
        key = _to_link(said.key, asker)
        text = self._wording.text(asker.language, key, values, accents=asker.accents, whole=asker.whole)
        if said.below:
            text = "\n".join((text, *(line if asker.accents else plain(line) for line in said.below)))
        return self._reply(asker, text, said)

    def _other_accents(self, asker: Asker) -> dict[str, str | None]:
        """The word by which an asker would get texts with accents, or without; in a chat they always have them."""
        names = () if asker.whole else ("accents_off",) if asker.accents else ("accents_on",)
        return {name: next(iter(getattr(self._words, name)), None) for name in names}

    def _reply(self, asker: Asker, text: str, said: Said) -> Reply:
        delay = self._delay(asker.misses) if said.delay is None else said.delay
        return Reply(
            text,
            said.kind,
            asker.language,
            asker.accents,
            codes=said.codes,
            options=said.options,
            effects=said.effects,
            phone=asker.phone,
            delay=delay,
        )

    def _delay(self, misses: int) -> float:
        """Who guesses waits ever longer."""
        return min(SLOWEST, 10.0 * max(0, misses - self._limits.slow + 1))


def _to_link(key: str, asker: Asker) -> str:
    """Which text tells the same to somebody in a chat of whom no phone is known."""
    return _TO_LINK.get(key, key) if asker.unlinked else key


def _commands(words: Words) -> dict[str, str | None]:
    """The first word of each command that texts tell citizens of."""
    names = ("follow", "unfollow", "followed", "opt_out", "opt_in", "speak", "rate")
    return {name: next(iter(getattr(words, name)), None) for name in names}
