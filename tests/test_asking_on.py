"""What citizens write behind an answer, without a code: which dossier they mean."""

from __future__ import annotations

import pytest

from smsgw.dossiers.dossier import Status
from smsgw.text.accents import plain
from smsgw.text.segments import measure
from tests.test_conversations import LAN, all_codes, code_of, owner_of
from tests.world import World


def test_who_asks_on_without_a_code_means_the_dossier_told_of_last(here: World) -> None:
    code = code_of(here, Status.IN_PROGRESS)
    told = here.text(LAN, code)
    assert here.text(LAN, "sao lâu vậy") == told
    assert here.text(LAN, "quen ma roi") == told
    assert here.text(LAN, "DS").startswith("Chua thay ho so nao")
    assert here.text("84987654321", "sao lâu vậy").startswith("Chua thay ho so nao")


def test_a_question_right_behind_an_answer_is_about_its_dossier_and_not_the_senders_own(here: World) -> None:
    ready, owner = code_of(here, Status.RESOLVED), owner_of(here, Status.RESOLVED)
    mothers = code_of(here, Status.SUPPLEMENT_ASKED)
    here.gateway.reminders.runs.meet()
    here.gateway.reminders.runs.tick()
    told = here.text(owner, mothers)
    assert "Xin nhan tu so dien thoai trong ho so" in told
    assert here.text(owner, "sao lau vay") == told
    here.text(owner, "cảm ơn")
    assert here.text(owner, "khi nao xong") == told
    assert here.text(owner, "DS").startswith(f"Ho so {ready} ")
    assert here.text(owner, "khi nào xong").startswith(f"Ho so {ready} ")
    here.text(owner, mothers)
    here.clock.forward(minutes=61)
    assert here.text(owner, "khi nào xong").startswith(f"Ho so {ready} ")


def test_a_question_behind_an_answer_about_several_dossiers_is_about_the_senders_own(here: World) -> None:
    ready, owner = code_of(here, Status.RESOLVED), owner_of(here, Status.RESOLVED)
    here.gateway.reminders.runs.meet()
    here.gateway.reminders.runs.tick()
    here.text(owner, f"{code_of(here, Status.RETURNED)} {code_of(here, Status.IN_PROGRESS)}")
    assert here.text(owner, "khi nào xong").startswith(f"Ho so {ready} ")


@pytest.mark.parametrize(
    "text",
    [
        "nop o dau",
        "nộp ở đâu vậy ạ",
        "hạn tới ngày mấy",
        "nop them giay gi",
        "can giay gi",
        "cần giấy tờ gì ạ",
        "giay gi vay",
        "bao nhieu tien",
        "het bao nhieu tien",
        "hết bn tiền",
        "đóng ở đâu",
    ],
)
@pytest.mark.parametrize("status", [Status.SUPPLEMENT_ASKED, Status.FEE_ASKED])
def test_who_was_just_told_that_something_is_lacking_asks_on_about_that(here: World, status: Status, text: str) -> None:
    code, owner = code_of(here, status), owner_of(here, status)
    told = here.text(owner, code)
    assert here.text(owner, text) == told
    assert here.text(LAN, text).startswith("Day la tong dai tu dong")  # nothing was told there


def test_who_was_told_of_something_else_asks_nothing_of_it_by_such_words(here: World) -> None:
    code, owner = code_of(here, Status.SUPPLEMENT_ASKED), owner_of(here, Status.SUPPLEMENT_ASKED)
    here.text(LAN, code_of(here, Status.IN_PROGRESS))
    assert here.text(LAN, "cần giấy gì").startswith("Day la tong dai tu dong")
    here.text(owner, code)
    for text in ("làm khai sinh cần giấy gì", "tin nhan nay bao nhieu tien"):
        assert here.text(owner, text).startswith("Day la tong dai tu dong")
    here.clock.forward(minutes=61)
    assert here.text(owner, "cần giấy gì").startswith("Day la tong dai tu dong")


def test_who_answers_a_result_with_a_bare_number_is_told_how_to_rate_it(here: World) -> None:
    code, owner = code_of(here, Status.RETURNED), owner_of(here, Status.RETURNED)
    assert here.text(owner, "5").startswith("Khong co cau hoi nao")
    here.text(owner, code)
    assert here.text(owner, "5").endswith(f"vi du: DG {code} 5")
    assert here.text(owner, "7").startswith("Khong co cau hoi nao")
    here.text(LAN, code)
    assert here.text(LAN, "5").startswith("Khong co cau hoi nao")


def test_words_without_a_code_are_about_the_dossier_that_a_command_named_last(here: World) -> None:
    code, owner = code_of(here, Status.RETURNED), owner_of(here, Status.RETURNED)
    here.text(owner, f"DG {code} 1")
    agency = here.gateway.onestop.find([code])[code].agency_name
    assert f"chuyen den {plain(agency)[:8]}" in here.text(owner, "PA cán bộ hạch sách")
    here.text(LAN, f"DK {code}")
    assert f"nhan: HUY {code}." in here.text(LAN, "huy")


def test_of_more_dossiers_than_fit_with_their_states_the_first_have_theirs_and_all_their_codes(here: World) -> None:
    codes = [code_of(here, status) for status in (Status.IN_PROGRESS, Status.RECEIVED, Status.RETURNED)]
    codes += [code for code in all_codes(here) if code not in codes][:2]
    for code in codes:
        here.text(LAN, f"DK {code}")
    for text in ("DS", "hs cua tui sao roi"):
        listed = here.text(LAN, text)
        assert measure(listed).segments == 1
        assert sorted(line.split(": ")[0] for line in listed.splitlines()) == sorted(codes)
        assert ": " in listed.splitlines()[0]
