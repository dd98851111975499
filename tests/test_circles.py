"""Nodes that write the same rows at the same time, each in another order, do not wait for each other in a circle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from providers.contract import Inbound, Part
from smsgw.officials.systems import Systems
from smsgw.store import (
    channels,
    followers,
    history,
    inbox,
    lines,
    officials,
    people,
    ratings,
    receipts,
    reminders,
    systems,
)
from smsgw.store.channels import Channel
from smsgw.store.chats import Overtaken
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.inbox import Arrival
from smsgw.store.lines import Unproved
from smsgw.store.people import Preference
from smsgw.store.ratings import Rating
from smsgw.store.receipts import Report
from smsgw.store.reminders import Reminder
from smsgw.store.states import State
from smsgw.store.systems import Asked
from smsgw.store.tables import Lane, inbound, outbound
from tests import test_outbox as outbox
from tests.chaos import until
from tests.test_inbox import PASSING, arrival, held, take, take_alone, with_room_for
from tests.world import NOON, SECRET, TOKEN, world

Write = Callable[[sa.Connection, Sequence[str]], object]


def messages(connection: sa.Connection, names: Sequence[str]) -> None:
    came = [
        Arrival(new_id(), "sms", name, "84912345678", "8188", "HELP", NOON, NOON, state="ignored") for name in names
    ]
    inbox.accept(connection, came)


def reports(connection: sa.Connection, names: Sequence[str]) -> None:
    receipts.record(connection, "sms", [Report(None, name, "delivered", None, NOON) for name in names], NOON)


def reminded(connection: sa.Connection, names: Sequence[str]) -> None:
    told = [Reminder("received", name, "-", "owner", "84912345678", "told", new_id()) for name in names]
    reminders.add(connection, told, "run", NOON)


def brought(connection: sa.Connection, names: Sequence[str]) -> None:
    lines.expect_again(connection, [Unproved(name, "sms", "", name, NOON) for name in names])


def followed(connection: sa.Connection, names: Sequence[str]) -> None:
    followers.write(connection, {("84912345678", name): (True, NOON) for name in names})


def rated(connection: sa.Connection, names: Sequence[str]) -> None:
    ratings.add(connection, [Rating(name, "84912345678", 5, "H01.31", "UBND", NOON) for name in names])


def preferred(connection: sa.Connection, names: Sequence[str]) -> None:
    people.prefer(connection, {name: (Preference("en", accents=False), NOON) for name in names})


@pytest.mark.parametrize("write", [messages, reports, reminded, brought, followed, rated, preferred])
def test_whoever_writes_rows_takes_them_in_one_order(postgres_tables: str, write: Write) -> None:
    database, failed = Database(postgres_tables), list[Exception]()

    def other() -> None:
        try:
            with database.writing("test") as connection:
                write(connection, ["b", "a"])
        except Overtaken:
            pass  # it has waited, and found that another was quicker
        except sa.exc.OperationalError as error:
            failed.append(error)

    thread = threading.Thread(target=other)
    with database.writing("test") as connection:
        write(connection, ["a"])
        thread.start()
        until(lambda: _waits(database), "the other to wait for the first row")
        write(connection, ["b"])
    thread.join()
    assert failed == []
    database.close()


@pytest.fixture
def other() -> Iterator[ThreadPoolExecutor]:
    """Another node."""
    with ThreadPoolExecutor(1) as node:
        yield node


on_postgresql = pytest.mark.parametrize("tables_url", ["postgresql"], indirect=True)
either_way = pytest.mark.parametrize("undone", [False, True], ids=["committed", "undone"])


@on_postgresql
@either_way
def test_messages_that_two_nodes_take_in_at_once_have_one_reply_each(
    database: Database, other: ThreadPoolExecutor, undone: bool
) -> None:
    with suppress(_Undone), database.writing("test") as connection:
        inbox.accept(connection, [arrival("a", "Ho so"), arrival("b", "Ho so")])
        late = other.submit(take, database, [arrival("b", "Ho so"), arrival("a", "Ho so")])
        until(lambda: _waits(database), "the other to wait for the first message")
        if undone:
            raise _Undone
    taken = late.result()
    with database.reading() as connection:
        answered_ones = connection.scalars(sa.select(outbound.c.in_reply_to)).all()
        named = connection.execute(sa.select(inbound.c.carrier_message_id, inbound.c.id)).all()
    assert sorted(name for name, _ in named) == ["a", "b"]
    assert sorted(answered_ones) == sorted(id for _, id in named)
    assert taken == ({id for _, id in named} if undone else set())


@on_postgresql
@either_way
def test_a_message_that_two_nodes_take_in_at_once_has_one_reply_and_costs_the_rate_one(
    database: Database, other: ThreadPoolExecutor, undone: bool
) -> None:
    with_room_for(database, 3)
    with suppress(_Undone), database.writing("test") as connection:
        (first,) = inbox.accept(connection, [held(arrival("a", "Ho so"))], PASSING)
        late = other.submit(take_alone, database, arrival("a", "Ho so"))
        until(lambda: _waits(database), "the other to wait for the message")
        if undone:
            raise _Undone
    second = late.result()
    assert (second is not None) == undone
    with database.reading() as connection:
        assert connection.scalars(sa.select(inbound.c.id)).all() == [(second or first).id]
        assert connection.scalars(sa.select(outbound.c.in_reply_to)).all() == [(second or first).id]
        assert channels.every(connection)["sms"].allowance == 2


@on_postgresql
@pytest.mark.parametrize(
    ("meanwhile", "passes"),
    [
        (lambda row: row, True),
        (lambda row: replace(row, allowance=2.0), True),
        (lambda row: replace(row, allowance=0.0), False),
        (lambda row: replace(row, state="paused", reason="by an official"), False),
    ],
    ids=["as before", "with less room", "without room", "paused"],
)
def test_who_has_waited_for_another_nodes_message_finds_the_channel_as_it_is_then(
    database: Database, other: ThreadPoolExecutor, meanwhile: Callable[[Channel], Channel], passes: bool
) -> None:
    with_room_for(database, 3)
    with suppress(_Undone), database.writing("test") as connection:
        inbox.accept(connection, [arrival("a", "Ho so")])
        late = other.submit(take_alone, database, arrival("a", "Ho so"))
        until(lambda: _waits(database), "the other to wait for the message")
        with database.writing("test") as elsewhere:
            before = channels.lock(elsewhere, "sms")
            channels.write(elsewhere, before, meanwhile(before), NOON)
        raise _Undone
    taken = late.result()
    assert taken
    assert taken.reply
    assert taken.reply.state == (State.SENDING if passes else State.QUEUED)
    with database.reading() as connection:
        assert channels.every(connection)["sms"].allowance == meanwhile(before).allowance - passes


class _Undone(Exception):
    """One node's transaction comes to nothing."""


