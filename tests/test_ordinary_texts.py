"""What citizens write who know no command: the answer that helps them, and nothing is done that they didn't ask for."""

from __future__ import annotations

import re

import pytest

from smsgw.answers.answering import Answers
from smsgw.answers.asked import (
    Agree,
    Help,
    HowToReceive,
    ListFollowed,
    LookUp,
    Prefer,
    Rate,
    Request,
    Speak,
    Thank,
)
from smsgw.answers.asker import Asker
from smsgw.answers.asking import understand
from smsgw.answers.wording import Wording
from smsgw.answers.words import Words
from smsgw.dossiers.dossier import Status
from smsgw.dossiers.hints import Hint
from smsgw.dossiers.reading import Read, read
from smsgw.text.languages import Language
from smsgw.text.segments import measure
from tests.test_conversations import LAN, code_of, owner_of
from tests.world import NOON, World

CODE = "H01.12-180806-0034"
ANSWERS = Answers(Wording.load(), timezone="Asia/Ho_Chi_Minh", hotline="1022")
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
        "bao giờ tôi được lấy giấy?",
        "khi nào em lấy được sổ hồng ạ",
        "bao giờ thì con có kết quả",
        "chung nao tui moi dc lanh",
        "khi nao nhan lai giay",
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
        "mãi chưa có",
        "tới nay vẫn chưa có",
        "mất biên nhận rồi",
        "lam mat phieu hen",
        "khong thay ma tren giay",
        "hẹn lại ngày nào",
        "mai toi len lay duoc khong",
        "cảm ơn nhưng tôi chưa nhận được kết quả",
        "hoof sow cuar tooi ddeens ddaau roofi",
        "laays keets quar owr ddaau",
        "cos kq chuwa",
        "kiểm tra hồ sơ giúp em",
        "kq dau roi",
        "tới ngày hẹn rồi mà không có giấy",
        "can bo sung gi vay",
        "lệ phí bao nhiêu",
        "cần mang theo gì",
        "ngay mai con toi len lay",
        "mã hồ sơ ở đâu",
        "làm rớt giấy hẹn rồi",
        "mất tiêu cái giấy hẹn",
        "giay hen bi uot khong doc duoc",
        "sổ hồng ra chưa",
        "khi nao di lay duoc",
        "hẹn hoài vậy",
        "When will it be ready?",
        "chờ hoài không thấy gì",
        "nop 3 thang roi ko ai noi gi",
        "hẹn 3 lần rồi",
        "dm lau vai",
        "tien mai tang phi chung nao lanh",
        "cho toi xin ma ho so",
        "gửi lại mã hồ sơ cho tôi",
        "tôi có bao nhiêu hồ sơ",
        "nộp bổ sung ở đâu",
        "cần gì nữa không",
        "bao giờ thì xong hả",
        "khi nào mới lấy được",
        "ktra hs",
        "check hồ sơ giúp em",
        "KQ?",
        "duyet chua",
        "toi da nop phi roi",
        "bổ sung rồi mà",
        "đã nộp rồi sao còn nhắn",
        "sao trễ vậy",
        "trễ cả tháng rồi",
        "kq chưa",
        "lãnh đạo ký chưa",
        "bao h co kq",
        "lãnh ở đâu",
        "mấy giờ lấy được",
        "chừng mô xong",
        "đóng rồi",
        "hok nhận được giấy",
        "sao lại trễ",
    ],
)
def test_who_asks_where_when_or_why_so_slow_gets_the_own_dossiers(text: str) -> None:
    assert understand(text, Words()) == ListFollowed(question=True)


@pytest.mark.parametrize(
    "text",
    [
        "chừng nào có giấy vậy",
        "chung nao lay dc",
        "bữa nào lên lấy",
        "hs tui xong hông",
        "ho so cua tui",
        "giay to xong ch",
        "bao lâu nữa mới có",
        "con tui o xa, mai len lay dc hong",
        "sao lau zay",
        "lâu dữ vậy",
        "chưa z",
        "r chưa",
        "chưa ạ?",
        "xog r phải hông",
    ],
)
def test_who_asks_as_the_south_speaks_gets_the_own_dossiers(text: str) -> None:
    assert understand(text, Words()) == ListFollowed(question=True)


