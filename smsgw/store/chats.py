"""People who write in a chat that knows no phones: whether they follow us, and whose phone they have shown to have.

A phone is linked to an address by a code that was sent to it by SMS and typed back in the chat. How many codes there
are and how often one may be typed is held here, by what each statement finds; one that finds something else than was
decided on raises `Overtaken`, and the message is decided on anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from smsgw.store.batch import Batch, InsertNew
from smsgw.store.tables import zalo_link, zalo_user
from smsgw.store.turns import take_turn

MOST_TRIES = 5  # at one code
MOST_BY_ADDRESS = 5  # codes in a day that one person may ask for
MOST_TO_PHONE = 3  # codes in a day that one phone gets, whoever asks
DAY = timedelta(hours=24)
REMEMBERED = timedelta(hours=1)  # after a code's end, in which it is worth saying that it has ended

_u, _l = zalo_user.c, zalo_link.c


class Overtaken(Exception):
    """Another message of the same person was quicker, and what was decided on this one does not hold any more."""


@dataclass(frozen=True, slots=True)
class Link:
    """A code that was sent to a phone and may be typed back. `tries`: wrong ones so far."""

    id: str
    phone: str
    code: str = field(repr=False)
    tries: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a chat. `asked`: codes that they asked for in a day. `link`: the open one."""

    phone: str | None = None
    asked: int = 0
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """They wrote, or began or ceased to follow us; None: as before."""

    follows: bool | None = None


@dataclass(frozen=True, slots=True)
class LinkAsked:
    """A code goes to a phone. `text` is the SMS with it."""

    link: Link
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkTried:
    """A code was typed back: the right one, or not."""

    link: Link
    right: bool


@dataclass(frozen=True, slots=True)
class Unlinked:
    """The phone is not theirs any more, or they don't want it to be known."""


Change = Seen | LinkAsked | LinkTried | Unlinked


def phones(connection: sa.Connection, addresses: Collection[str]) -> dict[str, str]:
    """The phones of those who have one, by their address in the chat."""
    rows = _PHONES.rows(connection, [(address,) for address in addresses])
    return dict(map(tuple, rows))


_PHONES = Batch(
    (_u.address,),
    lambda given: sa.select(_u.address, _u.phone).where(
        _u.address.in_(sa.select(given.c.address)), _u.phone.is_not(None)
    ),
)


def open_for(connection: sa.Connection, held: Collection[str], scheme: str, since: datetime) -> dict[str, str]:
    """The chat of each of these phones whose holder follows us there and has written since then."""
    rows = _OPEN_FOR.rows(connection, [(phone,) for phone in held], scheme=f"{scheme}:%", since=since)
    return dict(map(tuple, rows))


_OPEN_FOR = Batch(
    (_u.phone,),
    lambda given: sa.select(_u.phone, _u.address).where(
        _u.phone.in_(sa.select(given.c.phone)),
        _u.address.like(sa.bindparam("scheme")),
        _u.follows,
        _u.seen_at > sa.bindparam("since", type_=_u.seen_at.type),
    ),
)


def known(connection: sa.Connection, addresses: Collection[str], now: datetime) -> dict[str, Person]:
    """What is known of each address."""
    asked = [(address,) for address in addresses]
    theirs = phones(connection, addresses)
    counts = dict(map(tuple, _ASKED.rows(connection, asked, since=now - DAY)))
    links = {address: Link(*rest) for address, *rest in _OPEN.rows(connection, asked, since=now - REMEMBERED)}
    return {name: Person(theirs.get(name), counts.get(name, 0), links.get(name)) for name in addresses}


_ASKED = Batch(
    (_l.address,),
    lambda given: (
        sa.select(_l.address, sa.func.count())
        .where(_l.address.in_(sa.select(given.c.address)))
        .where(_l.created_at > sa.bindparam("since", type_=_l.created_at.type))
        .group_by(_l.address)
    ),
)
_OPEN = Batch(
    (_l.address,),
    lambda given: sa.select(_l.address, _l.id, _l.phone, _l.code, _l.tries, _l.expires_at).where(
        _l.address.in_(sa.select(given.c.address)),
        _l.state == sa.text("'open'"),
        _l.expires_at > sa.bindparam("since", type_=_l.expires_at.type),
    ),
)


