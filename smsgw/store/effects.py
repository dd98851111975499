"""What a citizen's message changes, besides getting its reply: written in the same transaction, for many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from smsgw.store import followers, opt_outs, people, ratings, voices
from smsgw.store.opt_outs import Purpose
from smsgw.store.people import Preference


@dataclass(frozen=True, slots=True)
class Following:
    """The phone follows a dossier, or does not want to."""

    code: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class Receiving:
    """The phone wants messages of these purposes, or does not."""

    purposes: tuple[Purpose, ...]
    wanted: bool


@dataclass(frozen=True, slots=True)
class Rated:
    """The phone says how it was served, from 1 to 5."""

    code: str
    score: int
    agency_code: str
    agency_name: str


@dataclass(frozen=True, slots=True)
class Voiced:
    """The phone has something to say to an agency; None: to the province."""

    number: int
    text: str
    code: str | None = None
    agency_code: str | None = None
    agency_name: str | None = None


Effect = Preference | Following | Receiving | Rated | Voiced


@dataclass(frozen=True, slots=True)
class Said:
    """One effect, and the message that it came by: its id, whose it is, by which channel, when.

    `sender`: where that person is written to; `phone`: the same, but for somebody in a chat who has shown to hold one.
    """

    message: str
    sender: str
    phone: str
    channel: str
    at: datetime
    effect: Effect


def write(connection: sa.Connection, everything: Sequence[Said]) -> None:
    """Write effects down. Of what one phone says twice about the same, the last word holds; of ratings the first.

    Raises IntegrityError if the number of a complaint is taken.
    """
    wishes: dict[str, tuple[Preference, datetime]] = {}
    following: dict[tuple[str, str], tuple[bool, datetime]] = {}
    receiving: dict[tuple[str, Purpose], tuple[bool, Said]] = {}
    rated: list[ratings.Rating] = []
    voiced: list[voices.NewVoice] = []
    # By phone, so that two nodes which write about the same phones take their locks in the same order.
    for said in sorted(everything, key=lambda said: said.phone):
        phone, at = said.phone, said.at
        match said.effect:
            case Preference() as wish:
                wishes[said.sender] = wish, at
            case Following(code, wanted):
                following[phone, code] = wanted, at
            case Receiving(purposes, wanted):
                receiving |= {(phone, purpose): (wanted, said) for purpose in purposes}
            case Rated(code, score, agency, name):
                rated.append(ratings.Rating(code, phone, score, agency, name, at))
            case Voiced(number, text, about, agency, name):
                who = (said.sender, said.channel)
                voiced.append(voices.NewVoice(said.message, number, *who, text, about, agency, name, at))
    people.prefer(connection, wishes)
    followers.write(connection, following)
    opt_outs.add(
        connection,
        [
            opt_outs.OptOut(phone, purpose, said.at, said.channel)
            for (phone, purpose), (wanted, said) in receiving.items()
            if not wanted
        ],
    )
    opt_outs.remove(connection, [who for who, (wanted, _) in receiving.items() if wanted])
    ratings.add(connection, rated)
    voices.add(connection, voiced)
