"""Machines and phones that answer our answers by themselves: each comes to an end, and keeps nobody waiting."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from smsgw.dossiers.dossier import Status
from smsgw.intake.clerk import MOST_OF_NOTHING
from smsgw.store.tables import inbound
from tests.test_conversations import LAN, code_of
from tests.world import World, world


def test_a_text_that_comes_over_and_over_is_a_machine_and_not_answered_for_ever(here: World) -> None:
    limit = here.gateway.settings.answers.same_text_limit
    code = code_of(here, Status.IN_PROGRESS)
    for start in range(0, limit + 20, 20):
        for number in range(20):
            here.carrier.text(LAN, f"HS {code}", id=f"mo-{start + number}")
        here.settle(1)
    here.settle()
    assert len(here.heard(LAN)) == limit


def test_a_phone_that_answers_by_itself_is_answered_ten_times_an_hour_apart_or_together(here: World) -> None:
    says = "Toi dang lai xe, se goi lai sau"
    for _ in range(8):
        assert here.text(LAN, says)
    for _ in range(5):
        here.carrier.text(LAN, says)
    here.settle()
    assert len(here.heard(LAN)) == MOST_OF_NOTHING
    assert not here.text(LAN, says)
    assert here.text(LAN, "DS")
    assert "khong nhan thong bao" in here.text(LAN, "TC")
    here.clock.forward(hours=1)
    assert here.text(LAN, says)


@pytest.mark.parametrize(
    "says",
    ["Tin nhan khong hop le, ma loi {}", "Da nhan luc {}: HS {code}", "Tin so {}: Ho so {code} dang duoc giai quyet"],
)
def test_a_machine_that_answers_each_answer_in_other_words_comes_to_an_end(tmp_path: Path, says: str) -> None:
    with world(tmp_path, more="[answers]\nsame_text_limit = 20") as there:
        code = code_of(there, Status.IN_PROGRESS)
        for number in range(30):
            if not there.text(LAN, says.format(number, code=code)):
                break
        assert len(there.heard(LAN)) == 20
        assert "khong nhan thong bao" in there.text(LAN, "TC")  # what does something is done
        assert there.text(LAN, code_of(there, Status.RETURNED))  # and what is new is answered


def test_texts_of_a_machine_that_come_together_are_no_more_than_those_that_come_apart(tmp_path: Path) -> None:
    with world(tmp_path, more="[answers]\nsame_text_limit = 20") as there:
        for number in range(30):
            there.carrier.text(LAN, f"ma loi {number}")
        there.settle()
        assert len(there.heard(LAN)) == 20


def test_a_machines_texts_do_not_wait_for_ever_and_keep_nobody_from_an_answer(tmp_path: Path) -> None:
    with world(tmp_path, more="[answers]\nsame_text_limit = 3") as there:
        code = code_of(there, Status.IN_PROGRESS)
        (tmp_path / "onestop.db").rename(tmp_path / "away.db")
        for _ in range(5):
            there.carrier.text("84999999999", f"HS {code}")
            there.carrier.run_due()
        there.text(LAN, f"HS {code}")
        (tmp_path / "away.db").rename(tmp_path / "onestop.db")
        there.gateway.intake.answer_waiting()
        there.settle()
        assert len(there.heard(LAN)) == 1
        with there.gateway.database.reading() as connection:
            assert not connection.scalar(sa.select(sa.func.count()).where(inbound.c.state == "waiting"))
        there.clock.forward(hours=2)
        there.gateway.intake.answer_waiting()
        there.settle()
        assert len(there.heard("84999999999")) <= 3
