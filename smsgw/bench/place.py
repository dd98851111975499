"""Where a benchmark happens: a folder and databases that are thrown away, and the gateway's processes in between."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from smsgw.bench.load import SECRET, SHORT_CODE
from smsgw.bench.ports import free_port
from smsgw.bench.processes import Process, parent_of, smsgw, stop_all
from smsgw.bench.wire import HOST
from smsgw.clock import utc_now
from smsgw.demo import SEED
from smsgw.dossiers import sample
from smsgw.gateway import ROLES, Gateway, Role
from smsgw.settings import Settings, load
from smsgw.store.database import Database

UNPACED = 1_000_000  # messages a second

Roles = tuple[str, tuple[Role, ...]]  # a process's name and its roles


@dataclass(frozen=True, slots=True)
class Shape:
    """How many processes have which role; without a web one, a single process has all roles."""

    web: int
    workers: int

    def roles(self) -> list[Roles]:
        """What each process is."""
        if not self.web:
            return [("gateway", ROLES)]
        web: list[Roles] = [("web", ("web",))] * self.web
        workers: list[Roles] = [("worker", ("worker", "scheduler"))] * self.workers
        return web + workers

    def senders(self) -> list[Roles]:
        """Only the processes that send."""
        return [(name, roles) for name, roles in self.roles() if "worker" in roles]

    def __str__(self) -> str:
        return f"{self.web} web + {self.workers} worker" if self.web else "1 with all roles"


SQLITE_SHAPE, POSTGRESQL_SHAPE = Shape(0, 1), Shape(2, 1)


class Place:
    """A folder, and databases on SQLite there or on a PostgreSQL, each in a schema of its own."""

    def __init__(self, folder: Path, server: str | None, dossiers: int) -> None:
        self.folder = folder
        self._server = sa.make_url(server) if server else None
        self._mark = f"bench_{uuid.uuid4().hex[:8]}"
        self._numbers = itertools.count(1)
        self._schemas: list[str] = []
        self._engine = sa.create_engine(self._server, isolation_level="AUTOCOMMIT") if self._server else None
        self.onestop = self.database("onestop")
        sample.write(self.onestop, dossiers, SEED, utc_now().date())
        self.codes = self._read_codes()

    @property
    def kind(self) -> str:
        return "postgresql" if self._server is not None else "sqlite"

    @property
    def shape(self) -> Shape:
        """What suits the database."""
        return SQLITE_SHAPE if self._server is None else POSTGRESQL_SHAPE

    def database(self, name: str, *others: str) -> str:
        """The URL of an empty database. `others`: names of schemas that are seen from it too, on PostgreSQL."""
        name = f"{name}{next(self._numbers)}"
        if self._server is None or self._engine is None:
            return f"sqlite:///{self.folder}/{name}.db"
        schema = f"{self._mark}_{name}"
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
        self._schemas.append(schema)
        path = ",".join([schema, *others])
        return self._server.update_query_dict({"options": f"-csearch_path={path}"}).render_as_string(False)

    def gateway_database(self) -> str:
        """The URL of a database with the gateway's tables, all of them empty."""
        url = self.database("gateway")
        _create(url)
        return url

    def started_database(self) -> str:
        """The same after a gateway's first start, which looks through all dossiers for what is too old to be told.

        That takes a second and is no part of how fast messages go.
        """
        url = self.gateway_database()
        gateway = Gateway(self.settings(url, self.onestop, ""))
        gateway.reminders.runs.meet()
        gateway.reminders.runs.tick()
        gateway.close()
        return url

    def bare_database(self) -> str:
        """The same with the sample dossiers in it, so that one transaction reaches both."""
        if self._server is None:
            url = self.database("bare")
            shutil.copy(sa.make_url(self.onestop).database or "", sa.make_url(url).database or "")
        else:
            url = self.database("bare", self._schemas[0])
        _create(url)
        return url

    def settings(self, gateway: str, onestop: str, more: str) -> Settings:
        """Of a gateway over these databases that nothing is sent or received by; `more`: further tables."""
        text = _settings(gateway, onestop, free_port(), free_port(), UNPACED, 100)
        return load(self.folder / "settings.toml", text + more)

    def server_process(self) -> dict[str, int]:
        """The database server's first process by its name, if there is one on this machine."""
        if self._engine is None:
            return {}
        with self._engine.connect() as connection:
            pid: int = connection.execute(sa.select(sa.func.pg_backend_pid())).scalar_one()
            return {"postgresql": parent} if (parent := parent_of(pid)) else {}

    def facts(self) -> dict[str, str]:
        """What the database is, and how durable."""
        if self._engine is None:
            return {"sqlite_version": sqlite3.sqlite_version}
        names = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
        with self._engine.connect() as connection:
            return {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names}

    def close(self) -> None:
        """Drop what was made."""
        if self._engine is not None:
            with self._engine.connect() as connection:
                for schema in self._schemas:
                    connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
            self._engine.dispose()

    def _read_codes(self) -> list[str]:
        engine = sa.create_engine(self.onestop)
        with engine.connect() as connection:
            codes = [*connection.execute(sa.text("SELECT code FROM dossier ORDER BY code")).scalars()]
        engine.dispose()
        return codes


@contextmanager
def place(server: str | None, dossiers: int) -> Iterator[Place]:
    """A place for as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="smsgw-bench-"))
    try:
        made = Place(folder, server, dossiers)
        try:
            yield made
        finally:
            made.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Running:
    """A running gateway: the port that it listens on, and its processes by role."""

    port: int
    processes: Sequence[Process]

    def groups(self) -> dict[str, list[int]]:
        """Its processes' ids by what they are."""
        groups: dict[str, list[int]] = {}
        for process in self.processes:
            groups.setdefault(process.name.partition("-")[0], []).append(process.pid)
        return groups


@contextmanager
def running_gateway(
    where: Place, roles: Sequence[Roles], database: str, carrier_port: int, *, tps: float = UNPACED, batch: int = 100
) -> Iterator[Running]:
    """`smsgw serve` in a process for each of the roles, for as long as the block lasts."""
    port = free_port()
    file = where.folder / f"settings-{port}.toml"
    file.write_text(_settings(database, where.onestop, port, carrier_port, tps, batch), encoding="utf-8")
    processes: list[Process] = []
    try:
        for number, (name, named) in enumerate(roles):
            words = smsgw("--config", str(file), "serve", "--roles", ",".join(named))
            processes.append(Process(f"{name}-{port}-{number}", words, where.folder))
        for process in processes:
            process.wait_for("gateway:")
        yield Running(port, processes)
    finally:
        stop_all(processes)


def _create(url: str) -> None:
    database = Database(url)
    database.create()
    database.close()


def _settings(database: str, onestop: str, port: int, carrier_port: int, tps: float, batch: int) -> str:
    return f"""
[gateway]
database = "{database}"
secret_key = "bench"
[web]
bind = "{HOST}:{port}"
share_port = true
[quiet_hours]
start = "00:00"
end = "00:00"
[onestop]
database = "{onestop}"
time_limit = 10
[channels.sms]
provider = "aggregator"
url = "http://{HOST}:{carrier_port}"
token = "bench-token"
secret = "{SECRET}"
sender = "{SHORT_CODE}"
tps = {tps}
batch = {batch}
"""
