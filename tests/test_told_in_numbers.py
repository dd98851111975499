"""What citizens tell in numbers: for how long they wait, and what sum was asked of them."""

from __future__ import annotations

import pytest

from smsgw.answers.asked import ListFollowed, LookUp, Misspelt, Speak
from smsgw.answers.asking import understand
from smsgw.answers.words import Words
from smsgw.dossiers.reading import read
from tests.test_ordinary_texts import CODE, NOTHING


@pytest.mark.parametrize(
    "text",
    [
        "trễ 3 ngày rồi",
        "tre 5 bua roi",
        "trễ hẹn 2 tuần",
        "chậm mấy tháng",
        "trễ cả tháng",
        "hs tui tre hon 10 ngay r",
        "nop ho so dat 2 thang roi",
        "đợi gần hai tuần nay",
        "cho 5 bua roi",
        "late 3 days",
        "my dossier is 2 weeks late",
    ],
)
def test_who_tells_how_long_they_wait_is_told_how_theirs_stand(text: str) -> None:
    assert understand(text, Words()) == ListFollowed(question=True)


@pytest.mark.parametrize(
    "text", ["lam khai sinh cho tre 3 thang", "trẻ 3 tháng tuổi làm thẻ bảo hiểm", "cho 3 ngay nua", "xin nghi 3 ngay"]
)
def test_a_childs_age_and_a_leave_are_no_wait(text: str) -> None:
    assert understand(text, Words()) == LookUp(NOTHING)


@pytest.mark.parametrize(
    "text", [f"theo dõi {CODE} trễ 3 ngày", f"theo doi {CODE} nop 2 thang roi", f"{CODE} trễ 5 bữa"]
)
def test_who_tells_how_long_they_wait_for_a_dossier_is_told_how_it_stands_and_follows_nothing(text: str) -> None:
    assert understand(text, Words()) == LookUp(read(CODE))


@pytest.mark.parametrize(
    "demand",
    [
        "cán bộ đòi 5 triệu",
        "can bo doi 500k",
        "bắt tôi đưa 2 triệu",
        "đòi 500.000đ",
        "doi them 1,5 trieu",
        "đòi hai triệu rưỡi",
        "bắt nộp 300000 đồng mà không có biên lai",
        "đòi năm trăm ngàn mới làm",
        "đòi tiền",
    ],
)
def test_who_was_asked_for_a_sum_is_told_how_to_complain_and_nothing_is_taken_down(demand: str) -> None:
    assert understand(demand, Words()) == Speak("", NOTHING)
    assert understand(f"{CODE} {demand}", Words()) == Misspelt("speak", read(CODE))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"PA {CODE} doi 500k", f"{CODE} doi 500k"),
        (f"{CODE} PA doi 500k", "doi 500k"),
        ("PA đòi 2 triệu", "đòi 2 triệu"),
    ],
)
def test_a_complaint_of_little_more_than_a_sum_is_taken_down(text: str, said: str) -> None:
    request = understand(text, Words())
    assert isinstance(request, Speak)
    assert request.text == said


@pytest.mark.parametrize(
    "text", [f"{CODE} nộp 500k ở đâu", f"{CODE} đợi 5 ngày rồi", f"{CODE} phi 120.000d dung khong"]
)
def test_a_fee_beside_a_code_is_no_complaint(text: str) -> None:
    assert understand(text, Words()) == LookUp(read(CODE))


def test_where_to_pay_a_sum_is_asked_as_where_to_pay() -> None:
    assert understand("nop 500k o dau", Words()) == ListFollowed(question=True)
