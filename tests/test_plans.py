"""What a message costs does not hang on how large the tables were when their statements were first planned."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from smsgw.dispatch.channel import Channel, Roads
from smsgw.dispatch.pace import Pace
from smsgw.dispatch.routes import Routes
from smsgw.dispatch.sweep import Sweeper
from smsgw.store import conversations, inbox, outbox, overdue, pending, reminders, systems
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.receipts import Report
from smsgw.store.states import State
from smsgw.store.tables import Lane, metadata, outbound
from tests.bulletin import Cast, approved
from tests.plans import Node, effort, explained
from tests.sending import Carrier
from tests.systems import PHONE
from tests.test_outbox import LATER, add, claim, message, report, settle
from tests.world import NOON, world

GROWING = ("inbound", "outbound", "preference", "receipt")
LARGE = {
    *GROWING,
    *("outbound_history", "opt_out", "follower", "rating", "voice", "exchange", "callback_group"),
    *("notice", "notice_recipient", "reminder"),
}
PARTIAL = {
    index.name
    for table in metadata.sorted_tables
    for index in table.indexes
    if index.dialect_options["postgresql"]["where"] is not None
}


def test_no_statement_of_a_message_reads_a_growing_table_whole(tmp_path: Path, postgres_url: str) -> None:
    # The tables are empty here, which is when a planner likes best to read all of them, and to keep to that plan.
    made = Database(postgres_url)
    made.create()
    made.close()  # a connection that ends has told what it read, which is each table once for each of its indexes
    before = _read_whole(postgres_url)
    with world(tmp_path, postgres_url) as here:
        for number in range(12):  # a plan is kept from the sixth time on
            assert here.text(f"8491234{number:04d}", f"hs {here.examples[0].code}")
        assert here.states() == {"delivered": 12}
    after = _read_whole(postgres_url)
    assert {table: after[table] - before[table] for table in GROWING} == dict.fromkeys(GROWING, 0)


def test_whatever_is_done_for_a_message_finds_its_rows_by_an_index(tmp_path: Path, postgres_url: str) -> None:
    made = Database(postgres_url)
    made.create()
    with made.writing("test") as connection:
        for table in sorted(LARGE):  # counted as empty, they would be joined in the order of their indexes
            connection.exec_driver_sql(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    made.close()
    with world(tmp_path, postgres_url) as here, explained(here.gateway.database) as nodes:
        cast, code, gateway = Cast(here), here.examples[3].code, here.gateway
        for text in (f"hs {code}", f"DK {code}", f"HUY {code}", f"DG {code} 5", "DS", "TC", "DKY", "PA cham", "CO DAU"):
            here.carrier.text("84912345678", text)
            here.stride(1)
        approved(cast.notices, cast.an, cast.binh)
        gateway.reminders.runs.meet()
        gateway.reminders.runs.tick()
        for _ in range(5):
            here.stride(1)
        here.clock.forward(days=4)
        here.sweep()
        for work in (gateway.sweeper.history, gateway.sweeper.traces, gateway.intake.answer_waiting):
            work()
        assert here.heard("84912345678")
    assert {node.get("Relation Name") for node in nodes} >= LARGE
    assert [node for node in nodes if _reads_all(node)] == []


def _reads_all(node: Node) -> bool:
    """Whether PostgreSQL goes through a whole table that grows, or through an index that has all of its rows."""
    looked_up = {"Index Cond", "Recheck Cond"} & node.keys() or node.get("Index Name") in PARTIAL
    return node.get("Relation Name") in LARGE and "Scan" in node["Node Type"] and not looked_up


def _read_whole(url: str) -> dict[str, int]:
    """How often each table of the schema has been read from one end to the other."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE schemaname = current_schema()"
        ).all()
    engine.dispose()
    return dict(map(tuple, rows))


