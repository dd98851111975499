"""The keys to a channel whose tokens rotate: read by all nodes, renewed by one at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from smsgw.store.batch import InsertNew
from smsgw.store.tables import access_key

_c = access_key.c


@dataclass(frozen=True, slots=True)
class Ring:
    """Which keys: of a channel, come from the refresh token with that SHA-256."""

    channel: str
    origin: str


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A row; the schema says what each column means."""

    access_token: str | None = field(repr=False)
    refresh_token: str = field(repr=False)
    renewed_at: datetime | None
    expires_at: datetime | None
    lease_until: datetime | None
    fault: str | None


def ensure(connection: sa.Connection, ring: Ring, refresh_token: str) -> None:
    """Begin with a refresh token if that one was never begun with."""
    _ENSURE.run(connection, [(ring.channel, ring.origin, refresh_token)])


_ENSURE = InsertNew(_c.channel, _c.origin, _c.refresh_token, returning=_c.channel)


def read(connection: sa.Connection, ring: Ring) -> AccessKey | None:
    """The keys as they are now; None if there are none yet."""
    columns = (_c.access_token, _c.refresh_token, _c.renewed_at, _c.expires_at, _c.lease_until, _c.fault)
    row = connection.execute(sa.select(*columns).where(*_of(ring))).one_or_none()
    return AccessKey(*row) if row else None


def claim(
    connection: sa.Connection, ring: Ring, seen: AccessKey, lease: str, *, until: datetime, now: datetime
) -> bool:
    """Take it upon us to renew the keys that we have seen; False if another node does, or has done so."""
    free = sa.or_(_c.lease_until.is_(None), _c.lease_until <= now)
    claiming = sa.update(access_key).where(*_of(ring), _c.refresh_token == seen.refresh_token, free)
    return connection.execute(claiming.values(lease=lease, lease_until=until)).rowcount == 1


def keep(
    connection: sa.Connection, ring: Ring, traded: str, access_token: str, refresh_token: str, *,
    expires_at: datetime, now: datetime,
) -> bool:  # fmt: skip
    """Keep what was given for the refresh token `traded`, which is spent; False if it is not the one that we have.

    Guarded by that token and not by the lease: whoever holds what came for it has the only keys that there are.
    """
    given = {"access_token": access_token, "refresh_token": refresh_token, "renewed_at": now, "expires_at": expires_at}
    keeping = sa.update(access_key).where(*_of(ring), _c.refresh_token == traded)
    return connection.execute(keeping.values(**given, lease=None, lease_until=None, fault=None)).rowcount == 1


def failed(connection: sa.Connection, ring: Ring, lease: str, fault: str, until: datetime) -> None:
    """A renewal came to nothing. Nobody tries again before `until`."""
    failing = sa.update(access_key).where(*_of(ring), _c.lease == lease)
    connection.execute(failing.values(lease=None, lease_until=until, fault=fault))


def end(connection: sa.Connection, ring: Ring, access_token: str, now: datetime) -> None:
    """The carrier does not take that access token any more."""
    ending = sa.update(access_key).where(*_of(ring), _c.access_token == access_token, _c.expires_at > now)
    connection.execute(ending.values(expires_at=now))


def _of(ring: Ring) -> tuple[sa.ColumnElement[bool], ...]:
    return _c.channel == ring.channel, _c.origin == ring.origin
