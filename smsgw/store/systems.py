"""Other systems that use /api: their keys, what they asked for, and which messages are theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from smsgw.store.batch import InsertNew
from smsgw.store.history import message
from smsgw.store.officials import Official, Role
from smsgw.store.states import FINAL
from smsgw.store.tables import api_key, api_message, api_request, history, outbound

SYSTEM = "key:"  # begins a system's name among officials, whose names have no colon
REQUESTED_FOR = timedelta(days=1)  # so long a request is known by its name, and not done again

_k, _r, _m = api_key.c, api_request.c, api_message.c


@dataclass(frozen=True, slots=True)
class Key:
    """A system's key. `agency`: whose messages and notices it sees; None: the province's. `daily`: messages a day.

    `created_by`: an official's name, or cli:USER.
    """

    id: str
    name: str
    role: Role
    agency: str | None
    daily: int
    created_at: datetime
    created_by: str
    used_at: datetime | None
    revoked_at: datetime | None

    @property
    def official(self) -> Official:
        """The system as one of the officials."""
        name = f"{SYSTEM}{self.name}"
        return Official(self.id, name, self.role, self.agency, None, self.created_at, self.revoked_at, False)


_KEY = (_k.id, _k.name, _k.role, _k.agency, _k.daily, _k.created_at, _k.created_by, _k.used_at, _k.revoked_at)


def add(connection: sa.Connection, new: Key, secret_hash: str) -> None:
    """Write a new key. Raises IntegrityError if the name belongs to one that is not revoked."""
    row = {column.name: getattr(new, column.name) for column in _KEY}
    connection.execute(sa.insert(api_key), row | {"secret_hash": secret_hash})


def every(connection: sa.Connection) -> list[Key]:
    """All keys by name, revoked ones too, the latest of a name last."""
    return [Key(*row) for row in connection.execute(sa.select(*_KEY).order_by(_k.name, _k.id))]


def page(connection: sa.Connection, agency: str | None, after: str, limit: int) -> list[Key]:
    """So many keys in the same order, of an agency or all, from the one behind that with the id `after` on."""
    rows = sa.select(*_KEY).order_by(_k.name, _k.id).limit(limit)
    if agency is not None:
        rows = rows.where(_k.agency == agency)
    if last := by_id(connection, after):
        rows = rows.where(sa.tuple_(_k.name, _k.id) > (last.name, last.id))
    return [Key(*row) for row in connection.execute(rows)]


def by_id(connection: sa.Connection, id: str) -> Key | None:
    """The key with that id."""
    return _one(connection, _k.id == id)


def by_name(connection: sa.Connection, name: str) -> Key | None:
    """The key of that name that is not revoked."""
    return _one(connection, _k.name == name, _k.revoked_at.is_(None))


def by_secret(connection: sa.Connection, secret_hash: str) -> Key | None:
    """The key that a secret opens with."""
    return _one(connection, _k.secret_hash == secret_hash, _k.revoked_at.is_(None))


def _one(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> Key | None:
    row = connection.execute(sa.select(*_KEY).where(*which)).one_or_none()
    return Key(*row) if row else None


def lock(connection: sa.Connection, id: str) -> Key | None:
    """A key that is not revoked; whoever sends with it, or revokes it, waits until this transaction ends."""
    # But not who writes a row that names the key: whoever holds the key may have to wait for that row in turn.
    living = sa.select(*_KEY).where(_k.id == id, _k.revoked_at.is_(None)).with_for_update(key_share=True)
    found = connection.execute(living).one_or_none()
    return Key(*found) if found else None


def use(connection: sa.Connection, id: str, now: datetime) -> None:
    """The key is in use."""
    connection.execute(sa.update(api_key).where(_k.id == id).values(used_at=now))


def revoke(connection: sa.Connection, id: str, now: datetime) -> bool:
    """From now on its secret opens nothing; False if it was so before."""
    living = sa.update(api_key).where(_k.id == id, _k.revoked_at.is_(None))
    return connection.execute(living.values(revoked_at=now)).rowcount == 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for under a name, and the id of what was made."""

    fingerprint: str
    made: str


def asked(connection: sa.Connection, key: str, name: str) -> Asked | None:
    """What a key's request of that name was."""
    named = sa.select(_r.fingerprint, _r.made).where(_r.key_id == key, _r.name == name)
    row = connection.execute(named).one_or_none()
    return Asked(*row) if row else None


