"""Long texts that come in parts: in whatever order these come, it is one text, and answered once."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from datetime import timedelta
from itertools import permutations

import pytest
import sqlalchemy as sa

from providers.contract import Inbound, Part, Taken
from smsgw.gateway import Gateway
from smsgw.intake import lines
from smsgw.intake.lines import PART_WAIT
from smsgw.intake.receiver import LineReceiver
from smsgw.store.chats import Overtaken
from smsgw.store.lines import UNPROVED_FOR
from smsgw.store.tables import inbound, inbound_part, unproved
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
