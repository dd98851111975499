"""A notice from signing in to its report, in a real browser, as two officials go through it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smsgw.bench.ports import free_port
from smsgw.demo import SimulatedCarrier
from smsgw.dossiers import sample
from smsgw.gateway import ROLES
from smsgw.serve import Node
from smsgw.settings import load
from tests.browser import IN_A_BROWSER, SIZES, fits, serious
from tests.world import TODAY, settings_text

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    SigningIn = Callable[..., Page]

OTHER = {"English": "en", "Tiếng Việt": "vi"}
Picture = Callable[..., None]
PASSWORD = "mot cua dien tu 2018"
PEOPLE = 40
PICTURES = Path(__file__).parent.parent / "docs/pictures"
TEXT = "Kính gửi ((Họ tên)), hồ sơ ((Mã)) đã có kết quả. Mời đến bộ phận Một cửa nhận."
MORE = """
[web]
bind = "127.0.0.1:{port}"
[quiet_hours]
start = "00:00"
end = "00:00"
"""

pytestmark = IN_A_BROWSER


@dataclass
class Office:
    """A gateway with two officials, a slow channel and its carrier."""

    address: str
    carrier: SimulatedCarrier
    node: Node


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("notices")
    sample.write(f"sqlite:///{folder}/onestop.db", 200, 1, TODAY)
    text = settings_text(folder, url=f"http://127.0.0.1:{free_port()}", more=MORE.format(port=free_port()))
    text = text.replace("tps = 1000\nbatch = 100", "tps = 3\nbatch = 2\ntariff = 350")
    settings = load(folder / "settings.toml", text)
    carrier, node = SimulatedCarrier(settings), Node(settings, ROLES)
    node.start()
    carrier.start()
    accounts = node.gateway.accounts
    accounts.add("lan", "sender", None, "84912000001", PASSWORD, "test")
    accounts.add("minh", "approver", None, None, PASSWORD, "test")
    yield Office(f"http://{settings.web.bind}", carrier, node)
    carrier.stop()
    node.stop()


@pytest.fixture
def signed_in(chromium: Browser, office: Office) -> Iterator[SigningIn]:
    """Gives an official a browser of their own: by name, size of the screen, and language."""
    pages: list[Page] = []

    def sign_in(name: str, size: str = "desk", language: str = "vi") -> Page:
        width, height = SIZES[size]
        page = chromium.new_context(viewport={"width": width, "height": height}).new_page()
        pages.append(page)
        page.on("console", lambda said: pytest.fail(said.text) if "Security Policy" in said.text else None)
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        page.goto(f"{office.address}/console/sign-in")
        if language == "en":
            page.get_by_role("button", name="English").click()
        page.fill("[name=name]", name)
        page.fill("[name=password]", PASSWORD)
        page.locator("main button").first.click()
        page.wait_for_url(f"{office.address}/console/")
        return page

    yield sign_in
    for page in pages:
        page.context.close()


def twelve_faults() -> str:
    """A file of 40 people, and 12 rows with a fault of their own."""
    good = [f"09120{number:05};Nguyễn Văn {number};H01.31.10-180802-{number:04}" for number in range(1, PEOPLE + 1)]
    bad = [
        ";Trần Thị Ba;H01",
        "không có;Trần Thị Ba;H01",
        "091234567;Trần Thị Ba;H01",
        "0912345678/0987654321;Trần Thị Ba;H01",
        "8,49E+10;Trần Thị Ba;H01",
        "01992345;Trần Thị Ba;H01",
        "0912345678;;H01",
        "0912345678;Trần Thị Ba;",
        "0912345678;#N/A;H01",
        f"0912345678;{'Ba ' * 400};H01",
        "0912345678;Trần Thị Ba;H01;thừa",
        "0912345678;Trần Thị \x7f;H01",
    ]
    return "\n".join(["Số điện thoại;Họ tên;Mã", *good[:2], *bad, *good[2:], good[0], "02963841234;Trần Thị Ba;H01"])


def mended(faulty: str) -> str:
    """The same file without them."""
    rows = faulty.split("\n")
    return "\n".join(rows[:3] + rows[15:])


def write(page: Page, name: str, content: str) -> None:
    """Fill in the form of a notice with a file."""
    page.fill("#name", name)
    page.fill("#text", TEXT)
    page.check("[name=by][value=file]")
    page.set_input_files("#file", {"name": "danh-sach.csv", "mimeType": "text/csv", "buffer": content.encode()})


def send(page: Page) -> None:
    page.locator("main form[data-notice] [type=submit]").click()
    page.wait_for_load_state()


def press(page: Page, move: str) -> None:
    button = page.locator(f"[name=move][value={move}]")
    if not button.is_visible():
        page.locator("#actions details", has=button).locator("summary").click()
        page.fill(f"#reason-{move}", "không còn cần")
    button.click()
    page.wait_for_load_state()


def figures(page: Page) -> dict[str, int]:
    """The figures of a notice's progress, by their names."""
    # All at once: the page puts new ones in their place while it is looked at.
    read = "boxes => boxes.map(box => ['dt', 'dd'].map(tag => box.querySelector(tag).innerText))"
    shown = page.locator("#progress .figure").evaluate_all(read)
    return {name: int(re.sub(r"\D", "", figure)) for name, figure in shown if ":" not in figure}


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait while the page follows what goes on behind it, on a machine with much else to do for a minute."""
    for _ in range(600):
        if holds():
            return
        page.wait_for_timeout(100)
    pytest.fail(page.locator("main").inner_text())


def settled(page: Page) -> Page:
    """The page as it is now, for a notice that it does not follow any more."""
    page.goto(page.url)
    return page


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Picture:
    """Takes pictures of a part of a page for the guides in both languages, if they are to be taken anew."""
    PICTURES.mkdir(exist_ok=True)

    def take(page: Page, part: str, name: str, again: Callable[[], object] | None = None) -> None:
        if not request.config.getoption("--pictures"):
            return
        language = page.locator("html").get_attribute("lang")
        page.locator(part).screenshot(path=PICTURES / f"{language}-{name}.png")
        if again is not None:
            for other in ("English", "Tiếng Việt"):
                page.get_by_role("button", name=other).click()
                page.wait_for_load_state()
                again()
                page.locator(part).screenshot(path=PICTURES / f"{OTHER[other]}-{name}.png")

    return take


def test_a_notice_from_signing_in_to_its_report(signed_in: SigningIn, picture: Picture) -> None:
    lan, minh = signed_in("lan"), signed_in("minh")
    submit_a_notice(lan, picture)
    approve_and_cancel(minh, lan.url, picture)
    with minh.expect_download() as report:
        minh.get_by_role("link", name="Báo cáo CSV").click()
    lines = [*csv.DictReader(io.StringIO(report.value.path().read_text(encoding="utf-8-sig")))]
    assert len(lines) == PEOPLE
    assert sum(line["trạng thái"] == "đã hủy" for line in lines) <= figures(minh)["Đã hủy"]


def submit_a_notice(lan: Page, picture: Picture) -> None:
    """With a file that has faults, then with one that has none."""
    lan.get_by_role("link", name="Thông báo").first.click()
    lan.get_by_role("link", name="Soạn thông báo").click()
    write(lan, "Mời nhận kết quả", twelve_faults())
    picture(lan, "main", "new", lambda: write(lan, "Mời nhận kết quả", twelve_faults()))
    send(lan)
    rows = [int(re.sub(r"\D", "", cell)) for cell in lan.locator("#faults tbody th").all_inner_texts()]
    assert rows == list(range(4, 16))
    assert fits(lan)
    picture(lan, "#errors", "errors")
    with lan.expect_download() as listed:
        lan.get_by_role("link", name="Tải danh sách lỗi").click()
    assert len(listed.value.path().read_text(encoding="utf-8-sig").splitlines()) == 13

    lan.get_by_role("link", name="Sửa thông báo").click()
    write(lan, "Mời nhận kết quả", mended(twelve_faults()))
    send(lan)
    assert lan.locator("#faults").count() == 0
    assert f"Người nhận\n{PEOPLE}" in lan.locator("main").inner_text()
    assert "Trùng số\n1" in lan.locator("main").inner_text()
    assert "Không nhận được SMS\n1" in lan.locator("main").inner_text()
    assert "Kinh gui Nguyen Van 1, ho so H01.31.10-180802-0001" in lan.locator(".sms.chosen").first.inner_text()
    lan.get_by_role("button", name="Gửi thử cho mình").click()
    lan.locator("[role=status].alert").wait_for()
    picture(lan, "#preview", "preview", lambda: None)
    press(lan, "submit")
    assert lan.locator("[name=move][value=approve]").count() == 0


def stays_while_nothing_changes(page: Page) -> None:
    """Whoever has a notice's progress read to them is not thrown out of it each second."""
    before, now = "", _told(page)
    while now != before:  # the last reports may still come in
        page.evaluate("window.heard = document.querySelector('#sent'); 0")
        before, now = now, _told(page)
    assert page.evaluate("window.heard.isConnected")


