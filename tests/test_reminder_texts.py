"""What each reminder says, to the letter: short, polite, whole, and with the reason however long an agency writes."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from smsgw.answers.wording import Wording
from smsgw.dossiers.candidates import Load
from smsgw.dossiers.sample.province import agencies
from smsgw.reminders.deciding import Texts
from smsgw.reminders.rules import load
from smsgw.store.people import Preference
from smsgw.text.accents import plain
from smsgw.text.segments import measure
from tests import test_answers
from tests.test_answers import at

RULES = load(None, ZoneInfo("Asia/Ho_Chi_Minh"))
TEXTS = Texts(RULES, Wording.load(), timezone="Asia/Ho_Chi_Minh", hotline="1022")
PLAIN, ACCENTS = Preference("vi", accents=False), Preference("vi", accents=True)
ENGLISH = Preference("en", accents=False)
LONG = "Giấy chứng nhận quyền sử dụng đất bản chính; văn bản đồng ý của các đồng sở hữu có chứng thực; " * 5
DOSSIER = test_answers.DOSSIER._replace(
    code="H01.22-180802-0012", agency_name="Ủy ban nhân dân xã Đa Phước, huyện An Phú"
)
LATE = {"due_at": at(10), "delay_reason": "Chờ xác minh."}


def said(rule: str, wish: Preference, **values: object) -> str:
    return TEXTS.of_dossier(RULES[rule], DOSSIER._replace(**values), wish, owner=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "values", "text"),
    [
        ("received", {}, "Hồ sơ {code} đã được {agency} tiếp nhận ngày 02/08/2018. Hẹn trả kết quả: 20/08/2018."),
        ("received", {"due_at": None}, "Hồ sơ {code} đã được {agency} tiếp nhận ngày 02/08/2018."),
        ("supplement", {"supplement_note": "Sổ hộ khẩu bản chính.", "supplement_due_at": at(25)}, "Hồ sơ {code} cần bổ sung giấy tờ, hạn 25/08/2018: Sổ hộ khẩu bản chính. Xin nộp cho {agency}."),
        ("supplement", {}, "Hồ sơ {code} cần bổ sung giấy tờ. Xin nộp cho {agency}."),
        ("supplement_ending", {"supplement_note": "Sổ hộ khẩu", "supplement_due_at": at(25)}, "Hồ sơ {code} sắp hết hạn bổ sung: ngày 25/08/2018. Còn thiếu: Sổ hộ khẩu. Nơi nộp: {agency}."),
        ("fee", {"fee_due": 1_500_000}, "Hồ sơ {code} cần nộp phí, lệ phí 1.500.000 đồng tại {agency} để được giải quyết tiếp."),
        ("ready_counter", {}, "Hồ sơ {code} đã có kết quả. Mời đến nhận tại {agency}, mang theo giấy hẹn."),
        ("ready_post", {"post_tracking": "EK1VN"}, "Hồ sơ {code} đã có kết quả, bưu điện sẽ phát đến địa chỉ đã đăng ký, mã bưu gửi EK1VN. Hỏi thêm: 1022."),
        ("ready_post", {}, "Hồ sơ {code} đã có kết quả, bưu điện sẽ phát đến địa chỉ đã đăng ký. Hỏi thêm: 1022."),
        ("ready_online", {}, "Hồ sơ {code} đã có kết quả. Xin xem trên cổng dịch vụ công. Hỏi thêm: 1022."),
        ("uncollected_7", {"finished_at": at(1)}, "Kết quả hồ sơ {code} đã có từ 01/08/2018, chưa có người nhận. Mời đến {agency}, mang theo giấy hẹn."),
        ("uncollected_30", {"finished_at": at(1)}, "Kết quả hồ sơ {code} đã có từ 01/08/2018, vẫn chưa có người nhận. Mời đến {agency}, mang theo giấy hẹn. Hỏi thêm: 1022."),
        ("due_tomorrow", {}, "Hồ sơ {code} hẹn trả kết quả ngày 20/08/2018. Khi có kết quả, {agency} sẽ nhắn tin mời nhận."),
        ("postponed", LATE | {"new_due_at": at(22)}, "{agency} xin lỗi quý ông/bà: hồ sơ {code} không kịp hẹn ngày 10/08/2018 (lý do: Chờ xác minh), hẹn lại ngày 22/08/2018."),
        ("overdue", LATE, "{agency} xin lỗi quý ông/bà vì hồ sơ {code} trễ hẹn ngày 10/08/2018 (lý do: Chờ xác minh) và sẽ báo ngày hẹn mới."),
        ("overdue_again", LATE | {"new_due_at": at(12)}, "{agency} xin lỗi quý ông/bà: hồ sơ {code} chưa xong như đã hẹn lại ngày 12/08/2018 (lý do: Chờ xác minh), sẽ báo ngày hẹn mới."),
        ("not_accepted", {}, "Hồ sơ {code} không được tiếp nhận. Xin liên hệ {agency} để biết lý do và được hướng dẫn, hoặc gọi 1022."),
        ("stopped", {}, "Hồ sơ {code} đã ngừng giải quyết. Xin liên hệ {agency} để biết lý do, hoặc gọi 1022."),
    ],
)  # fmt: skip
def test_each_rule_says_what_follows_in_every_case(rule: str, values: dict[str, object], text: str) -> None:
    text = text.format(code=DOSSIER.code, agency="UBND xã Đa Phước, huyện An Phú")
    assert said(rule, ACCENTS, **values) == text
    assert said(rule, PLAIN, **values) == plain(text)
    english = said(rule, ENGLISH, **values)
    assert DOSSIER.code in english
    assert measure(english).encoding == "gsm7"
    assert not {"Ho so", "xin", "ngay"} & {*english.split()}


@pytest.mark.parametrize("wish", [PLAIN, ACCENTS, ENGLISH])
@pytest.mark.parametrize(
    ("rule", "needed"),
    [
        ("supplement", ("25/08/2018",)),
        ("supplement_ending", ("25/08/2018",)),
        ("postponed", ("10/08/2018", "22/08/2018")),
        ("overdue", ("10/08/2018",)),
        ("overdue_again", ("22/08/2018",)),
    ],
)
def test_what_an_agency_writes_at_length_is_begun_and_takes_no_place_from_the_rest(
    rule: str, needed: tuple[str, ...], wish: Preference
) -> None:
    longest = max((agency.name for agency in agencies()), key=len)
    values = {"code": "000.17.22.H01-180802-0012", "agency_name": longest, "due_at": at(10), "new_due_at": at(22)}
    values |= {"supplement_due_at": at(25)}
    text = said(rule, wish, supplement_note=LONG, delay_reason=LONG, **values)
    shown = Wording.load().shortened(longest)
    begun = "Giấy chứng nhận quyền sử dụng đất bản chính"
    for part in (*needed, *((shown, begun) if wish.accents else (plain(shown), plain(begun)))):
        assert part in text
    assert "..." in text
    assert measure(text).segments <= (WITH_ACCENTS if wish.accents else WITHOUT)[RULES[rule].segments]


WITHOUT, WITH_ACCENTS = {2: 2, 3: 3}, {2: 5, 3: 7}


def test_every_text_is_one_message_unless_an_agency_has_more_to_say() -> None:
    """Without accents, for every agency of the province."""
    everything = {"finished_at": at(1), "new_due_at": at(22), "supplement_due_at": at(25), "fee_due": 12_500_000}
    for agency in agencies():
        for rule in RULES.keys() - {"digest"}:
            for wish in (PLAIN, ENGLISH):
                text = said(rule, wish, agency_name=agency.name, post_tracking="EK123456789VN", **everything)
                assert measure(text).encoding == "gsm7"
                assert measure(text).segments == 1, text


def test_a_digest_names_the_day_and_what_is_late() -> None:
    late = Load("H01.22", "UBND huyện An Phú", 12, 3, ("H01.22-180801-0001", "H01.22-180802-0002"))
    assert TEXTS.of_load(RULES["digest"], late, ACCENTS) == (
        "UBND huyện An Phú: hôm nay đến hẹn 12 hồ sơ, đang trễ hẹn 3."
        " Trễ lâu nhất: H01.22-180801-0001, H01.22-180802-0002."
    )
    nothing = Load("H01.22", "UBND huyện An Phú", 12, 0, ())
    assert (
        TEXTS.of_load(RULES["digest"], nothing, PLAIN) == "UBND huyen An Phu: hom nay den hen 12 ho so, dang tre hen 0."
    )
