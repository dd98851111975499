"""What is wrong with a form of the console is said at its field, and what was typed stays."""

from __future__ import annotations

import io
import re

import pytest

from tests.bulletin import Cast
from tests.console import PASSWORD, official, text
from tests.world import World

NEW = {"name": "hoa", "role": "sender", "agency": "H01.21", "phone": "0912345678", "password": PASSWORD}


def at_field(page: str, field: str) -> str:
    """What is said to be wrong with a field, which is the only one, and says so itself."""
    ((named, said),) = re.findall(r'<div class="invalid-feedback" id="([\w-]+)-wrong">([^<]+)</div>', page)
    assert named == field
    assert re.search(rf'id="{field}"[^>]* aria-describedby="{field}-wrong[^>]*aria-invalid="true" autofocus', page)
    assert "alert-danger" not in page
    return str(said)


@pytest.mark.parametrize(
    ("field", "given", "said"),
    [
        ("name", "Hoa Lê", "Tên đăng nhập cần"),
        ("name", "lan", "đã có người dùng"),
        ("role", "chief", "Vai trò không đúng"),
        ("phone", "12", "Số điện thoại không đúng"),
        ("password", "short", "ít nhất 10 ký tự"),
    ],
)
def test_of_a_new_account(here: World, field: str, given: str, said: str) -> None:
    page = official(here, "lan", "admin").post("/people/", 400, **(NEW | {field: given}))
    assert said in at_field(page, field)
    assert 'value="H01.21"' in page
    assert [one.name for one in here.gateway.accounts.every()] == ["lan"]


def test_of_a_change_of_an_account(here: World) -> None:
    desk = official(here, "lan", "admin")
    hoa = here.gateway.accounts.add("hoa", "viewer", "H01.21", "84912345678", None, "test")
    page = desk.post(f"/people/{hoa.id}", 400, verb="change", role="approver", agency="H01.22", phone="0912")
    assert "Số điện thoại không đúng" in at_field(page, "phone")
    assert 'value="0912"' in page
    assert 'value="H01.22"' in page
    assert '<option value="approver" selected>' in page
    page = desk.post(f"/people/{hoa.id}", 400, verb="password", password="short")
    assert "ít nhất 10 ký tự" in at_field(page, "password")
    assert 'value="0912 345 678"' in page
    assert here.gateway.accounts.named("hoa").role == "viewer"


def test_of_a_new_password_of_ones_own(here: World) -> None:
    desk = official(here, "lan", "admin", password=PASSWORD)
    assert "không đúng" in at_field(desk.post("/account/password", 400, old="wrong", new=PASSWORD), "old")
    assert "ít nhất 10 ký tự" in at_field(desk.post("/account/password", 400, old=PASSWORD, new="short"), "new")


def test_of_who_wants_no_more_messages(here: World) -> None:
    desk = official(here, "lan", "sender")
    assert "không phải số điện thoại" in at_field(desk.post("/opt-outs/", 400, phone="12", purpose="notice"), "phone")
    page = desk.post("/opt-outs/", 400, phone="0912 345 678")
    assert "Vui lòng chọn ít nhất một loại tin." in page
    assert 'value="0912 345 678"' in page
    assert " checked" not in page


@pytest.mark.parametrize(
    ("field", "given", "said"),
    [
        ("name", "", "Xin đặt tên"),
        ("text", " ", "Xin viết nội dung"),
        ("file", "", "Xin chọn tệp"),
        ("at", "soon", "Thời điểm không đọc được"),
    ],
)
def test_of_a_notice(here: World, field: str, given: str, said: str) -> None:
    fields = {"by": "file", "name": "Lịch nghỉ", "text": "Nghỉ lễ.", "at": ""}
    page = official(here, "lan", "sender").post("/notices/new", 400, **(fields | {field: given}))
    assert said in at_field(page, field)


@pytest.mark.parametrize(
    ("fields", "file", "field", "said"),
    [
        ({}, b"", "file", "Tệp trống."),
        ({}, b"ten\nAn\n", "file", "không có cột số điện thoại"),
        ({"text": "((tuổi))"}, b"phone;ten\n0912000001;An\n", "text", "tuổi"),
        ({"at": "9999-12-31T23:59"}, b"phone\n0912000001\n", "at", "quá xa"),
        ({"by": "filter"}, b"", "agency", "ít nhất một mục"),
        ({"by": "filter", "filter": "status=77"}, b"", "filter", "ở ký tự thứ 1 (status=77)"),
        ({"by": "filter", "overdue": "yes", "filter": "status=77"}, b"", "filter", "ở ký tự thứ 1 (status=77)"),
    ],
)
def test_of_whom_a_notice_is_for(here: World, fields: dict[str, str], file: bytes, field: str, said: str) -> None:
    desk = official(here, "lan", "sender")
    form = {"by": "file", "name": "Lịch nghỉ", "text": "Nghỉ lễ.", "csrf_token": desk.token()} | fields
    answer = desk.client.post("/console/notices/new", data=form | {"file": (io.BytesIO(file), "danh sach.csv")})
    assert said in at_field(text(answer), field)


def test_days_that_leave_none_are_said_at_their_own_field_as_people_write_them(here: World) -> None:
    desk = official(here, "lan", "sender")
    days = {"overdue": "yes", "received_from": "2018-09-02", "received_to": "2018-08-01"}
    page = desk.post("/notices/new", 400, by="filter", name="Lịch nghỉ", text="Nghỉ lễ.", **days)
    assert "Ngày nộp đến 01/08/2018: hai giới hạn ngày này loại trừ nhau." in page
    assert re.search('id="received_to"[^>]* aria-describedby="received-wrong', page)
    assert 'id="received-wrong"' in page
    assert "alert-danger" not in page


def test_a_file_that_the_browser_does_not_keep_is_asked_for_again(here: World) -> None:
    desk = official(here, "lan", "sender")
    form = {"by": "file", "name": "", "text": "Nghỉ lễ.", "csrf_token": desk.token()}
    answer = desk.client.post("/console/notices/new", data=form | {"file": (io.BytesIO(b"phone\n"), "danh sach.csv")})
    assert "xin chọn lại tệp" in text(answer)


def test_of_a_search_an_answer_a_reason_and_a_code(here: World) -> None:
    desk = official(here, "lan", "admin")
    here.text("84900000001", "PA can bo tiep dan cham")
    inbox = desk.get("/voices/")
    found = re.search(r"/console(/voices/[\w-]+)\">", inbox)
    assert found
    assert "mã hồ sơ" in at_field(desk.post("/conversations/", 404, query="xyz"), "query")
    assert "từ 1 đến" in at_field(desk.post(found[1], 400, answer=" "), "answer")
    assert "lý do" in at_field(desk.post("/channels/sms", 400, step="pause", reason=" "), "reason-sms")
    desk.get("/account/second-factor")
    assert "Mã không đúng" in at_field(desk.post("/account/second-factor", 400, code="1"), "code")


def test_of_the_phone_that_a_notice_is_tried_on(cast: Cast) -> None:
    desk = official(cast.world, "lan", "sender")
    desk.client.post(
        "/console/notices/new",
        data={"csrf_token": desk.token(), "by": "filter", "filter": "all", "name": "Lịch nghỉ", "text": "Nghỉ lễ."},
    )
    (notice,) = cast.notices.page(cast.dung, None, 5)
    page = desk.post(f"/notices/{notice.id}/test", 400, phone="12")
    assert "Số điện thoại không đúng" in at_field(page, "phone")
    assert 'value="12"' in page
