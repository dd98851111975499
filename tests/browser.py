"""Chromium without a window, for the tests of pages: one for all of them, at the size of a desk or of a phone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--disable-sync",
]
SIZES = {"desk": (1280, 800), "phone": (390, 844)}
IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium"),
]


@contextmanager
def running() -> Iterator[Browser]:
    """Chromium for as long as the block lasts; a test is skipped where its driver is not installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="there is no driver: requirements/browser.txt")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


def fits(page: Page) -> bool:
    """Nothing sticks out at the side."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def serious(page: Page) -> list[str]:
    """What axe-core finds on a page that keeps somebody from using it."""
    axe = pytest.importorskip("axe_playwright_python", reason="there is no axe-core: requirements/browser.txt")
    page.evaluate(files(axe).joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run().then(result => result.violations)")
    return [
        f"{fault['id']}: {json.dumps([node['html'][:160] for node in fault['nodes']], ensure_ascii=False)}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]
