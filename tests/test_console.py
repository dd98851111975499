"""The console: who may see what, what a form needs, and what every page keeps to."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

import smsgw.web.console
from smsgw.app import create_app
from smsgw.store.officials import Role
from smsgw.store.tables import audit as audit_table
from smsgw.store.tables import metadata, official_session, outbound
from smsgw.web.console import opt_outs, texts
from smsgw.web.console.shell import NAVIGATION, needs
from tests.console import PASSWORD, Desk, official, stranger, text
from tests.world import NOON, World

CONSOLE = Path(smsgw.web.console.__file__).parent
PATHS = {
    "overview.home": "/",
    "conversations.conversations": "/conversations/",
    "channels.channels": "/channels/",
    "doubtful.doubtful": "/doubtful/",
    "opt_outs.opt_outs": "/opt-outs/",
    "people.people": "/people/",
    "keys.keys": "/keys/",
    "audit_log.entries": "/audit/",
    "notices.notices": "/notices/",
    "voices.every": "/voices/",
    "ratings.every": "/ratings/",
    "reminders.rules": "/reminders/",
}
TEMPLATES = CONSOLE.parent / "templates/console"


def sign_in(desk: Desk, name: str, password: str, status: int = 200) -> str:
    return desk.post("/sign-in", status, name=name, password=password)


def test_whoever_is_not_signed_in_goes_to_the_door_and_from_there_to_where_they_were_going(here: World) -> None:
    here.gateway.accounts.add("lan", "viewer", None, None, PASSWORD, "test")
    desk = stranger(here)
    assert "Mật khẩu" in desk.get("/account/")
    assert "Tài khoản của tôi" in sign_in(desk, "lan", PASSWORD)
    assert "Tên đăng nhập hoặc mật khẩu không đúng" in sign_in(stranger(here), "lan", "wrong", 401)


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/language", "/account/password", "/nowhere"])
def test_a_form_without_its_token_is_refused_with_a_page(here: World, path: str) -> None:
    desk = official(here, "lan", "admin")
    for data in ({}, {"csrf_token": "x"}, {"csrf_token": stranger(here).token()}):
        answer = desk.client.post(f"/console{path}", data=data)
        assert answer.status_code == 400
        assert "Biểu mẫu đã hết hạn" in text(answer)


def test_what_there_is_not_is_said_with_a_page(here: World) -> None:
    assert "Không tìm thấy trang" in official(here, "lan", "viewer").get("/nowhere", 404)


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [
        ("GET", "/sign-out", "post"),
        ("GET", "/notices/x/move", "post"),
        ("POST", "/audit/", "get"),
        ("POST", "/", "get"),
        ("PUT", "/", "get"),
        ("PATCH", "/people/", "get post"),
        ("DELETE", "/people/x", "get post"),
        ("PUT", "/console/console.css", "get"),
    ],
)
def test_who_asks_in_a_way_that_an_address_does_not_take_is_told_so_by_the_console(
    here: World, method: str, path: str, right: str
) -> None:
    desk = official(here, "lan", "admin")
    titles = {"vi": "Trang này không mở được theo cách đó", "en": "This page can't be opened like that"}
    for language, title in titles.items():
        desk.post("/language", language=language)
        answer = desk.client.open(f"/console{path}", method=method, data={"csrf_token": desk.token()})
        assert (answer.status_code, answer.allow.as_set()) == (405, {*right.split()})
        assert f"<h1>{title}</h1>" in text(answer)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_whatever_is_not_there_is_said_by_the_console_to_who_is_signed_in_and_the_door_to_others(
    here: World, method: str
) -> None:
    for path in ("/nowhere", "/people/", ""):
        door = stranger(here).client.open(f"/console{path}", method=method, follow_redirects=True)
        assert "Mật khẩu" in text(door)
    answer = official(here, "lan", "viewer").client.open("/console/nowhere", method=method)
    assert (answer.status_code, "Không tìm thấy trang" in text(answer)) == (404, True)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_text_with_a_nul_is_refused_as_a_wrong_one_and_is_no_fault_of_the_database(
    anywhere: World, caplog: pytest.LogCaptureFixture
) -> None:
    takes = anywhere.gateway.database.on_sqlite
    stranger(anywhere).post("/sign-in", 401 if takes else 400, name="la\0n", password=PASSWORD)
    desk = official(anywhere, "lan", "admin")
    for path in ("/keys/%00", "/people/%00", "/conversations/%00", "/conversations/%00/trace", "/voices/%00"):
        desk.get(path, 404 if takes else 400)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_no_view_of_the_console_changes_anything_but_by_a_form(here: World) -> None:
    for rule in create_app(here.gateway).url_map.iter_rules():
        if rule.endpoint.startswith("console.") and rule.endpoint != "console.nowhere":
            assert rule.methods is not None
            assert rule.methods <= {"GET", "HEAD", "OPTIONS", "POST"}, rule


def test_no_page_of_the_console_changes_anything_by_being_looked_at(here: World) -> None:
    here.text("84900000001", f"HS {here.examples[0].code}")
    desk = official(here, "lan", "admin")
    pages = [
        rule.rule
        for rule in here.app.url_map.iter_rules()
        if rule.endpoint.startswith("console.") and "GET" in (rule.methods or ()) and not rule.arguments
    ]
    assert len(pages) > len(PATHS)
    for page in pages:
        before = _everything(here)
        assert desk.client.get(page).status_code < 500, page
        assert _everything(here) == before, page


def _everything(here: World) -> dict[str, list[str]]:
    """All rows but those that say who is there and who did what."""
    with here.gateway.database.reading() as connection:
        return {
            name: sorted(map(str, connection.execute(sa.select(table)).all()))
            for name, table in metadata.tables.items()
            if table not in (official_session, audit_table)
        }


def test_a_fault_of_ours_is_said_with_a_page_and_without_what_it_was(here: World) -> None:
    def fails() -> str:
        raise RuntimeError("a secret")

    app = create_app(here.gateway)
    app.view_functions |= {"console.overview.home": needs("viewer")(fails), "public.home": fails}
    desk = Desk(app.test_client())
    signed_in = official(here, "lan", "viewer").client.get_cookie("smsgw")
    assert signed_in
    desk.client.set_cookie("smsgw", signed_in.value)
    page = desk.get("/", 500)
    assert "Có lỗi xảy ra" in page
    citizens = desk.client.get("/")
    assert (citizens.status_code, "Xin lỗi, có lỗi xảy ra" in text(citizens)) == (500, True)
    assert "secret" not in page + text(citizens)


def test_a_database_that_is_away_is_said_with_a_page_that_has_its_style(here: World) -> None:
    desk, database = official(here, "lan", "viewer"), here.gateway.database
    assert database.file is not None
    database.close()
    database.file.rename(database.file.with_suffix(".away"))
    database.file.mkdir()  # an empty place would be taken for a new database
    shown = desk.get("/", 503)
    assert "Cơ sở dữ liệu chưa trả lời" in shown
    for sheet in re.findall(r'rel="stylesheet" href="([^"]+)"', shown):
        with desk.client.get(sheet) as answer:
            assert answer.status_code == 200, sheet


def test_after_too_many_tries_one_is_told_how_long_to_wait(here: World) -> None:
    desk = stranger(here)
    for _ in range(5):
        sign_in(desk, "nobody", "x", 401)
    assert "15 giây" in sign_in(desk, "nobody", "x", 429)


def test_signing_out_makes_the_cookie_worthless(here: World) -> None:
    desk = official(here, "lan", "viewer")
    cookie = desk.client.get_cookie("smsgw")
    assert cookie
    desk.post("/sign-out")
    desk.client.set_cookie("smsgw", cookie.value)
    assert "Mật khẩu" in desk.get("/")


def test_nobody_is_sent_to_another_host(here: World) -> None:
    desk = official(here, "lan", "viewer")
    for elsewhere in ("https://example.org/", "//example.org/console/", "/console//example.org", "/console/\\example"):
        data = {"csrf_token": desk.token("/account/"), "language": "en", "next": elsewhere}
        assert desk.client.post("/console/language", data=data).headers["Location"] == "/console/"


def test_the_language_is_switched_and_kept_over_signing_out(here: World) -> None:
    desk = official(here, "lan", "viewer")
    assert "Overview" in desk.post("/language", language="en", next="/console/")
    desk.post("/sign-out")
    assert "Sign in" in desk.get("/")


def test_the_cookie_is_guarded_as_well_as_the_way_allows(here: World) -> None:
    client = stranger(here).client
    plain = client.get("/console/sign-in").headers["Set-Cookie"]
    assert plain.startswith("smsgw=")
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" not in plain
    over_tls = client.get("/console/sign-in", base_url="https://province.example").headers["Set-Cookie"]
    assert over_tls.startswith("__Host-smsgw=")
    assert "Secure" in over_tls
    assert "Path=/" in over_tls
    assert "Domain" not in over_tls


def test_every_page_has_the_headers_of_a_careful_one(here: World) -> None:
    desk = official(here, "lan", "admin")
    for path in ["/sign-in", "/nowhere", *PATHS.values()]:
        answer = desk.client.get(f"/console{path}")
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_template_has_script_or_style_inline_or_asks_another_host(template: Path) -> None:
    page = template.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)
    assert not re.search(r"""(src|href|action)=["'](https?:)?//""", page)


