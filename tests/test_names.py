"""Commands that are people's names or ordinary words as well: what is not meant as one does nothing."""

from __future__ import annotations

import pytest

from smsgw.answers.asked import (
    Disagree,
    Follow,
    HowToReceive,
    ListFollowed,
    LookUp,
    Misspelt,
    Prefer,
    Rate,
    Receive,
    Speak,
    Unfollow,
)
from smsgw.answers.asking import understand
from smsgw.answers.words import Words
from smsgw.dossiers.reading import read
from smsgw.store.opt_outs import PURPOSES
from tests.test_ordinary_texts import CODE, NOTHING


@pytest.mark.parametrize(
    "text",
    [
        f"Huy ơi xem giùm chị {CODE}",
        f"huy oi xem gium {CODE}",
        f"chào Huy, hồ sơ {CODE} nhé",
        f"anh Huy {CODE}",
        f"nhờ Huy coi {CODE}",
        f"con Huy {CODE}",
        f"Huy {CODE} xong chưa em",
    ],
)
def test_somebody_called_huy_loses_no_dossier(text: str) -> None:
    assert understand(text, Words()) == LookUp(read(CODE))


@pytest.mark.parametrize(
    "text",
    [
        f"HUY {CODE}",
        f"huy {CODE}",
        f"Huy {CODE}",
        f"hủy {CODE}",
        f"Cho em Huy {CODE}",
        f"Huỷ {CODE} giúp em được không",
    ],
)
def test_who_means_to_follow_no_more_does_so(text: str) -> None:
    assert understand(text, Words()) == Unfollow(read(CODE))


def test_huy_without_its_accent_among_words_that_have_theirs_is_asked_about() -> None:
    assert understand(f"Huy {CODE} nhé", Words()) == Misspelt("unfollow", read(CODE))


@pytest.mark.parametrize("text", [f"{CODE} Huy", f"{CODE} - Huy ạ", f"hs {CODE}. Huy", f"{CODE} đã hủy"])
def test_who_signs_as_huy_or_says_what_has_become_of_a_dossier_is_asked(text: str) -> None:
    assert understand(text, Words()) == Misspelt("unfollow", read(CODE))


@pytest.mark.parametrize("text", [f"{CODE} huy", f"{CODE} HUY", f"{CODE} Hủy", f"{CODE} huỷ nhé", f"{CODE} dạ hủy"])
def test_who_writes_the_word_behind_a_code_follows_no_more(text: str) -> None:
    assert understand(text, Words()) == Unfollow(read(CODE))


@pytest.mark.parametrize("text", ["Phan Anh Tuấn xin hỏi hồ sơ", "Chào Phan Anh, hồ sơ xong chưa"])
def test_somebody_called_phan_anh_makes_no_complaint(text: str) -> None:
    request = understand(text, Words())
    assert not isinstance(request, Speak) or not request.text


@pytest.mark.parametrize("text", ["Việt ơi", "Hải ơi", "En oi", "mốt ơi"])
def test_who_is_called_chooses_neither_a_language_nor_an_option(text: str) -> None:
    assert understand(text, Words()) == LookUp(NOTHING)


@pytest.mark.parametrize("text", ["Dạ có đâu em", "Có đâu!", "không đâu ạ"])
def test_a_no_is_no_wish_for_accents(text: str) -> None:
    assert isinstance(understand(text, Words()), Disagree)
    assert isinstance(understand("có dấu", Words()), Prefer)
    assert isinstance(understand("khong dau", Words()), Prefer)


@pytest.mark.parametrize("text", ["Từ chối?", "stop?", "ngừng tin?"])
def test_who_asks_about_a_way_out_is_told_it_and_takes_none(text: str) -> None:
    assert understand(text, Words()) == HowToReceive()
    assert isinstance(understand(text.removesuffix("?"), Words()), Receive)


def test_to_text_again_is_not_to_get_texts_again() -> None:
    assert understand("nhắn lại đi", Words()) == ListFollowed(question=True)
    assert understand("nhận lại đi", Words()) == HowToReceive()


