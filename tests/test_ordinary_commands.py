"""Commands as people write them who know them by hearsay: what is meant is done, and what may be a question is none."""

from __future__ import annotations

import pytest

from smsgw.answers.asked import (
    AskVoice,
    Choose,
    Follow,
    Help,
    HowToReceive,
    ListFollowed,
    LookUp,
    Rate,
    Receive,
    Request,
    Speak,
    Thank,
    Unfollow,
    codes_asked,
)
from smsgw.answers.asking import understand
from smsgw.answers.words import Words
from smsgw.dossiers.reading import read
from tests.test_ordinary_texts import CODE, NOTHING


@pytest.mark.parametrize(
    ("text", "request_"), [("T.C", Receive), ("t c", Receive), ("D.S", ListFollowed), ("h.d", Help)]
)
def test_a_command_in_single_letters_is_that_command(text: str, request_: type) -> None:
    assert isinstance(understand(text, Words()), request_)
    assert isinstance(understand("a i", Words()), LookUp)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        (f"Đăng ký nhận tin về hồ sơ {CODE}", Follow(read(CODE))),
        (f"dang ki nhan tin ve {CODE}", Follow(read(CODE))),
        (f"theo dõi lại {CODE}", Follow(read(CODE))),
        (f"khong nhan tin ve {CODE} nua", Unfollow(read(CODE))),
        (f"hủy tin nhắn về hồ sơ {CODE}", Unfollow(read(CODE))),
    ],
)
def test_a_command_may_say_about_which_dossier_it_is(text: str, request_: Request) -> None:
    assert understand(text, Words()) == request_


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("dk nhé", Follow),
        ("cho em DK với ạ", Follow),
        ("huy nhe", Unfollow),
        ("hủy cái này", Unfollow),
        ("theo dõi hồ sơ này nhé", Follow),
        ("DK luôn", Follow),
        ("dk cả hai nha", Follow),
        ("theo dõi cả 2 hồ sơ này", Follow),
        ("dk lại", Follow),
        ("hủy cả 2", Unfollow),
        ("DK và mã hồ sơ", Follow),
        ("HUY và mã hồ sơ", Unfollow),
        ("DG mã hồ sơ và điểm", Rate),
    ],
)
def test_who_says_a_command_politely_and_no_code_is_told_its_form(text: str, kind: type) -> None:
    request = understand(text, Words())
    assert isinstance(request, kind)
    assert codes_asked(request) == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "PA 123456 sao roi",
        "phản ánh số 123456 tới đâu",
        "PA 123456: có kết quả chưa ạ?",
        "PA 123456 bao giờ mới xong",
        "PA 123456 trả lời chưa",
        "PA 123456 sao chưa thấy trả lời",
        "pa 123456 giai quyet chua a",
        "PA 123456 đâu",
        "PA 123456 sao lâu vậy",
        "phan anh so 123456 khong thay tra loi",
    ],
)
def test_who_asks_how_far_a_complaint_is_makes_no_new_one(text: str) -> None:
    assert understand(text, Words()) == AskVoice(123456)


@pytest.mark.parametrize(
    "text",
    [
        "PA 123456 lần gọi không ai nghe",
        "PA 123456 tôi không đồng ý với trả lời",
        "PA thêm một việc nữa là đường hư",
        "phản ánh ngay cán bộ xã chậm",
        "PA chậm quá",
        "PA của tôi là cán bộ chậm quá",
        "PA hồ sơ của tôi chưa xong",
        "PA 3 tháng chưa xong",
        "PA 180806 nộp mà chưa xong",
        "PA hôm qua tôi lên không ai tiếp, bao giờ có kết quả",
        "PA 123456 cán bộ trả lời không đúng, vẫn chưa giải quyết gì hết",
    ],
)
def test_a_complaint_that_names_a_number_or_asks_how_far_it_is_stays_one(text: str) -> None:
    request = understand(text, Words())
    assert isinstance(request, Speak)
    assert request.text


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
        "khong can nhan tin nua",
        "TC QC",
        "hủy TB",
        "STOPALL",
        "tuwf choois",
        "tắt thông báo",
        "dung nhac nua",
        "muon nhan lai tin",
        "nhan lai",
        "Nhận lại ạ",
        "dduwngf nhawns nuwax",
        "dừng",
        "Đừng ạ",
        "số này tôi mới xài",
        "toi moi mua sim nay",
        "day khong phai ho so cua toi",
        "thôi khỏi nhắn nữa",
        "tắt",
        "I did not apply for anything",
        "xoá hết dữ liệu của tôi",
        "TC TC",
        "TC tin nhắn",
        "ok TC",
        "tc all",
        "toi chua tung dang ky",
        "Please remove me",
        "TC gui 5656",
        "huy tin",
        "toi muon nhan lai thong bao",
    ],
)
def test_whom_messages_bother_is_told_how_to_end_them_and_nothing_changes(text: str) -> None:
    assert understand(text, Words()) == HowToReceive()


