"""Reminders: which rules are on, what was told already, and what a message that is about to go out is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from smsgw.store.batch import Batch, InsertNew, InsertOrUpdate
from smsgw.store.states import State
from smsgw.store.tables import history, mark, outbound, reminder, switch

OWNER = "owner"  # in told_to, in place of a phone: whoever is on the dossier
EVERYWHERE = ""  # in place of an agency: all that have no switch of their own
UNTRUE = "untrue"  # the code of a message that was withdrawn because it was not so any more

Outcome = Literal["told", "past", "too_old", "opted_out", "unreachable"]
_c = reminder.c


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether a rule is on somewhere, since when, and by whose decision."""

    rule: str
    agency: str
    is_on: bool
    changed_at: datetime
    changed_by: str
    stock_taken: bool


@dataclass(frozen=True, slots=True)
class Reminder:
    """What somebody is told of a dossier, or not told and why. `message`: the id of ours, if it is told."""

    rule: str
    dossier: str
    occasion: str
    told_to: str
    recipient: str | None
    outcome: Outcome
    message: str | None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A reminder whose message is about to go out. `sent_on`: the day on which it was to go out already."""

    message: str
    rule: str
    dossier: str
    occasion: str
    told_to: str
    recipient: str
    sent_on: str | None


_MEET = InsertNew(*switch.c, returning=switch.c.rule)


def meet(connection: sa.Connection, switches: Iterable[Switch]) -> None:
    """Write down the switches of rules that are not known yet."""
    fields = Switch.__dataclass_fields__
    _MEET.run(connection, [[getattr(item, name) for name in fields] for item in switches])


def switches(connection: sa.Connection) -> dict[tuple[str, str], Switch]:
    """Every switch by rule and agency."""
    return {(row.rule, row.agency): Switch(*row) for row in connection.execute(sa.select(switch))}


def turn(connection: sa.Connection, new: Switch) -> None:
    """Turn a rule on or off, everywhere or in an agency."""
    _TURN.run(connection, [[getattr(new, column.name) for column in switch.c]])


_TURN = InsertOrUpdate(switch)


def unturn(connection: sa.Connection, rule: str, agency: str) -> None:
    """An agency has no switch of its own any more."""
    connection.execute(sa.delete(switch).where(switch.c.rule == rule, switch.c.agency == agency))


def stock_is_taken(connection: sa.Connection, item: Switch) -> bool:
    """It is written down what was so when a rule was switched on; False if it was switched again since."""
    same = (switch.c.rule == item.rule, switch.c.agency == item.agency, switch.c.changed_at == item.changed_at)
    return connection.execute(sa.update(switch).where(*same).values(stock_taken=True)).rowcount == 1


_ADD = InsertNew(
    *(_c[name] for name in Reminder.__dataclass_fields__), _c.run, _c.at, returning=sa.func.coalesce(_c.message, "")
)


def add(
    connection: sa.Connection, reminders: Sequence[Reminder], run: str, now: datetime
) -> tuple[frozenset[str], int]:
    """Write down reminders that are not there yet; the messages of those that are told, and how many are not.

    One that was never told, as it was not so any more, makes room: it keeps its row, under another occasion.
    """
    fields = Reminder.__dataclass_fields__
    ordered = sorted(reminders, key=_key)  # see inbox.accept; runs of two schedules may find the same
    rows = [[*(getattr(item, name) for name in fields), run, now] for item in ordered]
    if rows:
        _FREE.run(connection, map(_key, ordered))
    new = _ADD.run(connection, rows) if rows else []
    told = frozenset(filter(None, new))
    return told, len(new) - len(told)


def known(connection: sa.Connection, reminders: Sequence[Reminder]) -> frozenset[tuple[str, str, str, str]]:
    """The keys of those that are written down already, and were not withdrawn."""
    rows = map(_key, reminders)
    return frozenset(tuple(row) for row in _KNOWN.rows(connection, rows)) if reminders else frozenset()


def _key(item: Reminder) -> tuple[str, str, str, str]:
    return item.rule, item.dossier, item.occasion, item.told_to


def _withdrawn() -> sa.ColumnElement[bool]:
    """Whether a reminder's message was dropped as untrue, and nothing is known of the carrier having it all the same.

    That is asked when the same comes up again: a receipt may tell by then what the sender could not.
    """
    return sa.or_(
        *(
            sa.exists().where(table.c.id == _c.message, table.c.state == State.CANCELLED, table.c.error_code == UNTRUE)
            for table in (outbound, history)
        )
    )


_KEY = (_c.rule, _c.dossier, _c.occasion, _c.told_to)
_KNOWN = Batch(
    _KEY,
    lambda given: (
        sa.select(*_KEY)
        .select_from(given.join(reminder, sa.and_(*(given.c[column.name] == column for column in _KEY))))
        .where(~_withdrawn())
    ),
)
_FREE = Batch(
    _KEY,
    lambda given: (
        sa.update(reminder)
        .where(*(given.c[column.name] == column for column in _KEY), _withdrawn())
        .values(occasion=_c.occasion + "#" + _c.message)
    ),
)


def outgoing(connection: sa.Connection, messages: Collection[str]) -> dict[str, Outgoing]:
    """The reminders that these messages carry, by message."""
    rows = _OUTGOING.rows(connection, [(message,) for message in messages])
    return {row.message: Outgoing(*row) for row in rows}


_OUTGOING = Batch(
    (_c.message,),
    lambda given: sa.select(*(_c[name] for name in Outgoing.__dataclass_fields__)).where(
        _c.message.in_(sa.select(given.c.message))
    ),
)


def sent_on(connection: sa.Connection, phones: Collection[str], day: str) -> Counter[str]:
    """How many reminders have a place on that day, by phone."""
    rows = _SENT_ON.rows(connection, [(phone,) for phone in phones], day=day)
    return Counter(dict(map(tuple, rows)))


_SENT_ON = Batch(
    (_c.recipient,),
    lambda given: (
        sa.select(_c.recipient, sa.func.max(_c.slot))
        .where(_c.recipient.in_(sa.select(given.c.recipient)), _c.sent_on == sa.bindparam("day", type_=sa.Text()))
        .where(_c.slot.is_not(None))
        .group_by(_c.recipient)
    ),
)


def place(connection: sa.Connection, places: Mapping[str, int | None], day: str) -> None:
    """Write down that messages go out on a day, and the place that each takes of it, if it takes one.

    Raises IntegrityError where another node gave a place away in the same moment.
    """
    if places:
        _PLACE.run(connection, places.items(), day=day)


_PLACE = Batch(
    (_c.message, _c.slot),
    lambda given: (
        sa.update(reminder)
        .where(_c.message == given.c.message)
        .values(slot=given.c.slot, sent_on=sa.bindparam("day", type_=sa.Text()))
    ),
)


def read_to(connection: sa.Connection, onestop: str) -> datetime | None:
    """Up to when a one-stop database's changes have been read; None if they never were."""
    return connection.scalar(sa.select(mark.c.read_to).where(mark.c.onestop == onestop))


def set_read_to(connection: sa.Connection, onestop: str, moment: datetime) -> None:
    """Its changes have been read up to then."""
    _SET_MARK.run(connection, [(onestop, moment)])


_SET_MARK = InsertOrUpdate(mark)
