"""Officials' accounts, their sessions, and the failures that make signing in slower."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from smsgw.store.batch import InsertNew
from smsgw.store.tables import official, official_session, signin_failure

Role = Literal["viewer", "sender", "approver", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)  # each may do what those before it may
Stage = Literal["password", "full"]

_o, _s, _f = official.c, official_session.c, signin_failure.c


@dataclass(frozen=True, slots=True)
class Official:
    """Somebody who works with the gateway. `agency`: whose citizens and notices they see; None: the province's."""

    id: str
    name: str
    role: Role
    agency: str | None
    phone: str | None
    created_at: datetime
    disabled_at: datetime | None
    second_factor: bool

    def may(self, role: Role) -> bool:
        """Whether they may do what that role may."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def sees(self, agency: str | None) -> bool:
        """Whether what belongs to an agency, or to none, is theirs to see."""
        return self.agency is None or self.agency == agency


@dataclass(frozen=True, slots=True)
class Secrets:
    """What an official signs in with."""

    password: str | None
    totp_secret: str | None
    totp_step: int


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser."""

    token_hash: str
    official_id: str
    stage: Stage
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str


_OFFICIAL = (
    _o.id,
    _o.name,
    _o.role,
    _o.agency,
    _o.phone,
    _o.created_at,
    _o.disabled_at,
    _o.totp_secret.is_not(None).label("second_factor"),
)


def add(connection: sa.Connection, new: Official, password: str | None) -> None:
    """Write a new official. Raises IntegrityError if the name is taken."""
    row: dict[str, Any] = {"id": new.id, "name": new.name, "role": new.role, "agency": new.agency, "phone": new.phone}
    row |= {"created_at": new.created_at, "password": password, "totp_step": 0}
    connection.execute(sa.insert(official), row)


def every(connection: sa.Connection) -> list[Official]:
    """All officials by name."""
    return [Official(*row) for row in connection.execute(sa.select(*_OFFICIAL).order_by(_o.name))]


def page(connection: sa.Connection, agency: str | None, after: str, limit: int) -> list[Official]:
    """So many officials by name, of an agency or all, from the first one behind the name `after` on."""
    rows = sa.select(*_OFFICIAL).where(_o.name > after).order_by(_o.name).limit(limit)
    if agency is not None:
        rows = rows.where(_o.agency == agency)
    return [Official(*row) for row in connection.execute(rows)]


def by_name(connection: sa.Connection, name: str) -> Official | None:
    """The official of that name."""
    return _one(connection, _o.name == name)


def by_id(connection: sa.Connection, id: str) -> Official | None:
    """The official with that id."""
    return _one(connection, _o.id == id)


def lock(connection: sa.Connection, id: str) -> Official | None:
    """The same; whoever wants to change them waits until this transaction ends."""
    row = connection.execute(sa.select(*_OFFICIAL).where(_o.id == id).with_for_update()).one_or_none()
    return Official(*row) if row else None


def _one(connection: sa.Connection, which: sa.ColumnElement[bool]) -> Official | None:
    row = connection.execute(sa.select(*_OFFICIAL).where(which)).one_or_none()
    return Official(*row) if row else None


def secrets(connection: sa.Connection, id: str) -> Secrets:
    """What an official signs in with."""
    return Secrets(*connection.execute(sa.select(_o.password, _o.totp_secret, _o.totp_step).where(_o.id == id)).one())


def change(connection: sa.Connection, id: str, **values: Any) -> None:
    """Set columns of an official."""
    connection.execute(sa.update(official).where(_o.id == id).values(values))


def disable(connection: sa.Connection, id: str, now: datetime) -> bool:
    """From now on they can't sign in, and are signed out everywhere; False if it was so before."""
    enabled = sa.update(official).where(_o.id == id, _o.disabled_at.is_(None))
    disabled = connection.execute(enabled.values(disabled_at=now)).rowcount == 1
    end_sessions(connection, id)  # after their row is ours: whoever is just signing in with it has done so by then
    return disabled


def take_totp_step(connection: sa.Connection, id: str, step: int) -> bool:
    """Use up a step of the second factor; False if that or a later one was used before."""
    unused = sa.update(official).where(_o.id == id, _o.totp_step < step)
    return connection.execute(unused.values(totp_step=step)).rowcount == 1


