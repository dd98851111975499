"""What claiming and settling a batch costs by how much is finished already, in the outbox itself or in its history."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from time import perf_counter

import sqlalchemy as sa

from smsgw.bench import notices
from smsgw.bench.figures import Figures
from smsgw.bench.place import Place
from smsgw.bench.plan import Scene
from smsgw.bench.processes import BenchFailed
from smsgw.clock import utc_now
from smsgw.store import outbox
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.states import RECEIPT_WAIT, State
from smsgw.store.tables import Lane, history, outbound

FEW = 10_000  # finished rows to compare to
BATCH, BATCHES = 100, 200  # messages in a batch; batches in a round
LEASE = RECEIPT_WAIT

_SHARED = """
  lpad(hex, 12, '0') || '-0000-7000-8000-000000000000' AS id, 'sms' AS channel, 2 AS lane, NULL AS in_reply_to,
  '8188' AS sender, CAST(84700000000 + i AS TEXT) AS recipient,
  'UBND tinh thong bao: bo phan mot cua nhan ho so ca sang thu bay. Ho so cua ong/ba van giu nguyen hen tra.' AS text,
  'gsm7' AS encoding, 1 AS segments, 'delivered' AS state, at AS created_at, 'c' || hex AS carrier_message_id,
  at AS submitted_at, NULL AS error_code, 1 AS attempts, 0 AS doubts, at AS finished_at"""
_LIVE = ", at AS not_before, later AS expires_at, later AS deadline, NULL AS lease, at AS tried_at"

# Twenty messages a second, backwards from now.
_NUMBERED = {
    "postgresql": (
        "SELECT i, to_hex(i) AS hex, timezone('utc', now()) - i * interval '0.05 s' AS at,"
        " timezone('utc', now()) + interval '3 days' - i * interval '0.05 s' AS later FROM generate_series(1, {n}) AS i"
    ),
    "sqlite": (
        "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {n})"
        " SELECT i, printf('%012x', i) AS hex,"
        " strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || (i * 0.05) || ' seconds') AS at,"
        " strftime('%Y-%m-%d %H:%M:%f000', 'now', '3 days', '-' || (i * 0.05) || ' seconds') AS later FROM numbers"
    ),
}


def run(scene: Scene) -> Figures:
    """Batch by batch in turn: few finished rows, many, and many in history."""
    figures = Figures("claim")
    few, many = scene.plan.sized(FEW), scene.plan.sized(scene.plan.finished)
    base, batches = f"{few:,} finished", scene.plan.sized(BATCHES)
    sides = {
        base: _filled(scene.place, few, 0),
        f"{many:,} finished": _filled(scene.place, many, 0),
        f"{many:,} in history": _filled(scene.place, few, many),
    }
    databases = {name: Database(url) for name, url in sides.items()}
    try:
        for _ in range(scene.plan.rounds):
            for url in sides.values():
                notices.queue(url, BATCH * batches)
            for name, microseconds in _in_turn(databases, batches).items():
                figures.add(name, microseconds, "µs/batch", None if name == base else base)
    finally:
        for database in databases.values():
            database.close()
    figures.note(f"one batch is {BATCH} messages, claimed in one transaction and settled in another")
    return figures


def _in_turn(databases: Mapping[str, Database], batches: int) -> dict[str, float]:
    spent: dict[str, list[float]] = {name: [] for name in databases}
    for _ in range(batches):
        for name, database in databases.items():
            began = perf_counter()
            _claim_and_settle(database)
            spent[name].append(perf_counter() - began)
    return {name: 1e6 * median(values) for name, values in spent.items()}


def _claim_and_settle(database: Database) -> None:
    now, lease = utc_now(), new_id()
    with database.writing("claim") as connection:
        claimed = outbox.claim(connection, "sms", (Lane.NOTICE,), BATCH, lease=lease, until=now + LEASE, now=now)
    settled = [
        outbox.Settled(message, State.SUBMITTED, now + RECEIPT_WAIT, carrier_message_id=f"c{message.id}")
        for message in claimed
    ]
    with database.writing("settle") as connection:
        ours = outbox.settle(connection, "sms", lease, settled, now)
    if ours != BATCH:
        raise BenchFailed(f"{ours} of {BATCH} messages were claimed and settled")


def _filled(place: Place, live: int, past: int) -> str:
    """The URL of a database with so many finished messages in the outbox, and in history."""
    url = place.gateway_database()
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for table, count, columns in ((outbound, live, _SHARED + _LIVE), (history, past, _SHARED)):
            if count:
                connection.exec_driver_sql(_filling(connection, table, columns, count))
        if connection.dialect.name == "postgresql":
            # A table of that size has long been looked at by PostgreSQL's own housekeeping.
            for table in (outbound, history):
                connection.exec_driver_sql(f"VACUUM (ANALYZE) {table.name}")
    engine.dispose()
    return url


def _filling(connection: sa.Connection, table: sa.Table, columns: str, count: int) -> str:
    names = ", ".join(column.name for column in table.c)
    dialect = connection.dialect.name
    if dialect == "sqlite":
        columns = columns.replace("lpad(hex, 12, '0')", "hex")
    numbered = _NUMBERED[dialect].format(n=count)
    return f"INSERT INTO {table.name} ({names}) SELECT {names} FROM (SELECT {columns} FROM ({numbered}) AS n) AS made"
