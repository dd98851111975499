"""One renewer for a channel's tokens over all nodes.

A refresh token is good for one renewal. So a lease in the database says who renews, and what comes for the token is
committed before it is used; while the database does not take it, the node tries again. Keys are renewed when half of
their life is over: if a renewal is lost, because the node was killed between the carrier's answer and the commit, there
is half a life left in which messages still go out and an operator can authorise the account again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa

from providers.contract import ChannelRefused, Renewed, Renewing, Unreachable
from smsgw.clock import Clock
from smsgw.dispatch.handing import readable
from smsgw.store import access_keys
from smsgw.store.access_keys import AccessKey, Ring
from smsgw.store.database import Database
from smsgw.store.ids import new_id

MARGIN = timedelta(seconds=60)  # a token that ends so soon is not begun to be used
LEASE = timedelta(seconds=60)  # for one renewal
REST = timedelta(minutes=5)  # after one that the carrier refused
FRESH = timedelta(minutes=2)  # the age in which a token must be good, whatever the carrier says

log = logging.getLogger("smsgw.dispatch")


class KeyRing:
    """The keys of one channel. Implements `providers.contract.Keys`."""

    def __init__(self, database: Database, channel: str, provider: Renewing, clock: Clock) -> None:
        self._database = database
        self._provider = provider
        self._clock = clock
        first = provider.first_refresh_token
        self._ring = Ring(channel, hashlib.sha256(first.encode()).hexdigest())
        self._known: AccessKey | None = None
        self._unkept: tuple[str, Renewed, datetime] | None = None  # the spent token, what came for it, and when

    def access_token(self) -> str | None:
        """The token to show; None while another node renews it. Raises CallFailed."""
        now = self._clock()
        with _database_or_call_failed():
            self._keep()
            key = self._known if self._known and _good(self._known, now) else self._read()
            self._known = key
            return key.access_token if _good(key, now) else self._renewed(key, now)

    def rejected(self, token: str) -> None:
        """The carrier does not take that token (any more). Raises ChannelRefused if it has only just given it."""
        with _database_or_call_failed():
            now, key, self._known = self._clock(), self._read(), None
            if key.access_token != token:
                return  # it has been renewed meanwhile
            if key.renewed_at is not None and now - key.renewed_at < FRESH:
                raise ChannelRefused("the carrier does not take a token that it has only just given")
            with self._database.writing("keys") as connection:
                access_keys.end(connection, self._ring, token, now)

    def trouble(self) -> str | None:
        """Why the last renewal failed, for the operator; None if it did not."""
        return self._read().fault

    def keep_fresh(self) -> None:
        """Renew what is past half of its life. Failures are logged and noted, since there is a token to go on with."""
        self._keep()
        now, key = self._clock(), self._read()
        if key.lease_until is not None and key.lease_until > now:
            return
        if not key.renewed_at or not key.expires_at or now >= key.renewed_at + (key.expires_at - key.renewed_at) / 2:
            try:
                self._renewed(key, now)
            except (ChannelRefused, Unreachable) as error:
                log.error("channel %s: its token is not renewed: %s", self._ring.channel, error)

    def _read(self) -> AccessKey:
        with self._database.reading() as connection:
            key = access_keys.read(connection, self._ring)
        if key is not None:
            return key
        with self._database.writing("keys") as connection:
            access_keys.ensure(connection, self._ring, self._provider.first_refresh_token)
        return self._read()

    def _renewed(self, seen: AccessKey, now: datetime) -> str | None:
        lease = new_id()
        with self._database.writing("keys") as connection:
            ours = access_keys.claim(connection, self._ring, seen, lease, until=now + LEASE, now=now)
        if not ours:
            return self._of_another(seen, now)
        try:
            renewed = self._provider.renew(seen.refresh_token)
        except (ChannelRefused, Unreachable) as error:
            rest = REST if isinstance(error, ChannelRefused) else timedelta()
            with self._database.writing("keys") as connection:
                access_keys.failed(connection, self._ring, lease, readable(str(error)), self._clock() + rest)
            raise
        self._unkept = seen.refresh_token, renewed, self._clock()
        self._keep()
        return renewed.access_token

    def _keep(self) -> None:
        """Write down what came for a spent token. While the database does not take it, nobody else has it."""
        unkept, self._unkept = self._unkept, None
        if unkept is None:
            return
        spent, renewed, at = unkept
        try:
            with self._database.writing("keys") as connection:
                kept = access_keys.keep(
                    connection, self._ring, spent, renewed.access_token, renewed.refresh_token,
                    expires_at=at + renewed.lifetime, now=at,
                )  # fmt: skip
        except sa.exc.SQLAlchemyError:
            self._unkept = unkept
            raise
        if not kept:
            log.error("channel %s: a token was renewed twice; only the first renewal is kept", self._ring.channel)
        self._known = None

    def _of_another(self, seen: AccessKey, now: datetime) -> str | None:
        """What there is when we may not renew: another node does, or the last renewal was refused and rests."""
        self._known = key = self._read()
        if _good(key, now):
            return key.access_token
        if key.fault is not None and key.refresh_token == seen.refresh_token:
            raise ChannelRefused(key.fault)
        return None


@contextmanager
def _database_or_call_failed() -> Iterator[None]:
    """Without the keys nothing can be sent, which a sender knows how to bear."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        raise Unreachable(f"the channel's tokens can't be read: {type(error).__name__}") from None


def _good(key: AccessKey, now: datetime) -> bool:
    return key.access_token is not None and key.expires_at is not None and key.expires_at > now + MARGIN