@pytest.mark.parametrize("text", ["can bo vo trach nhiem", "nham so roi", "huy theo doi tat ca"])
def test_nobody_is_told_of_a_command_that_has_no_words_in_the_settings(text: str) -> None:
    assert isinstance(understand(text, Words(speak=(), opt_out=(), unfollow=())), LookUp)


@pytest.mark.parametrize(
    "text", ["hủy theo dõi tất cả", "huỷ hết", "thoi khong theo doi nua", "toi muon bo theo doi het"]
)
def test_who_follows_no_more_and_names_no_dossier_is_told_how(text: str) -> None:
    assert understand(text, Words()) == Unfollow(NOTHING)


@pytest.mark.parametrize(
    "text", ["sao ho so bi tu choi", "tam ngung kinh doanh can giay gi", "hủy đăng ký kết hôn", "xin hủy hồ sơ"]
)
def test_the_name_of_a_procedure_or_of_a_state_is_no_wish_to_be_left_alone(text: str) -> None:
    assert isinstance(understand(text, Words()), LookUp)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        (f"{CODE} DK", Follow(read(CODE))),
        (f"HS {CODE} cho tôi theo dõi ạ", Follow(read(CODE))),
        (f"{CODE} đăng ký theo dõi", Follow(read(CODE))),
        (f"{CODE} HUY", Unfollow(read(CODE))),
        (f"{CODE}: bỏ theo dõi nhé", Unfollow(read(CODE))),
        (f"{CODE} 5 sao", Rate(read(CODE), 5)),
        (f"{CODE} DG 4", Rate(read(CODE), 4)),
        (f"{CODE} đánh giá 3 điểm ạ", Rate(read(CODE), 3)),
    ],
)
def test_a_command_behind_its_code_and_nothing_else_is_that_command(text: str, request_: Request) -> None:
    assert understand(text, Words()) == request_


@pytest.mark.parametrize(
    "text",
    [
        f"{CODE} huy?",
        f"{CODE} hủy chưa",
        f"{CODE} sao huy",
        f"{CODE} TC",
        f"{CODE} dk kd",
        f"giay dang ky {CODE} huy",
        f"{CODE} khong dang ky",
        f"{CODE} 5",
        f"{CODE} 6 sao",
        f"{CODE} tre 5 sao vay",
    ],
)
def test_a_word_behind_a_code_that_may_be_part_of_a_question_is_no_command(text: str) -> None:
    assert isinstance(understand(text, Words()), LookUp)


