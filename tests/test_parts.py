"""Long texts in parts, both ways: in whatever order parts come or are told of, it is one text with one fate."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from datetime import timedelta
from itertools import permutations

import pytest
import sqlalchemy as sa

from providers.contract import Inbound, Part, Taken, Unknown
from smsgw.dispatch.channel import Roads
from smsgw.dispatch.routes import Routes
from smsgw.dispatch.settling import Settler
from smsgw.dispatch.sweep import Sweeper
from smsgw.gateway import Gateway
from smsgw.intake import lines
from smsgw.intake.lines import PART_WAIT
from smsgw.intake.receiver import LineReceiver
from smsgw.store import history, outbox, receipts
from smsgw.store.chats import Overtaken
from smsgw.store.database import Database
from smsgw.store.lines import UNPROVED_FOR
from smsgw.store.outbox import Settled
from smsgw.store.receipts import Report
from smsgw.store.states import FINAL, State, reported_of_parts
from smsgw.store.tables import inbound, inbound_part, outbound, outbound_part, receipt, unproved
from tests.test_outbox import CLAIMED, LATER, add, claim, message, report, state
from tests.world import NOON, World

PHONE = "84912345678"
WORDS = ("HS H01.31.10-", "261123", "-0001 cam on")


def part(number: int, text: str, count: int = 3, **more: str) -> Inbound:
    """A part of a text; `session`: the line that brings it, whose own ids it then has."""
    session, reference, sender = more.get("session"), more.get("reference", "8:42"), more.get("sender", PHONE)
    id = more.get("id", f"{session or 'mo'}-{sender}-{reference}-{number}")
    return Inbound(id, sender, "8188", text, part=Part(reference, count, number), session=session)


def take(world: World, *messages: Inbound, gateway: Gateway | None = None) -> list[str]:
    """What a gateway says of messages that come at once."""
    gateway = gateway or world.gateway
    return [taken.status for taken in gateway.intake.take(gateway.channels["sms"], messages).result(10)]


def texts(world: World) -> list[str]:
    """What was understood to have been texted."""
    with world.gateway.database.reading() as connection:
        return [*connection.scalars(sa.select(inbound.c.text).order_by(inbound.c.id))]


def rows(world: World, table: sa.Table) -> int:
    with world.gateway.database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_parts_in_any_order_are_one_text_and_answered_once(anywhere: World) -> None:
    orders = [*permutations(range(3))]
    for index, order in enumerate(orders):
        for number in order:
            text = WORDS[number]
            assert take(anywhere, part(number + 1, text, sender=f"8491234567{index}")) == ["accepted"]
    assert texts(anywhere) == ["".join(WORDS)] * len(orders)
    anywhere.settle()
    assert all(len(anywhere.heard(f"8491234567{index}")) == 1 for index in range(len(orders)))
    assert not rows(anywhere, inbound_part)


def test_parts_that_come_at_once_are_one_text(anywhere: World) -> None:
    other = Inbound("mo-9", "84987654321", "8188", "HELP")
    assert take(anywhere, part(3, WORDS[2]), other, part(1, WORDS[0]), part(2, WORDS[1])) == ["accepted"] * 4
    assert sorted(texts(anywhere)) == sorted(["".join(WORDS), "HELP"])


def test_parts_survive_a_restart(anywhere: World) -> None:
    take(anywhere, part(1, WORDS[0]), part(3, WORDS[2]))
    again = Gateway(anywhere.gateway.settings, anywhere.clock)
    assert take(anywhere, part(2, WORDS[1]), gateway=again) == ["accepted"]
    again.close()
    assert texts(anywhere) == ["".join(WORDS)]


def test_parts_of_different_texts_are_not_mixed(here: World) -> None:
    take(here, part(1, "a"), part(2, "b", reference="8:43"), part(2, "c", count=2), part(2, "d", sender="84987654321"))
    take(here, part(2, "e", reference="16:42"))
    assert texts(here) == []
    assert rows(here, inbound_part) == 5


def test_a_pair_that_the_phone_cut_in_half_is_whole_again(anywhere: World) -> None:
    take(anywhere, part(1, "HS \ud83d", count=2))
    take(anywhere, part(2, "\ude00 H01", count=2))
    assert texts(anywhere) == ["HS \U0001f600 H01"]


def test_a_part_that_comes_twice_is_one_part(anywhere: World) -> None:
    take(anywhere, part(1, WORDS[0]), part(1, WORDS[0]))
    take(anywhere, part(1, WORDS[0]), part(2, WORDS[1]))
    take(anywhere, part(3, WORDS[2]))
    assert texts(anywhere) == ["".join(WORDS)]


def test_a_part_whose_carrier_calls_again_begins_no_new_text(anywhere: World) -> None:
    parts = [part(number, text) for number, text in enumerate(WORDS, 1)]
    take(anywhere, *parts)
    for again in parts:
        assert take(anywhere, again, again) == ["duplicate", "duplicate"]
    anywhere.clock.now += PART_WAIT
    assert anywhere.gateway.intake.take_late_parts() == 0
    anywhere.settle()
    assert len(anywhere.heard(PHONE)) == 1
    # The same words under new ids are the next text, though the phone has used its reference before.
    take(anywhere, *(part(number, text, id=f"again-{number}") for number, text in enumerate(WORDS, 1)))
    assert texts(anywhere) == ["".join(WORDS)] * 2


def test_a_part_that_two_nodes_get_at_once_is_taken_by_one(anywhere: World) -> None:
    database, channel = anywhere.gateway.database, anywhere.gateway.channels["sms"]
    with database.reading() as connection:
        late = lines.look(connection, [(channel, part(1, WORDS[0]))], NOON)
    assert take(anywhere, part(1, WORDS[0])) == ["accepted"]
    with pytest.raises(Overtaken), database.writing("test") as connection:
        lines.write(connection, late)


def test_a_text_whose_rest_never_comes_is_answered_as_far_as_it_goes(anywhere: World) -> None:
    take(anywhere, part(3, WORDS[2]), part(1, WORDS[0]))
    assert anywhere.gateway.intake.take_late_parts() == 0
    anywhere.clock.now += PART_WAIT
    assert anywhere.gateway.intake.take_late_parts() == 1
    assert anywhere.gateway.intake.take_late_parts() == 0
    assert texts(anywhere) == [WORDS[0] + WORDS[2]]
    anywhere.settle()
    assert len(anywhere.heard(PHONE)) == 1


def test_a_text_whose_rest_comes_while_it_is_given_up_is_answered_whole_and_once(anywhere: World) -> None:
    take(anywhere, part(1, WORDS[0]), part(2, WORDS[1]))
    anywhere.clock.forward(seconds=PART_WAIT.total_seconds())
    with anywhere.gateway.database.reading() as connection:
        late = lines.look_at_late(connection, anywhere.gateway.channels, anywhere.clock(), 10)
    take(anywhere, part(3, WORDS[2]))
    with pytest.raises(Overtaken), anywhere.gateway.database.writing("test") as connection:
        lines.write(connection, late)
    assert texts(anywhere) == ["".join(WORDS)]


def second_is_overtaken(world: World, *came: Inbound) -> bool:
    """Two nodes are brought one of these each, and both look before either writes; whether the second has to again."""
    database, channel = world.gateway.database, world.gateway.channels["sms"]
    with database.reading() as connection:
        first, second = (lines.look(connection, [(channel, message)], NOON) for message in came)
    overtaken: list[bool] = []

    def other() -> None:
        try:
            with database.writing("test") as connection:
                lines.write(connection, second)
            overtaken.append(False)
        except Overtaken:
            overtaken.append(True)

    thread = threading.Thread(target=other)
    with database.writing("test") as connection:
        lines.write(connection, first)
        thread.start()
        thread.join(0.5)  # it waits for us
    thread.join(10)
    return overtaken == [True]


def test_of_two_nodes_with_a_part_each_the_later_one_sees_both(anywhere: World) -> None:
    """Neither has seen the other's part when it looks; the one that commits later has to look again."""
    assert second_is_overtaken(anywhere, part(1, "a", count=2), part(2, "b", count=2))
    assert take(anywhere, part(2, "b", count=2)) == ["accepted"]
    assert texts(anywhere) == ["ab"]


