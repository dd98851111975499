"""What a citizen's text asks for besides a look-up, however it is typed, and what only looks like it."""

from __future__ import annotations

import time
import unicodedata

import pytest

from smsgw.answers.answering import Answers
from smsgw.answers.asked import (
    Agree,
    AskVoice,
    Choose,
    Follow,
    Help,
    HowToReceive,
    ListFollowed,
    LookUp,
    Rate,
    Receive,
    Speak,
    Thank,
    Unfollow,
    codes_asked,
)
from smsgw.answers.asker import Asker
from smsgw.answers.asking import EXAMPLE, understand
from smsgw.answers.wording import Wording
from smsgw.answers.words import Words
from smsgw.dossiers.hints import Hint
from smsgw.dossiers.reading import Read, read
from smsgw.store import opt_outs
from smsgw.text.languages import Language
from tests.test_conversations import LAN
from tests.world import NOON

CODE = "H01.12-180802-0012"
OTHER = "H01.12-180802-0034"
LIKE_A_COMMAND = (
    "toi muon dang ky khai sinh",
    f"dang ky ket hon {CODE}",
    f"DK hoi nghi {CODE}",
    "dang ky 2 con",
    "DK DNC",
    "HUY DNC",
    "xin huy ho so",
    f"cho toi dang ky khai sinh {CODE}",
    "tc ho so dat dai",
    f"TC {CODE}",
    "danh gia tac dong moi truong",
    f"danh gia ho so giup toi {CODE}",
    "phai lam sao",
)


@pytest.mark.parametrize("text", LIKE_A_COMMAND)
def test_a_text_that_only_looks_like_a_command_is_an_ordinary_one(text: str) -> None:
    assert isinstance(understand(text, Words()), LookUp)


@pytest.mark.parametrize(
    "text",
    [
        f"DK {CODE}",
        f"đăng ký hồ sơ {CODE} ạ",
        "dk ho1.12/180802 12",
        "DKH01.12-180802-0012",
        f"ĐKY {CODE}",
        f"theo dõi: {CODE}",
        f"Chào anh chị, cho em đăng ký hồ sơ {CODE} ạ",
        f"toi muon dang ky theo doi ho so {CODE}",
        f"xin đăng ký nhận tin {CODE}",
        f"DK cho toi {CODE}",
    ],
)
def test_a_follow_is_read_as_a_look_up_is(text: str) -> None:
    request = understand(text, Words())
    assert isinstance(request, Follow)
    assert CODE in codes_asked(request)


def test_other_commands_are_understood_however_they_are_typed() -> None:
    words = Words()
    assert isinstance(understand(f"Hủy {CODE}", words), Unfollow)
    assert isinstance(understand("huỷ", words), Unfollow)
    for text in (f"cho tôi huỷ theo dõi {CODE}", f"huy dang ky {CODE}", f"Ngừng theo dõi hồ sơ {CODE}"):
        assert isinstance(understand(text, words), Unfollow)
    for text in (f"DK hồ sơ {CODE}", "DK ho so", "đăng ký"):
        assert isinstance(understand(text, words), Follow)
    assert understand("tc thông báo", words) == Receive(("notice",), wanted=False)
    assert understand("DKY nhắc", words) == Receive(("reminder",), wanted=True)
    assert understand("dky", words) == Receive(opt_outs.PURPOSES, wanted=True)
    assert understand("PA so 123456", words) == AskVoice(123456)
    for text, score in (
        (f"DG {CODE} 5", 5),
        (f"đánh giá 4 {CODE}", 4),
        (f"dg {CODE} 5 sao", 5),
        (f"DG {CODE}", None),
        (f"toi danh gia {CODE} 5 diem", 5),
        (f"DG {CODE} 1 can bo hach sach", 1),
        (f"DG{CODE} 5", 5),
        (f"DG {CODE} tot", None),
    ):
        request = understand(text, words)
        assert isinstance(request, Rate)
        assert (request.score, CODE in codes_asked(request)) == (score, True)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"DK {CODE} HUY {OTHER}", Follow),
        (f"đăng ký {CODE}, hủy theo dõi {OTHER}", Follow),
        (f"HUY {CODE} DK {OTHER}", Unfollow),
        (f"Hủy {CODE} và theo dõi {OTHER} giúp tôi", Unfollow),
    ],
)
def test_a_command_is_for_the_codes_before_the_next_one_and_its_opposite_for_none(text: str, kind: type) -> None:
    request = understand(text, Words())
    assert isinstance(request, kind)
    assert CODE in codes_asked(request)
    assert OTHER not in codes_asked(request)


@pytest.mark.parametrize("text", ["DG 5 tốt lắm", "đánh giá 5 điểm rất hài lòng", "danh gia 2 lan roi"])
def test_a_score_among_words_without_a_code_is_not_taken_for_one_and_gets_the_form(text: str) -> None:
    request = understand(text, Words())
    assert isinstance(request, Rate)
    assert request.score is None


