"""The sweep: settles every message whose state has outlived its deadline. Nothing is too old for it."""

from __future__ import annotations

from collections.abc import Mapping

from providers.contract import Abilities
from smsgw.clock import Clock, utc_now
from smsgw.dispatch.retry import resend_in_doubt
from smsgw.store import outbox
from smsgw.store.database import Database
from smsgw.store.states import State


def sweep(database: Database, abilities: Mapping[str, Abilities], clock: Clock = utc_now) -> int:
    """Settle what is past its deadline; how many messages that were. `abilities` by channel name."""
    now = clock()
    with database.writing() as connection:
        moved = outbox.rescue(connection, now)
        for message in outbox.doubtful(connection, now):
            able = abilities.get(message.channel)
            again = able is not None and resend_in_doubt(
                message.lane, idempotent=able.idempotent_by_ref, doubts=message.doubts
            )
            if message.expires_at <= now:
                after, deadline = State.EXPIRED, None
            elif again:
                after, deadline = State.QUEUED, message.expires_at
            else:
                after, deadline = State.UNKNOWN, message.expires_at
            moved += outbox.move(
                connection,
                message.id,
                State.UNKNOWN,
                after,
                deadline=deadline,
                now=now,
                not_before=now if after is State.QUEUED else None,
            )
        return moved + outbox.expire(connection, now)
