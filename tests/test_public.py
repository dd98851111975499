"""The look-up page: the same answers as by SMS to a stranger, for everybody, on any device."""

from __future__ import annotations

from html import unescape
from urllib.parse import quote

import pytest
import segno
import sqlalchemy as sa
from werkzeug.test import TestResponse

from smsgw.app import create_app
from smsgw.dossiers.dossier import Status
from smsgw.web.public import Counter, sms_link, sms_qr
from tests.world import World

PAGES = ("/", "/tra-cuu", "/tra-cuu?ma=0012", "/tra-cuu?ma=H01.99-180802-0012", "/?lang=en")


def code_of(world: World, status: Status) -> str:
    return next(example.code for example in world.examples if example.status == status)


def text(answer: TestResponse) -> str:
    return unescape(answer.get_data(as_text=True))


@pytest.mark.parametrize("status", list(Status))
def test_every_state_is_told_with_accents_and_nothing_private(here: World, status: Status) -> None:
    code = code_of(here, status)
    dossier = here.gateway.onestop.find([code])[code]
    page = here.client.get(f"/tra-cuu?ma={quote(code.lower().replace('-', ' '))}", follow_redirects=True)
    assert page.status_code == 200
    assert page.request.path == f"/tra-cuu/{code}"
    assert f"hồ sơ {code}" in text(page).lower().replace(code.lower(), code)
    private = (dossier.applicant_name, dossier.applicant_phone, dossier.supplement_note, dossier.post_tracking)
    assert not [secret for secret in private if secret and secret in text(page)]


def test_on_the_page_nothing_is_shortened_as_in_an_sms(here: World) -> None:
    code = code_of(here, Status.REGISTERED)
    name = "Ban Quản lý dự án của Sở Nông nghiệp và Phát triển nông thôn thành phố Long Xuyên"
    engine = sa.create_engine(here.gateway.settings.onestop.database)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE agency SET name = :name"), {"name": name})
    engine.dispose()
    page = text(here.client.get(f"/tra-cuu/{code}/"))  # some write it so
    assert f"đang chờ {name} tiếp nhận. Nộp ngày" in page
    assert "Cần hỏi thêm, xin gọi" in page
    assert "BQL" in here.text("84912345678", code)


def test_english_is_carried_along(here: World) -> None:
    code = code_of(here, Status.IN_PROGRESS)
    page = here.client.get(f"/tra-cuu?ma={code}&lang=en", follow_redirects=True)
    assert '<html lang="en">' in text(page)
    assert "in progress" in text(page) or "is late" in text(page)
    assert "lang=en" in page.request.full_path


def test_the_qr_code_opens_a_message_with_number_and_text_filled_in(here: World) -> None:
    code = code_of(here, Status.IN_PROGRESS)
    counter = Counter("8188", "HS", "1022")
    wanted = segno.make(f"SMSTO:8188:HS {code}", micro=False, error="m")
    drawn = sms_qr(counter, code)
    assert drawn == wanted.svg_inline(
        scale=5, border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    page = text(here.client.get(f"/tra-cuu/{code}"))
    assert drawn in page
    assert sms_link(counter, code) == f"sms:8188?&body=HS%20{code}"
    assert sms_link(counter, code) in page
    assert "style=" not in drawn


@pytest.mark.parametrize("path", PAGES)
def test_no_page_asks_another_host_or_runs_a_script(here: World, path: str) -> None:
    answer = here.client.get(path)
    page = text(answer)
    assert "<script" not in page
    assert "style=" not in page
    assert 'src="http' not in page
    assert 'href="http' not in page
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("query", "status"),
    [("H01.99-180802-0012", 404), ("0012", 200), ("xin chào", 200), ("", 200), ("1.001612", 200), ("x" * 5000, 200)],
)
def test_what_is_not_found_is_said_with_the_right_status(here: World, query: str, status: int) -> None:
    assert here.client.get(f"/tra-cuu?ma={quote(query)}").status_code == status


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("H01.99-180802-0012", "Không tìm thấy hồ sơ H01.99-180802-0012. Xin xem lại"),
        ("0012", "Mã hồ sơ chưa đủ"),
        ("H01.29.01-0815-0001", "Mã hồ sơ chưa đủ hoặc chưa đúng. Xin nhập"),
        ("xin chào", "Đây chưa phải mã hồ sơ"),
        ("hướng dẫn", "Đây chưa phải mã hồ sơ"),
        ("cảm ơn", "Đây chưa phải mã hồ sơ"),
        ("có dấu", "Đây chưa phải mã hồ sơ"),
        ("1", "Đây chưa phải mã hồ sơ"),
        ("1.001612", "mã thủ tục"),
        ("0912 345 678", "số điện thoại"),
        ("EK123456789VN", "mã bưu gửi"),
        ("001090000123", "số căn cước"),
    ],
)
def test_who_types_on_the_page_is_not_told_to_text(here: World, query: str, said: str) -> None:
    page = text(here.client.get(f"/tra-cuu?ma={quote(query)}"))
    answer = page.partition('class="text">')[2].partition("</p>")[0]
    assert said in answer
    assert "nhắn" not in answer


