"""Other systems' keys to /api. Each change is recorded in the audit log, in the same transaction."""

from __future__ import annotations

import hashlib
import re
import secrets
from contextlib import suppress
from datetime import timedelta

import sqlalchemy as sa

from smsgw.clock import Clock
from smsgw.failure import ExpectedFailure
from smsgw.officials import audit
from smsgw.store import systems as rows
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.officials import Role
from smsgw.store.systems import Key

DAILY = 1000  # messages a day, where nobody says otherwise
MOST_A_DAY = 1_000_000
ROLES: tuple[Role, ...] = ("viewer", "sender")  # to approve takes a person
USED_EVERY = timedelta(hours=1)  # that often it is written down that a key is in use

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}", re.ASCII)
_PREFIX = "smsgw_"  # by which one that was left lying in a repository is found


class KeyRefused(ExpectedFailure):
    """A key can't be made or revoked so. `reason` is a word for it, for pages that say it in their language."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def role_of(text: str) -> Role:
    """A key's role by its name. Raises KeyRefused."""
    for role in ROLES:
        if role == text:
            return role
    raise KeyRefused("role", f"a key can't be {text!r}; expected {' or '.join(ROLES)}: to approve takes a person")


class Systems:
    """All keys. `who` is in each change the one who makes it, as the audit log names them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def every(self) -> list[Key]:
        """All keys by name, revoked ones too."""
        with self._database.reading() as connection:
            return rows.every(connection)

    def page(self, agency: str | None, after: str, limit: int) -> list[Key]:
        """So many keys by name, of an agency or all, from the one behind that with the id `after` on."""
        with self._database.reading() as connection:
            return rows.page(connection, agency, after, limit)

    def find(self, id: str) -> Key | None:
        """The key with that id."""
        with self._database.reading() as connection:
            return rows.by_id(connection, id)

    def add(self, name: str, role: Role, agency: str | None, daily: int, who: str) -> tuple[Key, str]:
        """A new key and its secret, which nobody can read again. Raises KeyRefused."""
        name = name.casefold().strip()
        if not _NAME.fullmatch(name):
            raise KeyRefused("name", f"{name!r} can't be a key's name; expected 2 to 64 of a-z 0-9 . _ -")
        if not 1 <= daily <= MOST_A_DAY:
            raise KeyRefused("daily", f"a key can't send {daily} messages a day; expected 1 to {MOST_A_DAY}")
        secret = f"{_PREFIX}{secrets.token_urlsafe(32)}"
        now = self._clock()
        new = Key(new_id(), name, role, agency, daily, now, who, None, None)
        said = {"role": role, "agency": agency or "", "daily": daily}
        try:
            with self._database.writing("systems") as connection:
                rows.add(connection, new, _hash(secret))
                audit.record(connection, who, "key.add", name, said, now)
        except sa.exc.IntegrityError:
            raise KeyRefused("taken", f"there is a key {name} already; revoke it first, or take another name") from None
        return new, secret

    def revoke(self, name: str, who: str) -> None:
        """The key opens nothing any more. Raises KeyRefused."""
        name = name.casefold().strip()
        with self._database.reading() as connection:
            key = rows.by_name(connection, name)
        if key is None or not self.end(key, who):
            raise KeyRefused("unknown", f"there is no key {name} in use; smsgw key list shows those there are")

    def end(self, key: Key, who: str) -> bool:
        """This key opens nothing any more, and none that has its name by now; False if it was revoked before."""
        with self._database.writing("systems") as connection:
            now = self._clock()
            if not rows.revoke(connection, key.id, now):
                return False
            audit.record(connection, who, "key.revoke", key.name, {}, now)
        return True

    def of(self, secret: str) -> Key | None:
        """The key that a secret opens with; None for one that opens nothing."""
        with self._database.reading() as connection:
            key = rows.by_secret(connection, _hash(secret))
        if key is not None and (key.used_at is None or self._clock() - key.used_at >= USED_EVERY):
            self._used(key)
        return key

    def _used(self, key: Key) -> None:
        # A database that can be read is enough for who only reads.
        with suppress(sa.exc.OperationalError), self._database.writing("systems") as connection:
            rows.use(connection, key.id, self._clock())


def _hash(secret: str) -> str:
    # A secret is 256 bits by chance, as long as the hash: what makes guessing a password slow, in the hash or by waits
    # between tries as in slowdown, is of no use here, and a wait would let anybody shut a system out.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
