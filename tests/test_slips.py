"""Commands as a hurried hand writes them: keys of Telex left in them, letters twice or in the wrong order."""

from __future__ import annotations

import pytest

from smsgw.answers.asked import Follow, ListFollowed, LookUp, Misspelt, Rate, Request, Speak, Unfollow
from smsgw.answers.asker import Asker
from smsgw.answers.asking import understand
from smsgw.answers.words import Words
from smsgw.dossiers.reading import read
from smsgw.text.segments import measure
from tests.test_conversations import LAN
from tests.test_ordinary_texts import ANSWERS, CODE, NOTHING
from tests.world import NOON


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        (f"huyr {CODE}", Unfollow(read(CODE))),
        (f"hury theo doxi hoof sow {CODE}", Unfollow(read(CODE))),
        (f"{CODE} huyr", Unfollow(read(CODE))),
        (f"ddawng kys theo doix {CODE}", Follow(read(CODE))),
        (f"ddanhs gias {CODE} 5", Rate(read(CODE), 5)),
        (f"{CODE} danhs gias 5 sao", Rate(read(CODE), 5)),
        (f"phanr anhs {CODE} cán bộ chậm", Speak(f"{CODE} cán bộ chậm", read(CODE))),
        ("huyr", Unfollow(NOTHING)),
        (f"huys {CODE}?", Unfollow(read(CODE))),
        (f"DDK {CODE}", Follow(read(CODE))),
        (f"D9K {CODE}", Follow(read(CODE))),
        (f"D.K. {CODE}", Follow(read(CODE))),
        (f"dk: {CODE}", Follow(read(CODE))),
        (f"DDG {CODE} 5", Rate(read(CODE), 5)),
        (f"đ.g {CODE} 5", Rate(read(CODE), 5)),
        (f"P.A {CODE} cán bộ chậm", Speak(f"{CODE} cán bộ chậm", read(CODE))),
    ],
)
def test_a_command_in_which_only_keys_of_its_accents_or_dots_are_left_is_that_command(
    text: str, request_: Request
) -> None:
    assert understand(text, Words()) == request_


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (f"hyu {CODE}", "unfollow"),
        (f"huuy theo doi {CODE}", "unfollow"),
        (f"cho toi theo dio ho so {CODE}", "follow"),
        (f"dang kt {CODE}", "follow"),
        (f"dnah gia {CODE} 5", "rate"),
        (f"phna anh {CODE} can bo lam cham qua", "speak"),
        ("phan anhh can bo lam cham qua", "speak"),
        (f"theo doi ho so cua me toi {CODE}", "follow"),
        (f"bỏ theo dõi hồ sơ ba tôi {CODE}", "follow"),
        (f"D K {CODE}", "follow"),
        (f"dkk hs {CODE}", "follow"),
        (f"D G {CODE} 5", "rate"),
        (f"DGG {CODE} 5", "rate"),
    ],
)
def test_nearly_a_command_is_done_by_nobody_and_its_sender_is_told_its_form(text: str, command: str) -> None:
    request = understand(text, Words())
    assert isinstance(request, Misspelt)
    assert request.command == command
    reply = ANSWERS.reply(request, Asker(LAN), {}, NOON)
    assert not reply.effects
    assert measure(reply.text).segments == 1
    assert (CODE in reply.text) == (CODE in text and command != "speak")
    assert isinstance(understand(text, Words(follow=(), unfollow=(), rate=(), speak=())), LookUp | ListFollowed)


@pytest.mark.parametrize(
    "text",
    [
        f"hay {CODE}",
        f"Thúy {CODE}",
        f"hoi {CODE}",
        f"huy dong von {CODE}",
        f"nhan anh Tam {CODE}",
        f"phan an toan {CODE}",
        f"dang ky khai sinh {CODE}",
        f"dung roi {CODE}",
        f"DJ {CODE}",
        f"kd {CODE}",
        f"DL {CODE}",
        f"sk {CODE}",
        f"p a {CODE}",
        f"d {CODE}",
        f"k {CODE}",
        f"{CODE} d k",
    ],
)
def test_other_words_before_a_code_leave_it_a_look_up(text: str) -> None:
    assert understand(text, Words()) == LookUp(read(CODE))
