"""What the gateway remembers of the people who write to it, as far as an answer needs it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from smsgw.store.batch import Batch, InsertOrUpdate
from smsgw.store.tables import inbound, preference, reminder
from smsgw.text.addresses import scheme
from smsgw.text.languages import Language

TOLD = ("status", "follow", "rating")  # the kinds of answer that tell of the dossiers which they are about


@dataclass(frozen=True, slots=True)
class Preference:
    """How a person wants to be written to."""

    language: Language
    accents: bool


@dataclass(slots=True)
class Known:
    """One person: how to write to them, and what they have been asking for lately."""

    language: Language | None = None
    accents: bool | None = None
    misses: int = 0  # unknown codes that it asked for
    texts: dict[str, int] = field(default_factory=dict)  # how often each text came
    answers: dict[tuple[str, tuple[str, ...]], int] = field(default_factory=dict)  # how often of a kind, about dossiers


def known(connection: sa.Connection, phones: Collection[str], since: datetime) -> dict[str, Known]:
    """What is known of each phone. `since` bounds the counts."""
    people: dict[str, Known] = defaultdict(Known)
    for phone, language, accents, kind, codes, text, count, misses in _KNOWN.rows(
        connection, [(phone,) for phone in phones], since=since
    ):
        person = people[phone]
        person.language, person.accents = language, accents
        if text is not None:
            person.texts[text] = person.texts.get(text, 0) + count
            if kind is not None:
                answer = kind, tuple((codes or "").split())
                person.answers[answer] = person.answers.get(answer, 0) + count
            person.misses += misses
    return people


def wishes(connection: sa.Connection, addresses: Collection[str]) -> dict[str, Preference]:
    """How each of these wants to be written to: if nothing else was said, in Vietnamese, and with accents in a chat."""
    rows = _WISHES.rows(connection, [(address,) for address in addresses])
    said = {
        address: Preference(language, accents or scheme(address) is not None) for address, language, accents in rows
    }
    return {address: said.get(address, Preference("vi", accents=scheme(address) is not None)) for address in addresses}


_WISHES = Batch(
    (preference.c.phone,),
    lambda given: sa.select(preference.c.phone, preference.c.language, preference.c.accents).where(
        preference.c.phone.in_(sa.select(given.c.phone))
    ),
)


def _known(given: sa.FromClause) -> sa.Executable:
    """Each phone with its wish and a row for each kind of text that it sent lately, or with nothing."""
    kinds = (inbound.c.sender, inbound.c.kind, inbound.c.codes, inbound.c.text)
    lately = (
        sa.select(*kinds, sa.func.count().label("times"), sa.func.sum(inbound.c.misses).label("misses"))
        # As a join, SQLite would walk through all senders that there ever were, for the sake of the grouping.
        .where(inbound.c.sender.in_(sa.select(given.c.sender)))
        .where(inbound.c.received_at > sa.bindparam("since", type_=inbound.c.received_at.type))
        .group_by(*kinds)
        .subquery("lately")
    )
    wish = (preference.c.language, preference.c.accents)
    columns = (*wish, lately.c.kind, lately.c.codes, lately.c.text, lately.c.times, lately.c.misses)
    return sa.select(given.c.sender, *columns).select_from(
        given.outerjoin(preference, preference.c.phone == given.c.sender).outerjoin(
            lately, lately.c.sender == given.c.sender
        )
    )


_KNOWN = Batch((inbound.c.sender,), _known)


def offered(
    connection: sa.Connection, phone: str, since: datetime, limit: int = 10
) -> list[tuple[str, tuple[str, ...]]]:
    """The last texts of this phone, each with the dossiers that its answer offered to choose from, if it did."""
    last = connection.execute(
        sa.select(inbound.c.text, inbound.c.options)
        .where(inbound.c.sender == phone, inbound.c.received_at > since, inbound.c.state == "answered")
        .order_by(inbound.c.received_at.desc(), inbound.c.id.desc())
        .limit(limit)
    )
    return [(text, tuple((options or "").split())) for text, options in last]


def told_about(connection: sa.Connection, phone: str) -> tuple[str, ...]:
    """The dossiers that this phone was told of last: in an answer to it, or by a reminder."""
    return _last_told(connection, phone, TOLD)[1]


def told_lately(connection: sa.Connection, phone: str, since: datetime) -> tuple[str, ...]:
    """The same, if that was since then; a list of its dossiers is an answer, too."""
    at, codes = _last_told(connection, phone, (*TOLD, "list"))
    return codes if at is not None and at > since else ()


def _last_told(
    connection: sa.Connection, phone: str, kinds: Collection[str]
) -> tuple[datetime | None, tuple[str, ...]]:
    answered = connection.execute(
        sa.select(inbound.c.received_at, inbound.c.codes)
        .where(inbound.c.sender == phone, inbound.c.kind.in_(kinds), inbound.c.codes.is_not(None))
        .order_by(inbound.c.received_at.desc(), inbound.c.id.desc())
        .limit(1)
    )
    reminded = connection.execute(
        sa.select(reminder.c.at, reminder.c.dossier)
        .where(reminder.c.recipient == phone, reminder.c.slot.is_not(None))
        .where(reminder.c.dossier.contains("-"))  # officials' rules have an agency there
        .order_by(reminder.c.sent_on.desc(), reminder.c.slot.desc())
        .limit(1)
    )
    at, codes = max((*answered, *reminded), default=(None, ""))
    return at, tuple(codes.split())


def prefer(connection: sa.Connection, wishes: Mapping[str, tuple[Preference, datetime]]) -> None:
    """Remember how each phone wants to be written to, and since when."""
    if wishes:
        rows = ((phone, wish.language, wish.accents, at) for phone, (wish, at) in sorted(wishes.items()))
        _PREFER.run(connection, rows)


_PREFER = InsertOrUpdate(preference)
