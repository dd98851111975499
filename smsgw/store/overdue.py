"""Messages past their deadline: what ends a state that has lasted for too long, whatever was to end it.

    rescue    put in doubt what was claimed by a sender that did not come back, if a carrier may have it
    expire    end what waited too long

Those in doubt are decided on, see `pending`.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from smsgw.store import attempts, receipts
from smsgw.store.attempts import Attempt
from smsgw.store.states import LIVE_FOR, NO_RECEIPT, State, check_move
from smsgw.store.tables import Lane, outbound, reminder

LEASE_LOST = "lease_lost"

_c = outbound.c
# As EXISTS, it would have PostgreSQL begin at the reminders, and look through all that there ever were.
_UNSENT = sa.select(reminder.c.message).where(reminder.c.message == _c.id, reminder.c.sent_on.is_(None))
_UNSEEN = sa.and_(_c.lane == int(Lane.REMINDER), _UNSENT.correlate(outbound).scalar_subquery().is_not(None))


def rescue(connection: sa.Connection, now: datetime, limit: int = 500) -> int:
    """Messages whose sender did not come back are in doubt, as the carrier may have them; how many there were.

    It can't have a reminder that was never seen to be still true: that one is queued again, in its old place.
    """
    late = past_deadline(State.SENDING, now, limit)
    rows = connection.execute(
        sa.update(outbound)
        .where(_c.id.in_(sa.select(late.c.id)))
        .values(
            state=sa.case((_UNSEEN, State.QUEUED), else_=State.UNKNOWN),
            lease=None,
            deadline=sa.case((_UNSEEN, _c.expires_at), else_=now),
            doubts=_c.doubts + sa.case((_UNSEEN, 0), else_=1),
            error_code=sa.case((_UNSEEN, _c.error_code), else_=LEASE_LOST),
        )
        .returning(_c.id, _c.channel, _c.attempts, _c.state)
    ).all()
    lost = [row for row in rows if row.state == State.UNKNOWN]
    attempts.note(connection, [Attempt(row.id, row.attempts, now, row.channel, "unknown", LEASE_LOST) for row in lost])
    for channel in {row.channel for row in lost}:
        receipts.apply_parked(connection, channel, {row.id: () for row in lost if row.channel == channel}, now)
    return len(rows)


def expire(connection: sa.Connection, now: datetime, limit: int = 500) -> int:
    """Messages that waited too long to be sent, or whose receipt never came, are over."""
    expired = 0
    for state, code in ((State.QUEUED, None), (State.HELD, None), (State.SUBMITTED, NO_RECEIPT)):
        check_move(state, State.EXPIRED)
        late = past_deadline(state, now, limit)
        rows = connection.execute(
            sa.update(outbound)
            .where(_c.id.in_(sa.select(late.c.id)))
            .values(state=State.EXPIRED, deadline=now + LIVE_FOR, finished_at=now, error_code=code)
            .returning(_c.id)
        ).all()
        expired += len(rows)
    return expired


def past_deadline(state: State, now: datetime, limit: int, *so: sa.ColumnElement[bool]) -> sa.CTE:
    """The ids of messages that have been in a state for too long, locked in it until the transaction ends.

    `so`: of those for which that holds.
    """
    return (
        sa.select(_c.id)
        .where(_c.state == state, _c.deadline <= now, *so)
        .order_by(_c.deadline)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("late")
    )