@pytest.mark.parametrize(
    "text",
    [
        "5 sao",
        "5sao ạ",
        "năm sao",
        "Cho 5 sao nhé",
        "5*",
        "5 ⭐",
        "5 ⭐️⭐️⭐️⭐️⭐️",
        "5 stars",
        "five stars",
        "5 điểm",
        "nam sao cam on",
    ],
)
def test_who_gives_nothing_but_stars_rates(text: str) -> None:
    assert understand(text, Words()) == Rate(Read((), Hint.NOTHING), 5, bare=True)


@pytest.mark.parametrize(
    "text", ["*DS*", "nam sao roi chua co", "5 sao y giay khai sinh", "sao lau qua", "10 sao", "6 sao"]
)
def test_what_only_looks_like_stars_is_no_rating(text: str) -> None:
    assert not isinstance(understand(text, Words()), Rate)


def test_stars_rate_nothing_where_the_settings_have_no_word_for_rating() -> None:
    assert not isinstance(understand("5 sao", Words(rate=())), Rate)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("accents", [False, True])
def test_the_example_in_a_reply_that_is_quoted_is_no_dossier_that_is_asked_for(
    language: Language, accents: bool
) -> None:
    answers = Answers(Wording.load(), timezone="Asia/Ho_Chi_Minh", hotline="1022")
    for text in ("HELP", "DK", "DG", "H01", "0912345678", "1.001612", "CCCD 001122334455", "DS"):
        said = answers.reply(understand(text, Words()), Asker(LAN, language, accents), {}, NOON).text
        for quoting in (f"{said} La sao?", f'"{said}"', said):
            assert codes_asked(understand(quoting, Words())) == frozenset()
    missed = answers.reply(understand("H01.21-180802-0001", Words()), Asker(LAN, language, accents), {}, NOON).text
    (reading,) = read(EXAMPLE).readings
    assert codes_asked(understand(missed, Words())).isdisjoint(reading.candidates)


def test_who_tries_the_example_itself_is_answered_about_it() -> None:
    for text in (EXAMPLE, f"HS {EXAMPLE}", f"ví dụ mã {EXAMPLE[:-1]}3", f"cho hoi {EXAMPLE} toi dau"):
        assert codes_asked(understand(text, Words()))


@pytest.mark.parametrize(
    "text",
    [
        "TC ạ",
        "tôi muốn từ chối nhận tin",
        "toi tu choi nhan ho so",
        "stop it",
        "dky giup toi",
        "TC TB nhé",
        "xin DKY",
        "Tôi không muốn nhận tin nhắn",
        "đừng nhắn nữa ạ",
        "khong nhan tin ve ho so cua toi nua",
        "k nhan tin nua",
    ],
)
def test_who_nearly_says_how_to_be_written_to_is_told_the_word_and_nothing_changes(text: str) -> None:
    request = understand(text, Words())
    assert request == HowToReceive()
    told = Answers(Wording.load(), timezone="Asia/Ho_Chi_Minh", hotline="1022").reply(request, Asker(LAN), {}, NOON)
    assert "nhan rieng TC. De nhan lai: DKY" in told.text
    assert told.effects == ()


@pytest.mark.parametrize(
    "text",
    [
        "dạ",
        "có ạ",
        "Vâng ạ",
        "dạ vâng",
        "ừ",
        "Oke em nhé",
        "dạ đúng rồi ạ",
        "phải",
        "biết rồi",
        "da nhan duoc roi a",
        "dc",
        "dc r a",
        "Nhận kết quả rồi ạ",
        "da nhan dc r",
        "da e nhan kq r a",
        "👍🏻",
    ],
)
def test_who_says_yes_or_that_it_was_understood_is_not_told_how_all_works(text: str) -> None:
    assert understand(text, Words()) == Agree(Thank())


@pytest.mark.parametrize("text", ["Dạ chào anh chị", "alo", "được chưa", "xong roi dung khong", "phai lam sao", "😡"])
def test_a_yes_among_other_words_is_none(text: str) -> None:
    assert not isinstance(understand(text, Words()), Agree)


@pytest.mark.parametrize("text", ["dừng", "Đừng ạ", "DẠ DỪNG", unicodedata.normalize("NFD", "đừng, dừng")])
def test_who_says_with_its_accent_to_stop_does_not_say_yes(text: str) -> None:
    assert not isinstance(understand(text, Words()), Agree)


def test_a_word_that_may_as_well_mean_to_stop_gets_the_help_that_says_how() -> None:
    assert understand("DUNG", Words()) == Agree(Help())


@pytest.mark.parametrize(
    "text", ["Ngừng tin", "tc tất cả", "Huỷ tin nhắn", "Không nhận tin", "ngừng gửi tin", "TUCHOI", "ko nhận tin"]
)
def test_who_wants_no_more_messages_and_says_no_more_is_taken_at_the_word(text: str) -> None:
    assert understand(text, Words()) == Receive(opt_outs.PURPOSES, wanted=False)


