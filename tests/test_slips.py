"""Commands as a hurried hand writes them: keys of Telex left in them, letters twice or in the wrong order."""

from __future__ import annotations

from typing import get_args

import pytest

from smsgw.answers.asked import Follow, ListFollowed, LookUp, Misspelt, Rate, Request, Speak, Unfollow
from smsgw.answers.asker import Asker, Ties
from smsgw.answers.asking import understand
from smsgw.answers.words import Words
from smsgw.dossiers.reading import read
from smsgw.text.languages import Language
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
        (f"huys {CODE}!", Unfollow(read(CODE))),
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
    ("text", "command"),
    [
        (f"{CODE} phan anh can bo khong giai quyet", "speak"),
        (f"{CODE} khieu nai can bo lam cham", "speak"),
        (f"hồ sơ {CODE} khiếu nại cán bộ", "speak"),
        (f"{CODE} toi muon phan anh", "speak"),
        (f"{CODE} PA", "speak"),
        (f"{CODE} sai ngày sinh", "speak"),
        (f"sao lại rút hồ sơ {CODE}", "speak"),
        (f"i did not withdraw {CODE}", "speak"),
        (f"rút hồ sơ {CODE}", "unfollow"),
        (f"please cancel {CODE}", "unfollow"),
        (f"please don't follow {CODE}", "unfollow"),
        (f"{CODE} PA ạ", "speak"),
        (f"{CODE} cán bộ vô trách nhiệm quá", "speak"),
        (f"bức xúc quá, {CODE} làm hoài không xong", "speak"),
        (f"{CODE} phải đưa phong bì mới ký", "speak"),
        (f"{CODE} không phải tôi rút", "speak"),
        (f"ai rút hồ sơ {CODE}", "speak"),
        (f"tôi đâu có rút hồ sơ {CODE}", "speak"),
        (f"{CODE} khong phai cua toi", "disown"),
        (f"{CODE} nhầm số rồi", "disown"),
        (f"tôi không nộp hồ sơ {CODE}", "disown"),
        (f"{CODE} khong nhan tin nua", "disown"),
        (f"khong theo doi {CODE} nua", "unfollow"),
        (f"toi khong muon theo doi {CODE} nua", "unfollow"),
        (f"{CODE} cho tôi rút lại hồ sơ", "unfollow"),
        (f"tôi muốn rút hồ sơ {CODE} về", "unfollow"),
        (f"{CODE} theo doi giup em", "follow"),
        (f"{CODE} cho tôi theo dõi với nha anh chị ơi giúp em", "follow"),
    ],
)
def test_what_is_meant_besides_a_code_is_done_by_nobody_and_its_sender_is_told_its_form(
    text: str, command: str
) -> None:
    request = understand(text, Words())
    assert isinstance(request, Misspelt)
    assert request.command == command
    for language in get_args(Language):
        reply = ANSWERS.reply(request, Asker(LAN, language), {}, NOON)
        assert not reply.effects
        assert measure(reply.text).segments == 1
        assert (CODE in reply.text) == (command != "speak")
    assert understand(text, Words(follow=(), unfollow=(), speak=())) == LookUp(read(CODE))


def test_whose_number_is_on_a_dossier_by_mistake_is_told_how_to_hear_no_more_of_it_and_whom_to_call() -> None:
    told = ANSWERS.reply(understand(f"{CODE} khong phai cua toi", Words()), Asker(LAN), {}, NOON).text
    assert f"xin nhan HUY {CODE}. Neu so nay bi ghi nham trong ho so, xin goi 1022." in told


@pytest.mark.parametrize("text", ["HUY", "không theo dõi nữa", "thôi khỏi theo dõi", "tôi muốn rút hồ sơ"])
def test_who_wants_to_hear_no_more_or_the_dossier_back_is_told_the_word_for_the_one_and_whom_to_ask_for_the_other(
    text: str,
) -> None:
    asker = Asker(LAN, ties=Ties(recent=(CODE,)))
    reply = ANSWERS.reply(understand(text, Words()), asker, {}, NOON)
    assert not reply.effects
    assert f"xin nhan: HUY {CODE}. Ho so khong bi huy; muon rut, xin hoi noi nop." in reply.text
    assert "TC" in reply.text


@pytest.mark.parametrize("text", [f"khỏi theo dõi {CODE}", f"{CODE} khỏi theo dõi nhé"])
def test_to_need_no_following_is_to_follow_no_more(text: str) -> None:
    assert understand(text, Words()) == Unfollow(read(CODE))


@pytest.mark.parametrize("text", [f"đúng, theo dõi {CODE}", f"thôi theo dõi giùm em {CODE}"])
def test_a_yes_before_a_wish_to_follow_ends_nothing(text: str) -> None:
    assert not isinstance(understand(text, Words()), Unfollow)


def test_to_draw_money_is_not_to_take_a_dossier_back() -> None:
    assert understand("tôi muốn rút bảo hiểm xã hội một lần", Words()) == LookUp(NOTHING)


@pytest.mark.parametrize(
    "text",
    [
        f"{CODE} đơn khiếu nại đất đai",
        f"hồ sơ khiếu nại {CODE} tới đâu rồi",
        f"{CODE} trình lãnh đạo ký chưa ạ",
        f"{CODE} có ý kiến gì không",
        f"{CODE} chậm quá vậy",
        f"{CODE} lấy hộ của người khác được không",
        f"{CODE} nhận lại giấy cũ",
        f"{CODE} hồ sơ bị từ chối",
        f"{CODE} cảm ơn",
    ],
)
def test_who_asks_about_a_dossier_in_such_words_is_answered_about_it(text: str) -> None:
    assert understand(text, Words()) == LookUp(read(CODE))


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
