"""A notice's messages: holding, releasing and cancelling those that no sender has, and the count.

What a sender hands back to the queue of a notice that was stopped meanwhile is a stray: it is held or cancelled later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from smsgw.store.batch import Batch, looked_at_last
from smsgw.store.database import Database
from smsgw.store.notice_turns import FED, fed_to, untold
from smsgw.store.notices import DOSSIER, Addressee, Notice, in_pages
from smsgw.store.states import LIVE_FOR, NO_RECEIPT, State, check_move
from smsgw.store.tables import Lane, history, notice, notice_recipient, outbound
from smsgw.store.tables.notices import under_way

_Columns = sa.ColumnCollection[str, sa.Column[Any]]
_Asked = sa.Select[*tuple[Any, ...]]

_n, _r, _o, _h = notice.c, notice_recipient.c, outbound.c, history.c
_NOTICE = [_n[name] for name in Notice.__dataclass_fields__]
_IN_LANE = _o.lane == int(Lane.NOTICE)
_BEFORE_RECEIPTS = (State.QUEUED, State.HELD, State.SENDING, State.UNKNOWN)  # from the beginning on
_FAILED = (State.UNDELIVERED, State.EXPIRED, State.REJECTED)
_UNREPORTED = (State.EXPIRED, NO_RECEIPT)  # which is no failure
STOPPED = ("cancelled", "paused")


@dataclass(frozen=True, slots=True)
class Counts:
    """A notice's recipients by what became of their messages. `queued`: all that no carrier has yet.

    `submitted`: a carrier took them, and has not said what became of them, or never will.
    """

    queued: int = 0
    submitted: int = 0
    delivered: int = 0
    undelivered: int = 0
    unknown: int = 0
    cancelled: int = 0


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one recipient's message; without `state` there is none. `fields`: as an addressee's."""

    line: int
    phone: str
    fields: str
    skipped: str | None
    state: str | None
    code: str | None
    channel: str | None
    segments: int | None
    submitted_at: datetime | None
    finished_at: datetime | None

    @property
    def is_unreported(self) -> bool:
        """Whether a carrier took the message, and never said what became of it."""
        return (self.state, self.code) == _UNREPORTED

    @property
    def values(self) -> dict[str, str]:
        """What the placeholders of the text stand for."""
        return Addressee(self.line, self.phone, self.fields).values


def lock(connection: sa.Connection, id: str, states: Collection[str] = FED) -> Notice | None:
    """A notice in one of these states, for this transaction; None if another node has it, or it was moved."""
    query = sa.select(*_NOTICE).where(_n.id == id, _n.state.in_(sorted(states)))
    row = connection.execute(query.with_for_update(skip_locked=True)).one_or_none()
    return Notice(*row) if row else None


def hold(connection: sa.Connection, id: str, deadline: datetime) -> None:
    """Hold what waits to be sent."""
    check_move(State.QUEUED, State.HELD)
    connection.execute(_chosen(State.QUEUED, id).values(state=State.HELD, deadline=deadline))


def release(connection: sa.Connection, id: str, now: datetime, until: datetime) -> None:
    """Queue again what is held, to expire at `until`."""
    check_move(State.HELD, State.QUEUED)
    times = {"not_before": now, "expires_at": until, "deadline": until}
    connection.execute(_chosen(State.HELD, id).values(state=State.QUEUED, **times))


def cancel(connection: sa.Connection, id: str, now: datetime) -> int:
    """End what no sender has; how many segments those messages have."""
    return sum(_cancel(connection, before, id, now) for before in (State.QUEUED, State.HELD))


def strays(connection: sa.Connection) -> list[str]:
    """The notices that are paused or cancelled, and have messages that came back to the queue."""
    stray = sa.select(_r.notice_id).join(outbound, _o.id == _r.message_id).join(notice, _n.id == _r.notice_id)
    # One that no sender ever had did not come back; of these many thousands may wait, whose notice nobody need look up.
    stray = stray.where(_o.state == sa.text("'queued'"), _IN_LANE, _o.attempts > 0, _n.state.in_(STOPPED))
    return sorted(connection.execute(stray.distinct()).scalars())


