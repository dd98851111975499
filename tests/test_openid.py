"""Signing in by the province's OpenID Connect provider: whom it lets in, and what it is not believed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from smsgw import checkup
from smsgw.bench.ports import free_port
from smsgw.officials import totp
from smsgw.settings import SettingsError, load
from smsgw.store.tables import audit
from smsgw.web import openid
from tests.console import PASSWORD, Desk, stranger, text
from tests.provider import CLIENT, SECRET, OpenIdProvider, a_key, provider
from tests.world import World, settings_text, world

LAN = "lan@angiang.example"
PUBLIC = "http://127.0.0.1:8080"


def table(issuer: str, more: str = "") -> str:
    return f"""
[console.openid]
issuer = "{issuer}"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
name = "tài khoản tỉnh"
{more}
"""


@pytest.fixture
def idp() -> Iterator[OpenIdProvider]:
    with provider() as made:
        yield made


@pytest.fixture
def there(tmp_path: Path, idp: OpenIdProvider) -> Iterator[World]:
    """A world whose officials the provider vouches for."""
    with world(tmp_path, dossiers=0, more=table(idp.issuer)) as made:
        made.gateway.accounts.add(LAN, "viewer", None, None, None, "test")
        yield made


def sent_back(desk: Desk) -> str:
    """By the button to the provider, which sends the browser to this path."""
    off = desk.client.get("/console/openid/")
    assert off.status_code == 302, text(off)
    back = requests.get(off.headers["Location"], allow_redirects=False, timeout=10).headers["Location"]
    assert back.startswith(f"{PUBLIC}/console/openid/back?")
    return back.removeprefix(f"{PUBLIC}/console")


def refused(there: World, status: int) -> str:
    """What is said to somebody who comes back from the provider and is not let in."""
    desk = stranger(there)
    said = desk.get(sent_back(desk), status)
    assert "Mật khẩu" in desk.get("/")
    return said


def test_whom_the_provider_vouches_for_is_let_in_to_where_they_were_going(there: World, idp: OpenIdProvider) -> None:
    desk = stranger(there)
    assert "Đăng nhập bằng tài khoản tỉnh" in desk.get("/account/")
    idp.claims["email"] = "Lan@AnGiang.example"
    assert "Tài khoản của tôi" in desk.get(sent_back(desk))
    assert idp.came[0]["redirect_uri"] == f"{PUBLIC}/console/openid/back"
    with there.gateway.database.reading() as connection:
        latest = connection.execute(sa.select(audit).order_by(audit.c.number.desc()).limit(1)).one()
    assert (latest.who, latest.action) == (LAN, "session.begin")


def test_the_second_factor_is_asked_for_all_the_same(there: World) -> None:
    secret = totp.new_secret()
    lan = there.gateway.accounts.named(LAN)
    code = totp.code(secret, totp.step_of(there.clock()))
    assert there.gateway.accounts.begin_second_factor(lan, secret, code)
    there.clock.forward(seconds=30)
    desk = stranger(there)
    assert "Xác thực bước hai" in desk.get(sent_back(desk))
    assert "Xác thực bước hai" in desk.get("/account/")
    assert "Tài khoản của tôi" in desk.post("/code", code=totp.code(secret, totp.step_of(there.clock())))


def test_without_an_account_that_works_one_is_told_whom_to_ask(there: World, idp: OpenIdProvider) -> None:
    idp.claims["email"] = "hoa@angiang.example"
    assert "xác nhận là hoa@angiang.example" in refused(there, 403)
    idp.claims["email"] = LAN
    there.gateway.accounts.disable(there.gateway.accounts.named(LAN), "test")
    assert "đã bị khóa" in refused(there, 403)


def test_who_is_not_let_in_by_the_provider_is_told_so(there: World, idp: OpenIdProvider) -> None:
    idp.denies = True
    assert "Chưa đăng nhập được bằng tài khoản tỉnh" in refused(there, 403)
    idp.denies = False
    idp.claims["email_verified"] = False
    assert "chưa được tài khoản tỉnh xác minh" in refused(there, 403)


@pytest.mark.parametrize("query", ["", "?code=x&state=y", "?state=y", "?error=server_error"])
def test_who_comes_back_without_having_left_is_not_let_in(there: World, query: str) -> None:
    status = 502 if "error" in query else 400
    assert "Mật khẩu" in stranger(there).get(f"/openid/back{query}", status)


def test_the_way_back_is_gone_once_and_by_the_browser_that_left(there: World) -> None:
    lan, another = stranger(there), stranger(there)
    path = sent_back(lan)
    assert "hết hạn" in another.get(path, 400)
    lan.get(path)
    lan.post("/sign-out")
    assert "hết hạn" in lan.get(path, 400)


def test_many_tries_that_are_given_up_leave_room_in_the_cookie(there: World) -> None:
    desk = stranger(there)
    for _ in range(20):
        path = sent_back(desk)
    cookie = desk.client.get_cookie("smsgw")
    assert cookie is not None
    assert len(cookie.value) < 1500
    desk.get(path)
    assert LAN in desk.get("/account/")


NOW = int(time.time())


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another"], "azp": CLIENT},
        {"aud": None},
        {"exp": NOW - 3600},
        {"exp": None},
        {"iat": NOW + 3600},
        {"nbf": NOW + 3600},
        {"sub": None},
        {"email": ["lan@angiang.example"]},
        {"email": ""},
    ],
    ids=lambda lie: "-".join(lie),
)
def test_a_word_that_is_not_meant_for_this_moment_and_us_is_not_believed(
    there: World, idp: OpenIdProvider, lie: dict[str, Any]
) -> None:
    idp.lies = lie
    assert "không được chấp nhận" in refused(there, 502)


def test_several_who_are_meant_are_well_if_we_are_among_them(there: World, idp: OpenIdProvider) -> None:
    idp.lies = {"aud": [CLIENT, "another"], "azp": CLIENT}
    desk = stranger(there)
    assert "Tổng quan" in desk.get(sent_back(desk))


@pytest.mark.filterwarnings("ignore:JWS algorithm")  # the one who signs like that is warned
@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_word_that_is_not_signed_by_the_providers_own_key_is_not_believed(
    there: World, idp: OpenIdProvider, algorithm: str
) -> None:
    idp.signs_with = algorithm
    refused(there, 502)


def test_a_key_that_is_not_published_is_not_believed_and_one_that_is_new_counts_at_once(
    there: World, idp: OpenIdProvider
) -> None:
    idp.published, idp.key = idp.key, a_key("second")
    refused(there, 502)
    idp.published = None
    desk = stranger(there)
    assert "Tổng quan" in desk.get(sent_back(desk))


def test_what_the_token_does_not_say_is_asked_for_and_only_of_the_same_person(
    there: World, idp: OpenIdProvider
) -> None:
    idp.in_token = ()
    desk = stranger(there)
    assert "Tổng quan" in desk.get(sent_back(desk))
    idp.userinfo = {"sub": "8"}
    refused(there, 502)


def test_another_claim_may_name_the_account(tmp_path: Path, idp: OpenIdProvider) -> None:
    idp.claims["preferred_username"] = "lan"
    idp.claims["email_verified"] = False
    with world(tmp_path, dossiers=0, more=table(idp.issuer, 'claim = "preferred_username"')) as there:
        there.gateway.accounts.add("lan", "viewer", None, None, PASSWORD, "test")
        desk = stranger(there)
        assert "Tổng quan" in desk.get(sent_back(desk))


def test_a_provider_that_takes_the_secret_in_the_form_gets_it_there(there: World, idp: OpenIdProvider) -> None:
    idp.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    desk = stranger(there)
    assert "Tổng quan" in desk.get(sent_back(desk))


def test_a_provider_that_is_away_leaves_the_password(tmp_path: Path) -> None:
    with world(tmp_path, dossiers=0, more=table(f"http://127.0.0.1:{free_port()}")) as there:
        desk = stranger(there)
        said = desk.get("/openid/", 503)
        assert "Hiện tài khoản tỉnh không trả lời" in said
        assert 'name="password"' in said
        desk.post("/language", language="en", next="/console/sign-in")
        assert "does not answer" in desk.get("/openid/", 503)


def test_a_provider_that_fails_or_speaks_nonsense_lets_nobody_in(there: World, idp: OpenIdProvider) -> None:
    desk = stranger(there)
    path = sent_back(desk)
    idp.status = 503
    assert "không trả lời" in desk.get(path, 503)
    idp.status = 200
    idp.metadata = {"issuer": "https://elsewhere.example"}
    assert "không được chấp nhận" in desk.get("/openid/", 502)


def test_a_provider_that_hangs_keeps_only_some_waiting(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openid, "MOST_AT_ONCE", 0)
    desk = stranger(there)
    assert "nhiều người đăng nhập" in desk.get("/openid/", 503)


def test_where_no_provider_is_set_up_there_is_no_button_and_no_way(here: World) -> None:
    desk = stranger(here)
    assert "/console/openid" not in desk.get("/sign-in")
    desk.get("/openid/", 404)
    desk.get("/openid/back", 404)


def finding(there: World) -> checkup.Finding:
    (found,) = [one for one in checkup.examine(there.gateway.settings) if one.what == "OpenID Connect"]
    return found


def test_the_doctor_says_whether_the_provider_answers(there: World, idp: OpenIdProvider) -> None:
    assert finding(there).ok
    idp.metadata = {"issuer": "https://elsewhere.example"}
    assert "calls itself https://elsewhere.example" in finding(there).detail
    idp.metadata, idp.status = {}, 500
    assert (finding(there).ok, finding(there).detail) == (False, f"{idp.issuer} does not answer (HTTP 500)")
    idp.status = 200
    idp.metadata = {"jwks_uri": f"{idp.issuer}/nowhere"}
    assert not finding(there).ok


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (
            'issuer = "https://id.example"',
            'issuer = "http://id.example"',
            "openid.issuer: expected the provider's https",
        ),
        ('issuer = "https://id.example"', "", "console.openid.issuer: is missing"),
        ('client_id = "smsgw"', "", "console.openid.client_id: is missing"),
        ('client_id = "smsgw"', 'scope = "email"\nclient_id = "smsgw"', "console.openid.scope"),
        ('client_id = "smsgw"', 'clientid = "smsgw"', "console.openid.clientid: no such key"),
    ],
)
def test_wrong_settings_of_the_provider_are_named(tmp_path: Path, before: str, after: str, fault: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(Path("settings.toml"), settings_text(tmp_path, more=table("https://id.example").replace(before, after)))
    assert fault in str(refused.value)
    assert SECRET not in str(refused.value)


def test_without_the_extra_the_setting_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "authlib", None)
    with pytest.raises(SettingsError) as refused:
        load(Path("settings.toml"), settings_text(tmp_path, more=table("https://id.example")))
    assert "pip install 'smsgw[oidc]'" in str(refused.value)
    assert load(Path("settings.toml"), settings_text(tmp_path)).console.openid is None


def test_the_secret_may_come_by_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGW_CONSOLE__OPENID__CLIENT_SECRET", "by-variable")
    given = load(Path("settings.toml"), settings_text(tmp_path, more=table("https://id.example"))).console.openid
    assert given is not None
    assert given.client_secret.get_secret_value() == "by-variable"
    assert "by-variable" not in repr(given)
