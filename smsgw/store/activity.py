"""How much came in and went out in a span of time, read by indexes, and kept for each day that is over.

A message belongs to the day on which a carrier took it, whatever becomes of it later; one that no carrier took, to the
day on which it ended. What was submitted or has come to its end has a deadline that lies as long after that as such a
state lasts. So the index of states and deadlines finds the messages of a day, for as long as they are live.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from smsgw.store.batch import InsertOrUpdate
from smsgw.store.states import FINAL, LIVE_FOR, NO_RECEIPT, RECEIPT_WAIT, State
from smsgw.store.tables import Lane, daily, daily_reply, inbound, outbound

_o = outbound.c
REPLIES_TIMED = 2000  # the latest of a span, from which its times to reply are told


@dataclass(frozen=True, slots=True)
class Traffic:
    """Of one channel in one span: messages in; those that the carrier took, and how they ended; đồng.

    What the carrier never reported of is neither delivered nor failed.
    """

    messages_in: int = 0
    messages_out: int = 0
    delivered: int = 0
    failed: int = 0
    cost: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(*(getattr(self, name) + getattr(other, name) for name in Traffic.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class ReplyTimes:
    """Of one day: the seconds that half of the replies took at the most, and 95 in a hundred; None: there were none."""

    p50: float | None = None
    p95: float | None = None


def traffic(
    connection: sa.Connection, start: datetime, end: datetime, tariffs: Mapping[str, int]
) -> dict[str, Traffic]:
    """What each channel had from `start` until before `end`, which lies no further back than messages are live."""
    came = sa.select(inbound.c.channel, sa.func.count()).where(
        inbound.c.received_at >= start, inbound.c.received_at < end
    )
    found = {name: Traffic(messages_in=count) for name, count in connection.execute(came.group_by(inbound.c.channel))}
    went = sa.select(
        _o.channel,
        _o.state,
        sa.func.count(),
        sa.func.count(_o.submitted_at),
        sa.func.coalesce(sa.func.sum(sa.case((_o.submitted_at.is_not(None), _o.segments))), 0),
        sa.func.count(sa.case((_o.error_code == NO_RECEIPT, 1))),
    )
    for name, state, count, taken, segments, unreported in connection.execute(
        went.where(_went_between(start, end)).group_by(_o.channel, _o.state)
    ):
        found[name] = found.get(name, Traffic()) + Traffic(
            messages_out=taken,
            delivered=count if state == State.DELIVERED else 0,
            failed=count - unreported if state in (State.UNDELIVERED, State.REJECTED, State.EXPIRED) else 0,
            cost=segments * tariffs.get(name, 0),
        )
    return found


def reply_seconds(connection: sa.Connection, start: datetime, end: datetime) -> list[float]:
    """How long replies to the latest messages of a span took, from arrival until the carrier had the reply; sorted."""
    rows = connection.execute(
        sa.select(inbound.c.received_at, _o.submitted_at)
        .join(inbound, inbound.c.id == _o.in_reply_to)
        .where(inbound.c.received_at >= start, inbound.c.received_at < end)
        .where(_o.lane == Lane.REPLY, _o.submitted_at.is_not(None))
        .order_by(inbound.c.received_at.desc())
        .limit(REPLIES_TIMED)
    )
    return sorted((submitted - received).total_seconds() for received, submitted in rows)


def _went_between(start: datetime, end: datetime) -> sa.ColumnElement[bool]:
    """Whether a message went out then; or ended then, if no carrier ever took it."""
    submitted = sa.and_(
        _o.state == State.SUBMITTED, _o.deadline >= start + RECEIPT_WAIT, _o.deadline < end + RECEIPT_WAIT
    )
    # It ended no sooner than it went out, and may have long after; that narrows down what the index leads to.
    ended = sa.and_(_o.state.in_(sorted(FINAL)), _o.deadline >= start + LIVE_FOR)
    taken_then = sa.and_(_o.submitted_at >= start, _o.submitted_at < end)
    never_taken = sa.and_(_o.submitted_at.is_(None), _o.deadline < end + LIVE_FOR)
    return sa.or_(submitted, sa.and_(ended, sa.or_(taken_then, never_taken)))


def keep(connection: sa.Connection, day: date, found: Mapping[str, Traffic], now: datetime) -> None:
    """Write down a day."""
    rows = [
        {"day": day.isoformat(), "channel": channel, "counted_at": now}
        | {name: getattr(figures, name) for name in Traffic.__dataclass_fields__}
        for channel, figures in found.items()
    ]
    if rows:
        _KEEP.run(connection, ([row[column.name] for column in daily.c] for row in rows))


def keep_reply_times(connection: sa.Connection, found: Mapping[date, ReplyTimes]) -> None:
    """Write down how long replies took on these days."""
    if found:
        _KEEP_TIMES.run(connection, ([day.isoformat(), times.p50, times.p95] for day, times in found.items()))


_KEEP = InsertOrUpdate(daily)
_KEEP_TIMES = InsertOrUpdate(daily_reply)


def counted(connection: sa.Connection, days: Iterable[date]) -> dict[date, datetime]:
    """When each of these days was last written down."""
    wanted = [day.isoformat() for day in days]
    rows = sa.select(daily.c.day, sa.func.max(daily.c.counted_at).label("at")).where(daily.c.day.in_(wanted))
    times = connection.execute(rows.group_by(daily.c.day))
    return {date.fromisoformat(day): at for day, at in times}


def newest(connection: sa.Connection) -> date | None:
    """The last day that was written down; None if there is none."""
    day = connection.scalar(sa.select(sa.func.max(daily.c.day)))
    return date.fromisoformat(day) if day else None


def days(connection: sa.Connection, since: date) -> dict[date, Traffic]:
    """What was written down of each day since then, over all channels."""
    found: dict[date, Traffic] = {}
    columns = [daily.c[name] for name in Traffic.__dataclass_fields__]
    for day, *figures in connection.execute(sa.select(daily.c.day, *columns).where(daily.c.day >= since.isoformat())):
        on = date.fromisoformat(day)
        found[on] = found.get(on, Traffic()) + Traffic(*figures)
    return found


def reply_times(connection: sa.Connection, since: date) -> dict[date, ReplyTimes]:
    """How long replies took on each day since then, as far as it was written down."""
    rows = connection.execute(sa.select(daily_reply).where(daily_reply.c.day >= since.isoformat()))
    return {date.fromisoformat(day): ReplyTimes(p50, p95) for day, p50, p95 in rows}