def test_a_command_that_has_no_words_in_the_settings_is_none_behind_a_code_either() -> None:
    for text in (f"{CODE} DK", f"{CODE} HUY", f"{CODE} 5 sao"):
        assert understand(text, Words(follow=(), unfollow=(), rate=())) == LookUp(read(CODE))


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        (f"Chị ơi cho em đăng ký theo dõi hồ sơ {CODE} ạ", Follow(read(CODE))),
        (f"ad oi e mun dk {CODE}", Follow(read(CODE))),
        (f"cô ơi hủy theo dõi {CODE}", Unfollow(read(CODE))),
        ("bạn ơi PA chậm quá", Speak("chậm quá", NOTHING)),
        ("cm ơn nhiều", Thank()),
        ("Rất hài lòng", Thank()),
        ("con ghét mẹ", LookUp(NOTHING)),  # a child, and no thanks
    ],
)
def test_whom_somebody_calls_upon_is_no_part_of_the_command(text: str, request_: Request) -> None:
    assert understand(text, Words()) == request_


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("nhan DS", ListFollowed()),
        ("Nhắn DS", ListFollowed()),
        ("soạn DS gửi 8188", ListFollowed()),
        ("Soạn tin: DS gửi đến số 8188.", ListFollowed()),
        ("DS gửi 8188", ListFollowed()),
        ("xin nhan HD", Help()),
        ("soan HD", Help()),
        ("nhan PA", Speak("", NOTHING)),
        ("PA gui 8188", Speak("", NOTHING)),
        ("soan PA <noi dung> gui 8188", Speak("", NOTHING)),
        ("Soạn PA cán bộ chậm gửi 8188", Speak("cán bộ chậm", NOTHING)),
        ("DG gui 8188", Rate(NOTHING, None)),
        (f"soan DK {CODE} gui 8188", Follow(read(CODE))),
        (f"nhan HUY {CODE}", Unfollow(read(CODE))),
        (f"soan HS {CODE} gui 8188", LookUp(read(CODE))),
        ("nhan 1", Choose(1)),
        ("nhan PA 123456", AskVoice(123456)),
    ],
)
def test_a_command_as_posters_and_our_own_texts_say_it_is_that_command(text: str, request_: Request) -> None:
    assert understand(text, Words()) == request_


@pytest.mark.parametrize("text", ["nhan TC", "soan TC gui 8188", "TC gửi 8188", "soạn DKY gửi 8188", "nhắn STOP"])
def test_who_opts_out_or_in_as_posters_say_it_is_told_the_word_and_nothing_changes(text: str) -> None:
    assert understand(text, Words()) == HowToReceive()


@pytest.mark.parametrize("text", ["nhắn pa là con về trễ", "nhan pa mua sua"])
def test_who_may_have_a_word_for_father_passed_on_makes_no_complaint(text: str) -> None:
    assert understand(text, Words()) == Speak("", NOTHING)


@pytest.mark.parametrize(
    "text", ["nhan tin cho toi khi xong", "nhắn lộn số", "tôi gửi 5000", "nhan " * 3000, "soan " * 3000]
)
def test_other_words_behind_to_text_or_before_a_number_mean_no_more_than_they_did(text: str) -> None:
    assert understand(text, Words()) == LookUp(NOTHING)


def test_what_a_complaint_ends_with_is_kept_where_it_may_be_a_sum_of_money() -> None:
    assert understand("PA cán bộ đòi tiền, tôi đã gửi 50000", Words()) == Speak(
        "cán bộ đòi tiền, tôi đã gửi 50000", NOTHING
    )


@pytest.mark.parametrize(
    "text",
    [
        "PA và nội dung",
        "PA nội dung",
        "PA <nội dung>",
        "PA + nội dung",
        "PA và số phản ánh",
        "PA số phản ánh ạ",
        "PA rồi viết điều muốn nói",
        "PA mã hồ sơ",
        "PA and your words",
        "PA ở đâu",
        "phản ánh như thế nào",
        "phản ánh ở đâu vậy ạ",
        "phản ánh gửi đi đâu",
        "Gop y them: nhan PA va noi dung.",
        "Góp ý ngay",
    ],
)
def test_who_repeats_what_stands_for_the_words_of_a_complaint_is_told_how_to_complain(text: str) -> None:
    assert understand(text, Words()) == Speak("", NOTHING)


@pytest.mark.parametrize(
    "text",
    [
        f"đánh giá hồ sơ {CODE} 5 ngày chưa xong",
        f"DG {CODE} 2 lần rồi",
        f"DG {CODE} 4 hay 5",
        f"DG {CODE} 3 hoặc 4",
        f"DG {CODE} 1 den 5",
    ],
)
def test_a_number_that_may_be_no_score_gives_none(text: str) -> None:
    assert understand(text, Words()) == Rate(read(CODE), None)
    assert understand(f"DG {CODE} 1 quá chậm", Words()) == Rate(read(CODE), 1)
