"""What citizens write to a question of ours: which dossier is meant, in their own words or in ours."""

from __future__ import annotations

import pytest

from smsgw.answers.answering import Answers
from smsgw.answers.asked import Choose, Disagree, HowToReceive, LookUp, NoneOfThem, Thank
from smsgw.answers.asker import Asker
from smsgw.answers.asking import understand
from smsgw.answers.wording import Wording
from smsgw.answers.words import Words
from smsgw.dossiers.dossier import Status
from smsgw.text.segments import measure
from tests.test_conversations import LAN, code_dossiers, code_of
from tests.test_ordinary_texts import NOTHING
from tests.test_voices import follows
from tests.world import NOON, World

OLD, NEW = "000.17.22.H01-180802-0012", "H01.22.17-180802-0012"
FIRST, SECOND, HALF = "H01.21-190818-0001", "H01.21-180819-0001", "H01.21-190818-1"
LOOK_AGAIN = "Vang. Xin xem lai ma tren giay hen"


@pytest.mark.parametrize(
    "text",
    [
        "so thu tu 1",
        "Số thứ tự: 1",
        "STT 1",
        "01",
        "ok 1",
        "1 đúng rồi",
        "đúng 1 ạ",
        "vâng, số 1",
        "nhan 1",
        "Xin nhắn 1.",
        "dung vay",
        "đúng hồ sơ đó",
        "phải rồi đó",
        "dung ma do a",
        "ừa",
        "ừa đúng rồi nè",
        "1 nè",
        "nó đó em",
        "chắc vậy",
        "hình như phải",
        "phải mà",
        "chắc là 1",
        "No.1",
        "first",
        "the first",
        "one",
        "1st",
    ],
)
def test_the_only_dossier_that_is_asked_about_is_chosen_in_many_words(here: World, text: str) -> None:
    code_dossiers(here, OLD)
    assert f"1) {OLD}\nNeu phai, xin nhan 1." in here.text(LAN, NEW)
    assert here.text(LAN, text).startswith(f"Ho so {OLD} ")


def test_a_text_that_is_not_understood_leaves_the_question_open(here: World) -> None:
    code_dossiers(here, FIRST, SECOND)
    assert here.text(LAN, f"DK {HALF}").endswith(f"1) {FIRST}\n2) {SECOND}\nXin nhan 1 hoac 2 de chon.")
    for text in ("cai tren cung ay", "0012", "cảm ơn"):
        here.text(LAN, text)
    assert f"bao tin ve ho so {SECOND}" in here.text(LAN, "2")
    here.text(LAN, code_of(here, Status.RETURNED))
    assert "Khong co cau hoi nao" in here.text(LAN, "1")


def test_a_yes_behind_another_answer_is_for_that_one(here: World) -> None:
    code_dossiers(here, OLD)
    here.text(LAN, f"DK {NEW}")
    here.text(LAN, "la sao")
    assert here.text(LAN, "ok").startswith("Cam on")
    assert follows(here, LAN) == []


@pytest.mark.parametrize(
    "text",
    [
        "không",
        "Không phải",
        "sai rồi",
        "ko phai",
        "dạ không đúng ạ",
        "khong phai ho so nay",
        "no",
        "đâu phải",
        "sai hết",
        "nhầm",
        "có phải đâu",
        "không phải cái nào",
    ],
)
def test_a_no_gets_how_to_go_on_and_closes_the_question(here: World, text: str) -> None:
    code_dossiers(here, OLD)
    here.text(LAN, f"DK {NEW}")
    assert here.text(LAN, text).startswith(LOOK_AGAIN)
    assert "Khong co cau hoi nao" in here.text(LAN, "1")
    assert follows(here, LAN) == []


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("không", LookUp(NOTHING)),
        ("hồng", LookUp(NOTHING)),  # as the south says no, or a colour
        ("sai rồi", LookUp(NOTHING)),
        ("khong phai ho so nay", HowToReceive()),
        ("không, cảm ơn", Thank()),
    ],
)
def test_a_no_where_nothing_was_asked_is_what_it_is_without_a_question(text: str, instead: object) -> None:
    assert understand(text, Words()) == Disagree(instead)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["đừng 1", "dừng, 2"])
def test_to_stop_beside_a_number_is_no_yes(text: str) -> None:
    assert not isinstance(understand(text, Words()), Choose)


@pytest.mark.parametrize("text", ["thứ tư", "chủ nhật", "không nhận tin", "không biết", "1 hồ sơ đúng không", "no one"])
def test_what_only_looks_like_an_answer_to_a_question_is_none(text: str) -> None:
    assert not isinstance(understand(text, Words()), Choose | Disagree)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_is_said_to_a_no_is_one_message(language: str) -> None:
    answers = Answers(Wording.load(), timezone="Asia/Ho_Chi_Minh", hotline="1022")
    told = answers.reply(NoneOfThem(), Asker(LAN, language), {}, NOON).text  # type: ignore[arg-type]
    assert "1022" in told
    assert measure(told).segments == 1


def test_a_question_names_the_numbers_that_there_are(here: World) -> None:
    code_dossiers(here, FIRST, SECOND, "H01.21-20190818-0001")
    told = here.text(LAN, HALF)
    assert told.endswith("\nXin nhan 1, 2 hoac 3 de chon.")
    assert measure(told).segments == 1
