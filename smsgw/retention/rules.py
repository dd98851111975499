"""All rules in the order in which they are applied: what refers to others goes before them.

Most say by their tables alone what may go. Two ask the one-stop database whether a dossier has ended, and the log of
what officials did is cut by its own room, which sees to it that its chain still holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from smsgw.dossiers.candidates import Candidates
from smsgw.dossiers.source import OneStopUnavailable
from smsgw.notices import past
from smsgw.officials import audit
from smsgw.store import audit as audit_rows
from smsgw.store import owners, retention
from smsgw.store.reminders import OWNER
from smsgw.store.removing import PAGE, Bounds, Hands, Page, Pages, by_key
from smsgw.store.tables import follower, reminder

SAMPLE = 100  # dossiers


class Rule(Protocol):
    """What goes, and when."""

    @property
    def what(self) -> str: ...

    @property
    def tables(self) -> frozenset[str]: ...

    @property
    def before(self) -> Callable[[Bounds], datetime | None]: ...

    def count(self, hands: Hands, bounds: Bounds) -> int: ...

    def remove(self, hands: Hands, bounds: Bounds) -> int: ...


def rules(candidates: Candidates) -> Sequence[Rule]:
    """Every rule. Those that ask the one-stop database raise OneStopUnavailable if it can't be asked."""
    return (
        Recipients(),
        retention.SHEETS,
        retention.PROBLEMS,
        retention.LEFT_OUT,
        retention.COMPLAINTS,
        *retention.MESSAGES,
        *retention.REMINDERS,
        retention.judged_reminders(_gone(candidates)),
        *retention.PEOPLE,
        retention.judged_followers(_ended(candidates)),
        retention.NOTICES,
        *retention.WORK,
        Log(),
        *retention.TRACES,
    )


class Recipients:
    """Whom notices went to. What became of their messages is written down before they go."""

    what = retention.RECIPIENTS.what
    tables = retention.RECIPIENTS.tables

    @staticmethod
    def before(bounds: Bounds) -> datetime | None:
        return bounds.notices

    def count(self, hands: Hands, bounds: Bounds) -> int:
        return retention.RECIPIENTS.count(hands, bounds)

    def remove(self, hands: Hands, bounds: Bounds) -> int:
        for id in () if bounds.notices is None else retention.old_notices(hands, bounds.notices):
            with hands.writing() as connection:
                past.settle(connection, id, bounds.now)
        return retention.RECIPIENTS.remove(hands, bounds)


class Log:
    """The oldest entries of the log of what officials did."""

    what = "entries of the audit log"
    tables = frozenset({"audit"})

    @staticmethod
    def before(bounds: Bounds) -> datetime | None:
        return bounds.audit

    def count(self, hands: Hands, bounds: Bounds) -> int:
        if bounds.audit is None:
            return 0
        with hands.reading() as connection:
            return len(audit_rows.old(connection, bounds.audit))

    def remove(self, hands: Hands, bounds: Bounds) -> int:
        gone, more = 0, self.count(hands, bounds)  # so that nobody waits for the log's lock in vain
        while more and bounds.audit is not None:
            with hands.writing() as connection:
                more = audit.remove(connection, bounds.audit, PAGE, bounds.now)
            gone += more
        return gone


def _ended(candidates: Candidates) -> Pages:
    """Followers, by phone and code. Who wants nothing of a dossier is remembered as long as there is that dossier."""
    pages = by_key(follower.c.since)

    def judged(hands: Hands, before: datetime) -> Iterator[Page]:
        for page in pages(hands, before):
            _trust(hands, candidates)
            codes = {code for _, code in page}
            held, known = candidates.held_among(codes, before), candidates.known_among(codes)
            wanted = retention.wanted(hands, page)
            yield [key for key in page if key[1] not in (held if tuple(key) in wanted else known)]

    return judged


def _gone(candidates: Candidates) -> Pages:
    """Reminders, by their key, of dossiers that the one-stop database has no more."""
    pages = by_key(reminder.c.at, reminder.c.told_to == OWNER)

    def judged(hands: Hands, before: datetime) -> Iterator[Page]:
        for page in pages(hands, before):
            _trust(hands, candidates)
            known = candidates.known_among({code for _, code, *_ in page})
            yield [key for key in page if key[1] not in known]

    return judged


def _trust(hands: Hands, candidates: Candidates) -> None:
    """A one-stop database that is just being filled, or another one, knows nothing of what was there last night."""
    with hands.reading() as connection:
        lately: Collection[str] = owners.sample(connection, SAMPLE)
    if not candidates.known_among(lately):
        raise OneStopUnavailable("the one-stop database has none of the dossiers that were noted last night")
