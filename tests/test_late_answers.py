"""What became of texts that came while the one-stop database was away: their answer is late, or an apology."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from smsgw.answers.asked import Request
from smsgw.dossiers.dossier import Status
from smsgw.gateway import Gateway
from smsgw.store import followers
from smsgw.store.tables import inbound
from tests.chats import MAI, Chats
from tests.test_conversations import LAN, code_of
from tests.world import World


def test_a_message_waits_for_the_one_stop_database_and_is_answered_when_it_is_back(anywhere: World) -> None:
    code = code_of(anywhere, Status.IN_PROGRESS)
    file = anywhere.folder / "onestop.db"
    file.rename(anywhere.folder / "away.db")
    assert anywhere.text(LAN, code) == ""
    assert "Xin nhan HS" in anywhere.text(LAN, "HELP")
    (anywhere.folder / "away.db").rename(file)
    assert anywhere.gateway.intake.answer_waiting() == 1
    assert anywhere.gateway.intake.answer_waiting() == 0
    anywhere.settle()
    assert code in anywhere.heard(LAN)[-1].text
    assert len(anywhere.heard(LAN)) == 2


def test_one_that_cannot_be_decided_on_keeps_nobody_waiting_and_gets_the_apology(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, bad, understand = code_of(here, Status.IN_PROGRESS), "H01.21-180801-0001", here.gateway.clerk.understand
    (here.folder / "onestop.db").rename(here.folder / "away.db")
    here.text("84987654321", bad)
    here.text(LAN, code)
    (here.folder / "away.db").rename(here.folder / "onestop.db")
    here.clock.forward(seconds=30)

    def stumbles(text: str) -> Request:
        if text == bad:
            raise ValueError("a fault of ours")
        return understand(text)

    monkeypatch.setattr(here.gateway.clerk, "understand", stumbles)
    assert here.gateway.intake.answer_waiting() == 1
    here.settle()
    assert code in here.heard(LAN)[-1].text
    here.clock.forward(minutes=6)
    assert here.gateway.intake.answer_waiting() == 1
    here.settle()
    assert "1022" in here.heard("84987654321")[-1].text


def test_one_whose_answer_the_database_refuses_keeps_nobody_waiting(here: World) -> None:
    code, refused = code_of(here, Status.IN_PROGRESS), "84987654321"
    (here.folder / "onestop.db").rename(here.folder / "away.db")
    here.text(refused, code)
    here.text(LAN, code)
    (here.folder / "away.db").rename(here.folder / "onestop.db")
    here.clock.forward(seconds=30)
    with here.gateway.database.writing("test") as connection:
        connection.exec_driver_sql(
            f"CREATE TRIGGER refuse BEFORE INSERT ON outbound WHEN new.recipient = '{refused}'"
            " BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    assert here.gateway.intake.answer_waiting() == 1
    here.settle()
    assert code in here.heard(LAN)[-1].text
    with here.gateway.database.writing("test") as connection:
        connection.exec_driver_sql("DROP TRIGGER refuse")
    assert here.gateway.intake.answer_waiting() == 1


def test_after_some_minutes_without_the_one_stop_database_one_apology_says_where_to_ask(here: World) -> None:
    (here.folder / "onestop.db").rename(here.folder / "away.db")
    assert here.text(LAN, "H01.21-180801-0001") == ""
    assert here.gateway.intake.answer_waiting() == 0
    here.clock.forward(minutes=6)
    assert here.gateway.intake.answer_waiting() == 1
    here.settle()
    (apology,) = here.heard(LAN)
    assert "Xin loi" in apology.text
    assert "1022" in apology.text


def test_a_text_that_waits_does_not_undo_what_its_sender_has_said_since(anywhere: World) -> None:
    code, file = code_of(anywhere, Status.IN_PROGRESS), anywhere.folder / "onestop.db"
    file.rename(anywhere.folder / "away.db")
    assert anywhere.text(LAN, f"DK {code}") == ""
    (anywhere.folder / "away.db").rename(file)
    anywhere.clock.forward(seconds=5)
    anywhere.text(LAN, f"DK {code}")
    anywhere.text(LAN, f"HUY {code}")
    assert len(anywhere.heard(LAN)) == 2
    assert anywhere.gateway.intake.answer_waiting() == 0
    anywhere.settle()
    assert len(anywhere.heard(LAN)) == 2  # it would say what is not so
    with anywhere.gateway.database.reading() as connection:
        assert followers.of(connection, [LAN])[LAN].wanted == []
        assert not connection.scalar(sa.select(sa.func.count()).where(inbound.c.state == "waiting"))


def test_a_text_that_waits_still_counts_for_what_its_sender_has_not_spoken_of_since(anywhere: World) -> None:
    file = anywhere.folder / "onestop.db"
    one, other = (example.code for example in anywhere.examples[:2])
    file.rename(anywhere.folder / "away.db")
    assert anywhere.text(LAN, f"DK {one} {other}") == ""
    (anywhere.folder / "away.db").rename(file)
    anywhere.clock.forward(seconds=5)
    anywhere.text(LAN, f"DK {one}")
    anywhere.text(LAN, f"HUY {one}")
    assert anywhere.gateway.intake.answer_waiting() == 1
    with anywhere.gateway.database.reading() as connection:
        assert followers.of(connection, [LAN])[LAN].wanted == [other]
    anywhere.settle()
    assert f"bao tin ve ho so {other}." in anywhere.heard(LAN)[-1].text
    assert one not in anywhere.heard(LAN)[-1].text  # of which it has heard since that it is not followed


def test_what_waits_at_a_channel_that_was_taken_out_is_answered_by_another_one(anywhere: World) -> None:
    code, file = code_of(anywhere, Status.IN_PROGRESS), anywhere.folder / "onestop.db"
    file.rename(anywhere.folder / "away.db")
    assert anywhere.text(LAN, code) == ""
    with anywhere.gateway.database.writing("test") as connection:
        connection.execute(sa.update(inbound).values(channel="of old"))
    (anywhere.folder / "away.db").rename(file)
    assert anywhere.gateway.intake.answer_waiting() == 0  # other nodes may still have that channel
    anywhere.clock.forward(minutes=11)
    assert anywhere.gateway.intake.answer_waiting() == 1
    anywhere.settle()
    assert code in anywhere.heard(LAN)[-1].text


def test_what_waits_at_a_chat_that_was_taken_out_does_not_wait_for_ever(any_chat: Chats) -> None:
    here = any_chat.here
    (here.folder / "onestop.db").rename(here.folder / "away.db")
    assert any_chat.say(MAI, code_of(here, Status.IN_PROGRESS)) == ""
    settings = here.gateway.settings
    without = {"channels": {"sms": settings.channels["sms"]}, "routes": []}
    left = Gateway(settings.model_copy(update=without), here.clock)
    here.clock.forward(minutes=11)
    assert left.intake.answer_waiting() == 0
    left.close()
    assert any_chat.rows(inbound.c.state) == [("ignored",)]