def test_reports_that_name_messages_in_either_way_take_them_in_one_order(postgres_tables: str) -> None:
    database, failed = Database(postgres_tables), list[Exception]()
    first, second = sorted(outbox.add(database, outbox.message(), outbox.message()))
    outbox.claim(database)
    for id in (first, second):
        outbox.settle(database, id, State.SUBMITTED, carrier_id=f"mt-{id}")

    def other() -> None:
        both = [Report(second, None, "delivered", None, NOON), Report(None, f"mt-{first}", "delivered", None, NOON)]
        try:
            outbox.report(database, *both)
        except sa.exc.OperationalError as error:
            failed.append(error)

    thread = threading.Thread(target=other)
    with database.writing("test") as connection:
        receipts.record(connection, "sms", [Report(first, None, "buffered", None, NOON)], NOON)
        thread.start()
        until(lambda: _waits(database), "the other to wait for the first message")
        receipts.record(connection, "sms", [Report(second, None, "buffered", None, NOON)], NOON)
    thread.join()
    assert failed == []
    with database.reading() as connection:
        assert {row.state for row in history.by_id(connection, [first, second])} == {"delivered"}
    database.close()


def test_what_two_lines_bring_again_is_written_in_one_order(postgres_tables: str) -> None:
    database, failed, overtaken = Database(postgres_tables), list[Exception](), threading.Event()
    with database.writing("test") as connection:
        brought(connection, ["a", "b"])

    def other() -> None:
        try:
            with database.writing("test") as connection:
                lines.brought_again(connection, [("b", "b2", "2"), ("a", "a2", "2")])
        except Overtaken:
            overtaken.set()
        except sa.exc.OperationalError as error:
            failed.append(error)

    thread = threading.Thread(target=other)
    with database.writing("test") as connection:
        lines.brought_again(connection, [("a", "a1", "1")])
        thread.start()
        until(lambda: _waits(database), "the other to wait for the first row")
        lines.brought_again(connection, [("b", "b1", "1")])
    thread.join()
    assert failed == []
    assert overtaken.is_set()
    database.close()


