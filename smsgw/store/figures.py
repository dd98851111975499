"""The outbox in figures, for operators."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from smsgw.store import channels
from smsgw.store.states import State
from smsgw.store.tables import Lane, outbound

_c = outbound.c
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """One channel: what waits there; whether it is open, since when and why; and until when it rests if it does."""

    queued: int
    sending: int
    state: channels.State
    since: datetime
    reason: str | None
    resume_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outbox:
    """How many live messages are in each state, how long the oldest due one has waited, and the channels."""

    states: dict[str, int]
    oldest_queued_seconds: float
    channels: dict[str, ChannelFigures]


def outbox(connection: sa.Connection, now: datetime, opened: datetime | None = _EVER) -> Outbox:
    """The outbox as it stands. `opened`: since when reminders and notices may go out; None: they may not now.

    For their hour they wait as they are meant to: that is counted for no wait.
    """
    states, counts = _counted(connection)
    return Outbox(
        states={state.value: states[state] for state in State},
        oldest_queued_seconds=_waited(connection, now, opened),
        channels={
            row.name: ChannelFigures(
                queued=counts[row.name, State.QUEUED],
                sending=counts[row.name, State.SENDING],
                state=row.state,
                since=row.changed_at,
                reason=row.reason,
                resume_at=row.resume_at if row.waits(now) else None,
            )
            for row in channels.every(connection).values()
        },
    )


def _waited(connection: sa.Connection, now: datetime, opened: datetime | None) -> float:
    """How many seconds the oldest message has waited that might have gone out."""
    is_reply = _c.lane == int(Lane.REPLY)
    of_replies, of_others = (sa.func.min(sa.case((lane, _c.not_before))) for lane in (is_reply, ~is_reply))
    oldest = sa.select(of_replies, of_others)
    due = oldest.where(_c.state == sa.text("'queued'"), _c.not_before <= now)
    asked, unasked = connection.execute(due).one()
    waits = [asked] if asked else []
    if unasked and opened:
        waits.append(max(unasked, opened))
    return round((now - min(waits)).total_seconds(), 1) if waits else 0.0


def _counted(connection: sa.Connection) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """How many messages are in each state; and of those that are queued or being sent, in each channel.

    In one statement: between two, a message moves from one figure to another.
    """
    # Most are finished: those are counted in the index of states, and only of the others it is asked where they lie.
    waiting = _c.state.in_((State.QUEUED, State.SENDING))
    others = sa.select(_c.state, sa.null(), sa.func.count()).where(~waiting).group_by(_c.state)
    here = sa.select(_c.state, _c.channel, sa.func.count()).where(waiting).group_by(_c.state, _c.channel)
    states: Counter[str] = Counter()
    by_channel: Counter[tuple[str, str]] = Counter()
    for state, channel, count in connection.execute(sa.union_all(others, here)):
        states[state] += count
        by_channel[channel or "", state] += count
    return states, by_channel
