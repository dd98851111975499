"""Passwords: hashed with argon2, a few at a time, and in the same time whether there is such an account or not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from smsgw.failure import ExpectedFailure

AT_ONCE = 2  # hashes being reckoned; each takes 64 MiB (RFC 9106, second recommendation) and a tenth of a second
LONGEST_WAIT = 10.0  # seconds for one's turn
SHORTEST, LONGEST = 10, 200  # characters

_hasher = PasswordHasher()
_turns = threading.BoundedSemaphore(AT_ONCE)


class TooBusy(ExpectedFailure):
    """Too many people sign in at this moment."""


class PoorPassword(ExpectedFailure):
    """A new password is not taken; `reason` is short, long or name."""

    def __init__(self, reason: str) -> None:
        super().__init__(_REASONS[reason])
        self.reason = reason


_REASONS = {
    "short": f"a password needs at least {SHORTEST} characters; take a sentence",
    "long": f"a password may have {LONGEST} characters at the most",
    "name": "a password must not be made of the account's name; take a sentence",
}


def check_new(password: str, name: str) -> None:
    """Raises PoorPassword unless it may be somebody's password."""
    if len(password) < SHORTEST:
        raise PoorPassword("short")
    if len(password) > LONGEST:
        raise PoorPassword("long")
    if not password.casefold().replace(name.casefold(), "").strip("0123456789 !@#.-_"):
        raise PoorPassword("name")


def hashed(password: str) -> str:
    """Its argon2id hash, with parameters and salt. Raises TooBusy."""
    with _turn():
        return _hasher.hash(password)


def matches(hash: str | None, password: str) -> bool:
    """Whether it is the password of a hash; None never is, and takes as long. Raises TooBusy."""
    with _turn():
        try:
            return _hasher.verify(hash or _nobodys(), password[: LONGEST + 1]) and hash is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(hash: str) -> bool:
    """Whether it was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(hash)


@cache
def _nobodys() -> str:
    return _hasher.hash("nobody's password")


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=LONGEST_WAIT):
        raise TooBusy("too many people are signing in; try again in a moment")
    try:
        yield
    finally:
        _turns.release()