def sent_to(connection: sa.Connection, phone: str, now: datetime) -> int:
    """How many codes a phone got in a day."""
    counted = sa.select(sa.func.count()).where(_l.phone == phone, _l.created_at > now - DAY)
    return connection.scalar(counted) or 0


def write(connection: sa.Connection, changes: Sequence[tuple[str, Change, datetime]]) -> None:
    """Write down what each address did, and when. Raises Overtaken."""
    # Else two nodes would not see each other's codes to a phone, or that it is just being linked.
    take_turn(connection, {change.link.phone for _, change, _ in changes if isinstance(change, LinkAsked | LinkTried)})
    seen: dict[str, tuple[bool | None, datetime]] = {}
    for address, change, at in changes:
        follows = change.follows if isinstance(change, Seen) else None
        before = seen.get(address, (None, at))
        seen[address] = (before[0] if follows is None else follows, max(at, before[1]))
    if seen:
        _see(connection, seen)
    for address, change, at in changes:
        match change:
            case LinkAsked(link):
                _ask(connection, address, link, at)
            case LinkTried(link, right):
                _try(connection, address, link, at, right=right)
            case Unlinked():
                free = sa.update(zalo_user).where(_u.address == address)
                connection.execute(free.values(phone=None, linked_at=None))


def _see(connection: sa.Connection, seen: dict[str, tuple[bool | None, datetime]]) -> None:
    everybody = sorted(seen.items())
    _MEET.run(connection, ((address, bool(follows), at) for address, (follows, at) in everybody))
    _SEE.run(connection, ((address, follows, at) for address, (follows, at) in everybody))


_MEET = InsertNew(_u.address, _u.follows, _u.seen_at, returning=_u.address)
_SEE = Batch(
    (_u.address, _u.follows, _u.seen_at),
    lambda given: (
        sa.update(zalo_user)
        .where(_u.address == given.c.address)
        .values(follows=sa.func.coalesce(given.c.follows, _u.follows), seen_at=given.c.seen_at)
    ),
)


def _ask(connection: sa.Connection, address: str, link: Link, now: datetime) -> None:
    """A newer code takes the place of the open one."""
    closing = sa.update(zalo_link).where(_l.address == address, _l.state == "open")
    connection.execute(closing.values(state="closed"))
    row = {"id": link.id, "address": address, "phone": link.phone, "code": link.code, "state": "open"}
    times = {"tries": 0, "created_at": now, "expires_at": link.expires_at}
    connection.execute(sa.insert(zalo_link), row | times)
    by_address = sa.select(sa.func.count()).where(_l.address == address, _l.created_at > now - DAY)
    if sent_to(connection, link.phone, now) > MOST_TO_PHONE or connection.scalars(by_address).one() > MOST_BY_ADDRESS:
        raise Overtaken


def _try(connection: sa.Connection, address: str, link: Link, now: datetime, *, right: bool) -> None:
    """The number of tries that was seen guards both, so that nobody has more of them than there are."""
    tries = link.tries + (not right)
    state = "used" if right else "closed" if tries >= MOST_TRIES else "open"
    trying = sa.update(zalo_link).where(_l.id == link.id, _l.state == "open", _l.tries == link.tries)
    if connection.execute(trying.values(state=state, tries=tries)).rowcount != 1:
        raise Overtaken
    if right:
        # The number may have a new owner since; whoever holds it now has just shown that.
        others = sa.update(zalo_user).where(_u.phone == link.phone, _u.address != address)
        connection.execute(others.values(phone=None, linked_at=None))
        theirs = sa.update(zalo_user).where(_u.address == address)
        connection.execute(theirs.values(phone=link.phone, linked_at=now))
