"""Notices as rows: making them, moving them from state to state, and what is known of them.

Every move is guarded: it names the states that it may start from, and where something was looked at before, its
fingerprint. A notice that is not there any more as it was found is left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import orjson
import sqlalchemy as sa

from smsgw.store.batch import InsertNew, inserting
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.removing import PAGE, Hands
from smsgw.store.systems import SYSTEM
from smsgw.store.tables import (
    api_key,
    notice,
    notice_budget,
    notice_event,
    notice_left_out,
    notice_problem,
    notice_recipient,
    notice_sheet,
    outbound,
)
from smsgw.store.tables.notices import under_way

ROWS_A_READ = 2000
DOSSIER = "#"  # among what is known of a recipient, where no placeholder's key can stand: the code of a dossier
COMING_IN, GIVEN_UP = "", "given up"  # in place of the fingerprint of a notice whose recipients are not all there
_c, _r, _s, _p = notice.c, notice_recipient.c, notice_sheet.c, notice_problem.c
_l, _e, _b = notice_left_out.c, notice_event.c, notice_budget.c


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it stands; the columns of its table say what each means."""

    id: str
    name: str
    agency: str | None
    text: str
    accents: bool
    audience: str
    send_at: datetime | None
    state: str
    author: str
    approver: str | None
    needs_approval: bool
    fingerprint: str
    approved_fingerprint: str | None
    created_at: datetime
    changed_at: datetime
    approved_at: datetime | None
    recipients: int
    segments: int
    cost: int
    reckoning: str

    @property
    def version(self) -> str:
        """Another one for each name, text, time and accents, so that who changes it says what they saw of it."""
        return sha256(f"{self.fingerprint} {self.name}".encode()).hexdigest()

    def past(self, now: datetime) -> datetime | None:
        """The time that it was to wait for, if that is over."""
        return self.send_at if self.send_at is not None and self.send_at <= now else None


class Addressee(NamedTuple):
    """A recipient as stored. `fields`: a JSON object."""

    line: int
    phone: str
    fields: str

    @property
    def values(self) -> dict[str, str]:
        """What the placeholders of the text stand for."""
        values: dict[str, str] = orjson.loads(self.fields)
        return values

    @property
    def dossier(self) -> str:
        """The code of the one that the recipient was found by; empty if by none."""
        return self.values.get(DOSSIER, "")


Why = Literal["duplicate", "opted_out", "unreachable"]


class LeftOut(NamedTuple):
    """A row without a fault that a notice does not go to. `number`: as people write it; `dossier`: as a recipient's."""

    line: int
    why: Why
    number: str
    dossier: str = ""


class Sheet(NamedTuple):
    """Some of a notice's recipients: all those at lines behind `after`, up to `last`.

    `digest`: SHA-256 over them. `fed_to`: the line up to which each of them had their turn.
    """

    last: int
    after: int
    digest: str
    fed_to: int


@dataclass(frozen=True, slots=True)
class Event:
    """What was done with a notice. `state`: after it."""

    at: datetime
    who: str
    move: str
    state: str
    reason: str


_NOTICE = [_c[name] for name in Notice.__dataclass_fields__]


def add(connection: sa.Connection, new: Notice) -> None:
    """Write a new notice."""
    connection.execute(sa.insert(notice), {name: getattr(new, name) for name in Notice.__dataclass_fields__})


def add_recipients(connection: sa.Connection, id: str, recipients: Sequence[Addressee]) -> frozenset[str]:
    """Write recipients; the phones of those that were not there already."""
    rows = ((id, item.phone, item.line, item.fields, new_id()) for item in recipients)
    return frozenset(_ADD_RECIPIENTS.run(connection, rows)) if recipients else frozenset()


_ADD_RECIPIENTS = InsertNew(_r.notice_id, _r.phone, _r.line, _r.fields, _r.message_id, returning=_r.phone)


def add_sheets(connection: sa.Connection, id: str, sheets: Iterable[Sheet]) -> None:
    """Write how a notice's recipients are divided."""
    _ADD_SHEETS.run(connection, ((id, *sheet) for sheet in sheets))


_ADD_SHEETS = inserting(_s.notice_id, _s.last_line, _s.after_line, _s.digest, _s.fed_to)


def add_problems(connection: sa.Connection, id: str, first: int, problems: Iterable[tuple[int, str, str]]) -> None:
    """Write what is wrong in an audience: line, heading, problem. `first`: the number of the first of them."""
    _ADD_PROBLEMS.run(connection, ((id, number, *problem) for number, problem in enumerate(problems, start=first)))


_ADD_PROBLEMS = inserting(_p.notice_id, _p.number, _p.line, _p.heading, _p.problem)


def add_left_out(connection: sa.Connection, id: str, rows: Sequence[LeftOut]) -> None:
    """Write which rows of an audience a notice does not go to."""
    if rows:
        _ADD_LEFT_OUT.run(connection, ((id, *row) for row in rows))


