"""Opening the gateway's database, and the two ways to use it: `reading` and `writing`."""

from __future__ import annotations

import fcntl
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any, cast

import psycopg
import sqlalchemy as sa
from psycopg import sql

from smsgw import silence
from smsgw.failure import ExpectedFailure, first_line
from smsgw.resources import shipped, statements
from smsgw.store.tables import metadata


class SchemaError(ExpectedFailure):
    """The database is there and is not what this version needs. The text says what is missing and what to do."""


class InUse(ExpectedFailure):
    """Another process runs the gateway on a database that takes one. The text says which, and what to do."""


class Closed(ExpectedFailure):
    """The files of a database are another user's. The text says which, and what to do."""


def trouble(error: BaseException) -> str:
    """Why a statement failed, for the log: the disk is full, no connection; without what was being written.

    Only an operational error says nothing of the data, nor does SQLite of a file that is none of its own or damaged;
    of every other one the kind is told.
    """
    harmless = isinstance(error, sa.exc.OperationalError) or type(error) is sa.exc.DatabaseError
    return first_line(error) if harmless else type(error).__name__


_FULL = ("SQLITE_FULL", "53100")  # as SQLite says it, and PostgreSQL


def is_full(error: BaseException) -> bool:
    """Whether a statement failed because the database's disk takes no more."""
    its = getattr(error, "orig", None)
    return (getattr(its, "sqlite_errorname", None) or getattr(its, "sqlstate", None)) in _FULL


Boundary = Callable[[str, str], None]

# The columns of all tables in one query, as it is asked of a node for each look at whether it is ready.
_COLUMNS = {
    "sqlite": sa.text(
        "SELECT made.name, its.name FROM sqlite_master AS made, pragma_table_info(made.name) AS its"
        " WHERE made.type = 'table'"
    ),
    "postgresql": sa.text(
        "SELECT relname, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
        " WHERE relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped AND pg_table_is_visible(attrelid)"
    ),
}

LONGEST_STATEMENT = 60.0  # seconds; an old snapshot costs the claims of all nodes
LONGEST_IDLE = 30.0  # seconds that a transaction may stand still: its node is frozen or gone, and others want its rows

# A plan that is kept was made for the table as it was then, and reads all of one that was small. So there is one plan
# for any size: from each row given, by an index, to its own.
_ONE_PLAN = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # A limit is a parameter, too, and taken for a tenth of all rows: workers would be started for a handful.
    "max_parallel_workers_per_gather": 0,
    # What no index serves is read whole all the same, and counts as dearer than anything: as worth 60 ms of compiling.
    "jit": "off",
}
_MAKING_TABLES = 0x736D73  # the number of an advisory lock, by which it is known to nobody else


