"""What citizens write above or below a text of ours that they send back, and what a phone sets below a text."""

from __future__ import annotations

import pytest

from smsgw.answers.answering import Answers
from smsgw.answers.asked import (
    Choose,
    Follow,
    Help,
    ListFollowed,
    LookUp,
    Prefer,
    Rate,
    Receive,
    Speak,
    Thank,
    Unfollow,
)
from smsgw.answers.asker import Asker
from smsgw.answers.wording import Wording
from smsgw.dossiers.dossier import Status
from smsgw.dossiers.hints import Hint
from smsgw.dossiers.reading import Read, read
from smsgw.store.opt_outs import PURPOSES
from tests.test_conversations import LAN, code_of, owner_of
from tests.world import NOON, World

CODE = "H01.12-180806-0034"
ANSWERS = Answers(Wording.load(), timezone="Asia/Ho_Chi_Minh", hotline="1022")
NOTHING = Read((), Hint.NOTHING)


TOLD = (
    f"Ho so {CODE} dang duoc UBND xa Vinh Hoi Dong, huyen An Phu giai quyet. Hen tra ket qua: 20/08/2018.",
    f"Hồ sơ {CODE} trễ hẹn ngày 06/08/2018. UBND xã Phú Hữu, huyện An Phú xin lỗi quý ông/bà, hẹn lại ngày 20/08/2018.",
    f"> The result of dossier {CODE} was handed over on 15/08/2018. Agency: UBND xa Phu Huu.",
    f"Fwd: Tu nay quy ong/ba duoc bao tin ve ho so {CODE}. De ngung, xin nhan HUY va ma ho so.",
)


@pytest.mark.parametrize("told", TOLD)
def test_a_command_beside_a_reply_that_is_quoted_is_for_the_dossier_told_of(told: str) -> None:
    about = read(CODE)
    for said, request in (
        ("DK", Follow(about)),
        ("Hủy", Unfollow(about)),
        ("PA chậm quá", Speak("chậm quá", about)),
        ("PA", Speak("", about)),
        ("5 sao", Rate(about, 5, bare=True)),
        ("TC", Receive(PURPOSES, wanted=False)),
        ("HD", Help()),
        ("DS", ListFollowed()),
        ("cảm ơn nhiều ạ", Thank()),
        ("Có dấu", Prefer(language="vi", accents=True)),
        ("La sao?", LookUp(about)),
        ("sao lâu vậy", LookUp(about)),
        ("From: 0912345678", LookUp(about)),
        ("15:30, 15/08/2018", LookUp(about)),
        ("", LookUp(about)),
    ):
        assert ANSWERS.understand(f"{told}\n{said}") == request
        assert ANSWERS.understand(f"{said}\n{told}") == request


def test_help_that_is_quoted_is_none_of_the_commands_that_it_names() -> None:
    told = ANSWERS.reply(Help(), Asker(LAN), {}, NOON).text
    for said, request in (
        ("", Help()),
        (" khong hieu", Help()),
        ("\nlà sao?", LookUp(NOTHING)),
        ("\nPA chậm quá", Speak("chậm quá", NOTHING)),
        ("\nTC", Receive(PURPOSES, wanted=False)),
        ("\nDS", ListFollowed()),
        (f"\n{CODE[:-1]}3", LookUp(read(f"{CODE[:-1]}3"))),
    ):
        assert ANSWERS.understand(f"{told}{said}") == request


@pytest.mark.parametrize(
    "signature",
    ["\nSent from my iPhone", "\r\n\r\n--\r\nĐược gửi từ Samsung Galaxy\r\n", "\n\nGửi từ điện thoại của tôi"],
)
def test_what_a_phone_sets_below_a_text_is_no_part_of_it(signature: str) -> None:
    for said, request in (
        ("TC", Receive(PURPOSES, wanted=False)),
        ("DS", ListFollowed()),
        ("2", Choose(2)),
        ("5 sao", Rate(NOTHING, 5, bare=True)),
        ("PA chậm quá", Speak("chậm quá", NOTHING)),
        (f"HS {CODE}", LookUp(read(CODE))),
    ):
        assert ANSWERS.understand(f"{said}{signature}") == request


def test_what_a_citizen_writes_below_a_complaint_is_kept() -> None:
    assert ANSWERS.understand("PA chậm quá\nGửi từ ấp 3, xã Phú Hữu") == Speak(
        "chậm quá\nGửi từ ấp 3, xã Phú Hữu", NOTHING
    )
    assert ANSWERS.understand("Sent from my iPhone") == LookUp(NOTHING)


def test_the_number_of_an_option_is_found_below_the_question() -> None:
    asked = f"Khong tim thay ho so {CODE}. Co phai:\n1) 000.00.12.H01-180802-0012\nNeu phai, xin nhan 1."
    assert ANSWERS.understand(f"{asked}\n1") == Choose(1)


@pytest.mark.parametrize(
    "text",
    [
        f"Ho so {CODE} cua toi da duoc tiep nhan chua\nHUY",
        f"Cho hoi ho so {CODE} dang duoc giai quyet chua\nTC",
        f"{TOLD[0]} HUY",
        f"{TOLD[0]} DK",
    ],
)
def test_what_is_no_reply_of_ours_or_goes_on_in_its_line_is_a_look_up_as_ever(text: str) -> None:
    assert ANSWERS.understand(text) == LookUp(read(CODE))


def test_who_ends_or_complains_below_a_reply_is_understood_on_the_way_from_the_handset(here: World) -> None:
    code, owner = code_of(here, Status.IN_PROGRESS), owner_of(here, Status.IN_PROGRESS)
    told = here.text(owner, code)
    assert f"khong nhan tin ve ho so {code} nua" in here.text(owner, f"{told}\nHUY")
    assert "Da nhan phan anh" in here.text(owner, f"PA hẹn mãi không xong\n\n> {told}")
