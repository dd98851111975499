"""Asking carriers how many messages they still take today, for those who look after the channels.

Nothing is decided by it: what a carrier does not take any more it refuses, and that goes by the next channel.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from providers.contract import Metered
from smsgw.clock import Clock
from smsgw.dispatch.channel import Channel
from smsgw.store import quotas
from smsgw.store.database import Database
from smsgw.store.quotas import Quota

STALE = timedelta(minutes=5)


def ask(database: Database, channels: Iterable[Channel], clock: Clock) -> None:
    """Ask all that say it and were not asked lately, by any node, and keep what they say."""
    metered = [channel for channel in channels if isinstance(channel.provider, Metered)]
    if not metered:
        return
    with database.reading() as connection:
        lately = {name for name, quota in quotas.every(connection).items() if clock() - quota.asked_at < STALE}
    told = [quota for channel in metered if channel.name not in lately and (quota := asked(channel, clock))]
    if told:
        with database.writing("quota") as connection:
            quotas.keep(connection, told)


def asked(channel: Channel, clock: Clock) -> Quota | None:
    """What a channel's carrier says now; None if it has no quota, or does not answer."""
    if not isinstance(channel.provider, Metered) or (said := channel.provider.quota()) is None:
        return None
    return Quota(channel.name, said.left, said.daily, clock())