_ADD_LEFT_OUT = inserting(_l.notice_id, _l.line, _l.why, _l.number, _l.dossier)


def move(
    connection: sa.Connection,
    id: str,
    before: Collection[str],
    after: str,
    now: datetime,
    *,
    expected: str | None = None,
    **values: Any,
) -> bool:
    """Move a notice, and set columns of it; False if it is not in such a state, or its fingerprint not as expected."""
    guarded = sa.update(notice).where(_c.id == id, _c.state.in_(sorted(before)))
    if expected is not None:
        guarded = guarded.where(_c.fingerprint == expected)
    return connection.execute(guarded.values(state=after, changed_at=now, **values)).rowcount == 1


def set_reckoning(connection: sa.Connection, id: str, reckoning: str) -> None:
    """Write a notice's figures, and no change of it."""
    connection.execute(sa.update(notice).where(_c.id == id).values(reckoning=reckoning))


def add_event(connection: sa.Connection, id: str, event: Event) -> None:
    """Write down what was done."""
    values = {name: getattr(event, name) for name in Event.__dataclass_fields__}
    connection.execute(sa.insert(notice_event), {"id": new_id(), "notice_id": id, **values})


def events(connection: sa.Connection, id: str) -> list[Event]:
    """What was done with a notice, in order."""
    columns = [_e[name] for name in Event.__dataclass_fields__]
    return [Event(*row) for row in connection.execute(sa.select(*columns).where(_e.notice_id == id).order_by(_e.id))]


def inherit(connection: sa.Connection, before: str, id: str) -> None:
    """Who wrote one notice, or changed it, has a hand in the one that takes its place as well."""
    for event in events(connection, before):
        if event.move in _WRITING:
            add_event(connection, id, event)


def wrote(connection: sa.Connection, id: str, who: str) -> bool:
    """Whether somebody had a hand in what a notice says."""
    return connection.scalar(sa.select(_e.id).where(_e.notice_id == id, of_hand(who)).limit(1)) is not None


_WRITING = ("create", "edit")


def of_hand(who: str) -> sa.ColumnElement[bool]:
    """Of events: that somebody wrote or changed a notice, also by a system's key that they made and so may hold."""
    keys = sa.select(sa.literal(SYSTEM) + api_key.c.name).where(api_key.c.created_by == who)
    return sa.and_(_e.move.in_(_WRITING), sa.or_(_e.who == who, _e.who.in_(keys)))


def by_id(connection: sa.Connection, id: str) -> Notice | None:
    """The notice with that id."""
    row = connection.execute(sa.select(*_NOTICE).where(_c.id == id)).one_or_none()
    return Notice(*row) if row else None


def locked(connection: sa.Connection, id: str) -> Notice | None:
    """The same, locked until the transaction ends."""
    row = connection.execute(sa.select(*_NOTICE).where(_c.id == id).with_for_update()).one_or_none()
    return Notice(*row) if row else None


def page(
    connection: sa.Connection, agency: str | None, states: Collection[str], before: str | None, limit: int
) -> list[Notice]:
    """Notices in these states, newest first, of an agency or of all. `before`: the last id of the page before."""
    query = sa.select(*_NOTICE).where(_c.state.in_(sorted(states))).order_by(_c.id.desc()).limit(limit)
    if agency is not None:
        query = query.where(_c.agency == agency)
    if before is not None:
        query = query.where(_c.id < before)
    return [Notice(*row) for row in connection.execute(query)]


def problems(connection: sa.Connection, id: str, limit: int | None = None) -> list[tuple[int, str, str]]:
    """What was wrong in its audience: line, heading, problem."""
    query = sa.select(_p.line, _p.heading, _p.problem).where(_p.notice_id == id).order_by(_p.number).limit(limit)
    return [(line, heading, problem) for line, heading, problem in connection.execute(query)]


def every_problem(database: Database, id: str) -> Iterator[tuple[int, str, str]]:
    """The same, however many there are."""
    query = sa.select(_p.number, _p.line, _p.heading, _p.problem).where(_p.notice_id == id)
    return ((line, heading, problem) for _, line, heading, problem in in_pages(database, query, _p.number))


def left_out(database: Database, id: str) -> Iterator[LeftOut]:
    """The rows of its audience without a fault that it does not go to, by line."""
    query = sa.select(_l.line, _l.why, _l.number, _l.dossier).where(_l.notice_id == id)
    return (LeftOut(*row) for row in in_pages(database, query, _l.line))


def recipients(database: Database, id: str) -> Iterator[Addressee]:
    """All recipients, by line."""
    query = sa.select(_r.line, _r.phone, _r.fields).where(_r.notice_id == id)
    return (Addressee(*row) for row in in_pages(database, query, _r.line))


