"""One's own account in the console: password, second step, and where one is signed in."""

from __future__ import annotations

import re

from smsgw.officials import totp
from smsgw.store import audit
from tests.console import PASSWORD, Desk, at_work, official, stranger
from tests.world import World


def enrolled(world: World, desk: Desk, status: int = 200, **shown: str) -> tuple[str, str]:
    """A new app for the codes: its secret, and what is said to it."""
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", desk.get("/account/second-factor"))
    assert found
    secret = found[1].replace(" ", "")
    code = totp.code(secret, totp.step_of(world.clock()))
    return secret, desk.post("/account/second-factor", status, code=code, **shown)


def test_the_second_step_is_turned_on_and_asked_for(here: World) -> None:
    here.gateway.accounts.add("lan", "viewer", None, None, PASSWORD, "test")
    desk = at_work(here, "lan")
    shown = desk.get("/account/second-factor")
    assert '<svg class="qr"' in shown or "<svg" in shown
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", shown)
    assert found
    secret = found[1].replace(" ", "")
    assert "Mã không đúng" in desk.post("/account/second-factor", 400, code="000000", old=PASSWORD)
    desk.post("/account/second-factor", code=totp.code(secret, totp.step_of(here.clock())), old=PASSWORD)
    here.clock.forward(seconds=30)
    other = stranger(here)
    assert "Xác thực bước hai" in other.post("/sign-in", name="lan", password=PASSWORD)
    assert "Xác thực bước hai" in other.get("/account/")
    assert "Mã không đúng" in other.post("/code", 401, code="123")
    assert "Tài khoản của tôi" in other.post("/code", code=totp.code(secret, totp.step_of(here.clock())))


def test_who_is_asked_for_the_second_step_goes_on_from_there_to_where_they_were_going(here: World) -> None:
    lan = here.gateway.accounts.add("lan", "viewer", None, None, PASSWORD, "test")
    secret = totp.new_secret()
    assert here.gateway.accounts.begin_second_factor(lan, secret, totp.code(secret, totp.step_of(here.clock())))
    here.clock.forward(seconds=30)
    desk = stranger(here)
    desk.get("/voices/?state=answered")
    for path, shown in (
        ("sign-in", {"name": "lan", "password": PASSWORD}),
        ("code", {"code": totp.code(secret, totp.step_of(here.clock()))}),
    ):
        form = {"csrf_token": desk.token(f"/{path}"), **shown}
        answer = desk.client.post(f"/console/{path}", data=form, follow_redirects=True)
    assert answer.request.full_path == "/console/voices/?state=answered"


def test_the_second_step_is_replaced_by_who_shows_password_and_old_code_and_elsewhere_ends_what_is_open(
    here: World,
) -> None:
    here.gateway.accounts.add("lan", "viewer", None, None, PASSWORD, "test")
    desk, other = at_work(here, "lan"), at_work(here, "lan")
    assert "Mật khẩu hiện tại không đúng" in enrolled(here, desk, 400)[1]
    assert "Mật khẩu hiện tại không đúng" in enrolled(here, desk, 400, old="wrong")[1]
    secret, said = enrolled(here, desk, old=PASSWORD)
    assert "Các thiết bị khác đã bị đăng xuất" in said
    assert "Mật khẩu" in other.get("/")
    here.clock.forward(seconds=30)
    code = totp.code(secret, totp.step_of(here.clock()))
    for shown in ({"old": PASSWORD}, {"old_code": code}, {"old": PASSWORD, "old_code": "000000"}):
        assert "Mật khẩu hoặc mã cũ không đúng" in enrolled(here, desk, 400, **shown)[1]
    assert "Mã không đúng" in desk.post("/account/second-factor", 400, code="1", old=PASSWORD, old_code=code)
    enrolled(here, desk, old=PASSWORD, old_code=code)  # it was not used up
    with here.gateway.database.reading() as connection:
        assert [entry.action for entry in audit.latest(connection)].count("official.second_factor") == 2


def test_who_signs_in_by_the_provider_turns_the_second_step_on_without_a_password(here: World) -> None:
    desk = official(here, "lan", "viewer")
    assert 'name="old"' not in desk.get("/account/second-factor")
    secret, _ = enrolled(here, desk)
    here.clock.forward(seconds=30)
    assert "mã cũ không đúng" in enrolled(here, desk, 400)[1]
    enrolled(here, desk, old_code=totp.code(secret, totp.step_of(here.clock())))


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


def test_the_password_is_changed_by_who_knows_the_old_one(here: World) -> None:
    desk = official(here, "lan", "viewer", password=PASSWORD)
    assert "hiện tại không đúng" in desk.post("/account/password", 400, old="wrong", new=PASSWORD + "!")
    assert "ít nhất 10 ký tự" in desk.post("/account/password", 400, old=PASSWORD, new="short")
    assert "Đã đổi mật khẩu" in desk.post("/account/password", old=PASSWORD, new=PASSWORD + "!")


def test_who_has_no_password_here_is_told_so_and_not_asked_for_it(here: World) -> None:
    without, with_one = official(here, "lan", "viewer"), official(here, "minh", "viewer", password=PASSWORD)
    assert "không có mật khẩu" in (page := without.get("/account/"))
    assert 'name="old"' not in page
    assert 'name="old"' in with_one.get("/account/")
