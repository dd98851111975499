"""The audit log's rows: appending one under the lock of its head, and reading them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from smsgw.store.batch import InsertNew
from smsgw.store.tables import audit, audit_head

ENTRIES_A_READ = 2000
BEFORE_ALL = ""  # what stands for the hash before the first entry


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody did to something. `detail` is a JSON object; `previous` the hash of the entry before."""

    number: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The number and hash of the last entry; 0 and an empty text if there is none."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Removed:
    """The last entry that was removed for its age, as the log says itself; number 0 if none was."""

    number: int = 0
    hash: str = BEFORE_ALL


def lock_head(connection: sa.Connection) -> Head:
    """The head; whoever else wants to append waits until this transaction ends."""
    row = connection.execute(_LOCK).one_or_none()
    if row is None:
        _FIRST.run(connection, [(1, 0, BEFORE_ALL)])
        row = connection.execute(_LOCK).one()
    return Head(*row)


_LOCK = sa.select(audit_head.c.number, audit_head.c.hash).with_for_update()
_FIRST = InsertNew(*audit_head.c, returning=audit_head.c.id)


def append(connection: sa.Connection, entry: Entry) -> None:
    """Write the entry that follows on the locked head."""
    values = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    connection.execute(sa.insert(audit), values)
    connection.execute(sa.update(audit_head).values(number=entry.number, hash=entry.hash))


def head(connection: sa.Connection) -> Head:
    """The head as it stands."""
    row = connection.execute(sa.select(audit_head.c.number, audit_head.c.hash)).one_or_none()
    return Head(*row) if row else Head(0, BEFORE_ALL)


def entries(connection: sa.Connection, last: int) -> Iterator[Entry]:
    """All up to a number, oldest first, however many there are."""
    after = -1
    while rows := connection.execute(_BETWEEN, {"after": after, "last": last}).all():
        yield from (Entry(*row) for row in rows)
        after = rows[-1].number


_BETWEEN = (
    sa.select(audit)
    .where(audit.c.number > sa.bindparam("after"), audit.c.number <= sa.bindparam("last"))
    .order_by(audit.c.number)
    .limit(ENTRIES_A_READ)
)


def latest(
    connection: sa.Connection, who: str | None = None, before: int | None = None, limit: int = 50
) -> list[Entry]:
    """The latest entries, newest first: of one person if `who` is given, and before that number if one is."""
    rows = sa.select(audit).order_by(audit.c.number.desc()).limit(limit)
    if who is not None:
        rows = rows.where(audit.c.who == who)
    if before is not None:
        rows = rows.where(audit.c.number < before)
    return [Entry(*row) for row in connection.execute(rows)]


def old(connection: sa.Connection, before: datetime, most: int | None = None) -> range:
    """The numbers of the entries from the first one on that are older, or of so many of these."""
    first = connection.scalar(sa.select(sa.func.min(audit.c.number))) or 1
    end = head(connection).number + 1
    end = end if most is None else min(end, first + most)
    stays = connection.scalar(_STAYS, {"before": before, "end": end}) or end
    return range(first, max(first, stays))


_STAYS = (
    sa.select(audit.c.number)
    .where(audit.c.number < sa.bindparam("end"), audit.c.at >= sa.bindparam("before", type_=audit.c.at.type))
    .order_by(audit.c.number)
    .limit(1)
)


def cut(connection: sa.Connection, last: int) -> Removed:
    """Remove all entries up to that number, which is there."""
    hash: str = connection.scalars(sa.select(audit.c.hash).where(audit.c.number == last)).one()
    connection.execute(sa.delete(audit).where(audit.c.number <= last))
    return Removed(last, hash)


def latest_of(connection: sa.Connection, who: str, action: str, back: int = 0) -> Entry | None:
    """The last time that somebody did something, or the one so many times back."""
    done = sa.select(audit).where(audit.c.who == who, audit.c.action == action)
    row = connection.execute(done.order_by(audit.c.number.desc()).offset(back).limit(1)).one_or_none()
    return Entry(*row) if row else None
