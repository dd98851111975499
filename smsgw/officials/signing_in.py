"""Signing in and out: sessions are rows, so that ending one ends it everywhere and at once."""

from __future__ import annotations

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from smsgw.clock import Clock
from smsgw.officials import audit, passwords, slowdown, totp
from smsgw.store import officials as rows
from smsgw.store.database import Database
from smsgw.store.officials import Official, Session, Stage

SEEN_EVERY = timedelta(minutes=1)  # a session in use is written down no more often
LONGEST_AGENT = 200  # characters

log = logging.getLogger("smsgw.officials")


class Refused(Exception):
    """Name, password or code are wrong; which, is not told."""


class TooSoon(Exception):
    """Too many tries failed; the next one is looked at after `wait`."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"too many tries; wait {wait.total_seconds():.0f} s")
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a request comes from: its address, and what the browser calls itself."""

    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody at work. Only with stage `full` may they see anything."""

    official: Official
    session: Session


class SigningIn:
    """The door of the console. A session ends after `idle` without a request, and `longest` after it began."""

    def __init__(self, database: Database, clock: Clock, *, idle: timedelta, longest: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._idle = idle
        self._longest = longest

    def with_password(self, name: str, password: str, visitor: Visitor) -> str:
        """The token of a new session. Raises Refused, TooSoon, TooBusy."""
        name = name.casefold().strip()[:64]
        now = self._clock()
        self._count_try(name, visitor.address, now)
        with self._database.reading() as connection:
            official = rows.by_name(connection, name)
            known = rows.secrets(connection, official.id) if official and official.disabled_at is None else None
        hash = known.password if known else None
        if not passwords.matches(hash, password) or official is None or hash is None:
            # What is nobody's name may be a password that was typed into the wrong field.
            whose = official.name if official else "nobody we know"
            log.warning("signing in as %s from %s was refused", whose, visitor.address)
            raise Refused
        renewed = passwords.hashed(password) if passwords.is_outdated(hash) else None
        with self._database.writing("officials") as connection:
            official = _as_it_is(connection, official)
            if rows.secrets(connection, official.id).password != hash:
                raise Refused  # it was replaced while it was looked at
            if renewed:
                rows.change(connection, official.id, password=renewed)
            self._went_well(connection, official, visitor, through=not official.second_factor)
            return self._begin(connection, official, "password", visitor)

    def with_code(self, token: str, code: str, visitor: Visitor) -> str:
        """The token of a full session, after the password's. Raises Refused, TooSoon."""
        now = self._clock()
        found = self.current(token)
        if found is None or found.session.stage != "password":
            raise Refused
        official = found.official
        self._count_try(official.name, visitor.address, now)
        with self._database.reading() as connection:
            secret = rows.secrets(connection, official.id).totp_secret
        step = totp.step_matching(secret, code, now) if secret else None
        with self._database.writing("officials") as connection:
            if step is None or not rows.take_totp_step(connection, official.id, step):
                log.warning("the code of %r from %s was refused", official.name, visitor.address)
                raise Refused
            if not rows.end_session(connection, official.id, found.session.token_hash):
                raise Refused  # it was ended while the code was looked at
            self._went_well(connection, official, visitor, through=True)
            return self._begin(connection, official, "full", visitor)

    def check_own(self, official: Official, password: str, visitor: Visitor) -> None:
        """Raises Refused, TooSoon or TooBusy unless it is the password of somebody who is signed in."""
        self._count_try(official.name, visitor.address, self._clock())
        with self._database.reading() as connection:
            hash = rows.secrets(connection, official.id).password
        if not passwords.matches(hash, password):
            raise Refused
        with self._database.writing("officials") as connection:
            self._went_well(connection, official, visitor, through=not official.second_factor)

    def check_owner(self, official: Official, password: str, code: str, visitor: Visitor) -> None:
        """Raises Refused, TooSoon or TooBusy unless all that somebody who is signed in signs in by was shown.

        That is a password for those who have one, and a code for those who have a second factor.
        """
        now = self._clock()
        self._count_try(official.name, visitor.address, now)
        with self._database.reading() as connection:
            known = rows.secrets(connection, official.id)
        if known.password is not None and not passwords.matches(known.password, password):
            raise Refused
        step = totp.step_matching(known.totp_secret, code, now) if known.totp_secret else None
        with self._database.writing("officials") as connection:
            if known.totp_secret and (step is None or not rows.take_totp_step(connection, official.id, step)):
                raise Refused
            self._went_well(connection, official, visitor, through=True)

    def has_password(self, official: Official) -> bool:
        """Whether they can sign in by one here, or only by the province's provider."""
        with self._database.reading() as connection:
            return rows.secrets(connection, official.id).password is not None

    def vouched_for(self, name: str, visitor: Visitor) -> str:
        """The token of a session for somebody whom the province's OpenID Connect provider knows. Raises Refused."""
        with self._database.writing("officials") as connection:
            official = rows.by_name(connection, name.casefold().strip())
            if official is None or official.disabled_at is not None:
                log.warning("%r from %s is known to the provider and not to us", name, visitor.address)
                raise Refused
            official = _as_it_is(connection, official)
            return self._begin(connection, official, "password", visitor)

    def current(self, token: str) -> SignedIn | None:
        """Whose token it is, if its session has not ended."""
        now = self._clock()
        since = {"seen_since": now - self._idle, "made_since": now - self._longest}
        with self._database.reading() as connection:
            found = rows.find_session(connection, _hash(token), **since)
        if found is None:
            return None
        session, official = found
        if now - session.seen_at > SEEN_EVERY:
            with self._database.writing("officials") as connection:
                rows.see(connection, session.token_hash, now)
        return SignedIn(official, session)

    def sessions(self, official: Official) -> list[Session]:
        """Where an official is signed in."""
        with self._database.reading() as connection:
            return rows.sessions(connection, official.id, self._clock() - self._idle)

    def end(self, official: Official, token_hash: str) -> bool:
        """Sign out one of an official's browsers; False if they have none such."""
        with self._database.writing("officials") as connection:
            ended = rows.end_session(connection, official.id, token_hash)
            if ended:
                audit.record(connection, official.name, "session.end", official.name, {}, self._clock())
            return ended

    def _begin(self, connection: sa.Connection, official: Official, stage: Stage, visitor: Visitor) -> str:
        """A new session: full at once for those without a second factor."""
        now, token = self._clock(), secrets.token_urlsafe(32)
        if not official.second_factor:
            stage = "full"
        agent = visitor.agent[:LONGEST_AGENT]
        rows.forget_idle(connection, now - self._longest)
        rows.add_session(connection, Session(_hash(token), official.id, stage, now, now, visitor.address, agent))
        if stage == "full":
            audit.record(connection, official.name, "session.begin", official.name, {"address": visitor.address}, now)
        return token

    def _went_well(self, connection: sa.Connection, official: Official, visitor: Visitor, *, through: bool) -> None:
        """The last try was none that failed. Only who is `through` has shown to be the account's owner."""
        account, place = slowdown.subjects(official.name, visitor.address)
        if through:  # the account first, as whoever tries locks them, so that nobody waits in a circle
            rows.forget_failures(connection, account.name)
        rows.forgive_failure(connection, place.name)

    def _count_try(self, name: str, address: str, now: datetime) -> None:
        """Count it as failed until it has gone well, so that tries at the same time are not all free."""
        account, place = slowdown.subjects(name, address)
        with self._database.writing("officials") as connection:
            counted = rows.failures(connection, [account.name, place.name], now)
            waits = [slowdown.wait(counted.get(each.name), each.free, now) for each in (account, place)]
            if max(waits) > timedelta():
                raise TooSoon(max(waits))
            for each in sorted([account.name, place.name]):
                rows.count_failure(connection, each, now, now - slowdown.FORGET_AFTER)


def _as_it_is(connection: sa.Connection, seen: Official) -> Official:
    """An official as they are now, who stays so until they are signed in. Raises Refused if they are disabled."""
    official = rows.lock(connection, seen.id)
    if official is None or official.disabled_at is not None:
        raise Refused
    return official


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
