"""What is said to a phone that follows dossiers, opts out, rates, or has something to say. Pure, as all answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from smsgw.answers.asked import Rate, Receive, Speak
from smsgw.answers.asker import Asker, Said
from smsgw.answers.status import day
from smsgw.dossiers.dossier import Dossier, Status
from smsgw.store.effects import Following, Rated, Receiving, Voiced

WITH_RESULT = (Status.RESOLVED, Status.RETURNED)
_TEXT_OF = {("reminder", "notice"): "", ("notice",): "_notices", ("reminder",): "_reminders"}


def follow(dossiers: Sequence[Dossier], asker: Asker, most: int) -> Said:
    """`most`: how many dossiers one phone may follow besides its own."""
    codes = tuple(dossier.code for dossier in dossiers)
    others = {dossier.code for dossier in dossiers if not asker.owns(dossier)}
    if len(others.union(asker.ties.followed)) > most and not others.issubset(asker.ties.followed):
        return Said("follow", "follow_full", {"most": str(most)}, codes, delay=0.0)
    key = "followed_silently" if "reminder" in asker.ties.silent else "followed"
    effects = tuple(Following(code, wanted=True) for code in codes)
    return Said("follow", key, {"code": ", ".join(codes)}, codes, effects=effects, delay=0.0)


def unfollow(codes: Collection[str], dossiers: Mapping[str, Dossier], asker: Asker) -> Said:
    """`codes` that were meant; `dossiers`: those of them that exist."""
    ended = tuple(
        code for code in codes if code in asker.ties.followed or (code in dossiers and asker.follows(dossiers[code]))
    )
    if not ended:
        return Said("follow", "not_followed", {"code": ", ".join(codes)}, tuple(codes))
    effects = tuple(Following(code, wanted=False) for code in ended)
    return Said("follow", "unfollowed", {"code": ", ".join(ended)}, ended, effects=effects, delay=0.0)


def followed(asker: Asker, found: Mapping[str, Dossier]) -> list[Dossier]:
    """The dossiers of a phone and those that it follows, as far as they are known: its own first."""
    near = dict.fromkeys((*asker.ties.own, *asker.ties.followed, *asker.ties.recent))
    there = (found[code] for code in near if code in found)
    dossiers = [dossier for dossier in there if asker.owns(dossier) or dossier.code in asker.ties.followed]
    return sorted(dossiers, key=lambda dossier: not asker.owns(dossier))


def receive(request: Receive) -> Said:
    """Confirms at once, whatever was wanted before."""
    effects = (Receiving(request.purposes, request.wanted),)
    which = _TEXT_OF[request.purposes]
    if request.wanted:
        return Said("opt_in", f"opted_in{which}", effects=effects, delay=0.0)
    return Said("opt_out", f"opted_out{which}", effects=effects, delay=0.0)


def last_result(asker: Asker, found: Mapping[str, Dossier]) -> Dossier | None:
    """The dossier that somebody who names none wants to rate: what was just told of, else the result that came last.

    A second score is for the same dossier, and not for another one that nobody has spoken of.
    """
    finished, told = _finished(asker, found), told_results(asker, found)
    meant = _unrated(told, asker) or told or _unrated(finished, asker) or finished
    return max(meant, key=_result_at, default=None)


def only_result(asker: Asker, found: Mapping[str, Dossier]) -> Dossier | None:
    """The only dossier that somebody can want to rate: the one just told of, also if it is rated, else the one left."""
    finished = _finished(asker, found)
    meant = told_results(asker, found) or _unrated(finished, asker) or finished
    return meant[0] if len(meant) == 1 else None


def told_results(asker: Asker, found: Mapping[str, Dossier]) -> list[Dossier]:
    """The dossiers with a result that somebody may rate and was just told of."""
    return [dossier for dossier in _finished(asker, found) if dossier.code in asker.ties.recent]


def told_lacking(asker: Asker, found: Mapping[str, Dossier]) -> bool:
    """Whether somebody was just told of one dossier, and that it lacks papers or a fee."""
    lately = [found[code] for code in asker.ties.lately if code in found]
    return len(lately) == 1 and lately[0].status in (Status.SUPPLEMENT_ASKED, Status.FEE_ASKED)


def rate(request: Rate, dossier: Dossier | None, asker: Asker) -> Said:
    """Once, after the result, by who owns or follows the dossier."""
    if dossier is None:
        return Said("incomplete", "rate_usage")
    code = dossier.code
    if request.score is None:
        return Said("incomplete", "rate_usage", {"example": code}, (code,))
    if not (asker.owns(dossier) or code in asker.ties.followed):
        return Said("rating", "rate_stranger", {"code": code}, (code,))
    if dossier.status not in WITH_RESULT:
        return Said("rating", "rate_early", {"code": code}, (code,), delay=0.0)
    if code in asker.ties.rated:
        return Said("rating", "rated_before", {"code": code}, (code,), delay=0.0)
    effect = Rated(code, request.score, dossier.agency_code, dossier.agency_name)
    return Said("rating", "rated", {"code": code, "score": str(request.score)}, (code,), effects=(effect,), delay=0.0)


def speak(request: Speak, dossier: Dossier | None, asker: Asker) -> Said:
    """`dossier`: the one it is about; without one it is for the province."""
    if not request.text:
        return Said("incomplete", "voice_usage")
    number = asker.ties.number
    agency = dossier.agency_name if dossier else None
    effect = Voiced(number, request.text)
    if dossier is not None:
        effect = Voiced(number, request.text, dossier.code, dossier.agency_code, agency)
    codes = (dossier.code,) if dossier else ()
    return Said("voice", "voice_received", {"number": str(number), "agency": agency}, codes, effects=(effect,))


def ask_voice(number: int, asker: Asker, zone: ZoneInfo) -> Said:
    """Only who raised it is told of it."""
    voice = asker.ties.voice
    values: dict[str, str | None] = {"number": str(number)}
    if voice is None:
        return Said("voice", "voice_unknown", values)
    values |= {"agency": voice.agency_name, "received": day(voice.received_at, zone)}
    if voice.answer is not None:
        return Said("voice", "voice_answer", values | {"answer": voice.answer})
    return Said("voice", "voice_closed" if voice.state == "closed" else "voice_new", values)


def _finished(asker: Asker, found: Mapping[str, Dossier]) -> list[Dossier]:
    return [dossier for dossier in followed(asker, found) if dossier.status in WITH_RESULT]


def _unrated(dossiers: Sequence[Dossier], asker: Asker) -> list[Dossier]:
    return [dossier for dossier in dossiers if dossier.code not in asker.ties.rated]


def _result_at(dossier: Dossier) -> datetime:
    return dossier.returned_at or dossier.finished_at or dossier.updated_at
