"""Asking carriers how many messages they still take today, for those who look after the channels.

Nothing is decided by it: what a carrier does not take any more it refuses, and that goes by the next channel.
"""

from __future__ import annotations

from collections.abc import Iterable

from providers.contract import Metered
from smsgw.clock import Clock
from smsgw.dispatch.channel import Channel
from smsgw.store import quotas
from smsgw.store.database import Database
from smsgw.store.quotas import Quota


def ask(database: Database, channels: Iterable[Channel], clock: Clock) -> None:
    """Ask all that say it, and keep what they say."""
    told = [quota for channel in channels if (quota := asked(channel, clock)) is not None]
    if told:
        with database.writing("quota") as connection:
            quotas.keep(connection, told)


def asked(channel: Channel, clock: Clock) -> Quota | None:
    """What a channel's carrier says now; None if it has no quota, or does not answer."""
    if not isinstance(channel.provider, Metered) or (said := channel.provider.quota()) is None:
        return None
    return Quota(channel.name, said.left, said.daily, clock())