@pytest.mark.parametrize(
    "text",
    [
        f"dừng theo dõi {CODE}",
        f"dung theo doi {CODE}",
        f"xin đừng theo dõi hồ sơ {CODE} nữa",
        f"dduwngf theo doxi {CODE}",
        f"stop following {CODE}",
        f"{CODE} dừng theo dõi",
    ],
)
def test_to_stop_following_stops_it_in_each_of_its_accents(text: str) -> None:
    assert understand(text, Words()) == Unfollow(read(CODE))


@pytest.mark.parametrize(
    "text", [f"đúng theo dõi {CODE}", f"ĐÚNG, theo dõi {CODE}", f"dùng theo dõi {CODE}", f"{CODE} đúng theo dõi"]
)
def test_right_and_to_use_are_not_to_stop_and_who_says_so_is_told_both_forms(text: str) -> None:
    assert understand(text, Words()) == Misspelt("follow", read(CODE))


@pytest.mark.parametrize("text", ["đúng nhắn tin", "ĐÚNG NHẬN TIN", "dùng nhắn tin", "đúng gửi tin"])
def test_who_says_right_or_to_use_opts_out_of_nothing_and_is_told_how(text: str) -> None:
    assert understand(text, Words()) == HowToReceive()


@pytest.mark.parametrize("text", ["dừng nhắn tin", "đừng gửi tin", "DUNG NHAN TIN", "dung nhan nua"])
def test_who_says_to_stop_opts_out(text: str) -> None:
    assert understand(text, Words()) == Receive(PURPOSES, wanted=False)


@pytest.mark.parametrize(
    "text",
    [
        f"hủy {CODE} được không",
        f"hủy {CODE} có mất tiền không",
        f"huỷ {CODE} thì sao",
        f"HUY {CODE} ?",
        f"huys {CODE}?",
        f"huy {CODE} ha",
        f"hủy {CODE} rồi hả?",
        f"hủy {CODE} hồi nào",
    ],
)
def test_who_asks_what_a_command_does_is_told_and_nothing_is_done(text: str) -> None:
    assert understand(text, Words()) == Misspelt("unfollow", read(CODE))


@pytest.mark.parametrize(
    "text",
    [f"theo dõi {CODE} có tốn tiền không", f"dk {CODE} bao nhieu", f"dk {CODE} la gi", f"theo doi {CODE} bao lau"],
)
def test_who_asks_what_it_is_to_follow_is_told_how_and_follows_nothing(text: str) -> None:
    assert understand(text, Words()) == Misspelt("follow", read(CODE))


@pytest.mark.parametrize("text", [f"dk {CODE} được không?", f"cho em theo dõi {CODE} đc ko ạ"])
def test_who_asks_to_be_let_follow_follows(text: str) -> None:
    assert understand(text, Words()) == Follow(read(CODE))


@pytest.mark.parametrize("text", [f"DG {CODE} 5?", f"dg {CODE} 5 hả", f"dg {CODE} 5 sao là gì", f"dg {CODE} 5 sao ?"])
def test_who_asks_about_a_score_gives_none(text: str) -> None:
    assert understand(text, Words()) == Rate(read(CODE), None)


@pytest.mark.parametrize(
    "text",
    [
        f"đăng ký {CODE} xong chưa",
        f"dk {CODE} chua",
        f"từ chối hồ sơ {CODE} là sao vậy",
        f"huy {CODE} toi dau roi",
        f"em theo dõi {CODE} mấy tuần chưa thấy gì",
        f"theo doi {CODE} hoai khong thay",
        f"tôi theo dõi {CODE} 3 tháng rồi",
        f"tôi đang theo dõi {CODE}",
        f"em cũng theo dõi {CODE} mà",
    ],
)
def test_who_asks_how_far_it_is_is_told_that(text: str) -> None:
    assert understand(text, Words()) == LookUp(read(CODE))
