"""What citizens write who know no command: the answer that helps them, and nothing is done that they didn't ask for."""

from __future__ import annotations

import pytest

from smsgw.answers.asking import HowToReceive, ListFollowed, LookUp, Speak, Unfollow, understand
from smsgw.answers.words import Words
from smsgw.dossiers.hints import Hint
from smsgw.dossiers.reading import Read

NOTHING = Read((), Hint.NOTHING)


@pytest.mark.parametrize(
    "text",
    [
        "lay kq o dau",
        "Lấy kết quả ở đâu ạ?",
        "nhận ở đâu v ad",
        "den dau lay vay",
        "Bao giờ lấy được",
        "khi nao nhan dc",
        "hs e sao r",
        "kq hs the nao roi",
        "có chưa ạ?",
        "nộp tuần trước mà chưa thấy gì",
        "nop ngay 10/8/2018 chua xong",
        "tình trạng hồ sơ",
        "cảm ơn, cho hỏi bao giờ lấy kq",
        "sao lâu vậy",
        "cham qua",
        "trễ hẹn hoài",
        "mất biên nhận rồi",
        "lam mat phieu hen",
        "khong thay ma tren giay",
    ],
)
def test_who_asks_where_when_or_why_so_slow_gets_the_own_dossiers(text: str) -> None:
    assert understand(text, Words()) == ListFollowed()


@pytest.mark.parametrize(
    "text",
    [
        "cán bộ vô trách nhiệm quá",
        "to cao can bo nhan hoi lo",
        "Tôi rất bức xúc, nộp hồ sơ 2 tháng không ai trả lời",
        "cho gặp lãnh đạo",
        "cho toi noi chuyen voi can bo",
        "goi lai cho toi theo so 84912345678",
        "không hài lòng",
        "sao cham the, toi muon khieu nai",
        "I want to complain",
        "complaint",
    ],
)
def test_who_is_upset_is_told_how_to_complain_and_nothing_is_taken_down(text: str) -> None:
    assert understand(text, Words()) == Speak("", NOTHING)


@pytest.mark.parametrize(
    "text",
    [
        "nhầm số rồi",
        "Nham may roi ban oi",
        "ban nhan nham so roi",
        "toi khong nop ho so nao",
        "wrong number",
        "phien qua dung nhan nua",
        "đừng spam nữa",
        "ngưng",
        "dừng",
        "Đừng ạ",
    ],
)
def test_whom_messages_bother_is_told_how_to_end_them_and_nothing_changes(text: str) -> None:
    assert understand(text, Words()) == HowToReceive()


@pytest.mark.parametrize("text", ["hủy theo dõi tất cả", "thoi khong theo doi nua", "toi muon bo theo doi het"])
def test_who_follows_no_more_and_names_no_dossier_is_told_how(text: str) -> None:
    assert understand(text, Words()) == Unfollow(NOTHING)


@pytest.mark.parametrize(
    "text", ["sao ho so bi tu choi", "tam ngung kinh doanh can giay gi", "hủy đăng ký kết hôn", "xin hủy hồ sơ"]
)
def test_the_name_of_a_procedure_or_of_a_state_is_no_wish_to_be_left_alone(text: str) -> None:
    assert isinstance(understand(text, Words()), LookUp)