def test_what_another_line_brings_again_is_not_new(anywhere: World) -> None:
    first = Inbound("s1-1", PHONE, "8188", "HELP", session="s1")
    assert take(anywhere, first) == ["accepted"]
    assert take(anywhere, Inbound("s2-1", PHONE, "8188", "HELP", session="s2")) == ["duplicate"]
    assert take(anywhere, Inbound("s3-1", PHONE, "8188", "HELP", session="s3")) == ["duplicate"]
    assert texts(anywhere) == ["HELP"]


def test_what_another_line_brings_again_before_it_was_committed_is_not_new(anywhere: World) -> None:
    """A database that hangs keeps both waiting, and then they are decided on together."""
    first, second, third = (Inbound(f"s{line}-1", PHONE, "8188", "HELP", session=f"s{line}") for line in (1, 2, 3))
    assert take(anywhere, first, second, third) == ["accepted", "duplicate", "duplicate"]
    assert take(anywhere, Inbound("s4-1", PHONE, "8188", "HELP", session="s4")) == ["duplicate"]
    assert take(anywhere, *(Inbound(f"s{line}-1", PHONE, "8188", "HELP", session=f"s{line}") for line in (5, 6))) == [
        "duplicate",
        "duplicate",
    ]
    assert texts(anywhere) == ["HELP"]
    assert rows(anywhere, unproved) == 1


