"""Statements that take many rows at once.

A statement for each row costs a round trip, and a parameter for each value costs more than the row itself. So the rows
travel as one JSON document, which the statement reads like a table named `given`; `docs/performance.md` has the ratios.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


class Batch:
    """One statement over many rows. `build` makes it from the table `given`, which has the columns named.

    `alike`: further columns, in which mostly all rows have the same value. Where they do in all of these, each of the
    values travels once. `document`: what the rows are called among a statement's parameters, if it takes others' too.
    """

    def __init__(
        self,
        columns: Sequence[sa.Column[Any]],
        build: Callable[[sa.FromClause], sa.Executable],
        alike: Sequence[sa.Column[Any]] = (),
        document: str = "rows",
    ) -> None:
        self._columns = [*columns, *alike]
        self._names = ["".join(column.name) for column in self._columns]  # a key in JSON must be no more than a str
        self._own = len(columns)
        self._build = build
        self._document = document
        self.statement = cache(self._made_for)

    def run(self, connection: sa.Connection, rows: Iterable[Sequence[Any]], **values: Any) -> sa.CursorResult[Any]:
        """Execute it over rows, each with its values in the order of the columns. `values`: other parameters."""
        alike, packed = self.pack(rows)
        return connection.execute(self.statement(connection.dialect.name, alike), packed | values)

    def pack(self, rows: Iterable[Sequence[Any]]) -> tuple[bool, dict[str, Any]]:
        """Whether rows are alike where they may be, for which there is a statement of its own; and its parameters."""
        rows, once = [*rows], {}
        names = self._names
        if alike := self._all_alike(rows):
            names = names[: self._own]
            once = dict(zip(map(self._once, self._names[self._own :]), rows[0][self._own :], strict=True))
        given = [dict(zip(names, row, strict=not alike)) for row in rows]
        return alike, {
            self._document: orjson.dumps(given, _in_json, orjson.OPT_PASSTHROUGH_DATETIME).decode(),
            **once,
        }

    def rows(self, connection: sa.Connection, rows: Iterable[Sequence[Any]], **values: Any) -> list[Any]:
        """Execute it likewise; the rows that it returns."""
        return [*self.run(connection, rows, **values).all()]  # row by row it would take nearly twice as long

    def _all_alike(self, rows: Sequence[Sequence[Any]]) -> bool:
        own = self._own
        return own < len(self._names) and len(rows) > 1 and all(row[own:] == rows[0][own:] for row in rows)

    def _made_for(self, dialect: str, alike: bool) -> sa.Executable:
        own = self._own if alike else len(self._columns)
        document = sa.bindparam(self._document, type_=sa.Text)
        given = (_in_sqlite if dialect == "sqlite" else _in_postgresql)(document, self._columns[:own])
        once = [
            sa.bindparam(self._once(column.name), type_=column.type).label(column.name)
            for column in self._columns[own:]
        ]
        if once:
            given = sa.select(*given.c, *once).subquery()
        return self._build(given.alias("given"))

    def _once(self, name: str) -> str:
        """What the value of a column is called that travels once."""
        return f"all_{self._document}_{name}"


def _in_postgresql(document: sa.BindParameter[str], columns: Sequence[sa.Column[Any]]) -> sa.FromClause:
    parsed = sa.func.json_to_recordset(sa.cast(document, postgresql.JSON))
    typed = parsed.table_valued(*(sa.column(column.name, column.type) for column in columns), name="rows")
    return typed.render_derived(name="rows", with_types=True)


def _in_sqlite(document: sa.BindParameter[str], columns: Sequence[sa.Column[Any]]) -> sa.FromClause:
    rows = sa.func.json_each(document).table_valued("value", name="each")
    # No cast: SQLite keeps what JSON has, and times travel as it stores them.
    values = (
        sa.type_coerce(sa.literal_column(f"json_extract(each.value, '$.{column.name}')"), column.type).label(
            column.name
        )
        for column in columns
    )
    return sa.select(*values).select_from(rows).subquery()


def looked_at_last(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """A condition on rows that are found by something else, such as their ids: so said that no plan begins at it.

    A plan that was made while the table was empty would else look for each of them among all for which it holds, and
    be kept until the next ANALYZE.
    """
    return sa.case((condition, sa.true()), else_=sa.false())


def inserting(*columns: sa.Column[Any]) -> Batch:
    """Inserts rows, and raises IntegrityError for one that a constraint refuses."""
    return Batch(columns, lambda given: sa.insert(columns[0].table).from_select([*columns], sa.select(*given.c)))


class InsertNew:
    """Inserts rows and passes over those that a constraint already has. `alike`: as a Batch's."""

    def __init__(
        self, *columns: sa.Column[Any], returning: sa.ColumnElement[Any], alike: Sequence[sa.Column[Any]] = ()
    ) -> None:
        self._columns = (*columns, *alike)
        self._returning = returning
        self._batches = {name: Batch(columns, self._with(module), alike) for name, module in _DIALECTS.items()}

    def run(self, connection: sa.Connection, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """Insert; what `returning` is for each of those that were new."""
        return [*self.on(connection.dialect.name).run(connection, rows).scalars().all()]

    def on(self, dialect: str) -> Batch:
        """How a database of that kind does it."""
        return self._batches[dialect]

    def _with(self, dialect: Any) -> Callable[[sa.FromClause], sa.Executable]:
        def build(given: sa.FromClause) -> sa.Executable:
            # Without a condition SQLite would take ON CONFLICT for the ON of a join.
            rows = sa.select(*given.c).where(sa.true())
            insert = dialect.insert(self._columns[0].table).from_select([*self._columns], rows)
            statement: sa.Executable = insert.on_conflict_do_nothing().returning(self._returning)
            return statement

        return build


class InsertOrUpdate:
    """Inserts rows into a table, in place of those that have the same primary key; no key may come twice at a time."""

    def __init__(self, table: sa.Table) -> None:
        self._table = table
        self._batches = {name: Batch([*table.c], self._with(module)) for name, module in _DIALECTS.items()}

    def run(self, connection: sa.Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Write the rows, each with its values in the order of the table's columns."""
        self._batches[connection.dialect.name].run(connection, rows)

    def _with(self, dialect: Any) -> Callable[[sa.FromClause], sa.Executable]:
        def build(given: sa.FromClause) -> sa.Executable:
            rows = sa.select(*given.c).where(sa.true())  # as above
            insert = dialect.insert(self._table).from_select([*self._table.c], rows)
            written = {column.name: insert.excluded[column.name] for column in self._table.c if not column.primary_key}
            keys = [*self._table.primary_key]
            statement: sa.Executable = insert.on_conflict_do_update(index_elements=keys, set_=written)
            return statement

        return build


_DIALECTS = {"sqlite": sqlite, "postgresql": postgresql}


@lru_cache(maxsize=64)  # most rows of a batch have the same times
def _in_json(value: object) -> str:
    """A time as both databases read it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    raise TypeError(f"{type(value).__name__} has no place in a row")
