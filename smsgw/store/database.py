"""Opening the gateway's database, and the two ways to use it: `reading` and `writing`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from smsgw.resources import shipped, statements
from smsgw.store.tables import metadata


class SchemaError(Exception):
    """The database is there and is not what this version needs. The text says what is missing and what to do."""


class Database:
    """The gateway's tables on SQLite (WAL) or PostgreSQL."""

    def __init__(self, url: str, *, pool_size: int = 12) -> None:
        self.url = sa.make_url(url)
        self.on_sqlite = self.url.get_backend_name() == "sqlite"
        if self.on_sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        self._engine = sa.create_engine(self.url, **_options(self.url, pool_size))
        # SQLite takes one writer at a time, and its own way of waiting for the lock is to sleep and try again:
        # writers of one process wait for each other here instead, which keeps the longest wait short.
        self._one_writer = threading.Lock() if self.on_sqlite else None
        if self.on_sqlite:
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that writes nothing."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that is committed when the block ends, and undone if the block raises."""
        if self._one_writer is None:
            with self._engine.begin() as connection:
                yield connection
            return
        with (
            self._one_writer,
            self._engine.connect() as connection,
            connection.execution_options(writes=True).begin(),
        ):
            yield connection

    def create(self) -> bool:
        """Make the tables where there are none; True if it made them. Raises SchemaError for a foreign schema."""
        with self.writing() as connection:
            if sa.inspect(connection).has_table("outbound"):
                created = False
            else:
                created = True
                for statement in statements(shipped("schema.sql")):
                    connection.exec_driver_sql(statement)
        self.check()
        return created

    def check(self) -> None:
        """Raises SchemaError unless every table and column that this version needs is there."""
        with self.reading() as connection:
            inspector = sa.inspect(connection)
            for table in metadata.sorted_tables:
                if not inspector.has_table(table.name):
                    raise SchemaError(f"the gateway's database has no table {table.name}: run smsgw init")
                there = {column["name"] for column in inspector.get_columns(table.name)}
                if missing := [column.name for column in table.columns if column.name not in there]:
                    raise SchemaError(
                        f"table {table.name} of the gateway's database lacks {', '.join(missing)}: it was made by"
                        " another version; point gateway.database at an empty database, or use that version"
                    )

    def close(self) -> None:
        self._engine.dispose()


def _options(url: sa.URL, pool_size: int) -> dict[str, Any]:
    # An error's text goes into the log, and parameters are citizens' numbers and texts.
    common = {"pool_size": pool_size, "max_overflow": pool_size, "hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        return {**common, "connect_args": {"timeout": 30}}
    return {
        **common,
        # A database that went away and came back must not need a restart of ours.
        "pool_pre_ping": True,
        "connect_args": {"connect_timeout": 5},
    }


def _prepare_sqlite(connection: Any, record: object) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite, not by the driver
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # what was acknowledged survives a power cut
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def insert_new(connection: sa.Connection, table: sa.Table) -> Any:
    """An INSERT that passes over rows which a constraint already has."""
    return _insert(connection, table).on_conflict_do_nothing()


def insert_or_update(connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> None:
    """Write one row whole, whether its primary key is there or not."""
    statement = _insert(connection, table).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=row))


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
