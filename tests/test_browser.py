"""The pages in a real browser, at the size of a desk and of a phone, as a person uses them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

import pytest

from smsgw.bench.ports import free_port
from smsgw.demo import SimulatedCarrier
from smsgw.dossiers import sample
from smsgw.dossiers.dossier import Status
from smsgw.gateway import ROLES
from smsgw.serve import Node
from smsgw.settings import load
from tests.browser import IN_A_BROWSER, SIZES, fits, serious
from tests.chats import zalo_settings
from tests.world import TODAY, settings_text

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

NUMBERS = count(84900000101)

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """A whole gateway with its carrier: the addresses of both, and a dossier's code."""
    folder = tmp_path_factory.mktemp("browser")
    url = f"sqlite:///{folder}/onestop.db"
    sample.write(url, 100, 1, TODAY)
    web = f'[web]\nbind = "127.0.0.1:{free_port()}"'
    simulator = f"http://127.0.0.1:{free_port()}"
    settings = load(folder / "settings.toml", settings_text(folder, url=simulator, more=web + zalo_settings(simulator)))
    carrier, node = SimulatedCarrier(settings), Node(settings, ROLES)
    node.start()
    carrier.start()
    code = next(example.code for example in sample.examples(url) if example.status == Status.RETURNED)
    yield f"http://{settings.web.bind}", carrier.url, code
    carrier.stop()
    node.stop()


@pytest.fixture(params=list(SIZES))
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page whose every fault of script or policy fails the test."""
    width, height = SIZES[request.param]
    page = chromium.new_page(viewport={"width": width, "height": height})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Security Policy" in said.text else None)
    yield page
    page.close()
    assert not faults


@pytest.fixture
def number() -> str:
    """A phone of this test's own: the gateway and its carrier are the same for all of them, and forget nothing."""
    return str(next(NUMBERS))


def be(page: Page, number: str) -> None:
    """Hold another phone at the handset."""
    page.fill("#from", number)
    page.keyboard.press("Enter")
    page.locator("#me").get_by_text(number, exact=True).wait_for()


def test_a_citizen_texts_from_the_handset_and_sees_the_answer_come(
    page: Page, running: tuple[str, str, str], number: str
) -> None:
    _, handset, code = running
    page.goto(handset)
    be(page, number)
    page.fill("#text", f"hs {code}")
    page.keyboard.press("Enter")
    page.locator("#bubbles li.in").wait_for()
    assert f"Ho so {code} da tra ket qua" in page.locator("#bubbles li.in").inner_text()
    page.locator("#bubbles li.out.sent").wait_for()
    assert fits(page)


def test_the_sender_is_chosen_from_all_numbers_and_never_lost(
    page: Page, running: tuple[str, str, str], number: str
) -> None:
    page.goto(running[1])
    first = page.input_value("#from")
    page.click("#from")
    assert page.input_value("#from") == ""
    page.click("#text")
    assert page.input_value("#from") == first
    typed = f"0{number[2:5]} {number[5:8]} {number[8:]}"
    be(page, typed)
    page.fill("#text", "HD")
    page.click(".write button")
    page.locator("#bubbles li.in").wait_for()
    assert page.locator("#me").inner_text() == typed
    assert page.locator("#trouble").is_hidden()


def test_what_is_written_while_a_text_is_being_sent_stays(
    page: Page, running: tuple[str, str, str], number: str
) -> None:
    def meanwhile(route: Route) -> None:
        page.fill("#text", "HS H01")
        route.continue_()

    page.goto(running[1])
    be(page, number)
    page.route("**/handset/texts", meanwhile)
    page.fill("#text", "HD")
    page.keyboard.press("Enter")
    page.locator("#bubbles li.in").wait_for()
    assert page.input_value("#text") == "HS H01"


def test_markup_in_a_text_is_shown_as_text(page: Page, running: tuple[str, str, str], number: str) -> None:
    page.goto(running[1])
    be(page, number)
    page.fill("#text", "<img src=x onerror=alert(1)><b>đậm</b>")
    page.click(".write button")
    page.locator("#bubbles li.out").wait_for()
    assert "<b>đậm</b>" in page.locator("#bubbles li.out").inner_text()
    assert page.locator("#bubbles img").count() == 0


def test_faults_are_switched_from_the_page(page: Page, running: tuple[str, str, str]) -> None:
    page.goto(running[1])
    page.locator("summary").click()
    for share in ("1", "0"):
        with page.expect_response("**/handset/faults") as answered:
            page.select_option("#fault-doubled_inbound", share)
        assert answered.value.json()["doubled_inbound"] == float(share)
    assert fits(page)


