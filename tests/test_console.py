"""The console: who may see what, what a form needs, and what every page keeps to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import smsgw.web.console
from smsgw.officials import totp
from smsgw.web.console import texts
from smsgw.web.console.shell import NAVIGATION
from tests.console import PASSWORD, Desk, at_work, official, stranger, text
from tests.world import World

CONSOLE = Path(smsgw.web.console.__file__).parent
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


def test_after_too_many_tries_one_is_told_how_long_to_wait(here: World) -> None:
    desk = stranger(here)
    for _ in range(5):
        sign_in(desk, "nobody", "x", 401)
    assert "15 giây" in sign_in(desk, "nobody", "x", 429)


def test_the_second_step_is_turned_on_and_asked_for(here: World) -> None:
    here.gateway.accounts.add("lan", "viewer", None, None, PASSWORD, "test")
    desk = at_work(here, "lan")
    shown = desk.get("/account/second-factor")
    assert '<svg class="qr"' in shown or "<svg" in shown
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", shown)
    assert found
    secret = found[1].replace(" ", "")
    assert "Mã không đúng" in desk.post("/account/second-factor", 400, code="000000")
    desk.post("/account/second-factor", code=totp.code(secret, totp.step_of(here.clock())))
    here.clock.forward(seconds=30)
    other = stranger(here)
    assert "Xác thực bước hai" in sign_in(other, "lan", PASSWORD)
    assert "Xác thực bước hai" in other.get("/account/")
    assert "Mã không đúng" in other.post("/code", 401, code="123")
    assert "Tổng quan" in other.post("/code", code=totp.code(secret, totp.step_of(here.clock())))


def test_one_sees_where_one_is_signed_in_and_ends_it_there(here: World) -> None:
    desk = official(here, "lan", "viewer")
    other = at_work(here, "lan")
    session = re.search(r'name="session" value="(\w+)"', desk.get("/account/"))
    assert session
    desk.post("/account/sessions/end", session=session[1])
    assert "Mật khẩu" in other.get("/")
    stranger_of = official(here, "hoa", "viewer")
    at_work(here, "lan")
    theirs = re.search(r'name="session" value="(\w+)"', desk.get("/account/"))
    assert theirs
    stranger_of.post("/account/sessions/end", 404, session=theirs[1])


def test_signing_out_makes_the_cookie_worthless(here: World) -> None:
    desk = official(here, "lan", "viewer")
    cookie = desk.client.get_cookie("smsgw")
    assert cookie
    desk.post("/sign-out")
    desk.client.set_cookie("smsgw", cookie.value)
    assert "Mật khẩu" in desk.get("/")


def test_the_password_is_changed_by_who_knows_the_old_one(here: World) -> None:
    desk = official(here, "lan", "viewer", password=PASSWORD)
    assert "hiện tại không đúng" in desk.post("/account/password", 400, old="wrong", new=PASSWORD + "!")
    assert "ít nhất 10 ký tự" in desk.post("/account/password", 400, old=PASSWORD, new="short")
    assert "Đã đổi mật khẩu" in desk.post("/account/password", old=PASSWORD, new=PASSWORD + "!")


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
    for path in ["/sign-in", "/nowhere", *(f"/{entry.endpoint}" for entry in NAVIGATION)]:
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