def _told(page: Page) -> str:
    """How far a notice is, as the page asks each second, when it stands there."""
    said = page.wait_for_event("response", lambda answer: answer.url.endswith("/progress"))
    page.wait_for_timeout(200)
    return str(said.text())


def approve_and_cancel(minh: Page, notice: str, picture: Picture) -> None:
    """With a pause in between; whoever has it by then keeps it, and nobody else gets it."""
    minh.goto(notice)
    press(minh, "approve")
    minh.locator("[data-state=sending]").wait_for()
    minh.locator("[name=move][value=pause]").wait_for()
    until(minh, lambda: figures(minh)["Chưa gửi"] <= PEOPLE - 4)
    minh.fill("#reason-pause", "xem lai noi dung")
    press(minh, "pause")
    minh.locator("[data-state=paused]").wait_for()
    assert serious(minh) == []
    stays_while_nothing_changes(minh)
    picture(minh, "#sending", "progress", lambda: None)
    assert 0 < figures(minh)["Chưa gửi"] < PEOPLE
    assert sum(figures(minh).values()) == PEOPLE
    press(minh, "resume")
    minh.locator("[data-state=sending]").wait_for()
    press(minh, "cancel")
    # What was in hand is not sent yet, then it is, and then its receipt comes.
    until(minh, lambda: (now := figures(settled(minh)))["Chưa gửi"] == now["Nhà mạng đã nhận"] == 0)
    found = figures(minh)
    assert found["Đã hủy"] > 0
    assert sum(found.values()) == PEOPLE
    assert "xem lai noi dung" in minh.locator("main").inner_text()


