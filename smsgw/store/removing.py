"""Removing what is old, a few rows at a time, so that nobody else waits for it.

Keys are read page by page, in an order that an index has. Of each page those rows that may go are chosen and removed in
one short transaction, which looks at them once more. Whoever is killed in between has removed whole pages; whoever
removes at the same time passes over what another has in hand. What is only counted is counted by the same conditions.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from smsgw.store.batch import Batch
from smsgw.store.database import Database
from smsgw.store.schedules import Stopped

PAGE = 200  # rows in one transaction: some milliseconds
READ = 2000  # keys read at a time where most of them are not old
LONGEST_REST = 1.0  # seconds

Key = Sequence[Any]
Page = Sequence[Key]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is before these times is old. None: nothing of the kind ever is."""

    now: datetime
    messages: datetime | None = None
    notices: datetime | None = None
    complaints: datetime | None = None
    ratings: datetime | None = None
    audit: datetime | None = None

    def nothing(self) -> Bounds:
        """The same time, and nothing is old."""
        return Bounds(self.now)


def older(moment: sa.ColumnElement[datetime], bound: datetime | None) -> sa.ColumnElement[bool]:
    """Whether a time is before a bound; never where there is none."""
    return sa.false() if bound is None else moment < bound


class Hands:
    """What does the work. Between its transactions it rests as long as the last one took, and lets others in."""

    def __init__(self, database: Database, stopping: threading.Event | None = None) -> None:
        self._database = database
        self._stopping = stopping
        self._took = 0.0

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """For one page."""
        time.sleep(min(self._took, LONGEST_REST))
        self._took = 0.0
        return self._database.reading()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """For what may go of a page. Raises Stopped."""
        if self._stopping is not None and self._stopping.is_set():
            raise Stopped
        began = time.monotonic()
        with self._database.writing("forget") as connection:
            yield connection
        self._took = time.monotonic() - began


Pages = Callable[[Hands, datetime], Iterator[Page]]
Condition = Callable[[Bounds, Bounds], sa.ColumnElement[bool]]


@dataclass(frozen=True)
class Removal:
    """Which rows of a table go, and when.

    `before`: up to when they are old; None: they are kept for ever. `pages`: the primary keys of those that may be so.
    `may_go`: whether a row goes, by the bounds and by those of the rows that refer to it. When it is removed, any of
    them holds it, as the old ones went first; when it is only counted, those that would go do not. `first`: what is
    done with the keys before; `with_it`: columns of other tables that name the row by its key, whose rows go with it.
    `blank`: columns that are emptied; the row itself then stays.
    """

    what: str
    table: sa.Table
    before: Callable[[Bounds], datetime | None]
    pages: Pages
    may_go: Condition
    first: Callable[[sa.FromClause], sa.Executable] | None = None
    with_it: tuple[sa.Column[Any], ...] = ()
    blank: tuple[sa.Column[Any], ...] = ()

    @property
    def _key(self) -> tuple[sa.Column[Any], ...]:
        return (*self.table.primary_key,)

    @property
    def tables(self) -> frozenset[str]:
        """The tables that it removes rows of."""
        return frozenset({self.table.name, *(column.table.name for column in self.with_it)})

    def count(self, hands: Hands, bounds: Bounds) -> int:
        """How many rows would go now."""
        before = self.before(bounds)
        if before is None:
            return 0
        counting = Batch(
            self._key,
            lambda given: self._of(given, bounds, bounds).with_only_columns(
                sa.func.count(), maintain_column_froms=True
            ),
        )
        found = 0
        for page in filter(None, self.pages(hands, before)):
            with hands.reading() as connection:
                found += counting.run(connection, page).scalar_one()
        return found

    def remove(self, hands: Hands, bounds: Bounds) -> int:
        """Remove what is old; how many rows that was."""
        before = self.before(bounds)
        if before is None:
            return 0
        nothing = bounds.nothing()
        choosing = Batch(
            self._key,
            lambda given: self._of(given, bounds, nothing).with_for_update(skip_locked=True, of=self.table),
        )
        steps = [Batch(self._key, build) for build in self._steps()]
        gone = 0
        for page in filter(None, self.pages(hands, before)):
            with hands.writing() as connection:
                chosen = choosing.rows(connection, page)
                for step in steps if chosen else ():
                    step.run(connection, chosen)
            gone += len(chosen)
        return gone

    def _of(self, given: sa.FromClause, bounds: Bounds, referring: Bounds) -> sa.Select[Any]:
        return sa.select(*self._key).join(given, self._named(given)).where(self.may_go(bounds, referring))

    def _named(self, given: sa.FromClause) -> sa.ColumnElement[bool]:
        return sa.and_(*(column == given.c[column.name] for column in self._key))

    def _steps(self) -> Iterator[Callable[[sa.FromClause], sa.Executable]]:
        if self.first:
            yield self.first
        for column in self.with_it:
            yield partial(self._of_them, column)
        yield self._emptied if self.blank else self._removed

    def _of_them(self, column: sa.Column[Any], given: sa.FromClause) -> sa.Executable:
        return sa.delete(column.table).where(column.in_(sa.select(given.c[self._key[0].name])))

    def _emptied(self, given: sa.FromClause) -> sa.Executable:
        return sa.update(self.table).where(self._among(given)).values(dict.fromkeys(self.blank))

    def _removed(self, given: sa.FromClause) -> sa.Executable:
        return sa.delete(self.table).where(self._among(given))

    def _among(self, given: sa.FromClause) -> sa.ColumnElement[bool]:
        # Not as a condition that there is such a row: SQLite would ask that of each row of the table.
        key = self._key[0] if len(self._key) == 1 else sa.tuple_(*self._key)
        return key.in_(sa.select(*(given.c[column.name] for column in self._key)))