def test_each_of_several_dossiers_leads_to_its_own_page(here: World) -> None:
    codes = [example.code for example in here.examples[:4]]
    page = text(here.client.get(f"/tra-cuu?ma={quote(' '.join(codes))}&lang=en"))
    for code in codes[:3]:
        assert f'href="/tra-cuu/{code}?lang=en"' in page
    assert codes[3] not in page.partition('class="text">')[2]
    told = text(here.client.get(f"/tra-cuu?ma={quote(' '.join(codes))}"))
    assert "Mỗi lần trả lời tối đa 3 hồ sơ" in told  # who types here sends no messages


def test_who_asks_for_several_is_told_also_of_those_that_are_not_found(here: World) -> None:
    code, other = code_of(here, Status.IN_PROGRESS), "H01.99-180802-0012"
    for second, told in ((other, f"{other}: không tìm thấy"), ("va 13", "Mỗi hồ sơ xin ghi đủ mã.")):
        answer = here.client.get(f"/tra-cuu?ma={quote(f'{code} {second}')}")
        assert answer.status_code == 200
        assert f"{code}: " in text(answer)
        assert told in text(answer)
        assert f'href="/tra-cuu/{code}"' in text(answer)


@pytest.mark.parametrize("path", ["/", "/khong-co", "/tra-cuu?ma=xin+chao"])
def test_who_rather_calls_has_a_number_to_tap(here: World, path: str) -> None:
    assert '<a href="tel:1022">1022</a>' in text(here.client.get(path))


@pytest.mark.parametrize(("path", "title"), [("/khong-co", "Không có trang này"), ("/a?lang=en", "There is no such")])
def test_a_mistyped_address_is_answered_with_the_field_for_a_code(here: World, path: str, title: str) -> None:
    answer = here.client.get(path)
    assert answer.status_code == 404
    assert title in text(answer)
    assert 'name="ma"' in text(answer)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_fault_of_ours_is_no_bare_page(here: World) -> None:
    app = create_app(here.gateway)
    app.add_url_rule("/broken", view_func=lambda: str(1 // 0))
    answer = app.test_client().get("/broken")
    assert answer.status_code == 500
    assert "Xin lỗi, có lỗi xảy ra" in text(answer)


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "{{7*7}}", "'; DROP TABLE x; --", "\x00\u202e", "%00"]
)
def test_hostile_input_is_harmless(here: World, hostile: str) -> None:
    for path in (f"/tra-cuu?ma={quote(hostile)}", f"/tra-cuu/{quote(hostile, safe='')}"):
        answer = here.client.get(path, follow_redirects=True)
        assert answer.status_code in (200, 404)
        assert "<script" not in answer.get_data(as_text=True)
        assert "49" not in text(answer).replace(hostile, "")