def test_two_who_sign_in_for_the_first_time_in_days_do_not_fail_each_other(postgres_tables: str) -> None:
    database, failed, today = Database(postgres_tables), list[Exception](), NOON + timedelta(days=3)
    for subject in ("address:1", "address:2"):
        with database.writing("test") as connection:
            officials.count_failure(connection, subject, NOON, NOON)

    def other() -> None:
        try:
            with database.writing("test") as connection:
                officials.failures(connection, ["address:2"], today)
                begun.set()
                officials.count_failure(connection, "address:2", today, today - timedelta(days=1))
        except sa.exc.OperationalError as error:
            failed.append(error)

    thread, begun = threading.Thread(target=other), threading.Event()
    with database.writing("test") as connection:
        officials.failures(connection, ["address:1"], today)
        thread.start()
        begun.wait()
        thread.join(0.5)
        officials.count_failure(connection, "address:1", today, today - timedelta(days=1))
    thread.join()
    assert failed == []
    with database.writing("test") as connection:
        counted = officials.failures(connection, ["address:1", "address:2"], today)
    assert [each.count for each in counted.values()] == [1, 1]
    database.close()


def test_a_text_of_two_parts_whose_reply_goes_by_another_channel_fails_no_node_that_starts(
    tmp_path: Path, postgres_tables: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsgw.dispatch.sender.POLL", 3600.0)
    other = f"""
[channels.another]
provider = "aggregator"
url = "http://127.0.0.1:9"
token = "{TOKEN}"
secret = "{SECRET}"
sender = "8188"
tps = 1000
[[routes]]
purposes = ["reply"]
channels = ["sms", "another"]
"""
    with world(tmp_path, postgres_tables, more=other) as here:
        gateway, database = here.gateway, Database(postgres_tables)
        gateway.steering.pause("sms", "it is mended", "linh")
        gateway.roads.look(gateway.database)
        here.clock.forward(seconds=1)
        (sender,) = (sender for sender in gateway.senders if sender.serves("another", Lane.REPLY))
        sender.wake()
        sender.start()
        until(lambda: not (sender._work.is_set() or sender._free.locked()), "the sender to rest")
        parts = [Inbound(f"mo-{n}", "84912345678", "8188", "HELP", part=Part("r", 2, n)) for n in (1, 2)]
        with database.writing("test") as connection:
            channels.lock(connection, "another")
            taken = gateway.intake.take(gateway.channels["sms"], parts)
            until(lambda: _waits(database) or taken.done(), "the text to be taken in, or to wait")
            channels.lock(connection, "sms")
        assert [one.status for one in taken.result()] == ["accepted", "accepted"]
        sender.stop(10)
        database.close()


def _waits(database: Database) -> bool:
    with database.reading() as connection:
        waiting = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(connection.scalar(waiting))


def test_a_message_and_a_notice_asked_for_under_one_name_do_not_fail_each_other(postgres_tables: str) -> None:
    database, asked, failed = Database(postgres_tables), list[bool](), list[Exception]()
    key = Systems(database, lambda: NOON).add("kiosk", "sender", None, 10, "an")[0].id

    def notice() -> None:
        try:
            with database.writing("test") as connection:
                asked.append(systems.ask(connection, key, "hen-4711", Asked("notice", new_id()), NOON))
        except sa.exc.OperationalError as error:
            failed.append(error)

    thread = threading.Thread(target=notice)
    with database.writing("test") as connection:
        systems.lock(connection, key)  # as whoever sends a message with it does
        thread.start()
        until(lambda: asked or _waits(database), "the other to have asked")
        asked.append(systems.ask(connection, key, "hen-4711", Asked("message", new_id()), NOON))
    thread.join()
    assert (asked, failed) == ([True, False], [])
    database.close()
