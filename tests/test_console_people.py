"""The console's page of people: who may make, change and disable which accounts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smsgw.web.console import people
from tests.console import PASSWORD, at_work, official
from tests.test_console_account import enrolled
from tests.world import World


def test_accounts_are_made_changed_and_disabled(here: World) -> None:
    desk = official(here, "lan", "admin")
    new = {"name": "hoa", "role": "sender", "agency": "H01.21", "phone": "0912345678", "password": PASSWORD}
    assert "ít nhất 10 ký tự" in desk.post("/people/", 400, **(new | {"password": "short"}))
    assert "Số điện thoại không đúng" in desk.post("/people/", 400, **(new | {"phone": "12"}))
    assert "Số điện thoại không đúng" in desk.post("/people/", 400, **(new | {"phone": "091234567"}))
    assert "Đã thêm" in desk.post("/people/", 200, **new)
    assert "đã có người dùng" in desk.post("/people/", 400, **new)
    hoa = here.gateway.accounts.named("hoa")
    theirs = at_work(here, "hoa")
    desk.post(f"/people/{hoa.id}", verb="change", role="viewer", agency="", phone="")
    assert here.gateway.accounts.named("hoa").role == "viewer"
    desk.post(f"/people/{hoa.id}", verb="disable")
    assert "Mật khẩu" in theirs.get("/")
    desk.post(f"/people/{hoa.id}", verb="enable")
    desk.post(f"/people/{hoa.id}", verb="password", password=PASSWORD + "!")


@pytest.mark.parametrize("verb", ["change", "password", "disable", "enable", "no-second-factor"])
def test_nobody_gets_round_the_proof_that_their_own_account_asks_for(here: World, verb: str) -> None:
    desk = official(here, "lan", "admin", password=PASSWORD)
    enrolled(here, desk, old=PASSWORD)
    lan = here.gateway.accounts.named("lan")
    assert "<button" not in desk.get(f"/people/{lan.id}").split("<main")[1]
    refused = desk.post(
        f"/people/{lan.id}", 400, verb=verb, role="viewer", agency="", phone="", password=PASSWORD + "!"
    )
    assert "Không thể tự" in refused
    assert 'href="/console/account/">Đổi mật khẩu' in refused
    assert here.gateway.accounts.named("lan") == lan
    assert lan.second_factor
    assert "Đã đổi mật khẩu" in desk.post("/account/password", old=PASSWORD, new=PASSWORD + "!")


def test_many_accounts_are_shown_a_page_at_a_time(anywhere: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "A_PAGE", 2)
    for name in ("a@x.vn", "b.b", "c_c", "d"):
        anywhere.gateway.accounts.add(name + "1", "viewer", "H01.21", None, None, "test")
    seen: dict[str, list[list[str]]] = {}
    for name, agency in (("lan", None), ("mai", "H01.21")):
        desk, path = official(anywhere, name, "admin", agency), "/people/"
        while path:
            page = desk.get(path)
            seen.setdefault(name, []).append(re.findall(r'href="/console/people/[\w-]{10,}">([^<]+)<', page))
            more = re.search(r'href="/console(/people/\?after=[^"]+)"', page)
            path = more[1] if more else ""
    assert seen == {
        "lan": [["a@x.vn1", "b.b1"], ["c_c1", "d1"], ["lan"]],
        "mai": [["a@x.vn1", "b.b1"], ["c_c1", "d1"], ["mai"]],
    }


def test_whoever_makes_an_account_of_an_agency_that_has_no_dossiers_is_told_the_nearest_codes(here: World) -> None:
    desk = official(here, "lan", "admin")
    new = {"name": "hoa", "role": "sender", "agency": "H01.2l", "phone": "", "password": PASSWORD}
    warning = "Chưa có hồ sơ nào của cơ quan"
    page = desk.post("/people/", **new)
    assert f"{warning} H01.2l." in page
    assert "Các mã gần giống: H01.2" in page
    hoa = here.gateway.accounts.named("hoa")
    assert hoa.agency == "H01.2l"
    assert warning not in desk.post(f"/people/{hoa.id}", verb="change", role="viewer", agency="H01.2l", phone="")
    assert warning not in desk.post(f"/people/{hoa.id}", verb="change", role="viewer", agency="H01.24", phone="")
    assert f"{warning} UBND." in desk.post(f"/people/{hoa.id}", verb="change", role="viewer", agency="UBND", phone="")


def test_an_account_whose_agency_can_not_be_checked_is_made_and_the_page_says_so(here: World) -> None:
    desk = official(here, "lan", "admin")
    (Path(here.gateway.onestop.url.removeprefix("sqlite:///"))).unlink()
    new = {"name": "hoa", "role": "sender", "agency": "H01.99", "phone": "", "password": PASSWORD}
    assert "chưa cho biết có cơ quan H01.99 hay không" in desk.post("/people/", **new)
    hoa = here.gateway.accounts.named("hoa")
    assert hoa.agency == "H01.99"
    kept = desk.post(f"/people/{hoa.id}", verb="change", role="viewer", agency="H01.99", phone="")
    assert "hay không" not in kept
    assert here.gateway.accounts.named("hoa").role == "viewer"


def test_an_administrator_of_an_agency_manages_only_its_officials(here: World) -> None:
    other = here.gateway.accounts.add("hoa", "viewer", "H01.22", None, None, "test")
    desk = official(here, "lan", "admin", "H01.21")
    assert "hoa" not in desk.get("/people/")
    desk.get(f"/people/{other.id}", 404)
    desk.post(f"/people/{other.id}", 404, verb="disable")
    desk.post("/people/", name="mai", role="viewer", agency="H01.99", password=PASSWORD)
    assert here.gateway.accounts.named("mai").agency == "H01.21"
