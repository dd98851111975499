"""Finished messages become history after some days: the outbox stays small, and nothing is forgotten."""

from __future__ import annotations

import re
from datetime import timedelta

import sqlalchemy as sa

from smsgw.dispatch.channel import Roads
from smsgw.dispatch.routes import Routes
from smsgw.dispatch.sweep import Sweeper
from smsgw.store import conversations, history, outbox, receipts
from smsgw.store.database import Database
from smsgw.store.receipts import Report
from smsgw.store.states import LIVE_FOR, State
from smsgw.store.tables import Lane, outbound
from smsgw.store.tables import history as history_table
from tests.console import Desk, at_work, official
from tests.test_outbox import add, claim, message, report, settle
from tests.world import NOON, World


def finished(database: Database, status: str) -> str:
    (id,) = add(database, message())
    claim(database)
    settle(database, id, State.SUBMITTED, carrier_id=f"mt-{id}")
    report(database, Report(id, None, status, "7", NOON))
    return id


def retire(database: Database, days: float, limit: int = 1000) -> int:
    with database.writing("test") as connection:
        return history.retire(connection, NOON + timedelta(days=days), limit)


def count(database: Database, table: sa.Table) -> int:
    with database.reading() as connection:
        return connection.scalars(sa.select(sa.func.count()).select_from(table)).one()


def test_what_is_finished_for_days_becomes_history_in_batches_and_the_rest_stays(database: Database) -> None:
    done = [finished(database, "delivered") for _ in range(5)]
    (waiting,) = add(database, message())
    assert retire(database, 1) == 0
    assert [retire(database, 4, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert (count(database, outbound), count(database, history_table)) == (1, 5)
    with database.reading() as connection:
        assert {sent.row.id for sent in conversations.thread(connection, "84912345678").went} == {*done, waiting}
        assert [row.state for row in history.by_id(connection, done[:1])] == ["delivered"]


def test_a_receipt_that_comes_after_days_still_counts(database: Database) -> None:
    ids = [finished(database, "expired") for _ in range(2)]
    retire(database, 4)
    late = [Report(ids[0], None, "delivered", None, NOON), Report(None, f"mt-{ids[1]}", "delivered", None, NOON)]
    with database.writing("test") as connection:
        assert receipts.record(connection, "sms", late, NOON + timedelta(days=5)) == [True, True]
    with database.reading() as connection:
        assert {row.state for row in history.by_id(connection, ids)} == {"delivered"}
        assert {row.error_code for row in history.by_id(connection, ids)} == {None}


def test_a_carrier_that_asks_again_after_days_gets_no_second_answer(anywhere: World) -> None:
    first = anywhere.text("84912345678", "HELP", id="mo-1")
    anywhere.clock.forward(seconds=LIVE_FOR.total_seconds() + 60)
    assert anywhere.gateway.sweeper.history() == 1
    assert anywhere.states() == {}
    assert anywhere.text("84912345678", "HELP", id="mo-1") == ""
    assert len(anywhere.heard("84912345678")) == 1
    assert first


def test_a_receipt_that_missed_its_message_finds_it_in_history_too(database: Database) -> None:
    id = finished(database, "expired")
    report(database, Report(None, "mt-7", "delivered", None, NOON))
    with database.writing("test") as connection:
        # As if the two had met, and neither had seen the other.
        connection.execute(sa.update(outbound).values(carrier_message_id="mt-7"))
    retire(database, 4)
    sweeper = Sweeper(database, Roads([], Routes([], "sms")), lambda: NOON + timedelta(days=5))
    assert sweeper.late_receipts() == 1
    with database.reading() as connection:
        assert [row.state for row in history.by_id(connection, [id])] == ["delivered"]


def conversation(desk: Desk, query: str) -> str:
    """What a search shows of the one conversation that it finds."""
    shown = desk.post("/conversations/", query=query)
    (thread,) = re.findall(r'<ol class="thread">.*</ol>', shown, re.DOTALL)
    return re.sub(r'name="csrf_token" value="[^"]+"', "", thread)


def test_a_conversation_is_found_with_every_try_and_receipt_when_its_messages_are_history(anywhere: World) -> None:
    code = anywhere.examples[0].code
    anywhere.carrier.faults.change({"throttle_429": 1.0, "retry_after": 2.0})
    anywhere.carrier.text("84912345678", f"HS {code}")
    anywhere.settle()
    anywhere.carrier.faults.change({"throttle_429": 0.0})
    anywhere.clock.forward(minutes=1)
    anywhere.settle()
    desk = official(anywhere, "lan", "viewer")
    before = [conversation(desk, query) for query in ("0912 345 678", code)]
    assert "nhà mạng báo: đã đến máy" in before[0]
    assert "lần gửi" in before[0]
    anywhere.clock.forward(seconds=LIVE_FOR.total_seconds() + 60)
    assert anywhere.gateway.sweeper.history() == 1
    assert anywhere.states() == {}
    desk = at_work(anywhere, "lan")
    assert [conversation(desk, query) for query in ("0912 345 678", code)] == before
    link = re.findall(r"/console(/conversations/[\w-]+/trace)", before[0])[-1]
    assert "/messages" in desk.get(link)


def test_who_asked_is_found_when_the_dossier_is_gone_but_not_by_an_agency(here: World) -> None:
    code = here.examples[0].code
    here.text("84912345678", f"HS {code}")
    engine = sa.create_engine(here.gateway.settings.onestop.database)
    with engine.begin() as connection:
        agency = connection.scalars(
            sa.text("SELECT agency_code FROM dossier_status WHERE code = :c"), {"c": code}
        ).one()
        connection.execute(sa.text("DELETE FROM dossier WHERE code = :c"), {"c": code})
    engine.dispose()
    assert f"HS {code}" in conversation(official(here, "lan", "viewer"), code)
    official(here, "hoa", "viewer", agency).post("/conversations/", 404, query=code)


def test_somebody_is_found_with_the_time_of_the_latest_message_whoever_wrote_it(anywhere: World) -> None:
    phone, now = "84900000002", anywhere.clock()
    assert anywhere.text(phone, "HD")
    later, until = now + timedelta(hours=3), now + timedelta(hours=4)
    with anywhere.gateway.database.writing("test") as connection:
        outbox.add(connection, [anywhere.gateway.channels["sms"].message(Lane.REMINDER, phone, "Ho so", later, until)])
        (talk,) = conversations.with_phones(connection, [phone])
    assert talk.at == later
