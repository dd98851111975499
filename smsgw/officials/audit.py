"""The audit log: a chain in which each entry carries the hash of the one before.

    record      write an entry, inside of the transaction that does what it tells of
    verify      the first entry that is not as it was written

Who can write to the database can also write a whole new chain. Against that a hash helps that was noted down elsewhere:
`verify` finds out whether it is still there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa

from smsgw.store import audit as rows
from smsgw.store.audit import BEFORE_ALL, Entry, Head
from smsgw.text.alphabet import storable
from smsgw.text.phones import mask_all


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


def verify(connection: sa.Connection, noted: str | None = None) -> Verdict:
    """Look at every entry. `noted`: a hash that was the head's once, and must still be in the chain."""
    head = rows.head(connection)  # first: what is appended meanwhile is looked at another time
    return examine(rows.entries(connection, head.number), head, noted)


def examine(entries: Iterable[Entry], head: Head, noted: str | None = None) -> Verdict:
    """The same of entries in the order of their numbers. Pure."""
    count, last, found = 0, BEFORE_ALL, noted is None
    for entry in entries:
        if entry.number != count + 1:
            return Verdict(count, last, count + 1, "it is missing")
        if entry.previous != last:
            return Verdict(count, last, entry.number, "it does not follow on the entry before")
        if entry.hash != entry_hash(entry):
            return Verdict(count, last, entry.number, "it was changed")
        count, last = entry.number, entry.hash
        found = found or last == noted
    if count < head.number:
        return Verdict(count, last, count + 1, "it is missing, with all after it")
    if (count, last) != (head.number, head.hash):
        return Verdict(count, last, max(count, 1), "the log's head does not belong to it")
    if not found:
        return Verdict(count, last, 1, "the hash that was noted is not in the log: it was written anew")
    return Verdict(count, last)
