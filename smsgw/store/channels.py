"""What all nodes together know of a channel: whether it may send, how its calls went, how much of its rate is free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa

from smsgw.clock import Clock
from smsgw.store.batch import InsertNew
from smsgw.store.clock import THEIRS, is_theirs
from smsgw.store.ids import new_id
from smsgw.store.tables import Lane, channel, channel_event, outbound

State = Literal["open", "tripped", "held", "paused"]


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel's row; the schema says what each column means."""

    name: str
    state: State
    reason: str | None
    changed_at: datetime
    resume_at: datetime | None
    failures: int
    trips: int
    calls: float
    failed: float
    counted_at: datetime
    allowance: float
    allowed_at: datetime

    def waits(self, now: datetime) -> bool:
        """Whether nothing may be sent before `resume_at`."""
        return self.resume_at is not None and self.resume_at > now


@dataclass(frozen=True, slots=True)
class Event:
    """When and why a channel changed its state."""

    at: datetime
    state: State
    reason: str


def ensure(connection: sa.Connection, name: str, now: datetime) -> None:
    """Make the channel's row if there is none, nor another node makes it now."""
    new = Channel(name, "open", None, now, None, 0, 0, 0.0, 0.0, now, 0.0, now)
    _ENSURE.run(connection, [tuple(asdict(new).values())])


_ENSURE = InsertNew(*channel.c, returning=channel.c.name)


def lock(connection: sa.Connection, name: str) -> Channel:
    """The channel's row; whoever else wants it waits until this transaction ends."""
    return Channel(*connection.execute(_LOCK, {"at": name}).one())


_ROW = sa.select(channel).where(channel.c.name == sa.bindparam("at"))
_LOCK = _ROW.with_for_update()


def lock_for_rate(connection: sa.Connection, name: str, clock: Clock) -> tuple[Channel, datetime]:
    """The same, and when we had it. The rate is counted by that, so nodes must not differ in it by anything."""
    row: list[Any]
    *row, now = _looked(connection, clock, _LOOK, at=name)
    return Channel(*row), now


def look_to_pass(connection: sa.Connection, name: str, lane: Lane, clock: Clock) -> tuple[Channel, datetime] | None:
    """The same without a lock, for messages that would pass by the queue of their lane; None if others wait in it.

    Whoever has the row, it may have changed when it is locked.
    """
    row: list[Any]
    *row, others_wait, now = _looked(connection, clock, _LOOK_AT_QUEUE, at=name, at_lane=lane, now=clock())
    return None if others_wait else (Channel(*row), now)


def _looked(connection: sa.Connection, clock: Clock, look: sa.Select[Any], **values: object) -> Sequence[Any]:
    """The one row of a look, and after its values the time."""
    if is_theirs(clock):
        return clock.look(connection, _and_time(look), **values)
    return *connection.execute(look, values).one(), clock()


@cache
def _and_time(look: sa.Select[Any]) -> sa.Select[Any]:
    return look.add_columns(THEIRS)


_locked = _LOCK.cte("locked")  # the time beside the row itself would be from before the wait for it
_LOOK = sa.select(_locked)
# Whether anybody who is due waits in a lane.
WAITING = (
    sa.select(outbound.c.id)
    .where(
        outbound.c.channel == sa.bindparam("at"),
        outbound.c.lane == sa.bindparam("at_lane"),
        # The literal, and not a parameter, lets the planner see that the partial index serves.
        outbound.c.state == sa.text("'queued'"),
        outbound.c.not_before <= sa.bindparam("now"),
        outbound.c.expires_at > sa.bindparam("now"),
    )
    .exists()
)
_LOOK_AT_QUEUE = sa.select(_ROW.cte("row"), WAITING)


def every(connection: sa.Connection) -> dict[str, Channel]:
    """All channels by name, in the order of their names."""
    rows = connection.execute(sa.select(channel).order_by(channel.c.name))
    return {row.name: Channel(*row) for row in rows}


def write(connection: sa.Connection, before: Channel, after: Channel, now: datetime) -> None:
    """Write down a locked channel, and why it changed its state if it did."""
    if after == before:
        return
    connection.execute(_WRITE, {parameter: getattr(after, name) for parameter, name in _WRITTEN.items()})
    if after.state != before.state:
        event = {"id": new_id(), "channel": after.name, "at": now, "state": after.state, "reason": after.reason or ""}
        connection.execute(sa.insert(channel_event), event)


_WRITE = (
    sa.update(channel)
    .where(channel.c.name == sa.bindparam("written_name"))
    .values({column.name: sa.bindparam(f"written_{column.name}", type_=column.type) for column in channel.c})
)
_WRITTEN = {f"written_{column.name}": column.name for column in channel.c}


def events(connection: sa.Connection, name: str, limit: int = 20) -> list[Event]:
    """The latest changes of a channel's state, newest first."""
    columns = (channel_event.c.at, channel_event.c.state, channel_event.c.reason)
    latest = sa.select(*columns).where(channel_event.c.channel == name).order_by(channel_event.c.at.desc())
    return [Event(*row) for row in connection.execute(latest.limit(limit))]