def test_a_move_that_came_too_late_is_not_made_later_by_the_page_that_says_so(signed_in: SigningIn) -> None:
    lan, minh = signed_in("lan"), signed_in("minh")
    lan.get_by_role("link", name="Thông báo").first.click()
    lan.get_by_role("link", name="Soạn thông báo").click()
    write(lan, "Lịch nghỉ lễ", mended(twelve_faults()))
    lan.fill("[name=at]", f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M}")  # nothing goes out meanwhile
    send(lan)
    press(lan, "submit")
    minh.goto(lan.url)
    press(minh, "approve")
    press(minh, "pause")
    late = minh.context.new_page()
    late.route("**/progress", lambda route: route.abort())
    late.goto(minh.url)
    press(minh, "resume")
    press(late, "resume")
    late.get_by_role("alert").wait_for()
    late.unroute("**/progress")
    press(minh, "pause")
    late.locator("[data-state=paused]").wait_for()
    press(minh, "cancel")


def test_the_number_of_dossiers_shows_while_a_filter_is_chosen(office: Office, signed_in: SigningIn) -> None:
    lan = signed_in("lan", language="en")
    lan.goto(f"{office.address}/console/notices/new")
    lan.check("[name=by][value=filter]")
    lan.check("[name=all]")
    lan.get_by_text("Dossiers: 200").wait_for()
    lan.uncheck("[name=all]")
    lan.locator("[data-count]").filter(has_not_text="Dossiers").wait_for(state="attached")
    lan.locator("[data-filter] details > summary").click()
    lan.check("[name=status][value='9']")
    lan.check("[name=status][value='10']")
    until(lan, lambda: not lan.locator("[data-count]").inner_text().startswith("200 "))
    lan.fill("#filter", "stauts=5")
    lan.locator("#filter").dispatch_event("change")
    lan.get_by_text("no such field").wait_for()
    lan.fill("#filter", "")
    lan.fill("#name", "Results are ready")
    lan.fill("#text", "Ho so ((code)) da co ket qua.")
    send(lan)
    assert "H01" in lan.locator(".sms.chosen").first.inner_text()


def test_who_goes_back_from_the_preview_sees_what_they_had_chosen(
    office: Office, signed_in: SigningIn, tmp_path: Path
) -> None:
    lan, file = signed_in("lan"), tmp_path / "danh-sach.csv"
    file.write_text(twelve_faults(), encoding="utf-8")
    lan.goto(f"{office.address}/console/notices/new")
    write(lan, "Mời nhận kết quả", "")
    lan.set_input_files("#file", file)  # a browser brings back none that is made of nothing but bytes
    send(lan)
    lan.go_back()
    lan.locator("#file-name", has_text="danh-sach.csv").wait_for()
    lan.check("[name=by][value=filter]")
    lan.check("[name=status][value='9']")
    send(lan)
    lan.go_back()
    lan.locator("[name=status][value='9']").wait_for()
    assert not lan.locator("#file-name").is_visible()


@pytest.mark.parametrize("size", list(SIZES))
def test_every_page_of_notices_fits_on_a_desk_and_on_a_phone(
    office: Office, signed_in: SigningIn, size: str, picture: Picture
) -> None:
    lan = signed_in("lan", size, "en")
    lan.goto(f"{office.address}/console/notices/new")
    write(lan, f"Thông báo thử trên màn hình {size}", twelve_faults())
    pages = {"form": lan.url}
    assert fits(lan)
    send(lan)
    if size == "desk":
        picture(lan, "#errors", "errors")
    pages |= {"notice": lan.url, "edit": f"{lan.url}edit", "list": f"{office.address}/console/notices/"}
    for name, address in pages.items():
        lan.goto(address)
        assert fits(lan), name
        assert serious(lan) == [], name
        if name in ("form", "edit"):
            lan.check("[name=by][value=filter]")
            assert fits(lan), name