def test_a_citizen_follows_on_zalo_asks_and_links_a_phone_beside_the_chat(
    page: Page, running: tuple[str, str, str], number: str
) -> None:
    page.goto(running[1])
    page.get_by_role("link", name="Zalo").click()
    for field in ("#person", "#phone"):
        page.fill(field, number)
        page.locator(field).dispatch_event("change")
    told = page.locator("#bubbles li.in")
    page.click("#follow")
    told.nth(0).wait_for()
    page.get_by_role("button", name="Bỏ quan tâm").wait_for()
    page.fill("#text", running[2])
    page.keyboard.press("Enter")
    told.nth(1).wait_for()
    assert f"Hồ sơ {running[2]} đã trả kết quả" in told.nth(1).inner_text()
    page.fill("#text", f"LK {number}")
    page.keyboard.press("Enter")
    page.locator("#sms li.in").wait_for()
    told.nth(2).wait_for()
    page.fill("#text", page.locator("#sms li.in").inner_text()[:6])
    page.keyboard.press("Enter")
    told.nth(3).wait_for()
    assert "đã liên kết" in told.nth(3).inner_text()
    assert fits(page)


def test_the_pages_of_the_simulator_say_all_in_their_language_and_keep_nobody_out(
    page: Page, running: tuple[str, str, str], number: str
) -> None:
    page.goto(running[1])
    be(page, number)
    for told in range(1, 6):
        page.fill("#text", "HD")
        page.keyboard.press("Enter")
        page.locator("#bubbles li.in").nth(told - 1).wait_for()
    page.goto(f"{running[1]}/zalo?lang=en")
    page.fill("#phone", number)
    page.locator("#phone").dispatch_event("change")
    page.locator("#sms li.in").nth(4).wait_for()
    assert serious(page) == []
    assert page.locator("#error").inner_text().isascii()
    page.fill("#person", "somebody")
    page.fill("#text", "HD")
    page.keyboard.press("Enter")
    page.get_by_text("That can't be taken.").wait_for()
    heights = page.locator("header a").evaluate_all("links => links.map(link => link.getBoundingClientRect().height)")
    assert min(heights) >= 44


@pytest.mark.parametrize(("path", "button"), [("", ".write button"), ("/zalo", ".write button"), ("/zalo", "#follow")])
def test_no_button_of_a_phone_can_be_pressed_before_its_script_listens(
    page: Page, running: tuple[str, str, str], path: str, button: str
) -> None:
    held: list[Route] = []
    page.route("**/conversation.js", lambda route: held.append(route))
    page.goto(running[1] + path, wait_until="commit")
    page.locator(button).wait_for()
    while not held:
        page.wait_for_timeout(20)
    assert page.locator(button).is_disabled()
    held[0].continue_()
    page.locator(f"{button}:enabled").wait_for()
    assert page.locator(button).is_enabled()


def test_a_citizen_looks_a_dossier_up_and_gets_a_qr_code(page: Page, running: tuple[str, str, str]) -> None:
    web, _, code = running
    page.goto(web)
    assert fits(page)
    page.fill("#ma", code.lower().replace(".", " "))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/tra-cuu/{code}")
    assert "đã trả kết quả" in page.locator(".answer").inner_text()
    box = page.locator("svg.qr").bounding_box()
    assert box is not None
    assert box["width"] >= 150
    assert fits(page)
    page.get_by_role("link", name="English").click()
    page.locator("html[lang=en]").wait_for()
    assert "handed over" in page.locator(".answer").inner_text()


def test_an_unknown_code_is_answered_on_the_page(page: Page, running: tuple[str, str, str]) -> None:
    page.goto(f"{running[0]}/tra-cuu?ma=H01.99-180802-0012")
    assert "Không tìm thấy hồ sơ H01.99-180802-0012" in page.locator(".answer").inner_text()
    assert fits(page)


def test_an_answer_takes_the_whole_width_whatever_its_kind(page: Page, running: tuple[str, str, str]) -> None:
    page.goto(f"{running[0]}/tra-cuu?ma=xin+chao")
    assert page.locator(".answer").evaluate("box => getComputedStyle(box).display") == "block"


def test_no_page_loads_anything_from_another_host(page: Page, running: tuple[str, str, str]) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for address in (running[0], f"{running[0]}/tra-cuu/{running[2]}", running[1]):
        page.goto(address)
    assert asked
    assert all(url.startswith((running[0], running[1])) for url in asked)


def test_no_page_for_citizens_keeps_somebody_out(page: Page, running: tuple[str, str, str]) -> None:
    web, simulator, code = running
    queries = ("", f"tra-cuu/{code}", "tra-cuu?ma=xin+chao", "tra-cuu?ma=H01.99-180802-0012&lang=en", "khong-co")
    for address in [*(f"{web}/{query}" for query in queries), simulator, f"{simulator}/zalo?lang=en"]:
        page.goto(address)
        assert fits(page), address
        assert serious(page) == [], address
