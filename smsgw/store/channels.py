"""What all nodes together know of a channel: whether it stands still, and how much of its rate is free."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from smsgw.store.database import insert_new
from smsgw.store.tables import channel


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel's row."""

    name: str
    held_at: datetime | None
    held_reason: str | None
    resume_at: datetime | None
    allowance: float
    allowed_at: datetime


def ensure(connection: sa.Connection, name: str, now: datetime) -> None:
    """Make the channel's row if there is none."""
    connection.execute(insert_new(connection, channel), [{"name": name, "allowance": 0.0, "allowed_at": now}])


def lock(connection: sa.Connection, name: str) -> Channel:
    """The channel's row; whoever else wants it waits until this transaction ends."""
    row = connection.execute(sa.select(channel).where(channel.c.name == name).with_for_update()).one()
    return Channel(*row)


def every(connection: sa.Connection) -> list[Channel]:
    """All channels, by name."""
    return [Channel(*row) for row in connection.execute(sa.select(channel).order_by(channel.c.name))]


def spend(connection: sa.Connection, name: str, allowance: float, now: datetime) -> None:
    """Write down what is left of the allowance."""
    _update(connection, name, allowance=allowance, allowed_at=now)


def slow_down(connection: sa.Connection, name: str, resume_at: datetime) -> None:
    """Send nothing more until then."""
    _update(connection, name, resume_at=resume_at)


def hold(connection: sa.Connection, name: str, reason: str, now: datetime) -> None:
    """Send nothing more until someone has mended the channel."""
    _update(connection, name, held_at=now, held_reason=reason)


def release(connection: sa.Connection, name: str) -> None:
    """Let a held channel send again."""
    _update(connection, name, held_at=None, held_reason=None)


def _update(connection: sa.Connection, name: str, **values: object) -> None:
    connection.execute(sa.update(channel).where(channel.c.name == name).values(values))