@pytest.mark.parametrize("page", sorted(texts.load()))
def test_every_text_is_there_in_both_languages_with_the_same_places(page: str) -> None:
    vi, en = texts.load()[page]["vi"], texts.load()[page]["en"]
    assert list(vi) == list(en)
    for name in vi:
        assert sorted(re.findall(r"\{\w+\}", vi[name])) == sorted(re.findall(r"\{\w+\}", en[name])), name


def test_every_text_that_is_asked_for_is_there() -> None:
    there = {f"{page}.{name}" for page, both in texts.load().items() for name in both["vi"]}
    for file in (*TEMPLATES.glob("*.html"), *CONSOLE.glob("*.py")):
        asked = re.findall(r"""(?:say|tell)\(\s*["']([\w.-]+)["']\s*[,)]""", file.read_text(encoding="utf-8"))
        assert not [key for key in asked if key not in there], file.name


@pytest.mark.parametrize("role", ["viewer", "sender", "approver", "admin"])
def test_a_page_is_shown_to_those_whose_role_it_takes_and_403_to_others(here: World, role: Role) -> None:
    desk = official(here, "lan", role)
    me = next(each for each in here.gateway.accounts.every() if each.name == "lan")
    for entry in NAVIGATION:
        path = PATHS[entry.endpoint]
        desk.get(path, 200 if me.may(entry.role) else 403)
        assert (f'href="/console{path}"' in desk.get("/")) is me.may(entry.role)