@pytest.mark.parametrize("text", ["khi mô có", "răng lâu rứa", "hồ sơ tui tới mô rồi"])
def test_who_asks_as_the_middle_speaks_gets_the_own_dossiers(text: str) -> None:
    assert understand(text, Words()) == ListFollowed(question=True)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("ho26 so7 cua3 toi6 xong chua7", ListFollowed(question=True)),
        ("que6n ma4 ho62 so7", ListFollowed(question=True)),
        ("ho^` so+ cu?a to^i xong chu+a", ListFollowed(question=True)),
        ("kho6ng da61u", Prefer(accents=False)),
        ("tu72 choi61 nhan6 tin", HowToReceive()),
        ("nha62m so61 ro62i", HowToReceive()),
        ("khie6u1 na5i can bo65", Speak("", NOTHING)),
        ("cam3 on7", Thank()),
        ("ca?m o+n nhie^`u", Thank()),
        ("camr own", Thank()),
    ],
)
def test_keys_of_accents_that_were_left_in_a_text_are_read_over_and_nothing_is_done_by_guess(
    text: str, request_: Request
) -> None:
    assert understand(text, Words()) == request_


@pytest.mark.parametrize(
    "text",
    [
        "nhắn có dấu đi, khó đọc quá",
        "viet co dau gium cai",
        "gửi tin có dấu dùm",
        "tin khong dau kho doc",
        "tin nhắn không dấu đọc không ra",
    ],
)
def test_who_finds_texts_without_accents_hard_to_read_gets_them_with_accents(text: str) -> None:
    assert understand(text, Words()) == Prefer(language="vi", accents=True)


@pytest.mark.parametrize("text", ["giấy kết hôn cho cô dâu nước ngoài", "nộp chứng chỉ tiếng Anh"])
def test_a_bride_and_a_certificate_of_english_are_no_wish_how_to_be_written_to(text: str) -> None:
    assert understand(text, Words()) == LookUp(NOTHING)


@pytest.mark.parametrize("text", ["⭐⭐⭐⭐", "⭐️ ⭐️ ⭐️ ⭐️", "chấm 4 điểm", "cham 4 diem"])
def test_a_score_in_stars_or_points_alone_is_one(text: str) -> None:
    assert understand(text, Words()) == Rate(NOTHING, 4, bare=True)


@pytest.mark.parametrize("text", ["hdsd", "cách tra cứu ạ", "lam sao de tra cuu", "hướng dẫn tra cứu giùm tôi"])
def test_who_asks_how_this_works_is_told(text: str) -> None:
    assert understand(text, Words()) == Help()


@pytest.mark.parametrize("text", [f"DG {CODE}, 0035 5", f"DG {CODE} H01.12-180806-0035 5"])
def test_a_score_for_two_dossiers_rates_none_and_its_sender_is_told_the_form(text: str) -> None:
    reply = ANSWERS.reply(understand(text, Words()), Asker(LAN), {}, NOON)
    assert not reply.effects
    assert reply.text.endswith(f"DG {CODE} 5")


@pytest.mark.parametrize("text", ["***", "* * *", "⭐⭐⭐⭐⭐⭐", "chấm công"])
def test_what_is_no_score_from_1_to_5_rates_nothing(text: str) -> None:
    assert not isinstance(understand(text, Words()), Rate)


@pytest.mark.parametrize(
    "text",
    ["<3", ":)", "da nhan kq", "tôi lấy rồi", "da nhan roi a", "dạ em nhận rồi", "lay ket qua roi", "uk", "oke bạn"],
)
def test_who_has_it_or_has_understood_is_thanked(text: str) -> None:
    assert understand(text, Words()) == Agree(Thank())


