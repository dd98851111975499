"""Passing by the queue: what one message takes of its channel's rate is counted by the statement that stores it.

`dispatch.pace` is the rule, and a test holds the two together. To count here saves who texts a look at the channel.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from smsgw.store.channels import WAITING
from smsgw.store.clock import THEIRS_AS_KEPT
from smsgw.store.dialects import elapsed, greatest, least
from smsgw.store.tables import Lane, Real, channel


class Passing(NamedTuple):
    """A message that would pass by the queue of a lane, if nobody who is due waits there and its channel has room.

    `tps`, `full`: how fast the channel's allowance grows, and up to what. `not_after`: when it may have been counted at
    the latest; what a clock that was set back has left is for who locks the row. `theirs`: whether the rate is counted
    by the database's clock, and not by `now`.
    """

    channel: str
    lane: Lane
    tps: float
    full: float
    now: datetime
    not_after: datetime
    theirs: bool

    def statement(self) -> sa.Update:
        """Takes what a message needs of the rate; no row if there is not so much.

        Nor if another transaction has the row, which may keep it for long: nobody who texts waits for that.
        """
        return _pass(self.theirs)

    def take(self, connection: sa.Connection) -> bool:
        """Take it; whether there was so much."""
        return connection.execute(self.statement(), self.parameters()).first() is not None

    def parameters(self) -> dict[str, Any]:
        """The statement's."""
        return {
            "at": self.channel,
            "at_lane": self.lane,
            "per_second": self.tps,
            "full": self.full,
            "now": self.now,
            "not_after": self.not_after,
        }


@cache
def _pass(theirs: bool) -> sa.Update:
    now = sa.bindparam("now", type_=_c.allowed_at.type)
    free = (
        sa.select(
            _c.name,
            _c.allowance,
            _c.allowed_at,
            # Looked at once, as theirs goes on.
            greatest(_c.allowed_at, THEIRS_AS_KEPT if theirs else now).label("until"),
        )
        .where(_c.name == sa.bindparam("at"), _c.state == "open", sa.or_(_c.resume_at.is_(None), _c.resume_at <= now))
        .where(_c.allowed_at <= sa.bindparam("not_after", type_=_c.allowed_at.type), ~WAITING)
        .with_for_update(skip_locked=True)
        .cte("free")
    )
    saved_up = elapsed(free.c.until, free.c.allowed_at) * sa.bindparam("per_second", type_=Real)
    room = least(sa.bindparam("full", type_=Real), free.c.allowance + saved_up)
    return (
        sa.update(channel)
        .where(_c.name == free.c.name, room >= 1)
        .values(allowance=room - 1, allowed_at=free.c.until)
        .returning(_c.name)
    )


_c = channel.c