def in_pages(database: Database, query: sa.Select[Any], key: sa.ColumnElement[int]) -> Iterator[Any]:
    """The rows of a query over one notice that has this key as its first column, in its order, read in pages.

    Between these nothing of the database is kept: who takes the rows may be at the end of a slow line.
    """
    paged = query.order_by(key).limit(ROWS_A_READ)
    page: Sequence[Any] = ()
    while True:
        with database.reading() as connection:
            page = connection.execute(paged.where(key > page[-1][0]) if page else paged).all()
        if not page:
            return
        yield from page


def recipient(connection: sa.Connection, id: str, phone: str) -> Addressee | None:
    """One recipient."""
    query = sa.select(_r.line, _r.phone, _r.fields).where(_r.notice_id == id, _r.phone == phone)
    row = connection.execute(query).one_or_none()
    return Addressee(*row) if row else None


def recipients_at(connection: sa.Connection, id: str, places: Collection[int]) -> list[Addressee]:
    """The recipients at some places, counted from 0 by line."""
    query = sa.select(_r.line, _r.phone, _r.fields).where(_r.notice_id == id).order_by(_r.line).limit(1)
    rows = (connection.execute(query.offset(place)).one_or_none() for place in sorted(places))
    return [Addressee(*row) for row in rows if row]


def told_before(connection: sa.Connection, of: Notice, since: datetime) -> list[tuple[str, str, int]]:
    """Notices of the same text that were queued since then for the same people: id, name, how many people.

    Of an agency's notice only those of that agency, as nobody there may know of any other.
    """
    other, same = notice.alias("other"), notice_recipient.alias("same")
    query = (
        sa.select(other.c.id, other.c.name, sa.func.count())
        .select_from(other)
        .join(same, same.c.notice_id == other.c.id)
        .join(outbound, outbound.c.id == same.c.message_id)
        .where(other.c.id != of.id, other.c.text == of.text, outbound.c.created_at >= since)
        .where(outbound.c.state != "cancelled")
        .where(same.c.phone.in_(sa.select(_r.phone).where(_r.notice_id == of.id)))
        .group_by(other.c.id, other.c.name)
        .order_by(other.c.id.desc())
    )
    if of.agency is not None:
        query = query.where(other.c.agency == of.agency)
    return [(id, name, count) for id, name, count in connection.execute(query)]


def use_budget(connection: sa.Connection, agency: str, month: str, segments: int, limit: int | None) -> bool:
    """Take segments from a month's budget; False if there are not so many left. Negative: give them back."""
    _OPEN_BUDGET.run(connection, [(agency, month, 0)])
    taken = sa.update(notice_budget).where(_b.agency == agency, _b.month == month)
    if limit is not None:
        taken = taken.where(_b.segments + segments <= limit)
    return connection.execute(taken.values(segments=_b.segments + segments)).rowcount == 1


_OPEN_BUDGET = InsertNew(*_b, returning=_b.agency)


def used_budget(connection: sa.Connection, agency: str, month: str) -> int:
    """The segments that approved notices take of a month's budget."""
    used = sa.select(_b.segments).where(_b.agency == agency, _b.month == month)
    return connection.scalar(used) or 0


def left(connection: sa.Connection, state: str, since: datetime) -> list[str]:
    """Notices that are loading or paused, and with which nothing was done since then."""
    lie = sa.select(_c.id).where(under_way(), _c.state == state, _c.changed_at < since)
    return list(connection.execute(lie.limit(10)).scalars())


def forget(hands: Hands, id: str) -> None:
    """Remove a notice that has not become one, page by page and itself last; one that has is left alone.

    From the first page on it can't become one: whoever is killed in between leaves what is removed like any given up.
    """
    with hands.writing() as connection:
        loading = sa.update(notice).where(_c.id == id, _c.state == "loading")
        if connection.execute(loading.values(fingerprint=GIVEN_UP)).rowcount == 0:
            return
    for place in (_r.line, _p.number, _l.line):
        for last in _pages(hands, id, place):
            with hands.writing() as connection:
                connection.execute(sa.delete(place.table).where(place.table.c.notice_id == id, place <= last))
    with hands.writing() as connection:
        for part in (_e.notice_id, _c.id):
            connection.execute(sa.delete(part.table).where(part == id))


def _pages(hands: Hands, id: str, place: sa.Column[int]) -> Iterator[int]:
    """The last place of each page of a notice's parts; each page is gone when the next one is asked for."""
    page = sa.select(place).where(place.table.c.notice_id == id).order_by(place).limit(PAGE)
    while True:
        with hands.reading() as connection:
            places = connection.scalars(page).all()
        if not places:
            return
        yield places[-1]


def touch(connection: sa.Connection, id: str, now: datetime) -> bool:
    """A notice is still coming in; False if it was given up."""
    return move(connection, id, ("loading",), "loading", now, expected=COMING_IN)