def test_postgresql_is_asked_to_compile_no_statement(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.reading() as connection:
        assert connection.exec_driver_sql("SHOW jit").scalar_one() == "off"
    database.close()


def test_no_message_is_looked_for_among_all_that_are_in_its_state(postgres_url: str) -> None:
    database = Database(postgres_url)
    database.create()
    for _ in range(7):
        _whole_lives(database, 1)
    _whole_lives(database, 300)
    database.close()
    assert _entries_read(postgres_url, "outbound") < 50 * 2 * 307


def _whole_lives(database: Database, messages: int) -> None:
    """Messages that are lost, decided on, sent again and reported; and as many of which nothing is heard."""
    ids = add(database, *(message() for _ in range(2 * messages)))
    claim(database, 2 * messages)
    later = NOON + timedelta(minutes=1)
    channel = Channel("sms", "8188", Carrier(), Pace(100, 100), 100)  # type: ignore[arg-type]
    sweeper = Sweeper(database, Roads([channel], Routes([], "sms")), lambda: later)
    assert sweeper.deadlines() == 4 * messages  # each is in doubt, and queued again
    claim(database, 2 * messages, now=later)
    for id in ids:
        settle(database, id, State.SUBMITTED)
    report(database, *(Report(id, None, "delivered", None, NOON) for id in ids[::2]))
    with database.writing("test") as connection:
        assert overdue.expire(connection, NOON + timedelta(days=9), 2 * messages) == messages


def test_who_waits_is_not_looked_for_among_all_who_ever_wrote(postgres_url: str, tmp_path: Path) -> None:
    for url in (postgres_url, f"sqlite:///{tmp_path}/gateway.db"):
        database = Database(url)
        database.create()
        plans = _plans(database) if database.on_sqlite else []
        with database.writing("test") as connection:
            inbox.accept(connection, [_arrival(number, "answered") for number in range(300)])
            inbox.accept(connection, [_arrival(number, "waiting") for number in range(300, 302)])
        for _ in range(7):
            with database.reading() as connection:
                assert len(inbox.waiting(connection, ["sms"], NOON, 10)) == 2
        database.close()
        if database.on_sqlite:
            assert any("ix_inbound_waiting" in plan for plan in plans), plans
        else:
            assert _entries_read(url, "inbound") < 50


def test_a_page_of_what_waits_at_a_closed_channel_costs_the_same_however_much_waits_there(database: Database) -> None:
    costs = []
    for others in (50, 1000):
        add(database, *(message(due=NOON + timedelta(seconds=number)) for number in range(others)))
        add(database, *(message(Lane.NOTICE) for _ in range(others)))

        def pages(connection: sa.Connection) -> None:
            begun = NOON + timedelta(seconds=20)
            first = pending.waiting_on(connection, "sms", Lane.REPLY, begun, None, 10)
            pending.waiting_on(connection, "sms", Lane.REPLY, begun, first[-1], 10)
            assert pending.waiting_on(connection, "sms", Lane.REMINDER, begun, None, 10) == []

        costs.append(effort(database, pages))
    assert costs[1] < 2 * costs[0]


def test_what_a_dead_sender_left_is_not_looked_for_among_all_reminders_that_there_ever_were(database: Database) -> None:
    costs = []
    for others in (50, 1000):
        told = [
            reminders.Reminder("ready", f"H01-{others}-{number}", "-", reminders.OWNER, PHONE, "told", new_id())
            for number in range(others)
        ]
        with database.writing("test") as connection:
            reminders.add(connection, told, "run", NOON)
            reminders.place(connection, dict.fromkeys(item.message or "" for item in told), "2018-08-15")
            outbox.add(connection, [message()._replace(state=State.SUBMITTED, deadline=LATER) for _ in range(others)])
        add(database, *(message(Lane.REMINDER) for _ in range(2)))
        claim(database, 2)
        costs.append(effort(database, partial(overdue.rescue, now=LATER)))
    assert costs[1] < 2 * costs[0]


@pytest.mark.parametrize("state", ["held", "unknown"])
def test_a_systems_messages_that_are_not_over_are_not_looked_for_among_all_it_ever_sent(
    database: Database, state: str
) -> None:
    with database.writing("test") as connection:
        key = systems.Key("k", "one", "sender", None, 1000, NOON, "lan", None, None)
        systems.add(connection, key, "hash")
    costs, asked = [], systems.Sought(state=state)
    for others in (50, 1000):
        ids = add(database, *(message() for _ in range(others + 1)))
        with database.writing("test") as connection:
            for id in ids:
                systems.sent(connection, "k", id, NOON)
            connection.execute(sa.update(outbound).values(state=State.SUBMITTED))
            connection.execute(sa.update(outbound).where(outbound.c.id == ids[0]).values(state=state))
        costs.append(effort(database, partial(systems.messages, agency=None, sought=asked, limit=50)))
        with database.reading() as connection:
            assert ids[0] in [row.id for row in systems.messages(connection, None, asked, 50)]
    assert costs[1] < 3 * costs[0]


def test_who_asked_for_several_codes_costs_no_more_than_for_one(database: Database) -> None:
    codes = [f"H01.12-180802-{number:04}" for number in range(8)]
    said = [(codes[number % 8], f"H01.13-180802-{number:04}") for number in range(400)]
    with database.writing("test") as connection:
        arrivals = [_arrival(number, "answered")._replace(codes=pair) for number, pair in enumerate(said)]
        inbox.accept(connection, arrivals)
    one, all = (effort(database, partial(conversations.about, codes=asked)) for asked in (codes[:1], codes))
    assert all < 4 * one
    with database.reading() as connection:
        assert len(conversations.about(connection, codes, 1000)) == 400
        assert len(conversations.about(connection, codes[:1], 1000)) == 50
        assert conversations.about(connection, []) == []


def _arrival(number: int, state: inbox.State) -> inbox.Arrival:
    return inbox.Arrival(new_id(), "sms", f"mo-{number}", f"8491234{number:04d}", "8188", "hs", None, NOON, state)


def _plans(database: Database) -> list[str]:
    """How SQLite carries out what is read from now on."""
    plans: list[str] = []

    @sa.event.listens_for(database._engine, "before_cursor_execute")
    def explain(_: object, cursor: sqlite3.Cursor, statement: str, parameters: Any, *rest: object) -> None:
        if statement.startswith("SELECT"):
            plans.extend(str(row) for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    return plans


def _entries_read(url: str, table: str) -> int:
    """How many entries of its indexes have been read."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        read = "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = current_schema() AND relname = %s"
        entries = connection.exec_driver_sql(read, (table,)).scalar()
    engine.dispose()
    assert entries is not None
    return int(entries)