def test_what_two_lines_bring_to_two_nodes_at_once_is_taken_by_one(anywhere: World) -> None:
    first, second = (Inbound(f"{line}-1", PHONE, "8188", "HELP", session=line) for line in ("s1", "s2"))
    assert second_is_overtaken(anywhere, first, second)
    assert take(anywhere, Inbound("s2-1", PHONE, "8188", "HELP", session="s2")) == ["duplicate"]


def test_each_of_two_like_texts_is_brought_again_once(anywhere: World) -> None:
    def like(session: str) -> list[Inbound]:
        return [Inbound(f"{session}-{number}", PHONE, "8188", "HELP", session=session) for number in range(3)]

    assert take(anywhere, *like("s1")[:2]) == ["accepted", "accepted"]
    assert take(anywhere, *like("s2")) == ["duplicate", "duplicate", "accepted"]


def test_who_says_the_same_again_when_the_first_is_surely_acknowledged_is_answered_again(anywhere: World) -> None:
    gateway = anywhere.gateway
    receiver = LineReceiver(gateway.database, gateway.channels["sms"], gateway.intake, gateway.reports, gateway.clock)
    taken: Future[list[Taken]] = receiver.messages([Inbound("s1-1", PHONE, "8188", "HELP", session="s1")], "HELP")
    assert taken.result(10)[0].status == "accepted"
    receiver.heard(["s1-1"]).result(10)
    assert take(anywhere, Inbound("s2-1", PHONE, "8188", "HELP", session="s2")) == ["accepted"]
    assert len(texts(anywhere)) == 2


def test_the_last_part_brought_again_begins_no_new_text(anywhere: World) -> None:
    take(anywhere, part(1, "HELP ", count=2, session="s1"), part(2, "me", count=2, session="s1"))
    assert take(anywhere, part(2, "me", count=2, session="s2")) == ["duplicate"]
    assert not rows(anywhere, inbound_part)
    assert texts(anywhere) == ["HELP me"]


def test_what_was_not_brought_again_for_a_day_is_forgotten(anywhere: World) -> None:
    take(anywhere, Inbound("s1-1", PHONE, "8188", "HELP", session="s1"))
    anywhere.gateway.sweeper.traces()
    assert rows(anywhere, unproved) == 1
    anywhere.clock.now += UNPROVED_FOR + timedelta(seconds=1)
    anywhere.gateway.sweeper.traces()
    assert rows(anywhere, unproved) == 0


def test_what_comes_by_callbacks_leaves_no_trace_of_lines(here: World) -> None:
    here.text(PHONE, "HELP")
    assert rows(here, unproved) == 0


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


def test_a_database_that_fails_is_told_to_the_line(here: World, caplog: pytest.LogCaptureFixture) -> None:
    gateway = here.gateway
    receiver = LineReceiver(gateway.database, gateway.channels["sms"], gateway.intake, gateway.reports, gateway.clock)
    with gateway.database.writing("test") as connection:
        connection.execute(sa.text("DROP TABLE unproved"))
    told = threading.Event()
    failed = receiver.messages([Inbound("1", PHONE, "8188", "HELP", session="s1")], "HELP")
    failed.add_done_callback(lambda _: told.set())  # it is the last to be told
    assert told.wait(10)
    assert isinstance(failed.exception(), sa.exc.SQLAlchemyError)
    assert "was not stored" in caplog.text
    assert PHONE not in caplog.text