def ask(connection: sa.Connection, key: str, name: str, asked: Asked, now: datetime) -> bool:
    """Write down what was asked for, with what makes it; False if that name was used.

    Whoever uses the same name at the same time is waited for.
    """
    return bool(_ASK.run(connection, [(key, name, asked.fingerprint, now, asked.made)]))


_ASK = InsertNew(*_r, returning=_r.name)


def sent(connection: sa.Connection, key: str, message_id: str, now: datetime, reference: str | None = None) -> None:
    """A message is that key's. `reference`: what the system calls it."""
    row = {"message_id": message_id, "key_id": key, "at": now, "reference": reference}
    connection.execute(sa.insert(api_message), row)


def sent_since(connection: sa.Connection, key: str, since: datetime) -> int:
    """How many messages a key has sent."""
    mine = sa.select(sa.func.count()).where(_m.key_id == key, _m.at >= since)
    return connection.scalar(mine) or 0


@dataclass(frozen=True, slots=True)
class Sought:
    """Which messages are asked for, all that is given at once. `before`: older than that one; `to`: a phone.

    `since` and `until`: sent then or later, and earlier than then; `reference`: what the system calls it.
    """

    before: str | None = None
    state: str | None = None
    to: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    reference: str | None = None


def messages(connection: sa.Connection, agency: str | None, sought: Sought, limit: int) -> Sequence[Any]:
    """The messages of an agency's systems, newest first. None: of all systems."""
    newest_first = _m.at.desc(), _m.message_id.desc()  # as an index has them
    ids = _theirs(agency).where(*_conditions(sought)).order_by(*newest_first).limit(limit)
    chosen = _WITH_REFERENCE.where(message.c.id.in_(ids))
    return connection.execute(chosen.order_by(message.c.created_at.desc(), message.c.id.desc())).all()


def _theirs(agency: str | None) -> sa.Select[Any]:
    ids = sa.select(_m.message_id).join_from(api_message, api_key, _k.id == _m.key_id)
    return ids if agency is None else ids.where(_k.agency == agency)


def _conditions(sought: Sought) -> Iterator[sa.ColumnElement[bool]]:
    if sought.before is not None:
        at = sa.select(_m.at).where(_m.message_id == sought.before).scalar_subquery()
        yield _m.at <= at
        yield sa.or_(_m.at < at, _m.message_id < sought.before)
    if sought.since is not None:
        yield _m.at >= sought.since
    if sought.until is not None:
        yield _m.at < sought.until
    if sought.reference is not None:
        yield _m.reference == sought.reference
    if sought.to is not None:  # a person's few messages are found first, by an index
        to = (sa.select(table.c.id).where(table.c.recipient == sought.to) for table in (outbound, history))
        yield _m.message_id.in_(sa.union_all(*to))
    if sought.state in FINAL:  # looked at message by message: of all messages very many are in one state
        yield sa.or_(*(_is_in(table, sought.state) for table in (outbound, history)))
    elif sought.state is not None:  # only among the live ones; PostgreSQL is told which state, as most are of few
        state = sa.literal(sought.state, literal_execute=True)
        yield _m.message_id.in_(sa.select(outbound.c.id).where(outbound.c.state == state))


def _is_in(table: sa.Table, state: str) -> sa.ColumnElement[bool]:
    return sa.exists().where(table.c.id == _m.message_id, table.c.state == state)


_WITH_REFERENCE = sa.select(
    message, sa.select(_m.reference).where(_m.message_id == message.c.id).scalar_subquery().label("reference")
)


def messages_of(connection: sa.Connection, ids: Collection[str], agency: str) -> set[str]:
    """Those of these messages that an agency's systems sent."""
    return {*connection.execute(_theirs(agency).where(_m.message_id.in_(ids))).scalars()}


def senders(connection: sa.Connection, ids: Collection[str]) -> dict[str, str]:
    """Those of these messages that systems sent, each with the name of its key."""
    rows = sa.select(_m.message_id, _k.name).join_from(api_message, api_key, _k.id == _m.key_id)
    return {row.message_id: row.name for row in connection.execute(rows.where(_m.message_id.in_(ids)))}


def one(connection: sa.Connection, id: str, agency: str | None) -> Any | None:
    """A message that an agency's systems sent. None: that any system sent."""
    theirs = _theirs(agency).where(_m.message_id == id)
    return connection.execute(_WITH_REFERENCE.where(message.c.id.in_(theirs))).one_or_none()
