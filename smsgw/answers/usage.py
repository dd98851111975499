"""How to text, for whoever did not say what can be done. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from smsgw.answers import commands
from smsgw.answers.asked import Agree, AskWhatLacks, Choose, Help, HowToReceive, LookUp, NoneOfThem, Thank
from smsgw.answers.asker import Asker, Said
from smsgw.dossiers.dossier import Dossier
from smsgw.dossiers.hints import Hint
from smsgw.dossiers.reading import Read

BEST = 5  # score

_HINTS = {
    Hint.NOTHING: "not_understood",
    Hint.PART: "incomplete",
    Hint.PROCEDURE: "procedure",
    Hint.PHONE: "phone",
    Hint.POSTAL: "postal",
    Hint.CITIZEN_ID: "citizen_id",
}
FORMS = {
    "follow": "follow_usage",
    "unfollow": "unfollow_usage",
    "rate": "rate_usage",
    "speak": "voice_usage",
    "disown": "disown_usage",
}


def helped(request: LookUp | AskWhatLacks | Help | Thank | Agree | Choose | HowToReceive | NoneOfThem) -> Said:
    """What somebody gets for whom nothing is looked up."""
    match request:
        case LookUp(read):
            return hinted(read.hint)
        case AskWhatLacks():
            return hinted(Hint.NOTHING)
        case Thank() | Agree(Thank()):
            return Said("help", "thanked")
        case HowToReceive():
            return Said("help", "receive_usage")
        case NoneOfThem():
            return Said("help", "none_of_them")
    return Said("help", "help")


def unasked(number: int, asker: Asker, found: Mapping[str, Dossier]) -> Said:
    """What is said to a number that answers no question; behind a result it is meant for a score."""
    results = commands.told_results(asker, found)
    if len(results) == 1 and number <= BEST:
        return Said("incomplete", "rate_usage", {"example": results[0].code}, (results[0].code,))
    return Said("incomplete", "no_question")


def how_to(command: Literal["follow", "unfollow"], asker: Asker) -> Said:
    """How to follow a dossier, or no more, shown with the one that was told of last."""
    return Said("incomplete", FORMS[command], {"example": asker.ties.recent[0]} if asker.ties.recent else {})


def example(read: Read) -> dict[str, str | None]:
    """The code with which the form of a command is shown: the one that was written, if it surely was one."""
    return {"example": read.readings[0].literal} if read.readings and read.readings[0].sure else {}


def hinted(hint: Hint) -> Said:
    return Said("help" if hint is Hint.NOTHING else "incomplete", _HINTS[hint])
