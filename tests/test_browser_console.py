"""The console in a real browser: signed in through the form, every page at the size of a desk and of a phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from smsgw.app import create_app
from smsgw.store.ids import new_id
from smsgw.store.tables import channel, daily, inbound, outbound, voice
from smsgw.web.server import WebServer
from tests.browser import IN_A_BROWSER, SIZES, contrast, fits, serious
from tests.console import PASSWORD
from tests.world import NOON, World, world

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = IN_A_BROWSER
PAGES = (
    "",
    "notices/",
    "notices/new",
    "reminders/",
    "reminders/overdue",
    "reminders/runs?all=1",
    "conversations/",
    "voices/",
    "voices/?state=closed",
    "ratings/",
    "opt-outs/",
    "channels/",
    "doubtful/",
    "people/",
    "keys/",
    "audit/",
    "account/",
    "account/second-factor",
    "nowhere",
)


@dataclass(frozen=True, slots=True)
class Console:
    """A console with something on every page."""

    here: World
    url: str


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with world(tmp_path_factory.mktemp("console")) as here:
        _fill(here)
        web = WebServer(create_app(here.gateway), "127.0.0.1:0")
        web.start()
        yield Console(here, f"http://127.0.0.1:{web.port}/console/")
        web.stop()


def _fill(here: World) -> None:
    accounts, steering = here.gateway.accounts, here.gateway.steering
    accounts.add("lan.nguyen", "admin", None, "84912345678", PASSWORD, "test")
    accounts.add("hoa", "sender", "H01.21", None, None, "test")
    here.gateway.systems.add("kiosk", "viewer", None, 1000, "lan.nguyen")
    one_stop, _ = here.gateway.systems.add("mot-cua.h01-21", "sender", "H01.21", 20_000, "lan.nguyen")
    here.gateway.systems.end(one_stop, "lan.nguyen")
    long = "phong-tiep-nhan-va-tra-ket-qua-so-tai-nguyen-va-moi-truong"
    here.gateway.systems.add(long, "sender", None, 20_000, "lan.nguyen")
    accounts.add(long, "approver", "H01.31.10", "84912345679", None, long)
    accounts.disable(accounts.add("minh", "approver", None, None, None, "test"), "lan.nguyen")
    for number, example in enumerate(here.examples[:3]):
        here.text(f"8490000000{number}", f"hs {example.code}")
    here.text("84900000004", f"PA {here.examples[0].code} can bo tiep dan rat cham {'w' * 200}")
    for number in (5, 6):
        steering.opt_out(f"8490000000{number}", "notice", "lan.nguyen")
    later = NOON + timedelta(days=1)
    with here.gateway.database.writing("test") as connection:
        for number in range(1, 30):
            row = {"day": f"{(NOON - timedelta(days=number)).date()}", "channel": "sms", "counted_at": later}
            row |= {"messages_in": 40 + 7 * number % 90, "messages_out": 60, "cost": 100_000 * (number % 9)}
            connection.execute(sa.insert(daily), row | {"delivered": 50 + 5 * number % 37, "failed": number % 5})
        for number in (7, 8):
            connection.execute(sa.insert(outbound), _in_doubt(f"8490000000{number}"))


def _in_doubt(phone: str) -> dict[str, object]:
    later = NOON + timedelta(days=1)
    return {
        "id": new_id(), "channel": "sms", "lane": 2, "sender": "8188", "recipient": phone, "text": "Thong bao",
        "encoding": "gsm7", "segments": 1, "state": "unknown", "attempts": 1, "doubts": 1, "created_at": NOON,
        "not_before": NOON, "expires_at": later, "deadline": later,
    }  # fmt: skip


@pytest.fixture(params=list(SIZES))
def page(chromium: Browser, request: pytest.FixtureRequest, console: Console) -> Iterator[Page]:
    """Somebody signed in. A fault of script or policy, or a request to another host, fails the test."""
    width, height = SIZES[request.param]
    page = chromium.new_page(viewport={"width": width, "height": height})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Security Policy" in said.text else None)
    page.on("request", lambda asked: None if asked.url.startswith(console.url[:-8]) else faults.append(asked.url))
    page.goto(console.url)
    page.fill("#name", "lan.nguyen")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(console.url)
    yield page
    page.close()
    assert not faults


def _with_something(here: World) -> list[str]:
    """Pages of one thing each: an account, a key, a complaint, a conversation and what the carrier said about it."""
    with here.gateway.database.reading() as connection:
        complaint = connection.scalars(sa.select(voice.c.id)).one()
        asked = connection.scalars(sa.select(inbound.c.id).where(inbound.c.sender == "84900000001")).one()
    hoa = here.gateway.accounts.named("hoa").id
    kiosk = here.gateway.systems.every()[0].id
    talk = f"conversations/{asked}"
    return [f"people/{hoa}", f"keys/{kiosk}", f"voices/{complaint}", talk, f"{talk}/trace"]


def test_every_page_fits_its_screen_and_keeps_nobody_out(page: Page, console: Console, tmp_path: Path) -> None:
    for number, path in enumerate([*PAGES, *_with_something(console.here)]):
        page.goto(console.url + path)
        page.screenshot(path=tmp_path / f"{number:02}.png", full_page=True)
        assert fits(page), path
        assert serious(page) == [], path


@pytest.mark.parametrize("page", ["desk"], indirect=True)
@pytest.mark.parametrize("width", [320, 600, 768, 853, 961, 1024, 1201])  # 853 is a desk at 150 %, 1024 one at 125 %
def test_no_page_sticks_out_on_a_tablet_or_when_it_is_enlarged(page: Page, console: Console, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for path in [*PAGES, *_with_something(console.here)]:
        page.goto(console.url + path)
        assert fits(page), path


def test_what_is_focused_stands_out_from_what_is_around_it(page: Page, console: Console) -> None:
    for key, path in (("Tab", ""), ("", "conversations/"), ("", "notices/new")):
        page.goto(console.url + path)
        page.keyboard.press(key) if key else page.locator("main input:not([type=hidden])").first.focus()
        ring, paper = page.evaluate(
            "[getComputedStyle(document.activeElement).outlineColor, getComputedStyle(document.body).backgroundColor]"
        )
        assert contrast(ring, paper) >= 3, path


def test_each_button_of_a_list_says_of_which_row_it_is(page: Page, console: Console) -> None:
    for path in ("reminders/", "opt-outs/", "notices/new", "people/", "keys/"):
        page.goto(console.url + path)
        names = page.locator("main button").all_text_contents()
        assert len(names) == len(set(names)), path


def test_where_one_is_in_the_menu_is_seen_in_the_colours_of_ones_own(page: Page, console: Console) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(console.url + "notices/")
    bars = page.locator(".side a").evaluate_all(
        "links => links.map(link => [link.hasAttribute('aria-current'), getComputedStyle(link).borderLeftColor])"
    )
    assert not {colour for here, colour in bars if here} & {colour for here, colour in bars if not here}


def test_a_rule_that_an_agency_has_switched_leaves_the_list_room(chromium: Browser, console: Console) -> None:
    console.here.gateway.accounts.add("tam", "approver", "H01.21", None, PASSWORD, "test")
    width, height = SIZES["desk"]
    page = chromium.new_page(viewport={"width": width, "height": height}, locale="vi-VN")
    page.goto(console.url)
    page.fill("#name", "tam")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(console.url)
    page.goto(console.url + "reminders/")
    page.get_by_role("button", name="Tắt").first.click()
    page.get_by_role("button", name="Theo toàn tỉnh").wait_for()
    cells = page.locator("td[data-label='Khi nào']").evaluate_all("cells => cells.map(cell => cell.clientWidth)")
    assert min(cells) > 100
    page.close()


def test_the_scale_of_a_chart_is_wholly_seen(page: Page, console: Console) -> None:
    page.goto(console.url)
    starts = page.locator(".bars .scale").evaluate_all("scales => scales.map(scale => scale.getBBox().x)")
    assert min(starts) >= 0


def test_on_paper_stands_what_is_to_be_read_and_nothing_to_be_pressed(page: Page, console: Console) -> None:
    page.emulate_media(media="print")
    for path in ("", "people/", "reminders/", "audit/", "voices/"):
        page.goto(console.url + path)
        assert page.locator("nav, .btn:not([aria-current]), .who, .skip").locator("visible=true").count() == 0, path
    page.goto(console.url + "channels/")
    assert page.locator("main input").locator("visible=true").count() == 0
    page.goto(console.url + "people/")
    assert page.locator("td").first.evaluate("cell => getComputedStyle(cell).display") == "table-cell"
    assert page.locator("tbody").get_by_text("lan.nguyen").is_visible()


def test_whatever_can_be_done_is_reached_by_tabs_and_seen_when_it_is(page: Page, console: Console) -> None:
    for path in ("", "notices/new", "reminders/", "opt-outs/", "doubtful/", "people/", "keys/"):
        page.goto(console.url + path)
        there = page.evaluate(
            "[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]"
            ".filter(one => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.type !== 'radio')"
            ".length"
        )
        reached = 0
        page.keyboard.press("Tab")
        # After the last one comes the window itself, or at once the first one again.
        while page.evaluate("document.activeElement !== document.body") and not (
            reached and page.evaluate("document.activeElement.matches('.skip')")
        ):
            kind, seen = page.evaluate(
                "(one => [one.type, getComputedStyle(one).outlineStyle !== 'none'"
                " || getComputedStyle(one.parentElement).outlineStyle !== 'none'])(document.activeElement)"
            )
            assert seen, f"{path}: {page.evaluate('document.activeElement.outerHTML')}"
            if kind not in ("radio", "date", "datetime-local"):  # one tab reaches a group; a date has several stops
                reached += 1
            page.keyboard.press("Tab")
        dates = page.locator("[type=date], [type=datetime-local]").locator("visible=true").count()
        assert reached == there - dates, path


def test_the_door_keeps_nobody_out_who_may_come_in(chromium: Browser, console: Console) -> None:
    page = chromium.new_page()
    page.goto(console.url)
    assert serious(page) == []
    page.fill("#name", "lan.nguyen")
    page.fill("#password", "wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert page.input_value("#name") == "lan.nguyen"
    assert serious(page) == []
    page.close()


def test_a_conversation_is_found_and_shown(page: Page, console: Console, tmp_path: Path) -> None:
    page.goto(console.url + "conversations/")
    page.get_by_label("Số điện thoại hoặc mã hồ sơ").fill("0900 000 001")
    page.keyboard.press("Enter")
    page.locator(".thread li.out").first.wait_for()
    page.screenshot(path=tmp_path / "conversation.png", full_page=True)
    assert "84900000001" not in page.url
    assert fits(page)
    assert serious(page) == []


def test_a_key_is_made_at_one_press_or_two_and_what_is_wrong_is_said_where_one_is(
    page: Page, console: Console, tmp_path: Path
) -> None:
    name = f"kiosk-{page.viewport_size and page.viewport_size['width']}"
    page.goto(console.url + "keys/")
    page.fill("#name", f"{name} của xã")
    page.keyboard.press("Enter")
    page.locator("#name-wrong").wait_for()
    page.screenshot(path=tmp_path / "wrong.png", full_page=True)
    assert page.evaluate("document.activeElement.id") == "name"
    assert serious(page) == []
    page.fill("#name", name)
    page.get_by_role("button", name="Tạo khóa").dblclick()
    page.locator(".secret").wait_for()
    page.screenshot(path=tmp_path / "made.png", full_page=True)
    assert fits(page)
    assert serious(page) == []
    secret = page.locator(".secret").inner_text()
    page.get_by_role("link", name="Đã chép xong").click()
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_text("Thu hồi khóa…").click()
    page.screenshot(path=tmp_path / "revoke.png", full_page=True)
    assert secret not in page.content()
    page.get_by_role("button", name="Thu hồi khóa").click()
    page.get_by_text(f"Đã thu hồi khóa {name}.").wait_for()


def test_a_button_that_is_pressed_twice_is_pressed_once(page: Page, console: Console) -> None:
    page.goto(console.url + "opt-outs/")
    page.fill("#phone", f"0912 00{page.viewport_size and page.viewport_size['width']}".ljust(11, "0"))
    came: list[Route] = []
    page.route(
        "**/opt-outs/", lambda route: came.append(route) if route.request.method == "POST" else route.continue_()
    )
    # The second press a moment later, before there is an answer to the first.
    page.get_by_role("button", name="Thêm vào danh sách").evaluate(
        "button => { button.click(); return new Promise((done) => setTimeout(() => done(button.click()), 100)); }"
    )
    came[-1].continue_()
    page.get_by_text("sẽ không nhận loại tin đã chọn nữa").wait_for()
    assert len(came) == 1


def test_what_came_of_a_press_is_where_one_is_and_so_is_heard_first_and_once(page: Page, console: Console) -> None:
    page.goto(console.url + "opt-outs/")
    page.fill("#phone", f"0912 01{page.viewport_size and page.viewport_size['width']}".ljust(11, "0"))
    page.get_by_role("button", name="Thêm vào danh sách").click()
    page.locator("main > .alert:focus", has_text="sẽ không nhận loại tin đã chọn nữa").wait_for()
    assert page.locator("main > .alert:focus").evaluate("one => getComputedStyle(one).outlineStyle") == "none"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "phone"


@pytest.mark.parametrize("page", ["desk"], indirect=True)
def test_enter_presses_none_of_several_buttons_that_do_different_things(page: Page, console: Console) -> None:
    sent: list[str] = []
    page.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" else None)
    page.goto(console.url + "doubtful/")
    page.get_by_label("Chọn tin gửi").first.check()
    page.keyboard.press("Enter")
    with _asked_to_wait(console.here):
        page.goto(console.url + "channels/")
        page.get_by_label("Lý do của bạn").fill("nhà mạng đã xong")
        page.keyboard.press("Enter")
        assert sent == []
        page.get_by_role("button", name="Gửi tiếp ngay").click()
    page.get_by_text("Đã mở lại kênh sms.").wait_for()


@contextmanager
def _asked_to_wait(here: World) -> Iterator[None]:
    """While the carrier has asked us to wait, its channel can be paused or sent by at once."""
    until = sa.update(channel).where(channel.c.name == "sms")
    with here.gateway.database.writing("test") as connection:
        connection.execute(until.values(resume_at=here.clock() + timedelta(minutes=3)))
    yield
    with here.gateway.database.writing("test") as connection:
        connection.execute(until.values(resume_at=None))


def test_what_was_entered_waits_in_its_form_while_one_signs_in_again(page: Page, console: Console) -> None:
    page.clock.install()
    page.goto(console.url + "notices/new")
    page.fill("#name", "Một thông báo dài")
    page.fill("#text", "Mời ((ten)) đến.")
    page.set_input_files("#file", {"name": "a.csv", "mimeType": "text/csv", "buffer": b"phone;ten\n0912000001;An\n"})
    page.context.clear_cookies()
    page.clock.fast_forward("30:00")
    page.get_by_role("button", name="Kiểm tra và xem trước").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Đăng nhập ở một thẻ khác").click()
    assert serious(page) == []
    other = opened.value
    other.fill("#name", "lan.nguyen")
    other.fill("#password", PASSWORD)
    other.keyboard.press("Enter")
    other.wait_for_url(console.url)
    other.close()
    page.get_by_role("button", name="Kiểm tra và xem trước").click()
    page.get_by_role("heading", name="Một thông báo dài").wait_for()
    page.get_by_text("Moi An den.").wait_for()


def test_pages_are_worked_by_keyboard(page: Page, console: Console) -> None:
    page.goto(console.url)
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Đến nội dung chính"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    if page.viewport_size and page.viewport_size["width"] < 500:
        page.locator("nav summary").focus()
        page.keyboard.press("Enter")
    page.get_by_role("navigation").get_by_role("link", name="Kênh gửi").locator("visible=true").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/channels/")


def test_the_language_is_switched_on_the_page(page: Page, console: Console) -> None:
    page.goto(console.url + "channels/")
    page.get_by_role("button", name="English").click()
    page.locator("html[lang=en]").wait_for()
    assert page.url == console.url + "channels/"
    assert page.locator("h1").inner_text() == "Channels"
