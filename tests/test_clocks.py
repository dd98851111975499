"""Nodes need not agree on the time: on PostgreSQL they keep its own, whatever their machines' clocks are set to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from smsgw.clock import utc_now
from smsgw.dispatch.channel import Channel, Roads
from smsgw.dispatch.pace import Pace
from smsgw.dispatch.routes import Routes
from smsgw.dispatch.sender import Sender
from smsgw.store import channels
from smsgw.store.clock import CommonClock
from smsgw.store.database import Database
from smsgw.store.tables import Lane
from tests.sending import Carrier
from tests.test_outbox import add, message
from tests.world import SetClock

HOUR = timedelta(hours=1)
TPS = 5.0


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    database.create()
    with database.writing("test") as connection:
        channels.ensure(connection, "sms", utc_now() - HOUR)
    yield database
    database.close()


def off(clock: CommonClock) -> timedelta:
    return abs(clock() - utc_now())


def test_a_machines_clock_that_is_set_while_the_gateway_runs_changes_nothing(database: Database) -> None:
    machine = SetClock(utc_now())
    clock = CommonClock(database, machine)
    clock.compare()
    machine.forward(hours=1)
    assert off(clock) < HOUR / 2


def test_a_clock_that_is_wrong_is_right_as_soon_as_the_database_was_asked(database: Database) -> None:
    clock = CommonClock(database, lambda: utc_now() + HOUR)
    assert off(clock) > HOUR / 2
    clock.compare()
    assert off(clock) < HOUR / 2


def test_on_sqlite_the_machines_clock_is_the_common_one(tmp_path: Path) -> None:
    machine = SetClock()
    clock = CommonClock(Database(f"sqlite:///{tmp_path}/gateway.db"), machine)
    clock.compare()
    machine.forward(hours=1)
    assert clock() == machine.now


def test_nodes_that_have_not_seen_yet_that_the_databases_clock_was_set_keep_to_the_rate(database: Database) -> None:
    carrier = Carrier()

    def node(wrong: timedelta) -> Sender:
        clock = CommonClock(database, lambda: utc_now() + wrong)
        channel = Channel("sms", "8188", carrier, Pace(TPS, 5), 5)  # type: ignore[arg-type]
        return Sender(database, channel, Roads([channel], Routes([], "sms")), tuple(Lane), clock=clock)

    now = utc_now()
    due, end = now - 2 * HOUR, now + 9 * HOUR
    add(database, *(message()._replace(not_before=due, expires_at=end) for _ in range(200)))
    began = time.monotonic()
    nodes = [(node(HOUR), node(-HOUR)) for _ in range(10)]  # each asks the database for the first time when it claims
    for ahead, behind in nodes:
        ahead.send_due()
        behind.send_due()
    most = TPS + TPS * (time.monotonic() - began)
    assert 0 < sum(map(len, carrier.calls)) <= most
