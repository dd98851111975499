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

    `tps`, `full`: how fast the channel's allowance grows, and up to what. `theirs`: whether all of that is judged by
    the database's clock, and not by `now`. `set_back`: seconds by which clocks may differ. A channel that was counted
    later than that was left so by a clock that was set back, and is for who locks it; and if `now`, from which the
    message's lease lasts, is so far from the database's clock, the message is for who claims it.
    """

    channel: str
    lane: Lane
    tps: float
    full: float
    now: datetime
    set_back: float
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
            "set_back": self.set_back,
        }


@cache
def _pass(theirs: bool) -> sa.Update:
    now = sa.bindparam("now", type_=_c.allowed_at.type)
    time: sa.ColumnElement[datetime] = THEIRS_AS_KEPT if theirs else now
    set_back: sa.BindParameter[float] = sa.bindparam("set_back", type_=Real)
    free = (
        # One look at the time for what is counted, as theirs goes on. PostgreSQL takes it before the lock; but nobody
        # waits for that, and of a row which has changed meanwhile all of this is reckoned anew.
        sa.select(_c.name, _c.allowance, _c.allowed_at, greatest(_c.allowed_at, time).label("until"))
        .where(_c.name == sa.bindparam("at"), _c.state == "open", sa.or_(_c.resume_at.is_(None), _c.resume_at <= time))
        .where(elapsed(_c.allowed_at, time) <= set_back, sa.func.abs(elapsed(now, time)) <= set_back, ~WAITING)
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