@pytest.mark.parametrize("text", ["cam on, bh co kq", "ok bh xong", "ok xong chx", "cam on, chu nhat lay dc ko"])
def test_who_thanks_and_asks_in_short_how_it_stands_is_told(text: str) -> None:
    assert understand(text, Words()) == ListFollowed(question=True)


@pytest.mark.parametrize(
    "text",
    [
        "ok, mấy giờ đóng cửa",
        "cảm ơn, cho hỏi mấy giờ đóng cửa",
        "cảm ơn nha, mà chiều có làm không",
        "ok, con tui lấy giùm được hông",
        "cám ơn, tôi đổi số điện thoại thì làm sao ạ",
        "thanks, what time do you open?",
        "ok huy giup toi",
    ],
)
def test_a_question_or_a_wish_beside_thanks_is_not_thanked_for(text: str) -> None:
    assert understand(text, Words()) == LookUp(NOTHING)


@pytest.mark.parametrize("text", ["ok không sao", "cảm ơn, không có gì", "cảm ơn đã có sổ hồng", "ok để mai tôi lên"])
def test_who_thanks_and_says_more_is_thanked(text: str) -> None:
    assert understand(text, Words()) == Thank()


@pytest.mark.parametrize(
    "text",
    [
        "mat giay khai sinh xin cap lai",
        "nộp hồ sơ ở đâu",
        "xác nhận tình trạng hôn nhân cần gì",
        "đăng ký lại khai sinh",
        "sửa giấy ghi sai số nhà",
        "giấy hồng",
        "mai toi len bao gio duoc",
        "nop len mang duoc khong",
    ],
)
def test_a_question_about_a_procedure_is_none_about_the_own_dossiers(text: str) -> None:
    assert understand(text, Words()) == LookUp(NOTHING)


@pytest.mark.parametrize(
    "text",
    [
        "không phải tôi rút",
        "tôi có rút đâu",
        "tôi chưa rút",
        "ai rút hồ sơ của tôi vậy",
        "I want complain",
        "tui hông có rút hồ sơ",
        "I did not withdraw it",
        "em không rút hồ sơ, ai cho rút vậy",
        "cán bộ vòi vĩnh dân",
        "phải đưa phong bì mới làm",
        "muốn nhanh phải bôi trơn hả",
        "tụi bây ăn tiền dân",
        "An officer asked me for money",
        "cán bộ vô trách nhiệm quá",
        "hành dân quá",
        "gọi hoài không ai bắt máy",
        "thất vọng",
        "phản ánh của tôi",
        "to cao can bo nhan hoi lo",
        "Tôi rất bức xúc, nộp hồ sơ 2 tháng không ai trả lời",
        "cho gặp lãnh đạo",
        "cho toi noi chuyen voi can bo",
        "goi lai cho toi theo so 84912345678",
        "không hài lòng",
        "phan anh cua toi den dau roi",
        "sao cham the, toi muon khieu nai",
        "I want to complain",
        "complaint",
        "phục vụ rất tệ",
        "kém",
        "tôi sẽ kiện",
        "toi dua len bao bay gio",
        "đồ ăn hại",
        "PA tới đâu rồi",
        "phản ánh sao rồi ạ",
        "PA co kq chua",
    ],
)
def test_who_is_upset_is_told_how_to_complain_and_nothing_is_taken_down(text: str) -> None:
    assert understand(text, Words()) == Speak("", NOTHING)


@pytest.mark.parametrize(
    "text", ["cảm ơn cán bộ thái độ tốt lắm", "tôi không có ý kiến", "không khiếu nại gì", "có phải lừa đảo không"]
)
def test_who_is_content_or_asks_who_we_are_is_not_told_how_to_complain(text: str) -> None:
    assert not isinstance(understand(text, Words()), Speak)


