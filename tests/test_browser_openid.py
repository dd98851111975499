"""Signing in by the province's provider in a real browser, with its cookies, its redirects and its policies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smsgw.app import create_app
from smsgw.bench.ports import free_port
from smsgw.web.server import WebServer
from tests.browser import IN_A_BROWSER, SIZES, fits, serious
from tests.provider import provider
from tests.test_openid import LAN, table
from tests.world import world

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = IN_A_BROWSER


def test_the_button_leads_to_the_provider_and_back_to_where_one_was_going(
    chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("SMSGW_GATEWAY__PUBLIC_URL", url)
    with provider() as idp, world(tmp_path, dossiers=0, more=table(idp.issuer)) as there:
        there.gateway.accounts.add(LAN, "viewer", None, None, None, "test")
        web = WebServer(create_app(there.gateway), url.removeprefix("http://"))
        web.start()
        width, height = SIZES["phone"]
        page = chromium.new_page(viewport={"width": width, "height": height})
        page.goto(f"{url}/console/channels/")
        page.screenshot(path=tmp_path / "sign-in.png", full_page=True)
        assert fits(page)
        assert serious(page) == []
        page.get_by_role("link", name="Đăng nhập bằng tài khoản tỉnh").click()
        page.wait_for_url(f"{url}/console/channels/")
        assert LAN in page.content()
        page.close()
        web.stop()


def test_who_is_not_known_here_is_told_so_within_the_screen(
    chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("SMSGW_GATEWAY__PUBLIC_URL", url)
    with provider() as idp, world(tmp_path, dossiers=0, more=table(idp.issuer)) as there:
        idp.claims["email"] = "hoa.nguyen@sotainguyenmoitruong.angiang.example"
        web = WebServer(create_app(there.gateway), url.removeprefix("http://"))
        web.start()
        width, height = SIZES["phone"]
        page = chromium.new_page(viewport={"width": width, "height": height})
        page.goto(f"{url}/console/")
        page.get_by_role("link", name="Đăng nhập bằng tài khoản tỉnh").click()
        page.get_by_text(idp.claims["email"]).wait_for()
        page.screenshot(path=tmp_path / "unknown.png", full_page=True)
        assert fits(page)
        page.close()
        web.stop()
