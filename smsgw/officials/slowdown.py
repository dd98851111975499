"""How long somebody has to wait before the next try to sign in. Pure.

Both are counted: the account, so that one password can't be guessed from many addresses, and the address, so that one
password can't be tried on many accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from smsgw.network import network_of
from smsgw.store.officials import Failures

FORGET_AFTER = timedelta(days=1)
LONGEST = timedelta(minutes=15)
_FIRST = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Subject:
    """What failures are counted by, and how many are free: an office may share one address."""

    name: str
    free: int


def subjects(account: str, address: str) -> tuple[Subject, Subject]:
    """By what a try is counted."""
    return Subject(f"account:{account}", 5), Subject(f"address:{network_of(address)}", 30)


def wait(failures: Failures | None, free: int, now: datetime) -> timedelta:
    """How long from now on until the next try is looked at; nothing for the first ones, then ever longer."""
    if failures is None or failures.count < free:
        return timedelta()
    doublings = min(failures.count - free, 10)
    pause = min(LONGEST, _FIRST * (1 << doublings))
    return max(timedelta(), failures.last_at + pause - now)