def stopped_among(connection: sa.Connection, messages: Sequence[str]) -> frozenset[str]:
    """Those of these messages whose notice is paused or cancelled."""
    return frozenset(_STOPPED_AMONG.run(connection, ((id,) for id in messages)).scalars()) if messages else frozenset()


_STOPPED_AMONG = Batch(
    (_r.message_id,),
    lambda given: (
        sa.select(_r.message_id)
        .join(given, given.c.message_id == _r.message_id)
        .join(notice, _n.id == _r.notice_id)
        .where(looked_at_last(_n.state.in_(STOPPED)))
    ),
)


def any_of_dossiers(connection: sa.Connection) -> bool:
    """Whether any notice that is under way has recipients who were found by their dossiers."""
    first = sa.select(_r.fields).where(_r.notice_id == _n.id).order_by(_r.line).limit(1).scalar_subquery()
    # All of them were, or none. A quotation mark within a value has a backslash before it.
    found = sa.exists().where(under_way(), first.correlate(notice).contains(f'"{DOSSIER}": "', autoescape=True))
    return bool(connection.scalar(sa.select(found)))


def dossiers_among(connection: sa.Connection, messages: Sequence[str]) -> dict[str, Addressee]:
    """Whom those of these messages are for that go to people who were found by their dossiers, by message."""
    found = _ADDRESSEES.rows(connection, ((id,) for id in messages)) if messages else ()
    addressees = ((id, Addressee(*row)) for id, *row in found)
    return {id: addressee for id, addressee in addressees if addressee.dossier}


_ADDRESSEES = Batch(
    (_r.message_id,),
    lambda given: sa.select(_r.message_id, _r.line, _r.phone, _r.fields).join(
        given, given.c.message_id == _r.message_id
    ),
)


def _cancel(connection: sa.Connection, before: State, id: str, now: datetime) -> int:
    check_move(before, State.CANCELLED)
    values = {"state": State.CANCELLED, "finished_at": now, "deadline": now + LIVE_FOR}
    return sum(connection.execute(_chosen(before, id).values(values).returning(_o.segments)).scalars())


def _chosen(before: State, id: str) -> sa.Update:
    # The literal lets the planner see that the partial index of what is queued serves.
    return sa.update(outbound).where(_o.state == sa.text(f"'{before}'"), _IN_LANE, _of(id))


def _of(id: str) -> sa.ColumnElement[bool]:
    return sa.exists().where(_r.message_id == _o.id, _r.notice_id == id).correlate(outbound)


def being_sent(connection: sa.Connection) -> list[str]:
    """The notices that are being sent."""
    sending = sa.select(_n.id).where(under_way(), _n.state == "sending")
    return list(connection.execute(sending.order_by(_n.id)).scalars())


def unsent(connection: sa.Connection, id: str) -> State | None:
    """The state nearest to the beginning of a notice's message that no carrier surely has; None if there is none."""
    # In one statement: between two, what a sender hands back would be found in neither of its states.
    there = [
        sa.select(sa.literal_column(f"'{state}'", sa.String)).where(
            sa.exists().where(_o.state == sa.text(f"'{state}'"), _IN_LANE, _of(id))
        )
        for state in _BEFORE_RECEIPTS
    ]
    found = {*connection.execute(sa.union_all(*there)).scalars()}
    return next((state for state in _BEFORE_RECEIPTS if state in found), None)


def unreported(connection: sa.Connection, id: str, last: str | None = None) -> str | None:
    """A message of a notice of which the carrier has not said how it ended; None if there is none.

    `last`: the one that was found before. As long as it is one, nobody need look through the others.
    """
    # Of messages that wait for their receipts others may have a million, so these are looked for among its own.
    so = looked_at_last(_o.state == State.SUBMITTED)
    if last is not None and connection.scalar(sa.select(_o.id).where(_o.id == last, so)):
        return last
    return _one_that(connection, id, so)


def handed_over(connection: sa.Connection, id: str, since: datetime | None = None) -> bool:
    """Whether any of its messages was taken by a carrier, after a time or ever."""
    so = _o.submitted_at.is_not(None) if since is None else _o.submitted_at > since
    return _one_that(connection, id, so) is not None


