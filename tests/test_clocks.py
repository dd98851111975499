"""Nodes need not agree on the time: on PostgreSQL they keep its own, whatever their machines' clocks are set to."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from smsgw.cli.main import commands
from smsgw.clock import utc_now
from smsgw.dispatch.channel import Channel, Roads
from smsgw.dispatch.hand import ReplyHand
from smsgw.dispatch.pace import Pace
from smsgw.dispatch.routes import Routes
from smsgw.dispatch.sender import LEASES, REPLIES, Sender
from smsgw.gateway import Gateway
from smsgw.store import channels, inbox
from smsgw.store.clock import CommonClock
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.outbox import NewMessage
from smsgw.store.states import State
from smsgw.store.tables import Lane, outbound
from tests.chaos import until
from tests.sending import LIMIT, Carrier, rests
from tests.test_inbox import arrival
from tests.test_outbox import add, message
from tests.world import SetClock, settings, settings_text, sqlite_with_tables

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


@pytest.mark.parametrize("by", [-HOUR, 366 * 24 * HOUR], ids=["back", "far ahead"])
def test_a_node_goes_on_sweeping_whatever_its_machines_clock_is_set_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: timedelta
) -> None:
    monkeypatch.setattr("smsgw.gateway.TICK", 0.05)
    gateway, swept = Gateway(settings(tmp_path, sqlite_with_tables(tmp_path))), threading.Event()
    gateway.database.boundary = lambda name, _: swept.set() if name == "sweep" else None
    gateway.start(["worker"])
    try:
        assert swept.wait(30)
        set_machines_clock(monkeypatch, by)
        for _ in range(3):  # of which the first may have been on its way
            swept.clear()
            assert swept.wait(30)
    finally:
        gateway.stop()


def set_machines_clock(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """The time as it is from now on for whoever tells when something is to be done."""

    class Set(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override] # as below
            return datetime.now(tz) + by

    theirs = [name for name in sys.modules if name == "smsgw.clock" or name.startswith("apscheduler.")]
    for name in theirs:
        if getattr(sys.modules[name], "datetime", None) is datetime:
            monkeypatch.setattr(f"{name}.datetime", Set)


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


@pytest.fixture
def clock(database: Database) -> CommonClock:
    clock = CommonClock(database, utc_now)
    clock.compare()
    return clock


@pytest.fixture
def resting(database: Database, clock: CommonClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    """A sender that has nothing to do, and looks at nothing unless it is woken."""
    monkeypatch.setattr("smsgw.dispatch.sender.POLL", 3600.0)
    channel = Channel("sms", "8188", Carrier(), Pace(TPS, 5), 5)  # type: ignore[arg-type]
    sender = Sender(database, channel, Roads([channel], Routes([], "sms")), REPLIES, clock=clock)
    sender.start()
    sender.wake()
    until(lambda: rests(sender), "the sender rests")
    yield sender
    sender.stop(10)


def stored(database: Database, sender: Sender) -> NewMessage:
    """The reply to a text as it is stored, once the sender holds out its hand for it."""
    with ExitStack() as stack:
        hands: list[ReplyHand] = []

        def held_out() -> bool:
            hands.extend(filter(None, [stack.enter_context(sender.hand_for_reply())]))
            return bool(hands)

        until(held_out, "the sender to hold out its hand")
        with database.writing("test") as connection:
            text, passing = arrival(new_id(), "Ho so"), hands[0].opens()
            given = text._replace(reply=text.reply and hands[0].holding(text.reply))
            (kept,) = inbox.accept(connection, [given], passing)
            assert kept.reply
            hands[0].closes([kept.reply])
            return kept.reply


@pytest.mark.parametrize("wrong", [HOUR, -HOUR], ids=["ahead", "behind"])
@pytest.mark.parametrize("paused", [False, True], ids=["open", "paused"])
def test_a_reply_goes_into_no_hand_by_a_clock_that_is_wrong(
    database: Database, clock: CommonClock, resting: Sender, wrong: timedelta, paused: bool
) -> None:
    if paused:
        with database.writing("test") as connection:
            before = channels.lock(connection, "sms")
            channels.write(connection, before, replace(before, resume_at=utc_now() + HOUR / 2), utc_now())
    clock._behind += wrong  # the database's clock was set, and this node has not seen it yet
    assert stored(database, resting).state == State.QUEUED
    until(lambda: rests(resting), "the sender to look for what is queued, and at that clock")
    reply = stored(database, resting)
    assert reply.state == (State.QUEUED if paused else State.SENDING)
    if reply.deadline:
        lasts = timedelta(seconds=LEASES * LIMIT)
        assert abs(reply.deadline - utc_now() - lasts) < timedelta(seconds=5)


class Late(datetime):
    """What a machine takes for the time whose clock was set back."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override] # no part of the gateway can tell
        return datetime.now(tz) - HOUR


@pytest.mark.parametrize("words", ["test sms --wait 0 --to 0912345678", "pause sms --reason x"])
def test_a_command_on_a_machine_whose_clock_is_wrong_goes_by_the_databases(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    url = database.url.render_as_string(hide_password=False)
    (tmp_path / "settings.toml").write_text(settings_text(tmp_path, url))
    monkeypatch.setattr("smsgw.clock.datetime", Late)
    CliRunner().invoke(commands, ["--config", f"{tmp_path}/settings.toml", "channel", *words.split()])
    with database.reading() as connection:
        created = [*connection.scalars(sa.select(outbound.c.created_at))]
        paused = [event.at for event in channels.events(connection, "sms") if event.state == "paused"]
    (at,) = created + paused
    assert abs(datetime.now(UTC) - at) < HOUR / 2