def test_who_calls_an_address_in_the_wrong_way_is_told_the_right_one(here: World) -> None:
    answer = here.client.post("/tra-cuu")
    assert answer.status_code == 405
    assert answer.allow.as_set() == {"get", "head", "options"}
    assert "Trang này không mở được theo cách đó" in text(answer)
    assert "This page can't be opened like that" in text(here.client.post("/?lang=en"))


def test_two_readings_are_offered_and_each_has_an_address_of_its_own(here: World) -> None:
    first, second = "H01.21-190818-0001", "H01.21-180819-0001"
    engine = sa.create_engine(here.gateway.settings.onestop.database)
    with engine.begin() as connection:
        for example, code in zip(here.examples, (first, second), strict=False):
            connection.execute(
                sa.text("UPDATE dossier SET code = :new WHERE code = :old"), {"new": code, "old": example.code}
            )
    engine.dispose()
    asked = text(here.client.get(f"/tra-cuu?ma={second}"))
    for code in (first, second):
        assert f'href="/tra-cuu/{code}"' in asked
        assert f'class="code">{code}<' in text(here.client.get(f"/tra-cuu/{code}"))


def test_a_dossier_in_the_other_form_of_a_code_is_asked_about(
    here: World,
) -> None:
    engine = sa.create_engine(here.gateway.settings.onestop.database)
    with engine.begin() as connection:
        renamed = {"new": "000.17.22.H01-180802-0012", "old": here.examples[0].code}
        connection.execute(sa.text("UPDATE dossier SET code = :new WHERE code = :old"), renamed)
    engine.dispose()
    asked = text(here.client.get("/tra-cuu?ma=H01.22.17-180802-0012"))
    assert "Không tìm thấy đúng mã này. Có phải là:" in asked
    assert 'href="/tra-cuu/000.17.22.H01-180802-0012"' in asked


def test_a_code_that_is_no_code_is_sent_to_the_search(here: World) -> None:
    code = code_of(here, Status.RETURNED)
    answer = here.client.get(f"/tra-cuu/{code.lower()}", follow_redirects=True)
    assert answer.request.path == f"/tra-cuu/{code}"


def test_without_the_one_stop_database_the_page_says_so(here: World) -> None:
    (here.folder / "onestop.db").rename(here.folder / "away.db")
    answer = here.client.get("/tra-cuu/H01.21-180802-0012")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "hiện chưa tra cứu được" in text(answer)
    assert "1022" in text(answer)


def test_who_guesses_on_the_page_is_refused_for_an_hour_and_others_are_not(here: World) -> None:
    for number in range(20):
        assert here.client.get(f"/tra-cuu/H01.21-180801-{9000 + number}").status_code == 404
    refused = here.client.get("/tra-cuu/H01.21-180801-9999")
    assert refused.status_code == 429
    assert "thử lại sau một giờ" in text(refused)  # who types here has nothing to text
    other = {"REMOTE_ADDR": "127.0.0.9"}
    assert here.client.get("/tra-cuu/H01.21-180801-9999", environ_base=other).status_code == 404
    here.clock.forward(minutes=61)
    assert here.client.get("/tra-cuu/H01.21-180801-9999").status_code == 404


def test_a_guess_beside_a_code_that_is_known_is_a_guess_on_the_page_too(here: World) -> None:
    known = code_of(here, Status.IN_PROGRESS)
    for number in range(10):
        guesses = f"H01.21-180801-{9000 + number}, H01.21-180801-{9100 + number}"
        here.client.get("/tra-cuu", query_string={"ma": f"{known}, {guesses}"})
    assert here.client.get(f"/tra-cuu/{known}").status_code == 429


def test_who_guesses_from_many_addresses_of_one_network_is_one(here: World) -> None:
    statuses = []
    for number in range(21):
        place = {"REMOTE_ADDR": f"2001:db8::{number:x}"}
        statuses.append(here.client.get(f"/tra-cuu/H01.21-180801-{9000 + number}", environ_base=place).status_code)
    assert statuses == [404] * 20 + [429]


def test_answers_are_not_kept_by_browsers_or_found_by_search_engines(here: World) -> None:
    answer = here.client.get(f"/tra-cuu/{code_of(here, Status.RETURNED)}")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
