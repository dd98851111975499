"""Nodes wake each other: one that queues a message tells those that send. A lost wake only costs a poll's wait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import psycopg
import sqlalchemy as sa

from smsgw.store.database import Database
from smsgw.store.tables import Lane

CHANNEL = "smsgw_wake"
PATIENCE = 1.0  # seconds between looks at whether to stop, and between tries at a database that is away

log = logging.getLogger("smsgw.store")


class Bell:
    """Rings for the senders of a channel and lane.

    `ours`: called where this node has the senders. None: other nodes have them, and on PostgreSQL they hear it.
    """

    def __init__(self, database: Database) -> None:
        self.ours: Callable[[str, Lane], None] | None = None
        self._on_sqlite = database.on_sqlite

    def tell(self, connection: sa.Connection, channel: str, lane: Lane) -> None:
        """Within the transaction that queues something: other nodes hear of it when that is committed."""
        if self.ours is None and not self._on_sqlite:
            connection.execute(_NOTIFY, {"channel": CHANNEL, "payload": f"{lane:d} {channel}"})

    def ring(self, channel: str, lane: Lane) -> None:
        """After it was committed."""
        if self.ours is not None:
            self.ours(channel, lane)


_NOTIFY = sa.select(sa.func.pg_notify(sa.bindparam("channel"), sa.bindparam("payload")))


class Listener:
    """Hears other nodes' wakes, in a thread of its own once started. Calls `woken` with a channel's name and a lane.

    `deaf`: called whenever it begins to listen, since wakes may have gone unheard before.
    """

    def __init__(self, database: Database, woken: Callable[[str, Lane], None], deaf: Callable[[], None]) -> None:
        self._database = database
        self._woken = woken
        self._deaf = deaf
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wakes", daemon=True)

    def start(self) -> None:
        if not self._database.on_sqlite:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2 * PATIENCE)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except (sa.exc.SQLAlchemyError, psycopg.Error, ValueError) as error:
                log.warning("wakes of other nodes are not heard: %s; polling goes on", type(error).__name__)
                self._stopping.wait(PATIENCE)

    def _listen(self) -> None:
        with self._database.listening(CHANNEL) as connection:
            self._deaf()
            while not self._stopping.is_set():
                for notice in connection.notifies(timeout=PATIENCE):
                    lane, _, channel = notice.payload.partition(" ")
                    self._woken(channel, Lane(int(lane)))