def test_a_wrong_role_changes_nothing(here: World) -> None:
    desk = official(here, "lan", "viewer")
    desk.post("/channels/sms", 403, step="pause", reason="x")
    desk.post("/people/", 403, name="hoa", role="admin", password=PASSWORD)
    desk.post("/opt-outs/", 403, phone="0912345678", purpose="notice")
    desk.post("/doubtful/", 403, verb="drop", id="x")
    assert here.outbox().channels["sms"].state == "open"
    assert [each.name for each in here.gateway.accounts.every()] == ["lan"]


def test_a_message_in_doubt_is_decided_on(here: World) -> None:
    with here.gateway.database.writing("test") as connection:
        connection.execute(sa.insert(outbound), [_in_doubt(id) for id in ("m1", "m2", "m3")])
    desk = official(here, "lan", "sender")
    shown = desk.get("/doubtful/")
    assert "0912 345 678" in shown
    assert "Chờ báo cáo đến 16/08/2018 12:00, sau đó cần bạn quyết định" in shown
    assert "Chưa chọn tin nào" in desk.post("/doubtful/", verb="drop")
    assert "Đã bỏ 1 tin" in desk.post("/doubtful/", verb="drop", id="m1")
    assert "Đã đưa 1 tin" in desk.post("/doubtful/", verb="resend", id="m2")
    late = desk.post("/doubtful/", verb="resend", id="m2")
    assert "1 tin đã có kết quả hoặc đã được xử lý trước đó" in late
    assert "Đã đưa 0 tin" not in late
    desk.post("/doubtful/", 400, verb="other", id="m3")
    assert here.states() == {"cancelled": 1, "queued": 1, "unknown": 1}


