"""Commands with no more than a yes, thanks or a greeting behind them: no complaint is made of it, no wish is lost."""

from __future__ import annotations

import pytest

from smsgw.answers.asked import Choose, Follow, HowToReceive, ListFollowed, LookUp, Rate, Request, Speak, Unfollow
from smsgw.answers.asking import understand
from smsgw.answers.words import Words
from smsgw.dossiers.reading import read
from tests.test_ordinary_texts import CODE, NOTHING


@pytest.mark.parametrize(
    "text",
    [
        "PA ok",
        "PA ok cảm ơn",
        "pa nhé",
        "PA vâng ạ",
        "PA không",
        "PA: không có",
        "PA hello",
        "PA cam on nhieu lam",
        "PA .",
        "PA PA PA",
        "PA 👍",
        "phản ánh cái gì",
        "góp ý ok",
        "phản ánh hôm trước sao rồi",
        "Phản ánh: 0912345678",
    ],
)
def test_a_complaint_that_says_nothing_is_asked_for_and_not_taken_down(text: str) -> None:
    request = understand(text, Words())
    assert isinstance(request, Speak)
    assert request.text == ""


@pytest.mark.parametrize("text", [f"PA {CODE} ok", f"{CODE} PA ok", f"{CODE} khiếu nại: dạ", f"PA {CODE} cảm ơn nhiều"])
def test_a_complaint_about_a_dossier_that_says_nothing_is_asked_for_as_well(text: str) -> None:
    assert understand(text, Words()) == Speak("", read(CODE))


@pytest.mark.parametrize(
    "said", ["chậm", "trễ", "rất tệ", "rất tốt", "sai rồi", "không ai nghe máy", "thu tiền", "សូមជួយខ្ញុំ", "慢"]
)
def test_a_complaint_of_one_word_is_taken_down(said: str) -> None:
    assert understand(f"PA {said}", Words()) == Speak(said, NOTHING)


def test_the_name_of_somebody_with_the_beginning_of_a_code_is_no_complaint() -> None:
    request = understand("Phan Anh H01", Words())
    assert isinstance(request, Speak)
    assert request.text == ""


@pytest.mark.parametrize(
    "text", ["TC. Cảm ơn nhiều", "tc cam on nhieu lam", "TC ok", "tc, thanks", "Từ chối. Cảm ơn rất nhiều"]
)
def test_who_opts_out_and_thanks_is_told_how_and_not_only_thanked(text: str) -> None:
    assert understand(text, Words()) == HowToReceive()


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        (f"{CODE} dk cam on nhieu", Follow(read(CODE))),
        (f"{CODE} huỷ, cảm ơn rất nhiều", Unfollow(read(CODE))),
        (f"{CODE} 5 sao cảm ơn nhiều lắm", Rate(read(CODE), 5)),
        ("DS cam on nhieu", ListFollowed()),
        ("1 cảm ơn nhiều", Choose(1)),
    ],
)
def test_who_thanks_a_lot_behind_a_command_has_it_done(text: str, request_: Request) -> None:
    assert understand(text, Words()) == request_


@pytest.mark.parametrize(
    ("text", "request_"), [(f"TC {CODE} cảm ơn", LookUp(read(CODE))), ("TC hs cua toi", ListFollowed(question=True))]
)
def test_who_looks_up_by_the_same_word_is_told_how_it_stands(text: str, request_: LookUp | ListFollowed) -> None:
    assert understand(text, Words()) == request_