def by_age(age: sa.Column[datetime], *which: sa.ColumnElement[bool]) -> Pages:
    """Rows in the order of a time that an index has. `which`: what a partial index is of."""
    key = _key(age)

    def pages(hands: Hands, before: datetime) -> Iterator[Page]:
        query = sa.select(age, *key).where(age < before, *which).order_by(age, *key).limit(PAGE)
        last: Key | None = None
        while True:
            further = query if last is None else query.where(age >= last[0], _behind((age, *key), last))
            with hands.reading() as connection:
                rows = [*connection.execute(further).all()]
            if rows:
                yield [row[1:] for row in rows]
                last = rows[-1]
            if len(rows) < PAGE:
                return

    return pages


def by_id(age: sa.Column[datetime], *which: sa.ColumnElement[bool]) -> Pages:
    """Rows in the order of their ids, which are in the order of time; up to where nothing is old any more."""
    (id,) = _key(age)

    def pages(hands: Hands, before: datetime) -> Iterator[Page]:
        for rows in _walk(hands, (id,), age, PAGE, which):
            old = [(key,) for key, at in rows if at is not None and at < before]
            if old:
                yield old
            elif made_at(rows[-1][0]) >= before:
                return

    return pages


def by_key(age: sa.Column[datetime], *which: sa.ColumnElement[bool]) -> Pages:
    """All rows of a table that has no order of time, by its key."""
    key = _key(age)

    def pages(hands: Hands, before: datetime) -> Iterator[Page]:
        for rows in _walk(hands, key, age, READ, which):
            old = [row[:-1] for row in rows if row[-1] < before]
            for start in range(0, len(old), PAGE):
                yield old[start : start + PAGE]

    return pages


def by_search(age: sa.Column[datetime]) -> Pages:
    """Those that are old of a table that is always small: each statement looks through it."""

    def pages(hands: Hands, before: datetime) -> Iterator[Page]:
        for rows in _walk(hands, _key(age), age, PAGE, (age < before,)):
            yield [row[:-1] for row in rows]

    return pages


def _walk(
    hands: Hands,
    key: tuple[sa.Column[Any], ...],
    age: sa.Column[datetime],
    size: int,
    which: tuple[sa.ColumnElement[bool], ...],
) -> Iterator[Sequence[Any]]:
    query = sa.select(*key, age).where(*which).order_by(*key).limit(size)
    last: Key | None = None
    while True:
        with hands.reading() as connection:
            rows = connection.execute(query if last is None else query.where(_behind(key, last))).all()
        if rows:
            yield rows
            last = rows[-1]
        if len(rows) < size:
            return


def _behind(key: Sequence[sa.Column[Any]], last: Key) -> sa.ColumnElement[bool]:
    bound = [sa.literal(value, column.type) for column, value in zip(key, last, strict=False)]
    return key[0] > bound[0] if len(key) == 1 else sa.tuple_(*key) > sa.tuple_(*bound)


def _key(column: sa.Column[Any]) -> tuple[sa.Column[Any], ...]:
    return (*column.table.primary_key,)


def made_at(id: str) -> datetime:
    """When an id of ours was made, by the clock of that machine, see `ids`."""
    return datetime.fromtimestamp(int(id[:8] + id[9:13], 16) / 1000, UTC)
