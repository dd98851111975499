"""What citizens are told: right for every state, private to the owner, short, and in the form they asked for."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.answers.answering import MOST_ANSWERED, Answers
from smsgw.answers.asked import (
    Agree,
    Choose,
    Help,
    LookUp,
    Prefer,
    Request,
    Thank,
    chosen,
    codes_asked,
)
from smsgw.answers.asker import Asker, Reply
from smsgw.answers.asking import EXAMPLE, understand
from smsgw.answers.wording import Wording, WordingError
from smsgw.answers.words import Words
from smsgw.dossiers import sample
from smsgw.dossiers.dossier import Dossier, Status
from smsgw.dossiers.source import OneStop
from smsgw.text.accents import plain
from smsgw.text.languages import Language
from smsgw.text.phones import msisdn
from smsgw.text.segments import measure

NOW = datetime(2018, 8, 15, 5, tzinfo=UTC)
OWNER, STRANGER = "84331234567", "84912345678"
WORDING = Wording.load()
ANSWERS = Answers(WORDING, timezone="Asia/Ho_Chi_Minh", hotline="1022")
CODE = "H01.22.17-180802-0012"


def at(day: int, month: int = 8) -> datetime:
    return datetime(2018, month, day, 10, tzinfo=UTC)


DOSSIER = Dossier(
    code=CODE,
    procedure_code="1.001612",
    procedure_name="Đăng ký thành lập hộ kinh doanh",
    agency_code="H01.22.17",
    agency_name="UBND phường Châu Phú A, thành phố Châu Đốc",
    service_level=3,
    applicant_name="Nguyễn Thị Lan",
    applicant_phone="0163.123.4567",  # an old number, now 84331234567
    status=Status.IN_PROGRESS,
    step_name="Chuyên viên thụ lý",
    step_since=at(3),
    received_at=at(2),
    due_at=at(20),
    finished_at=None,
    returned_at=None,
    new_due_at=None,
    delay_reason=None,
    supplement_note=None,
    supplement_due_at=None,
    fee_due=None,
    fee_paid_at=None,
    delivery="counter",
    post_tracking=None,
    updated_at=at(3),
)
SUPPLEMENT = DOSSIER._replace(
    status=Status.SUPPLEMENT_ASKED, supplement_note="Sổ hộ khẩu bản chính.", supplement_due_at=at(25)
)
FEE = DOSSIER._replace(status=Status.FEE_ASKED, fee_due=1_500_000)
LATE = DOSSIER._replace(due_at=at(10))
POSTPONED = DOSSIER._replace(new_due_at=at(22), delay_reason="Chờ xác minh")
MOVED = LATE._replace(new_due_at=at(22), delay_reason="Chờ xác minh")
READY = DOSSIER._replace(status=Status.RESOLVED, finished_at=at(14))
RETURNED = READY._replace(status=Status.RETURNED, returned_at=at(14))
POSTED = READY._replace(delivery="post", post_tracking="EK123456789VN")


def tell(dossier: Dossier, phone: str | None = STRANGER, text: str = CODE, **asker: object) -> Reply:
    request = understand(text, Words())
    return ANSWERS.reply(request, Asker(phone, **asker), {dossier.code: dossier}, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dossier", "phone", "told"),
    [
        (DOSSIER._replace(status=Status.REGISTERED), STRANGER, "da nop, dang cho UBND phuong Chau Phu A, TP Chau Doc tiep nhan. Nop ngay 02/08/2018."),
        (DOSSIER._replace(status=Status.RECEIVED), STRANGER, "tiep nhan ngay 02/08/2018. Hen tra ket qua: 20/08/2018."),
        (DOSSIER._replace(status=Status.NOT_ACCEPTED), STRANGER, "khong duoc tiep nhan. Xin lien he UBND phuong Chau Phu A"),
        (DOSSIER, STRANGER, "Hen tra ket qua: 20/08/2018. Hien o buoc: Chuyen vien thu ly"),
        (DOSSIER._replace(due_at=None), STRANGER, "giai quyet. Hien o buoc: Chuyen vien thu ly, tu 03/08/2018."),
        (POSTPONED, STRANGER, "khong kip hen ngay 20/08/2018. UBND phuong Chau Phu A, TP Chau Doc xin loi quy ong/ba, hen lai ngay 22/08/2018."),
        (POSTPONED, OWNER, "hen lai ngay 22/08/2018. Ly do: Cho xac minh."),
        (POSTPONED._replace(finished_at=at(14)), OWNER, "giai quyet. Hen tra ket qua: 20/08/2018."),
        (LATE, STRANGER, "tre hen ngay 10/08/2018. UBND phuong Chau Phu A, TP Chau Doc xin loi quy ong/ba va se bao ngay hen moi."),
        (MOVED, STRANGER, "xin loi quy ong/ba, hen lai ngay 22/08/2018."),
        (MOVED, OWNER, "hen lai ngay 22/08/2018. Ly do: Cho xac minh."),
        (MOVED._replace(new_due_at=at(12)), OWNER, "se bao ngay hen moi"),
        (SUPPLEMENT, OWNER, "can bo sung: So ho khau ban chinh. Xin nop cho UBND phuong Chau Phu A, TP Chau Doc, han 25/08/2018."),
        (SUPPLEMENT._replace(supplement_note=" . "), OWNER, "can bo sung giay to, han 25/08/2018. Xin lien he UBND phuong Chau Phu A, TP Chau Doc de biet cu the, hoac goi 1022."),
        (SUPPLEMENT._replace(supplement_note=None), STRANGER, "Xin lien he UBND phuong Chau Phu A, TP Chau Doc de biet cu the"),
        (FEE._replace(fee_due=None), OWNER, "can nop phi, le phi. Xin lien he UBND phuong Chau Phu A, TP Chau Doc de biet so tien, hoac goi 1022."),
        (SUPPLEMENT, STRANGER, "can bo sung giay to, han 25/08/2018. Xin nhan tu so dien thoai trong ho so"),
        (FEE, OWNER, "can nop phi, le phi 1.500.000 dong tai"),
        (FEE._replace(fee_paid_at=at(4)), OWNER, "giai quyet. Hen tra ket qua: 20/08/2018."),
        (FEE, STRANGER, "can nop phi, le phi. Xin nhan tu so dien thoai trong ho so"),
        (DOSSIER._replace(status=Status.WITHDRAWN), STRANGER, "da duoc rut theo yeu cau cua nguoi nop."),
        (DOSSIER._replace(status=Status.STOPPED), STRANGER, "da ngung giai quyet. Xin lien he UBND"),
        (READY, STRANGER, "da co ket qua. Moi den nhan tai UBND phuong Chau Phu A"),
        (POSTED, OWNER, "dang gui qua buu dien, ma buu gui EK123456789VN."),
        (POSTED, STRANGER, "buu dien se phat den dia chi da dang ky."),
        (READY._replace(delivery="online"), STRANGER, "Xin xem tren cong dich vu cong."),
        (RETURNED, OWNER, "da tra ket qua ngay 14/08/2018. Noi tra: UBND phuong Chau Phu A, TP Chau Doc. Danh gia: nhan DG, ma ho so va diem tu 1 den 5."),
    ],
)  # fmt: skip
def test_each_state_is_told_to_owner_and_stranger(dossier: Dossier, phone: str, told: str) -> None:
    reply = tell(dossier, phone)
    assert told in reply.text
    assert reply.text.startswith(f"Ho so {CODE} ")
    assert (reply.kind, reply.codes) == ("status", (CODE,))
    assert measure(reply.text).encoding == "gsm7"
    assert measure(reply.text).segments == 1


def test_a_stranger_is_not_asked_to_rate() -> None:
    assert (
        tell(RETURNED).text
        == f"Ho so {CODE} da tra ket qua ngay 14/08/2018. Noi tra: UBND phuong Chau Phu A, TP Chau Doc."
    )
    assert "DG" not in tell(RETURNED, None, accents=True, whole=True).text


def test_the_same_is_said_with_accents_and_in_english() -> None:
    assert "đang được UBND phường Châu Phú A, TP Châu Đốc giải quyết." in tell(DOSSIER, accents=True).text
    assert (
        "is in progress at UBND phuong Chau Phu A, TP Chau Doc. Result due: 20/08/2018."
        in tell(DOSSIER, language="en").text
    )


SECRETS = ("Nguyễn", "Nguyen", "khẩu", "khau", "1.500.000", "EK123456789VN", "xác minh", "xac minh", "1234567")


@given(
    st.sampled_from((SUPPLEMENT, FEE, MOVED, POSTED)),
    st.sampled_from(Status),
    st.sampled_from(("vi", "en")),
    st.booleans(),
    st.sampled_from((STRANGER, None)),
)
def test_a_stranger_never_hears_what_is_the_applicants_only(
    dossier: Dossier, status: Status, language: str, accents: bool, phone: str | None
) -> None:
    everything = dossier._replace(
        status=status,
        supplement_note=SUPPLEMENT.supplement_note,
        fee_due=FEE.fee_due,
        post_tracking=POSTED.post_tracking,
        delay_reason=MOVED.delay_reason,
    )
    for text in (CODE, f"{CODE} {CODE[:-1]}3"):
        told = tell(everything, phone, text, language=language, accents=accents).text
        assert not [secret for secret in SECRETS if secret in told]


@pytest.mark.long
def test_nine_of_ten_answers_over_the_sample_are_one_message(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/onestop.db"
    sample.write(url, 2000, 3, date(2018, 8, 15))
    rows = list(sample.dossiers(2000, 3, date(2018, 8, 15)))
    source = OneStop(url)
    found = source.find([row.code for row in rows])
    source.close()
    sizes = []
    for row in rows:
        request = understand(row.code, Words())
        for phone in (msisdn(row.applicant_phone), STRANGER):
            for language in ("vi", "en"):
                reply = ANSWERS.reply(request, Asker(phone, language), found, NOW)
                size = measure(reply.text)
                assert size.encoding == "gsm7"
                sizes.append(size.segments)
    assert sizes.count(1) / len(sizes) >= 0.9


def test_several_codes_get_a_line_each_and_what_is_left_over_is_said() -> None:
    text = " ".join(f"{CODE[:-1]}{number}" for number in (2, 3, 4, 5))
    reply = tell(DOSSIER, text=text)
    lines = reply.text.splitlines()
    assert lines[0] == f"{CODE}: dang xu ly, hen 20/08/2018"
    assert lines[1] == f"{CODE[:-1]}3: khong tim thay"
    assert len(lines) == 4
    assert "toi da 3 ho so" in lines[3]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_three_dossiers_fit_into_one_message_whatever_their_states(language: Language) -> None:
    dated = dict.fromkeys(("due", "new_due", "returned"), "20/08/2018")
    states = {WORDING.state(of, key, dated) for of, key in WORDING.short if of == language}
    assert "20/08/2018" in "".join(states)
    for state in states:
        size = measure(plain("\n".join([f"{CODE}: {state}"] * MOST_ANSWERED)))
        assert size.segments == 1, state


def test_no_text_says_don_t_or_stop_by_a_word_that_without_its_accent_is_to_use() -> None:
    texts = [*WORDING.texts.values(), *WORDING.short.values()]
    said = [template.fullest(dict.fromkeys(template.names, "...")) for template in texts]
    assert not [text for text in said if re.search(r"\b[đd]ừng\b", text, re.IGNORECASE)]


def test_an_unknown_code_is_echoed_with_help_worth_its_fee() -> None:
    reply = tell(DOSSIER, text="hs h01.99 180802 12")
    assert reply.kind == "not_found"
    assert reply.text.startswith("Khong tim thay ho so H01.99-180802-0012. Xin xem lai ma tren giay hen")
    assert "1022" in reply.text


@pytest.mark.parametrize(("language", "said"), [("vi", "chi la ma vi du."), ("en", "is only an example.")])
def test_who_texts_the_code_that_answers_show_is_told_that_it_is_only_an_example(language: Language, said: str) -> None:
    reply = ANSWERS.reply(understand(f"HS {EXAMPLE}", Words()), Asker(STRANGER, language), {}, NOW)
    assert reply.text.startswith(f"{EXAMPLE} {said}")
    assert measure(reply.text).segments == 1


def test_the_other_form_of_an_office_is_asked_about_and_not_taken() -> None:
    old = DOSSIER._replace(code="000.17.22.H01-180802-0012")
    reply = tell(old, text=CODE)
    assert reply.kind == "ambiguous"
    assert reply.options == (old.code,)
    assert "Co phai:\n1) 000.17.22.H01-180802-0012" in reply.text
    assert "giai quyet" not in reply.text


def test_a_number_chooses_among_what_was_offered() -> None:
    request = chosen(understand(f"{CODE[:-1]}3", Words()), CODE)
    assert codes_asked(request) == {CODE}
    assert ANSWERS.reply(request, Asker(STRANGER), {CODE: DOSSIER}, NOW).codes == (CODE,)
    assert ANSWERS.reply(understand("3", Words()), Asker(STRANGER), {}, NOW).kind == "incomplete"


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("", Help()),
        ("?", Help()),
        ("hs", Help()),
        ("Hướng dẫn", Help()),
        ("TRO  GIUP!", Help()),
        ("Có dấu", Prefer("vi", accents=True)),
        ("ko dau", Prefer(accents=False)),
        ("English", Prefer("en")),
        ("Tiếng Việt", Prefer("vi")),
        ("1", Choose(1)),
        ("２", Choose(2)),
        ("No. 2", Choose(2)),
        ("tin có dấu", Prefer("vi", accents=True)),
        ("CODAU", Prefer("vi", accents=True)),
        ("Tiengviet", Prefer("vi")),
        ("huongdan", Help()),
        ("camon nhe", Thank()),
        ("English please", Prefer("en")),
        ("Cảm ơn", Thank()),
        ("có kết quả rồi, cảm ơn", Thank()),
        ("da cam on con nhieu nhe", Thank()),
        ("ok cam on", Agree(Thank())),
        ("OK", Agree(Thank())),
    ],
)
def test_commands_are_understood_however_they_are_typed(text: str, request_: Request) -> None:
    assert understand(text, Words()) == request_


def test_a_code_makes_any_text_a_look_up() -> None:
    for text in (f"HELP {CODE}", f"tro giup em voi {CODE} a", f"TC {CODE}", f"english {CODE}", f"{CODE} cam on"):
        assert isinstance(understand(text, Words()), LookUp)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0012", "Ma ho so chua du hoac chua dung."),
        ("1.001612", "Day la ma thu tuc"),
        ("H01.31.11 261028", "Ma ho so chua du hoac chua dung. Xin nhan du ma tu dau den cuoi"),
        ("0912345678", "Day la so dien thoai"),
        ("ma buu gui EK123456789VN", "Day la ma buu gui, xin tra cuu tai buu dien."),
        ("001122334455", "De an toan, xin khong nhan so can cuoc."),
        ("chao", "Day la tong dai tu dong tra cuu ho so. Xin nhan HS va ma tren giay hen"),
        ("làm khai sinh cần giấy gì", "Day la tong dai tu dong tra cuu ho so. Xin nhan HS va ma tren giay hen"),
        ("dạ", "Cam on quy ong/ba. Khi can xem ho so, xin nhan HS"),
        ("cam on em", "Cam on quy ong/ba. Khi can xem ho so, xin nhan HS"),
        ("180802-0012 cam on", "Ma ho so chua du hoac chua dung."),
    ],
)
def test_what_is_no_code_gets_help_of_its_own(text: str, told: str) -> None:
    assert tell(DOSSIER, text=text).text.startswith(told)


def test_who_has_lost_the_code_is_told_of_the_list() -> None:
    for text in ("chao", "0912345678", "0012"):
        assert "nhan DS" in tell(DOSSIER, text=text).text
        assert "nhắn DS" in tell(DOSSIER, text=text, accents=True).text


def test_who_guesses_waits_and_is_refused_but_not_for_the_own_dossier() -> None:
    assert tell(DOSSIER, misses=4).delay == 0
    assert 0 < tell(DOSSIER, misses=5).delay < tell(DOSSIER, misses=8).delay <= 60
    refused = tell(DOSSIER, misses=20)
    assert refused.kind == "refused"
    assert CODE not in refused.text
    owners = tell(DOSSIER, OWNER, misses=20)
    assert (owners.kind, owners.delay) == ("status", 0)


@pytest.mark.parametrize("dossier", [SUPPLEMENT, FEE])
def test_in_a_chat_whose_phone_is_not_known_one_is_told_how_to_make_it_known(dossier: Dossier) -> None:
    told = tell(dossier, "zalo:12345678901", accents=True, whole=True).text
    assert "xin nhắn LK và số điện thoại trong hồ sơ, ví dụ LK 0912345678" in told
    assert "nhắn từ số điện thoại" not in told
    assert "LK" not in tell(dossier, STRANGER, accents=True, whole=True).text
    for text in ("DS", "0912345678"):
        assert "nhắn LK" in tell(dossier, "zalo:12345678901", text, accents=True, whole=True).text


def test_the_apology_says_where_to_ask() -> None:
    assert "1022" in ANSWERS.apology(Asker(STRANGER)).text


SHIPPED = (Path(__file__).parent.parent / "smsgw/answers/wording.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('returned = "Hồ sơ {code}', 'returned = "Hồ sơ {kode}', "vi.returned: {kode} can't be filled in here"),
        ('returned = "Hồ sơ {code}', 'returned = "Hồ sơ', "vi.returned: {code} must be in it"),
        ('fee = "Hồ sơ {code}', 'fee = "[Hồ sơ {code}]', "vi.fee: {code} must be in it, outside of brackets"),
        ("[ Nơi trả: {agency}.]", "[ Nơi trả: {agency}.", "vi.returned: brackets must be closed"),
        ('stopped = "Work', 'stoped = "Work', "en.stopped: is missing"),
        ('stopped = "Work', 'stoped = "Work', "en.stoped: no such text"),
        ('refused = "Quý', f'refused = "{"rất dài " * 30}', "vi.refused: is too long"),
        ("Hẹn trả kết quả", "📅 Hẹn trả", "vi.received: 📅 can't be sent in a message without accents"),
        ('not_linked = "', 'not_linked = ""  # "', "not_linked: is empty"),
        ('withdrawn = "đã rút"', f'withdrawn = "{"đã rút " * 9}"', "vi.short.withdrawn: is too long"),
        ("[abbreviations]", "[abbreviation]", "[abbreviation]: no such table"),
        ("[en.short]", "[en.shorts]", "[en.short]: the table is missing"),
        ("[vi]", "[vi", "is no TOML"),
    ],
)
def test_a_fault_in_the_wording_is_named(tmp_path: Path, before: str, after: str, fault: str) -> None:
    assert before in SHIPPED
    path = tmp_path / "wording.toml"
    path.write_text(SHIPPED.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(WordingError) as refused:
        Wording.load(path)
    assert fault in str(refused.value)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1258"])
def test_a_file_that_was_saved_in_another_encoding_is_to_be_saved_anew(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "wording.toml"
    path.write_text(SHIPPED, encoding=encoding, errors="replace")
    with pytest.raises(WordingError, match=r"wording.toml: expected UTF-8; save it as that$"):
        Wording.load(path)


def test_a_file_that_a_windows_editor_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "wording.toml"
    path.write_text(SHIPPED.replace("\n", "\r\n"), encoding="utf-8-sig", newline="")
    values = {"hotline": "1022", "example": "H01.12-180802-0012"}
    assert Wording.load(path).text("vi", "help", values, accents=True) == Wording.load().text(
        "vi", "help", values, accents=True
    )


def test_optional_parts_go_from_the_last_one_until_the_message_fits() -> None:
    long = DOSSIER._replace(step_name="Lãnh đạo cơ quan xem xét và phê duyệt kết quả giải quyết hồ sơ")
    text = tell(long).text
    assert measure(text).segments == 1
    assert "Hien o buoc" not in text
    assert "20/08/2018" in text