def _in_doubt(id: str) -> dict[str, object]:
    times = dict.fromkeys(("created_at", "not_before"), NOON)
    return {
        "id": id, "channel": "sms", "lane": 2, "sender": "8188", "recipient": "84912345678", "text": "x",
        "encoding": "gsm7", "segments": 1, "state": "unknown", "attempts": 1, "doubts": 1, **times,
        "expires_at": NOON + timedelta(days=1), "deadline": NOON + timedelta(days=1),
    }  # fmt: skip


def test_an_opt_out_is_written_down_and_taken_back(here: World) -> None:
    desk = official(here, "lan", "sender")
    assert "không phải số điện thoại" in desk.post("/opt-outs/", 400, phone="12", purpose="notice")
    assert "không nhận loại tin" in desk.post("/opt-outs/", phone="0912 345 678", purpose="notice")
    assert "đã có trong danh sách" in desk.post("/opt-outs/", phone="0912345678", purpose="notice")
    assert "cán bộ lan" in desk.get("/opt-outs/")
    refused = desk.post("/opt-outs/", 400, phone="0912 345 67", purpose="notice")
    assert 'value="0912 345 67"' in refused
    assert "cán bộ lan" in refused
    bound = official(here, "hoa", "sender", "H01.21")
    assert "cán bộ lan" not in bound.get("/opt-outs/")
    assert "nhận tin trở lại" in bound.post("/opt-outs/", phone="0912345678", purpose="notice", verb="remove")
    assert "không có trong danh sách" in desk.post("/opt-outs/", phone="0912345678", purpose="notice", verb="remove")


def test_who_opted_out_of_two_things_has_two_buttons_that_are_heard_apart(here: World) -> None:
    desk = official(here, "lan", "sender")
    for purpose in ("notice", "reminder"):
        shown = desk.post("/opt-outs/", phone="0912 345 671", purpose=purpose)
    heard = re.findall(r'visually-hidden">: ([^<]+)<', shown)
    assert sorted(heard) == ["0912 345 671, Nhắc hẹn", "0912 345 671, Thông báo"]


def test_a_long_list_of_opt_outs_is_shown_a_page_at_a_time_and_no_number_is_in_an_address(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opt_outs, "A_PAGE", 2)
    desk = official(here, "lan", "sender")
    for phone in ("0912 345 671", "0912 345 672", "0912 345 673"):
        shown = desk.post("/opt-outs/", phone=phone, purpose="notice")
    assert not re.search(r'(href|action)="[^"]*8491', shown)
    assert re.findall(r"0912 345 67\d</th>", shown) == ["0912 345 671</th>", "0912 345 672</th>"]
    after = re.search(r'name="after" value="(\d+)"', shown)
    assert after
    rest = desk.post("/opt-outs/", verb="more", after=after[1])
    assert re.findall(r"0912 345 67\d</th>", rest) == ["0912 345 673</th>"]
    assert 'name="after"' not in rest


@pytest.mark.parametrize("before", ["9" * 18, "9" * 30, "-1", "x", "%00", ""])
def test_an_address_with_a_number_that_no_entry_has_shows_a_page_of_the_log(here: World, before: str) -> None:
    assert "lan" in official(here, "lan", "admin").get(f"/audit/?before={before}")


def test_the_audit_log_is_shown_and_checked(here: World) -> None:
    desk = official(here, "lan", "admin")
    assert "Thêm tài khoản" in desk.get("/audit/")
    assert "Thêm tài khoản" not in desk.get("/audit/?who=nobody")
    assert "Nhật ký nguyên vẹn" in desk.post("/audit/verify")
    with here.gateway.database.writing("test") as connection:
        connection.execute(sa.update(audit_table).where(audit_table.c.number == 1).values(who="mai"))
    assert "Dòng 1 không còn như lúc ghi" in desk.post("/audit/verify")