class Database:
    """The gateway's tables on SQLite (WAL) or PostgreSQL.

    `boundary` is called with a transaction's name and "before" or "after" at each commit of a writing one; the tests
    that kill the gateway at every such place stand there.
    """

    boundary: Boundary | None = None

    def __init__(self, url: str, *, pool_size: int = 12) -> None:
        self.url = sa.make_url(url)
        self.on_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = sa.create_engine(self.url, **_options(self.url, pool_size))
        # Outside of a transaction PostgreSQL is asked once for each statement, and no snapshot stays open.
        self._reader = self._engine if self.on_sqlite else self._engine.execution_options(isolation_level="AUTOCOMMIT")
        # SQLite takes one writer at a time, and its own way of waiting for the lock is to sleep and try again:
        # writers of one process wait for each other here instead, which keeps the longest wait short.
        self._one_writer = threading.Lock() if self.on_sqlite else nullcontext()
        self._held: IO[bytes] | None = None
        if self.on_sqlite:
            sa.event.listen(self._engine, "connect", prepare_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Statements that write nothing. On PostgreSQL each sees what is committed when it begins."""
        with self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, name: str) -> Iterator[sa.Connection]:
        """A transaction that is committed when the block ends, and undone if the block raises."""
        with self._one_writer, self._engine.connect() as connection:
            with connection.execution_options(writes=True).begin():
                yield connection
                self._at(name, "before")
            self._at(name, "after")

    @contextmanager
    def listening(self, channel: str) -> Iterator[psycopg.Connection[Any]]:
        """A connection of PostgreSQL's own driver that hears what is notified on a channel."""
        with self._reader.connect() as connection:
            driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
            connection.detach()  # it must not go back to the pool; detached, it would not tell its driver
            driver.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            yield driver

    def _at(self, name: str, side: str) -> None:
        if self.boundary is not None:
            self.boundary(name, side)

    def hold(self) -> None:
        """Be the only node that runs on it, where it is SQLite's, until it is closed.

        Raises InUse if another one is, and Closed if this user may not write beside it.

        The lock is the system's and ends with its process, however that ends; the file stays and means nothing. It is
        none of the database's own, as SQLite would lose its locks when one of those is closed.
        """
        if self.file is None:
            return
        file = self.file.resolve()
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            held = file.with_name(f"{file.name}.lock").open("ab")
        except PermissionError as error:
            whose = "all in that folder must belong to the user who runs the gateway (chown)"
            raise Closed(f"{error.filename}: {error.strerror}; {whose}") from None
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.close()
            raise InUse(
                f"another smsgw serve or demo runs on {self.file}, and SQLite takes one: stop that one first, or use"
                " PostgreSQL, which takes any number"
            ) from None
        self._held = held

    def create(self) -> bool:
        """Make the tables where there are none; True if it made them. Raises SchemaError for a foreign schema."""
        if self.file is not None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            if not self.file.exists():
                self.file.touch(0o600)  # it will hold every phone and text
        with self.writing("create") as connection:
            if not self.on_sqlite:
                # Nodes that start at once: one makes the tables, and the others find them made.
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MAKING_TABLES)))
            created = not sa.inspect(connection).has_table("outbound")
            if created:
                for statement in statements(shipped("schema.sql")):
                    connection.exec_driver_sql(statement if self.on_sqlite else _by_bytes(statement))
        self.check()
        return created

    def check(self) -> None:
        """Raises SchemaError unless every table and column that this version needs is there."""
        if self.file is not None and not self.file.exists():
            # To look for tables in it would make the file.
            raise SchemaError(f"the gateway's database {self.file} is not there: run smsgw init")
        there: defaultdict[str, set[str]] = defaultdict(set)
        with self.reading() as connection:
            for table, column in connection.execute(_COLUMNS[connection.dialect.name]):
                there[table].add(column)
        if "outbound" not in there:
            raise SchemaError("the gateway's database has no tables yet: run smsgw init")
        for name, ours in metadata.tables.items():
            if missing := [column.name for column in ours.c if column.name not in there[name]]:
                lacks = f"lacks {', '.join(missing)}" if there[name] else "is not there"
                raise SchemaError(
                    f"table {name} of the gateway's database {lacks}: it was made by"
                    " another version; point gateway.database at an empty database, or use that version"
                )

    @property
    def file(self) -> Path | None:
        """Where SQLite keeps it; None for one that is a server's, or in memory."""
        name = self.url.database
        return Path(name) if self.on_sqlite and name and name != ":memory:" else None

    def close(self) -> None:
        self._engine.dispose()
        if self._held is not None:
            self._held.close()


def _options(url: sa.URL, pool_size: int) -> dict[str, Any]:
    # An error's text goes into the log, and parameters are citizens' numbers and texts.
    common = {"pool_size": pool_size, "max_overflow": pool_size, "hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        # A carrier gives up on a callback after some seconds; until then it must have been told to come again.
        return {**common, "connect_args": {"timeout": 5}}
    given = url.query.get("options", "")
    settings = " ".join(f"-c {name}={value}" for name, value in _for_the_server().items())
    return {
        **common,
        # Whoever works most keeps the connections whose statements are prepared and whose caches are warm.
        "pool_use_lifo": True,
        # A server that vanishes is noticed by its silence, also by who only listens. One that went away and came back
        # needs no restart of ours: the first call that fails empties the pool.
        "connect_args": {
            "connect_timeout": 5,
            **silence.noticed(),
            "options": f"{given} {settings}".strip(),
        },
    }


def _for_the_server() -> dict[str, object]:
    """What a session asks of PostgreSQL, which must likewise notice when a node vanishes: it keeps that one's locks."""
    return {
        **_ONE_PLAN,
        "statement_timeout": int(LONGEST_STATEMENT * 1000),
        "idle_in_transaction_session_timeout": int(LONGEST_IDLE * 1000),
        "tcp_user_timeout": silence.SILENCE * 1000,
        "tcp_keepalives_idle": max(1, silence.SILENCE // 2),
        "tcp_keepalives_interval": max(1, silence.SILENCE // 5),
        "tcp_keepalives_count": 2,
    }


def _by_bytes(statement: str) -> str:
    """The same with texts that are sorted by their bytes, as SQLite does it, whatever language the database is of.

    Each entry of an index is compared with others; by the rules of a language PostgreSQL took half as long again for a
    message.
    """
    return re.sub(r"\bTEXT\b", 'TEXT COLLATE "C"', statement)


def prepare_sqlite(connection: Any, record: object) -> None:
    """Set up a new connection of the driver's."""
    connection.isolation_level = None  # transactions are begun by _begin_sqlite, not by the driver
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # what was acknowledged survives a power cut
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