@pytest.mark.parametrize("text", [f"PA {CODE}", f"tôi muốn khiếu nại hồ sơ {CODE}", f"phản ánh hồ sơ {CODE} ạ"])
def test_who_complains_of_a_dossier_and_says_nothing_yet_is_told_how(text: str) -> None:
    assert understand(text, Words()) == Speak("", read(CODE))
    assert "xin nhan PA roi viet dieu muon noi" in ANSWERS.reply(understand(text, Words()), Asker(LAN), {}, NOON).text


@pytest.mark.parametrize("language", ["vi", "en"])
def test_how_to_complain_is_told_whole_and_with_an_example_in_one_message(language: Language) -> None:
    told = ANSWERS.reply(Speak("", NOTHING), Asker(LAN, language), {}, NOON).text
    assert re.search(r"PA (?:Ho so tre hen 5 ngay|My dossier is 5 days late)\. .*1022\.$", told)
    assert measure(told).segments == 1


@pytest.mark.parametrize(
    "text",
    [
        "Pa ơi con hết tiền",
        "pa oi ve chua",
        "Pa oi con dau roi",
        "dạ pa ơi con biết rồi",
        "PA OI",
        "pa owi con heets tieenf",
        "PA ĐI ĐÂU RỒI",
        "pa dang lam gi vay",
        "Pa về chưa ạ",
        "pa ăn cơm chưa",
        "Pa con về rồi nha",
        "pa con hết tiền rồi",
        "pa khỏe không",
        "pa ve som nha",
        "pa đón con nhé",
        "pa cho con tien",
        "pa chiều rước con lúc 5h",
        "pa đón con 4 giờ nha",
        "pa tối nay có về không",
        "pa má đi đâu rồi",
        "pa đang ở đâu đó pa",
        "pa nhớ uống thuốc nghen",
        "pa cho con xin tiền học",
        "pa con thương pa",
        "pa rảnh không",
        "ba oi",
        "Ba ơi ba",
    ],
)
def test_who_texts_their_father_by_mistake_is_told_that_this_is_a_machine_and_nothing_is_taken_down(text: str) -> None:
    assert understand(text, Words()) == LookUp(NOTHING)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PA đi đâu cũng bị hẹn lại", "đi đâu cũng bị hẹn lại"),
        ("PA con tôi chưa có giấy khai sinh", "con tôi chưa có giấy khai sinh"),
        ("PA về việc chậm trả hồ sơ", "về việc chậm trả hồ sơ"),
        ("PA gọi hoài không ai nghe", "gọi hoài không ai nghe"),
        ("PA ôi trời cán bộ hẹn 5 lần", "ôi trời cán bộ hẹn 5 lần"),
        ("PA cho con tôi nhập học mà thiếu giấy", "cho con tôi nhập học mà thiếu giấy"),
    ],
)
def test_a_complaint_that_a_text_to_ones_father_may_begin_like_is_taken_down(text: str, said: str) -> None:
    assert understand(text, Words()) == Speak(said, NOTHING)


def test_a_code_in_a_text_to_ones_father_is_looked_up() -> None:
    assert understand(f"Pa ơi mã là {CODE}", Words()) == LookUp(read(CODE))


@pytest.mark.parametrize("text", ["tốt lắm, 5 sao", "phuc vu tot 5 sao", "cán bộ nhiệt tình, 5 điểm"])
def test_who_ends_with_a_score_among_other_words_is_told_how_to_rate(text: str) -> None:
    assert understand(text, Words()) == Rate(NOTHING, None)


def test_who_wants_to_withdraw_a_dossier_is_told_where(here: World) -> None:
    code = code_of(here, Status.IN_PROGRESS)
    for phone in (LAN, owner_of(here, Status.IN_PROGRESS)):
        told = here.text(phone, f"Xin hủy hồ sơ {code}")
        assert told.endswith("Muon rut ho so, xin hoi noi nop.")
        assert measure(told).segments == 1
