"""Signing in by the province's provider in a real browser, with its cookies, its redirects and its policies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smsgw.app import create_app
from smsgw.bench.ports import free_port
from smsgw.web.server import WebServer
from tests.browser import IN_A_BROWSER, SIZES, fits, serious
from tests.provider import OpenIdProvider, provider
from tests.test_openid import LAN, table
from tests.world import World, world

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = IN_A_BROWSER


@dataclass
class Phone:
    """A browser of a phone's size, the console that it is at, and the provider of the province."""

    page: Page
    url: str
    there: World
    idp: OpenIdProvider

    def go_to_the_provider(self) -> None:
        self.page.get_by_role("link", name="Đăng nhập bằng tài khoản tỉnh").click()


@pytest.fixture
def phone(chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Phone]:
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("SMSGW_GATEWAY__PUBLIC_URL", url)
    with provider() as idp, world(tmp_path, dossiers=0, more=table(idp.issuer)) as there:
        web = WebServer(create_app(there.gateway), url.removeprefix("http://"))
        web.start()
        width, height = SIZES["phone"]
        page = chromium.new_page(viewport={"width": width, "height": height})
        yield Phone(page, url, there, idp)
        page.close()
        web.stop()


def test_the_button_leads_to_the_provider_and_back_to_where_one_was_going(phone: Phone, tmp_path: Path) -> None:
    phone.there.gateway.accounts.add(LAN, "viewer", None, None, None, "test")
    phone.page.goto(f"{phone.url}/console/channels/")
    phone.page.screenshot(path=tmp_path / "sign-in.png", full_page=True)
    assert fits(phone.page)
    assert serious(phone.page) == []
    phone.go_to_the_provider()
    phone.page.wait_for_url(f"{phone.url}/console/channels/")
    assert LAN in phone.page.content()


def test_who_is_not_known_here_is_told_so_within_the_screen(phone: Phone, tmp_path: Path) -> None:
    phone.idp.claims["email"] = "hoa.nguyen@sotainguyenmoitruong.angiang.example"
    phone.page.goto(f"{phone.url}/console/")
    phone.go_to_the_provider()
    phone.page.get_by_text(phone.idp.claims["email"]).wait_for()
    phone.page.screenshot(path=tmp_path / "unknown.png", full_page=True)
    assert fits(phone.page)