def _one_that(connection: sa.Connection, id: str, so: sa.ColumnElement[bool]) -> str | None:
    """One of its live messages of which that is so; those that were sent last are looked at first."""
    ours = sa.select(_o.id).join(notice_recipient, _r.message_id == _o.id).where(_r.notice_id == id, so)
    return connection.scalar(ours.order_by(_r.line.desc()).limit(1))


def outcomes(connection: sa.Connection, id: str) -> Counter[tuple[str, str]]:
    """How many messages of a notice are in each state, with the carrier's code or none.

    `waiting` and `skipped` are recipients without a message.
    """

    def asked(message: _Columns) -> _Asked:
        kind = (message.state, message.error_code)
        return sa.select(*kind, sa.func.count()).group_by(*kind)

    parts = _of_notice(id, asked)
    skipped = sa.select(sa.func.count()).where(_r.notice_id == id, _r.skipped.is_not(None))
    for name, counted in (("skipped", skipped), *(("waiting", some) for some in untold(_n.id == id))):
        kind = (sa.literal_column(f"'{name}'", sa.String), sa.null())
        parts.append(counted.with_only_columns(*kind, sa.func.count(), maintain_column_froms=True))
    found: Counter[tuple[str, str]] = Counter()
    for state, code, count in connection.execute(sa.union_all(*parts)):
        found[state, code or ""] += count
    return found


def _of_notice(id: str, asked: Callable[[_Columns], _Asked]) -> list[_Asked]:
    """What is asked of a notice's messages, of the outbox and of the history.

    Both are for one statement: between two, a message moves from here to there, or is queued.
    """
    mine = (_r.notice_id == id, _r.line <= fed_to(id))
    return [asked(message).join(notice_recipient, _r.message_id == message.id).where(*mine) for message in (_o, _h)]


def counts(found: Counter[tuple[str, str]], *, cancelled: bool) -> Counts:
    """The outcomes for people. `cancelled`: nobody else will get a message."""
    by_state: Counter[str] = Counter()
    for (state, _), count in found.items():
        by_state[state] += count
    unreported = found[_UNREPORTED]
    waiting = by_state["waiting"]
    return Counts(
        queued=by_state["held"] + by_state["queued"] + by_state["sending"] + (0 if cancelled else waiting),
        submitted=by_state["submitted"] + unreported,
        delivered=by_state["delivered"],
        undelivered=sum(by_state[state] for state in _FAILED) - unreported,
        unknown=by_state["unknown"],
        cancelled=by_state["cancelled"] + by_state["skipped"] + (waiting if cancelled else 0),
    )


def failures(found: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Those outcomes that are failures."""
    return Counter({kind: count for kind, count in found.items() if kind[0] in _FAILED and kind != _UNREPORTED})


def spent(connection: sa.Connection, id: str) -> int:
    """The segments of all messages of a notice that were not cancelled."""

    def asked(message: _Columns) -> _Asked:
        # The literal tells the planner that these are most, so that it begins at the notice and not at all messages.
        return sa.select(sa.func.sum(message.segments)).where(message.state != sa.text("'cancelled'"))

    return sum(filter(None, connection.scalars(sa.union_all(*_of_notice(id, asked)))))


def taken(connection: sa.Connection, id: str) -> Counter[str]:
    """The segments of all messages of a notice that a carrier took, by channel."""

    def asked(message: _Columns) -> _Asked:
        mine = sa.select(message.channel, sa.func.sum(message.segments)).group_by(message.channel)
        return mine.where(looked_at_last(message.submitted_at.is_not(None)))

    found: Counter[str] = Counter()
    for channel, segments in connection.execute(sa.union_all(*_of_notice(id, asked))):
        found[channel] += segments
    return found


def fates(database: Database, id: str) -> Iterator[Fate]:
    """Every recipient, by line, with what became of the message."""

    def either(name: str) -> sa.ColumnElement[Any]:
        return sa.func.coalesce(_o[name], _h[name], type_=_h[name].type)

    columns = ("state", "error_code", "channel", "segments", "submitted_at", "finished_at")
    query = (
        sa.select(_r.line, _r.phone, _r.fields, _r.skipped, *map(either, columns))
        .select_from(
            notice_recipient.outerjoin(outbound, _o.id == _r.message_id).outerjoin(history, _h.id == _r.message_id)
        )
        .where(_r.notice_id == id)
    )
    return (Fate(*row) for row in in_pages(database, query, _r.line))
