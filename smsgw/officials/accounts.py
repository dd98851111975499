"""Officials' accounts: making and changing them. Each change is recorded in the audit log, in the same transaction."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from smsgw.clock import Clock
from smsgw.failure import ExpectedFailure
from smsgw.officials import audit, passwords, totp
from smsgw.store import officials as rows
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.officials import ROLES, Official, Role

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}", re.ASCII)


class AccountError(ExpectedFailure):
    """An account can't be made or changed so. `reason` is a word for it, for pages that say it in their language."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def highest_role(text: str) -> Role:
    """The role that a list such as "viewer,sender" comes to. Raises AccountError."""
    given = {word.strip() for word in text.split(",")}
    if unknown := sorted(given - set(ROLES)):
        raise AccountError("role", f"there is no role {unknown[0]!r}; expected some of {', '.join(ROLES)}")
    return max((role for role in ROLES if role in given), key=ROLES.index)


class Accounts:
    """All accounts. `who` is in each change the one who makes it, as the audit log names them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def every(self) -> list[Official]:
        """All officials by name."""
        with self._database.reading() as connection:
            return rows.every(connection)

    def page(self, agency: str | None, after: str, limit: int) -> list[Official]:
        """So many officials by name, all or those bound to an agency, from the first one behind the name `after` on."""
        with self._database.reading() as connection:
            return rows.page(connection, agency, after, limit)

    def find(self, id: str) -> Official | None:
        """The official with that id."""
        with self._database.reading() as connection:
            return rows.by_id(connection, id)

    def named(self, name: str) -> Official:
        """The official of that name. Raises AccountError."""
        with self._database.reading() as connection:
            return _named(connection, name)

    def add(
        self, name: str, role: Role, agency: str | None, phone: str | None, password: str | None, who: str
    ) -> Official:
        """A new official; without a password they sign in by OpenID Connect. Raises AccountError and PoorPassword."""
        name = name.casefold().strip()
        if not _NAME.fullmatch(name):
            raise AccountError("name", f"{name!r} can't be a name; expected 2 to 64 of a-z 0-9 . _ @ -")
        if name == audit.GATEWAY:
            raise AccountError("taken", f"{name} is what the audit log calls the gateway itself; choose another name")
        hash = None if password is None else _hash(password, name)
        new = Official(new_id(), name, role, agency, phone, self._clock(), None, second_factor=False)
        try:
            with self._changing(who, "official.add", name, role=role, agency=agency or "") as connection:
                rows.add(connection, new, hash)
        except sa.exc.IntegrityError:
            raise AccountError("taken", f"there is an official {name} already") from None
        return new

    def change(self, official: Official, role: Role, agency: str | None, phone: str | None, who: str) -> None:
        """Set what they may do and see."""
        said = {"role": role, "agency": agency or "", "phone": phone or ""}
        with self._changing(who, "official.change", official.name, **said) as connection:
            rows.change(connection, official.id, role=role, agency=agency, phone=phone)

    def set_password(self, official: Official, password: str, who: str, session: str = "") -> None:
        """A new password; all sessions end but the one of that hash. Raises PoorPassword."""
        hash = _hash(password, official.name)
        with self._changing(who, "official.password", official.name) as connection:
            rows.change(connection, official.id, password=hash)
            rows.end_sessions(connection, official.id, but=session)

    def disable(self, official: Official, who: str) -> None:
        """They can't sign in any more, and what they are signed in with ends."""
        with self._changing(who, "official.disable", official.name) as connection:
            rows.disable(connection, official.id, self._clock())

    def enable(self, official: Official, who: str) -> None:
        """They can sign in again."""
        with self._changing(who, "official.enable", official.name) as connection:
            rows.change(connection, official.id, disabled_at=None)

    def begin_second_factor(self, official: Official, secret: str, code: str, session: str = "") -> bool:
        """From now on signing in needs a code as well; all sessions end but the one of that hash.

        False if the code does not belong to the secret.
        """
        step = totp.step_matching(secret, code, self._clock())
        if step is None:
            return False
        with self._changing(official.name, "official.second_factor", official.name) as connection:
            rows.change(connection, official.id, totp_secret=secret, totp_step=step)
            rows.end_sessions(connection, official.id, but=session)
        return True

    def end_second_factor(self, official: Official, who: str) -> None:
        """Signing in needs no code any more, for somebody whose phone is lost."""
        with self._changing(who, "official.no_second_factor", official.name) as connection:
            rows.change(connection, official.id, totp_secret=None)

    @contextmanager
    def _changing(self, who: str, action: str, name: str, **detail: str) -> Iterator[sa.Connection]:
        with self._database.writing("officials") as connection:
            yield connection
            audit.record(connection, who, action, name, detail, self._clock())


def _hash(password: str, name: str) -> str:
    passwords.check_new(password, name)
    return passwords.hashed(password)


def _named(connection: sa.Connection, name: str) -> Official:
    found = rows.by_name(connection, name.casefold().strip())
    if found is None:
        raise AccountError("unknown", f"there is no official {name}; smsgw user list shows those there are")
    return found


def acting(connection: sa.Connection, name: str, role: Role) -> Official:
    """The official whom a command acts as, who must have that role. Raises AccountError."""
    official = _named(connection, name)
    if official.disabled_at is not None:
        raise AccountError("disabled", f"{official.name} is disabled")
    if not official.may(role):
        raise AccountError("may_not", f"{official.name} is {official.role}, and this takes the role {role}")
    return official