def add_session(connection: sa.Connection, new: Session) -> None:
    """Write a new session."""
    connection.execute(sa.insert(official_session), {name: getattr(new, name) for name in Session.__dataclass_fields__})


def find_session(
    connection: sa.Connection, token_hash: str, *, seen_since: datetime, made_since: datetime
) -> tuple[Session, Official] | None:
    """A session that is neither idle nor old, and whose it is."""
    found = (
        sa.select(*official_session.c, *_OFFICIAL)
        .join(official, _o.id == _s.official_id)
        .where(_s.token_hash == token_hash, _s.seen_at > seen_since, _s.created_at > made_since)
        .where(_o.disabled_at.is_(None))
    )
    row = connection.execute(found).one_or_none()
    width = len(Session.__dataclass_fields__)
    return (Session(*row[:width]), Official(*row[width:])) if row else None


def sessions(connection: sa.Connection, official_id: str, seen_since: datetime) -> list[Session]:
    """An official's sessions that are not idle, the one seen last first."""
    rows = sa.select(official_session).where(_s.official_id == official_id, _s.seen_at > seen_since)
    return [Session(*row) for row in connection.execute(rows.order_by(_s.seen_at.desc()))]


def see(connection: sa.Connection, token_hash: str, now: datetime) -> None:
    """The session is in use."""
    connection.execute(sa.update(official_session).where(_s.token_hash == token_hash).values(seen_at=now))


def end_session(connection: sa.Connection, official_id: str, token_hash: str) -> bool:
    """End one of an official's sessions; False if they have none such."""
    mine = sa.delete(official_session).where(_s.token_hash == token_hash, _s.official_id == official_id)
    return connection.execute(mine).rowcount == 1


def end_sessions(connection: sa.Connection, official_id: str, but: str = "") -> None:
    """End all of an official's sessions, but the one with that token hash."""
    connection.execute(sa.delete(official_session).where(_s.official_id == official_id, _s.token_hash != but))


def forget_idle(connection: sa.Connection, before: datetime) -> None:
    """Remove sessions that nobody can use any more."""
    connection.execute(sa.delete(official_session).where(_s.seen_at <= before))


@dataclass(frozen=True, slots=True)
class Failures:
    """How often signing in failed in a row, and when last."""

    count: int
    last_at: datetime


def failures(connection: sa.Connection, subjects: list[str], now: datetime) -> dict[str, Failures]:
    """What is counted for each subject, locked until the transaction ends."""
    # What is not there can't be locked, and of the first tries at the same time each would be the first.
    _MEET.run(connection, ((subject, 0, now) for subject in sorted(subjects)))
    counted = sa.select(signin_failure).where(_f.subject.in_(subjects)).order_by(_f.subject).with_for_update()
    rows = connection.execute(counted)
    return {row.subject: Failures(row.failures, row.last_at) for row in rows}


_MEET = InsertNew(_f.subject, _f.failures, _f.last_at, returning=_f.subject)


def count_failure(connection: sa.Connection, subject: str, now: datetime, forget: datetime) -> None:
    """One more failure; it is the first if the last one was before `forget`."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    first = dialect.insert(signin_failure).values(subject=subject, failures=1, last_at=now)
    again = sa.case((_f.last_at < forget, 1), else_=_f.failures + 1)
    connection.execute(
        first.on_conflict_do_update(index_elements=[_f.subject], set_={"failures": again, "last_at": now})
    )
    # Who is just trying again, after days, holds theirs, and may be about to forget ours.
    old = sa.select(_f.subject).where(_f.last_at < forget).with_for_update(skip_locked=True)
    connection.execute(sa.delete(signin_failure).where(_f.subject.in_(old)))


def forget_failures(connection: sa.Connection, subject: str) -> None:
    """Start anew."""
    connection.execute(sa.delete(signin_failure).where(_f.subject == subject))


def forgive_failure(connection: sa.Connection, subject: str) -> None:
    """One less: what was counted as a failure was none."""
    counted = sa.update(signin_failure).where(_f.subject == subject, _f.failures > 0)
    connection.execute(counted.values(failures=_f.failures - 1))
