"""Long texts that go out in parts: in whatever order these are told of, the message has one fate."""

from __future__ import annotations

import threading
from datetime import timedelta
from itertools import permutations

import pytest
import sqlalchemy as sa

from providers.contract import Unknown
from smsgw.dispatch.channel import Roads
from smsgw.dispatch.routes import Routes
from smsgw.dispatch.settling import Settler
from smsgw.dispatch.sweep import Sweeper
from smsgw.store import history, outbox, receipts
from smsgw.store.database import Database
from smsgw.store.outbox import Settled
from smsgw.store.receipts import Report
from smsgw.store.states import FINAL, State, reported_of_parts
from smsgw.store.tables import outbound, outbound_part, receipt
from tests.test_outbox import CLAIMED, LATER, add, claim, message, report, state
from tests.world import NOON


def sent_in(database: Database, *names: str, claimed: bool = False) -> str:
    """A message that the carrier took in parts of these names."""
    id = (claim if claimed else sending)(database)[0]
    settled = Settled(CLAIMED[id], State.SUBMITTED, LATER, parts=names)
    with database.writing("test") as connection:
        outbox.settle(connection, "sms", "me", [settled], NOON)
    return id


def sending(database: Database) -> list[str]:
    add(database, message())
    return claim(database)


def of_part(name: str, status: str = "delivered", error: str | None = None) -> Report:
    return Report(None, name, status, error, NOON)


def test_a_message_arrived_when_all_its_parts_did(database: Database) -> None:
    id = sent_in(database, "a", "b", "c")
    for name in ("c", "a"):
        assert report(database, of_part(name)) == [True]
        assert state(database, id) is State.SUBMITTED
    assert report(database, of_part("a"), of_part("b", "buffered")) == [False, True]
    assert state(database, id) is State.SUBMITTED
    report(database, of_part("b"))
    assert state(database, id) is State.DELIVERED


def test_a_message_has_failed_as_soon_as_a_part_has(database: Database) -> None:
    id = sent_in(database, "a", "b")
    report(database, of_part("a"), of_part("b", "undelivered", "27"))
    assert state(database, id) is State.UNDELIVERED
    with database.reading() as connection:
        assert history.by_id(connection, [id])[0].error_code == "27"
    report(database, of_part("b"))
    assert state(database, id) is State.DELIVERED, "a carrier may think better of it"


def test_a_part_that_is_told_of_twice_is_not_taken_for_the_message(database: Database) -> None:
    id = sent_in(database, "a", "b")
    for status in ("buffered", "delivered"):
        report(database, of_part("a", status))
    assert state(database, id) is State.SUBMITTED
    report(database, of_part("b"))
    assert state(database, id) is State.DELIVERED


def test_receipts_of_parts_in_any_order_end_the_same() -> None:
    told = [("a", "buffered"), ("a", "delivered"), ("b", "expired"), ("b", "delivered")]
    for order in permutations(told):
        parts: dict[str, list[str]] = {"a": [], "b": []}
        said = []
        for name, status in order:
            parts[name].append(status)
            said.append(reported_of_parts([*parts.values()]))
        assert said[-1] == "delivered"
        assert "delivered" not in said[:-1] or order[-1] in (("a", "buffered"), ("b", "expired"))


@pytest.mark.parametrize("status", sorted(FINAL - {State.CANCELLED}))
def test_one_part_is_as_good_as_a_message(status: State) -> None:
    assert reported_of_parts([[status.value]]) == status


def test_receipts_that_overtake_the_answer_wait_for_it(database: Database) -> None:
    add(database, message())
    (id,) = claim(database)
    report(database, of_part("a"), of_part("b"))
    settled = Settled(CLAIMED[id], State.SUBMITTED, LATER, parts=("a", "b"))
    with database.writing("test") as connection:
        outbox.settle(connection, "sms", "me", [settled], NOON)
    assert state(database, id) is State.DELIVERED


def test_receipts_that_miss_the_answer_are_found_by_the_sweep(database: Database) -> None:
    id = sent_in(database, "a", "b")
    report(database, of_part("a"))
    with database.writing("test") as connection:
        late = [("sms", f"id:{name}", "delivered", None, None, NOON, None) for name in ("b",)]
        connection.execute(sa.insert(receipt).values(late))
    sweeper = Sweeper(database, Roads([], Routes([], default="sms")), lambda: NOON + timedelta(seconds=10))
    assert sweeper.late_receipts() == 1
    assert state(database, id) is State.DELIVERED


