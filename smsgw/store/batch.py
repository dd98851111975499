"""Statements that take many rows at once.

A statement for each row costs a round trip, and a parameter for each value costs more than the row itself. So the rows
travel as one JSON document, which the statement reads like a table named `given`; `docs/performance.md` has the ratios.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

_ROWS = sa.bindparam("rows", type_=sa.Text)


class Batch:
    """One statement over many rows. `build` makes it from the table `given`, which has the columns named."""

    def __init__(self, columns: Sequence[sa.Column[Any]], build: Callable[[sa.FromClause], sa.Executable]) -> None:
        self._columns = columns
        self._names = ["".join(column.name) for column in columns]  # a key in JSON must be no more than a str
        self._build = build
        self._statement = cache(self._made_for)

    def run(self, connection: sa.Connection, rows: Iterable[Sequence[Any]], **values: Any) -> sa.CursorResult[Any]:
        """Execute it over rows, each with its values in the order of the columns. `values`: other parameters."""
        given = [dict(zip(self._names, row, strict=True)) for row in rows]
        document = orjson.dumps(given, _in_json, orjson.OPT_PASSTHROUGH_DATETIME).decode()
        return connection.execute(self._statement(connection.dialect.name), {"rows": document, **values})

    def rows(self, connection: sa.Connection, rows: Iterable[Sequence[Any]], **values: Any) -> list[Any]:
        """Execute it likewise; the rows that it returns."""
        return [*self.run(connection, rows, **values).all()]  # row by row it would take nearly twice as long

    def _made_for(self, dialect: str) -> sa.Executable:
        return self._build(self._as_sqlite if dialect == "sqlite" else self._as_postgresql)

    @cached_property
    def _as_postgresql(self) -> sa.FromClause:
        columns = [sa.column(column.name, column.type) for column in self._columns]
        document = sa.func.json_to_recordset(sa.cast(_ROWS, postgresql.JSON))
        rows = document.table_valued(*columns, name="rows").render_derived(name="rows", with_types=True)
        return sa.select(*rows.c).subquery("given")

    @cached_property
    def _as_sqlite(self) -> sa.FromClause:
        each = sa.func.json_each(_ROWS).table_valued("value", name="each")
        # No cast: SQLite keeps what JSON has, and times travel as it stores them.
        values = [
            sa.type_coerce(sa.literal_column(f"json_extract(each.value, '$.{column.name}')"), column.type).label(
                column.name
            )
            for column in self._columns
        ]
        return sa.select(*values).select_from(each).subquery("given")


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
    """Inserts rows and passes over those that a constraint already has."""

    def __init__(self, *columns: sa.Column[Any], returning: sa.ColumnElement[Any]) -> None:
        self._columns = columns
        self._returning = returning
        self._batches = {name: Batch(columns, self._with(module)) for name, module in _DIALECTS.items()}

    def run(self, connection: sa.Connection, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """Insert; what `returning` is for each of those that were new."""
        return [*self._batches[connection.dialect.name].run(connection, rows).scalars().all()]

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
