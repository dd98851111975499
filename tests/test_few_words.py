"""What those write who write a word or a few: elderly people, people from abroad, people of the minorities."""

from __future__ import annotations

import pytest

from smsgw.answers.asked import HowToReceive, ListFollowed, Speak
from smsgw.answers.asking import understand
from smsgw.answers.words import Words
from tests.test_ordinary_texts import NOTHING


@pytest.mark.parametrize(
    "text",
    [
        "trễ",
        "lau",
        "Chậm!",
        "xong?",
        "giấy của tôi",
        "HO SO NOP HOM BUA KHONG THAY AI BAO GI",
        "why late",
        "it's late",
        "I lost my paper",
        "my work permit",
    ],
)
def test_a_word_that_asks_how_it_stands_is_told_that(text: str) -> None:
    assert understand(text, Words()) == ListFollowed(question=True)


@pytest.mark.parametrize(
    "text", ["opt out", "do not text me", "don't message me", "no more sms", "take me off", "không cần nữa"]
)
def test_who_opts_out_in_other_english_is_told_the_word(text: str) -> None:
    assert understand(text, Words()) == HowToReceive()


@pytest.mark.parametrize(
    "text",
    [
        "CAN BO XA KHONG CHO TOI NOP HO SO",
        "xa khong chiu nhan giay",
        "officer wants money",
        "the officer was rude to me",
        "complaint about officer",
    ],
)
def test_who_was_turned_away_or_badly_treated_is_told_how_to_complain(text: str) -> None:
    assert understand(text, Words()) == Speak("", NOTHING)