def test_two_receipts_at_the_same_time_see_each_other(database: Database) -> None:
    """Two nodes get the receipts of the two parts, and neither has seen the other's when it begins."""
    id = sent_in(database, "a", "b")
    thread = threading.Thread(target=lambda: report(database, of_part("b")))
    with database.writing("test") as connection:
        receipts.record(connection, "sms", [of_part("a")], NOON)
        thread.start()
    thread.join(10)
    assert state(database, id) is State.DELIVERED


def test_a_message_sent_again_goes_by_its_new_parts(database: Database) -> None:
    id = sent_in(database, "a", "b")
    with database.writing("test") as connection:
        connection.execute(
            sa.update(outbound).values(state=State.QUEUED, not_before=NOON, deadline=outbound.c.expires_at)
        )
    assert sent_in(database, "c", "d", claimed=True) == id
    report(database, of_part("a"), of_part("b"), of_part("c"))
    assert state(database, id) is State.SUBMITTED
    report(database, of_part("d"))
    assert state(database, id) is State.DELIVERED


def doubtful_in(database: Database, *names: str | None) -> str:
    """A message in doubt of which the carrier has named these parts."""
    (id,) = sending(database)
    settler = Settler(False, lambda _: None, lambda *_: None, lambda: 0.0)
    settled = settler.settled([CLAIMED[id]], [Unknown("no answer", names)], {}, NOON)
    with database.writing("test") as connection:
        outbox.settle(connection, "sms", "me", settled, NOON)
    assert state(database, id) is State.UNKNOWN
    return id


def test_that_some_parts_arrived_ends_no_doubt_and_that_one_failed_does(database: Database) -> None:
    id = doubtful_in(database, "a", None)
    assert report(database, of_part("a")) == [True]
    assert state(database, id) is State.UNKNOWN
    with database.reading() as connection:
        assert connection.scalar(sa.select(receipt.c.outbound_id)) == id, "whose it is, is known"
    failed = doubtful_in(database, "c", None)
    report(database, of_part("c", "undelivered"))
    assert state(database, failed) is State.UNDELIVERED
    report(database, of_part("c"))
    assert state(database, failed) is State.UNDELIVERED, "of its other part nobody knows"


@pytest.mark.parametrize("early", [True, False])
def test_an_answer_that_comes_late_names_the_parts_and_ends_the_doubt(database: Database, early: bool) -> None:
    id = doubtful_in(database, "a", None)
    report(database, of_part("a"), *[of_part("b")] * early)
    assert state(database, id) is State.UNKNOWN
    report(database, Report(id, None, "buffered", None, NOON, ("a", "b")))
    assert state(database, id) is (State.DELIVERED if early else State.SUBMITTED)
    report(database, of_part("b"))
    assert state(database, id) is State.DELIVERED


def test_an_answer_that_comes_before_the_doubt_is_written_down_names_the_parts(database: Database) -> None:
    (id,) = sending(database)
    report(database, Report(id, None, "buffered", None, NOON, ("a", "b")))
    settler = Settler(False, lambda _: None, lambda *_: None, lambda: 0.0)
    settled = settler.settled([CLAIMED[id]], [Unknown("no answer", ("a", None))], {}, NOON)
    with database.writing("test") as connection:
        outbox.settle(connection, "sms", "me", settled, NOON)
    assert state(database, id) is State.SUBMITTED
    report(database, of_part("a"), of_part("b"))
    assert state(database, id) is State.DELIVERED


def test_names_of_parts_go_when_their_message_is_history(database: Database) -> None:
    id = sent_in(database, "a", "b")
    report(database, of_part("a"), of_part("b"))
    with database.writing("test") as connection:
        connection.execute(sa.update(outbound).values(deadline=NOON))
        assert history.retire(connection, NOON) == 1
    with database.reading() as connection:
        assert connection.execute(sa.select(outbound_part)).all() == []
        assert history.by_id(connection, [id])[0].state == State.DELIVERED
