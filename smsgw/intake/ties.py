"""What the gateway knows of a phone's ties to dossiers and agencies, as far as a request needs it."""

from __future__ import annotations

import random
from datetime import datetime

import sqlalchemy as sa

from smsgw.answers.asked import (
    AskVoice,
    AskWhatLacks,
    Choose,
    Follow,
    ListFollowed,
    Rate,
    Request,
    Speak,
    Unfollow,
    codes_asked,
)
from smsgw.answers.asker import NO_TIES, Ties
from smsgw.store import followers, opt_outs, owners, people, ratings, voices

OWN = 20  # dossiers of one phone that are looked at; some hand in for many others
NUMBERS = range(100_000, 1_000_000)  # of voices
DRAWN = 8  # at a time

_chance = random.SystemRandom()  # a number that is next to one's own should be nobody's


def tie(connection: sa.Connection, address: str, phone: str, request: Request | None, since: datetime) -> Ties:
    """The ties that a request needs. Most requests need none, and cost nothing.

    `address`: where it comes from; `phone`: the same, but for somebody in a chat who has shown to hold one. `since`:
    what was said before then is no longer spoken of.
    """
    match request:
        case Follow(read) | Unfollow(read):
            followed = followers.of(connection, [phone])[phone]
            return Ties(
                followed=tuple(followed.wanted),
                refused=frozenset(followed.refused),
                recent=() if read.readings else people.told_about(connection, address),
                silent=frozenset(item.purpose for item in opt_outs.of(connection, phone)),
            )
        case ListFollowed() | Rate():
            return _dossiers(connection, address, phone, request, since)
        case AskWhatLacks():
            lately = people.told_lately(connection, address, since)
            return Ties(codes=frozenset(lately), lately=lately)
        case Choose():
            recent = people.told_about(connection, address)
            return Ties(codes=frozenset(recent), recent=recent)
        case Speak(_, read):
            recent = () if read.readings else people.told_about(connection, address)
            return Ties(codes=frozenset(recent), recent=recent, number=_free_number(connection))
        case AskVoice(number):
            return Ties(voice=voices.by_number(connection, address, number))
    return NO_TIES


def _dossiers(
    connection: sa.Connection, address: str, phone: str, request: ListFollowed | Rate, since: datetime
) -> Ties:
    followed = followers.of(connection, [phone])[phone]
    named = isinstance(request, Rate) and request.read.readings
    own = () if named else owners.of(connection, phone, OWN)
    recent = () if named else people.told_about(connection, address)
    asks = isinstance(request, ListFollowed) and request.question
    lately = people.told_lately(connection, address, since) if asks else ()
    codes = frozenset(() if named else (*own, *followed.wanted, *recent, *lately))
    return Ties(
        codes=codes,
        followed=tuple(followed.wanted),
        refused=frozenset(followed.refused),
        own=own,
        recent=recent,
        lately=lately,
        rated=ratings.rated(connection, phone, codes | codes_asked(request))
        if isinstance(request, Rate)
        else frozenset(),
    )


def _free_number(connection: sa.Connection) -> int:
    """A number that no voice has; the constraint refuses it to the second of two that draw it at the same moment."""
    while True:
        drawn = _chance.sample(NUMBERS, DRAWN)
        if free := set(drawn) - voices.taken(connection, drawn):
            return free.pop()
