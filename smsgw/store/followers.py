"""Who follows which dossiers. The phone on a dossier follows it by itself, unless it said that it does not want to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from smsgw.store.batch import Batch, InsertOrUpdate
from smsgw.store.tables import follower

_c = follower.c


@dataclass(slots=True)
class Followed:
    """What one phone follows, and what it has refused; codes, in the order in which it said so."""

    wanted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Followers:
    """Who follows one dossier, and who has refused to; phones."""

    wanted: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)


def write(connection: sa.Connection, wishes: Mapping[tuple[str, str], tuple[bool, datetime]]) -> None:
    """Whether each phone wants to follow each dossier, by (phone, code), and since when."""
    if wishes:
        # In an order, see inbox.accept: one phone may say two things at once, by two nodes.
        _WRITE.run(connection, ((phone, code, *wish) for (phone, code), wish in sorted(wishes.items())))


_WRITE = InsertOrUpdate(follower)


def said_since(connection: sa.Connection, phone: str, codes: Collection[str], since: datetime) -> frozenset[str]:
    """Those of these dossiers of which a phone has said after that time whether it wants to follow them."""
    later = sa.select(_c.code).where(_c.phone == phone, _c.code.in_(codes), _c.since > since)
    return frozenset(connection.execute(later).scalars())


def of(connection: sa.Connection, phones: Collection[str]) -> Mapping[str, Followed]:
    """What each of these phones follows; nothing for one that never said anything about it."""
    found: dict[str, Followed] = defaultdict(Followed)
    for phone, code, wanted in _OF.rows(connection, ((phone,) for phone in phones)):
        (found[phone].wanted if wanted else found[phone].refused).append(code)
    return found


_OF = Batch(
    (_c.phone,),
    lambda given: (
        sa.select(_c.phone, _c.code, _c.wanted)
        .where(_c.phone.in_(sa.select(given.c.phone)))
        .order_by(_c.since, _c.code)
    ),
)


def by_dossier(connection: sa.Connection, codes: Iterable[str]) -> Mapping[str, Followers]:
    """Who follows each of these dossiers; nobody for one that nothing was said about."""
    found: dict[str, Followers] = defaultdict(Followers)
    for code, phone, wanted in _BY_DOSSIER.rows(connection, ((code,) for code in codes)):
        (found[code].wanted if wanted else found[code].refused).add(phone)
    return found


_BY_DOSSIER = Batch(
    (_c.code,),
    lambda given: sa.select(_c.code, _c.phone, _c.wanted).where(_c.code.in_(sa.select(given.c.code))),
)


def followed(connection: sa.Connection) -> int:
    """How many times dossiers are followed by phones that asked for it."""
    return connection.scalar(sa.select(sa.func.count()).where(_c.wanted)) or 0
