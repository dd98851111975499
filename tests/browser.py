"""Chromium without a window, for the tests of pages: one for all of them, at the size of a desk or of a phone."""

from __future__ import annotations

import json
import re
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


def contrast(one: str, other: str) -> float:
    """How far apart two colours are that a browser gives as rgb(r, g, b), from 1 to 21, as WCAG reckons it."""
    darker, lighter = sorted(_luminance(colour) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
