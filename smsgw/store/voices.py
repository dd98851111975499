"""Complaints and questions of citizens, from the message that brought them to the answer that went out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa

from smsgw.store import outbox
from smsgw.store.batch import inserting
from smsgw.store.history import message
from smsgw.store.states import FINAL
from smsgw.store.states import State as Sent
from smsgw.store.tables import voice

State = Literal["new", "answered", "closed"]
STATES: tuple[State, ...] = get_args(State)

_c = voice.c


@dataclass(frozen=True, slots=True)
class NewVoice:
    """What somebody said. `id` is that of the message; without an agency it is for the province."""

    id: str
    number: int
    phone: str
    channel: str
    text: str
    code: str | None
    agency_code: str | None
    agency_name: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Voice(NewVoice):
    """The same, with what became of it."""

    state: State
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None


_COLUMNS = tuple(_c[name] for name in Voice.__dataclass_fields__)


def add(connection: sa.Connection, voices: Sequence[NewVoice]) -> None:
    """Write down what was said. Raises IntegrityError if a number is taken."""
    rows = (
        (
            new.id,
            new.number,
            new.phone,
            new.channel,
            new.text,
            new.code,
            new.agency_code,
            new.agency_name,
            "new",
            new.received_at,
        )
        for new in voices
    )
    if voices:
        _ADD.run(connection, rows)


_ADD = inserting(
    _c.id,
    _c.number,
    _c.phone,
    _c.channel,
    _c.text,
    _c.code,
    _c.agency_code,
    _c.agency_name,
    _c.state,
    _c.received_at,
)


def taken(connection: sa.Connection, numbers: Collection[int]) -> set[int]:
    """Those of these numbers that belong to a voice already."""
    return set(connection.scalars(sa.select(_c.number).where(_c.number.in_(numbers))))


def by_number(connection: sa.Connection, phone: str, number: int) -> Voice | None:
    """What this phone said under this number; None also if somebody else did."""
    return _one(connection, _c.number == number, _c.phone == phone)


def numbered(connection: sa.Connection, number: int) -> Voice | None:
    """What somebody said under this number."""
    return _one(connection, _c.number == number)


def by_id(connection: sa.Connection, id: str) -> Voice | None:
    """One of them by its id; None where there is none, or none any more."""
    return _one(connection, _c.id == id)


def page(
    connection: sa.Connection,
    state: State,
    agencies: Collection[str] | None = None,
    after: str = "",
    limit: int = 50,
) -> list[Voice]:
    """The inbox of a state, oldest first, behind an id. `agencies`: only theirs; None: all, the province's too."""
    theirs = [] if agencies is None else [_c.agency_code.in_(agencies)]
    rows = connection.execute(
        sa.select(*_COLUMNS).where(_c.state == state, _c.id > after, *theirs).order_by(_c.id).limit(limit)
    )
    return [Voice(*row) for row in rows]


def undelivered(connection: sa.Connection, ids: Collection[str]) -> dict[str, Any]:
    """Which answers' messages ended and are not known to have arrived: id, state and error_code, by the voices' ids."""
    ended = sa.select(_c.id, message.c.state, message.c.error_code).join(message, message.c.id == _c.answer_id)
    rows = connection.execute(ended.where(_c.id.in_(ids), message.c.state.in_(FINAL - {Sent.DELIVERED})))
    return {row.id: row for row in rows}


def counts(
    connection: sa.Connection,
    start: datetime | None = None,
    end: datetime | None = None,
    agencies: Collection[str] | None = None,
) -> dict[State, int]:
    """How many came from `start` until before `end`, by what became of them."""
    conditions: list[sa.ColumnElement[bool]] = [] if agencies is None else [_c.agency_code.in_(agencies)]
    if start is not None:
        conditions.append(_c.received_at >= start)
    if end is not None:
        conditions.append(_c.received_at < end)
    counted = sa.select(_c.state, sa.func.count()).where(*conditions).group_by(_c.state)
    found: dict[State, int] = dict(connection.execute(counted).all())
    return {state: found.get(state, 0) for state in STATES}


def answer(connection: sa.Connection, id: str, text: str, by: str, message: outbox.NewMessage, now: datetime) -> bool:
    """Answer a voice by a message; False, and nothing is sent, if it has been answered or closed meanwhile."""
    written = {"answer": text, "answered_by": by, "answered_at": now, "answer_id": message.id}
    answered = connection.execute(
        sa.update(voice).where(_c.id == id, _c.state == "new").values(state="answered", **written)
    )
    if answered.rowcount != 1:
        return False
    outbox.add(connection, [message])
    return True


def close(connection: sa.Connection, id: str, by: str, now: datetime) -> State | None:
    """Close a voice, answered or not; what it was before, None if it is closed already."""
    before: State | None = connection.scalar(
        sa.select(_c.state).where(_c.id == id, _c.state != "closed").with_for_update()
    )
    if before is not None:
        closed = {"state": "closed", "closed_by": by, "closed_at": now}
        connection.execute(sa.update(voice).where(_c.id == id).values(closed))
    return before


def _one(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> Voice | None:
    rows = connection.execute(sa.select(*_COLUMNS).where(*which))
    return next((Voice(*row) for row in rows), None)