@pytest.mark.parametrize(
    "text",
    [
        "cho toi xem danh sach voi a",
        "danh sách hồ sơ",
        "DS ạ",
        "Hồ sơ của tôi xong chưa?",
        "ho so cua em toi dau roi a",
        "Cho hỏi hồ sơ của tôi bao giờ có kết quả",
        "Danh sách hồ sơ của tôi",
        "quên mã",
        "Tôi quên mã hồ sơ",
        "toi mat giay hen thi lam sao",
        "không có mã hồ sơ",
        "bao giờ xong ạ?",
        "có kết quả chưa ạ",
        "khi nào có kết quả",
        "xong chua",
        "danhsach",
        "co kq chua",
        "hs cua toi",
        "hs e co kq chua v",
        "k nho ma hs",
        "ko co ma",
        "e k bit ma",
        "hs cua e xog chua",
        "bh co kq",
    ],
)
def test_who_asks_for_the_own_dossiers_without_a_code_gets_the_list(text: str) -> None:
    assert isinstance(understand(text, Words()), ListFollowed)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Tôi muốn phản ánh cán bộ xã", "cán bộ xã"),
        ("xin góp ý: phục vụ tốt", "phục vụ tốt"),
        ("khiếu nại hồ sơ trễ", "hồ sơ trễ"),
        ("PAKN đường hư", "đường hư"),
        ("phản ánh kiến nghị", ""),
        ("PA ạ", ""),
        ("cho em xin góp ý với ạ!", ""),
        ("PA 投诉", "投诉"),
        (f"xin phản ánh việc chậm trả hồ sơ {CODE}", f"việc chậm trả hồ sơ {CODE}"),
    ],
)
def test_a_complaint_is_taken_down_however_it_begins(text: str, said: str) -> None:
    request = understand(text, Words())
    assert isinstance(request, Speak)
    assert request.text == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{CODE}. Phản ánh: trễ hẹn quá lâu", "trễ hẹn quá lâu"),
        (f"HS {CODE} PA cán bộ hẹn 3 lần!", "cán bộ hẹn 3 lần!"),
        (f"hồ sơ {CODE} - PA: chậm quá", "chậm quá"),
        (f"{CODE} PA hẹn ngày 15/8", "hẹn ngày 15/8"),
    ],
)
def test_a_complaint_behind_the_code_that_it_is_about_is_taken_down(text: str, said: str) -> None:
    request = understand(text, Words())
    assert isinstance(request, Speak)
    assert request.text == said
    assert CODE in codes_asked(request)


@pytest.mark.parametrize(
    "text",
    [
        f"{CODE}, PA 123456?",
        f"{CODE} khiếu nại đất đai xong chưa",
        f"{CODE} cho hỏi kết quả PA ạ",
        f"{CODE} cua Pa em xong chua",
        f"{CODE} nho ma PA de lam gi",
    ],
)
def test_who_asks_about_a_dossier_does_not_complain_by_a_word_that_may_be_its_own(text: str) -> None:
    assert isinstance(understand(text, Words()), LookUp)


def test_the_words_of_a_complaint_are_kept_as_they_were_written() -> None:
    request = understand("Pha\u0309n a\u0301nh: Cán bộ xã hẹn 3 lần!", Words())
    assert isinstance(request, Speak)
    assert request.text == "Cán bộ xã hẹn 3 lần!"


@pytest.mark.parametrize(
    ("politely", "plainly"),
    [
        ("1 ạ", "1"),
        ("số 1 ạ", "1"),
        ("cái đầu tiên ạ", "1"),
        ("dạ số một", "1"),
        ("chọn mã 2 nhé", "2"),
        ("cái thứ hai", "2"),
        ("HS 3", "3"),
        ("DG 5 ạ", "DG 5"),
        ("đánh giá 4 sao nhé", "DG 4"),
        ("PA 129410 ạ", "PA 129410"),
    ],
)
def test_a_number_that_something_polite_stands_behind_is_still_that_number(politely: str, plainly: str) -> None:
    request = understand(politely, Words())
    assert isinstance(request, AskVoice | Choose | Rate)
    assert request == understand(plainly, Words())


@pytest.mark.parametrize(
    "text",
    [
        "PA " + "a " * 20_000 + "x",
        "PA " + "cô ơi " * 150 + "x",
        "TC " + "co oi " * 150 + "x",
        "vay " * 20_000 + "x",
        "nam " * 250,
        "7" * 1000,
        "12 " * 300,
        "1.000." * 150,
    ],
    ids=lambda text: text[:9],
)
def test_a_long_text_of_polite_words_or_numbers_does_not_hold_up_the_others(text: str) -> None:
    began = time.process_time()
    understand(text, Words())
    assert time.process_time() - began < 2
