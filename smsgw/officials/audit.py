"""The audit log: a chain in which each entry carries the hash of the one before.

    record      write an entry, inside of the transaction that does what it tells of
    remove      take out the oldest entries, which the log then says itself
    verify      the first entry that is not as it was written

Who can write to the database can also write a whole new chain. Against that a hash helps that was noted down elsewhere:
`verify` finds out whether it is still there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa

from smsgw.store import audit as rows
from smsgw.store.audit import BEFORE_ALL, Entry, Head, Removed
from smsgw.text.alphabet import storable
from smsgw.text.phones import mask_all

GATEWAY = "gateway"  # who does what no official does
REMOVE = "audit.remove"
NOTHING = Removed()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of looking at the whole log. `broken`: the number of the first bad entry, and `problem` says why."""

    entries: int
    head: str
    broken: int | None = None
    problem: str = ""


def record(
    connection: sa.Connection, who: str, action: str, subject: str, detail: Mapping[str, object], now: datetime
) -> None:
    """Append an entry. The head stays locked until the transaction ends, so do it last.

    `who`: an official's name, or cli:USER. `action`: as "notice.approve". `subject`: what it was done to. Phone numbers
    are masked in all of them.
    """
    head = rows.lock_head(connection)
    said = json.dumps({key: str(value) for key, value in detail.items()}, ensure_ascii=False, sort_keys=True)
    texts = (storable(mask_all(text)) for text in (who, action, subject, said))
    rows.append(connection, sealed(head, now, *texts))


def sealed(head: Head, at: datetime, who: str, action: str, subject: str, detail: str) -> Entry:
    """The entry that follows on a head."""
    entry = Entry(head.number + 1, at, who, action, subject, detail, head.hash, "")
    return replace(entry, hash=entry_hash(entry))


def entry_hash(entry: Entry) -> str:
    """SHA-256 over everything in an entry but its hash, as a JSON array; its time in UTC, to the microsecond."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    said = [entry.number, at, entry.who, entry.action, entry.subject, entry.detail, entry.previous]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def remove(connection: sa.Connection, before: datetime, most: int, now: datetime) -> int:
    """Take out so many of the oldest entries, of those that are older; how many that was.

    The chain then begins with another entry. That it may is said by a new one, with the last hash that is gone.
    """
    head = rows.lock_head(connection)
    old = rows.old(connection, before, most)
    if not old:
        return 0
    gone = rows.cut(connection, old[-1])
    said = json.dumps({"hash": gone.hash, "number": str(gone.number)}, sort_keys=True)
    rows.append(connection, sealed(head, now, GATEWAY, REMOVE, str(gone.number), said))  # a hash is never masked
    return len(old)


def removed(connection: sa.Connection) -> Removed:
    """What the log says of entries that were taken out."""
    entry = rows.latest_of(connection, GATEWAY, REMOVE)
    try:
        said = json.loads(entry.detail if entry else "{}")
        return Removed(int(said["number"]), said["hash"])
    except (ValueError, KeyError, TypeError):
        return Removed()


def verify(connection: sa.Connection, noted: str | None = None) -> Verdict:
    """Look at every entry. `noted`: a hash that was the head's once, and must still be in the chain."""
    head = rows.head(connection)  # first: what is appended meanwhile is looked at another time
    entries = rows.entries(connection, head.number)
    first = next(entries, None)
    # Only then, so that it tells of all that is missing before the first one.
    return examine(_again(first, entries), head, noted, removed(connection))


def _again(first: Entry | None, others: Iterator[Entry]) -> Iterator[Entry]:
    if first is not None:
        yield first
    yield from others


def examine(entries: Iterable[Entry], head: Head, noted: str | None = None, removed: Removed = NOTHING) -> Verdict:
    """The same of entries in the order of their numbers. Pure."""
    count, number, last, found = 0, 0, BEFORE_ALL, noted is None
    for entry in entries:
        if count == 0:
            number = min(entry.number - 1, removed.number)
            last = entry.previous if number else BEFORE_ALL
        if problem := _problem(entry, number, last, removed):
            return Verdict(count, last, number + 1, problem)
        count, number, last = count + 1, entry.number, entry.hash
        found = found or last == noted
    if number < head.number:
        return Verdict(count, last, number + 1, "it is missing, with all after it")
    if (number, last) != (head.number, head.hash):
        return Verdict(count, last, max(number, 1), "the log's head does not belong to it")
    if not found:
        why = f"it was written anew, or that entry is one of the {removed.number} that were removed for their age"
        why = why if removed.number else "it was written anew"
        return Verdict(count, last, 1, f"the hash that was noted is not in the log: {why}")
    return Verdict(count, last)


def _problem(entry: Entry, number: int, last: str, removed: Removed) -> str:
    """What is wrong with an entry that should follow on another one; nothing if it does."""
    if entry.number != number + 1:
        return "it is missing"
    if entry.previous != last or (0 < number == removed.number and last != removed.hash):
        return "it does not follow on the entry before"
    return "" if entry.hash == entry_hash(entry) else "it was changed"
