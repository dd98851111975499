"""`smsgw serve` in a process of its own, over real time, that may be killed: for carriers that are not ours."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from subprocess import CompletedProcess

import sqlalchemy as sa

from smsgw.dispatch import retry
from smsgw.dossiers import sample
from smsgw.store.database import Database
from smsgw.store.history import message
from tests import processes
from tests.kannel import listens, until
from tests.world import TODAY

SETTINGS = """
[gateway]
database = "sqlite:///{folder}/gateway.db"
[web]
bind = "127.0.0.1:{port}"
[onestop]
database = "sqlite:///{folder}/onestop.db"
"""


class Serving:
    """A gateway on SQLite with a sample of dossiers. `channels`: the settings of its channels."""

    def __init__(self, folder: Path, port: int, channels: str) -> None:
        self.folder, self.port = folder, port
        self.settings = folder / "settings.toml"
        self.settings.write_text(SETTINGS.format(folder=folder, port=port) + channels)
        sample.write(f"sqlite:///{folder}/onestop.db", 60, 1, TODAY)
        self.database = Database(f"sqlite:///{folder}/gateway.db")
        self.database.create()
        self._process: ForkServerProcess | None = None

    def start(self, dies_at: tuple[str, str] = ("", "")) -> None:
        """Start it; `dies_at`: the transaction, and the side of its commit, where it kills itself."""
        log = self.folder / "gateway.log"
        self._process = processes.start(_serve, self.settings, log, dies_at)
        until(lambda: self.ended() or listens(self.port), "the gateway to start")
        assert not self.ended(), log.read_text()[-2000:]

    def ended(self) -> bool:
        return self._process is not None and self._process.exitcode is not None

    def kill(self) -> None:
        """With -9."""
        if self._process:
            self._process.kill()
            self._process.join()

    def close(self) -> None:
        self.kill()
        self.database.close()

    def states(self) -> list[str]:
        with self.database.reading() as connection:
            return [*connection.scalars(sa.select(message.c.state))]

    def command(self, *words: str) -> CompletedProcess[str]:
        """A command of smsgw, as an operator gives it."""
        return processes.command(words, self.folder)


def _serve(settings: Path, log: Path, dies_at: tuple[str, str]) -> None:
    """The gateway, in a process that dies where it is told to. Claims of nothing don't count."""
    processes.output_to(log)

    def in_hand() -> bool:
        with closing(sqlite3.connect(settings.with_name("gateway.db"))) as database:
            return database.execute("SELECT 1 FROM outbound WHERE state = 'sending'").fetchone() is not None

    def fate(name: str, at: str) -> None:
        if (name, at) == dies_at and (name != "claim" or in_hand()):
            os.kill(os.getpid(), signal.SIGKILL)

    Database.boundary = staticmethod(fate)
    retry.BLIND_WAIT /= 60  # nobody waits here for minutes until doubt is given up
    processes.smsgw("--config", str(settings), "serve")
