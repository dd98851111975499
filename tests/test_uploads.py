"""What browsers send in: whose file is read, of whom nothing is, and what is left of one that broke off."""

from __future__ import annotations

import io
import json
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests
from werkzeug import formparser

from smsgw.app import create_app
from smsgw.notices.audience.lines import MIB
from smsgw.web.console import notice_files
from smsgw.web.console.shell import most_of
from smsgw.web.server import WebServer
from tests.chaos import until
from tests.console import Desk, official, stranger
from tests.disk import FullDisk, NoFolder
from tests.notice_desk import latest, post
from tests.world import World, world

NEW = "/console/notices/new"
ROWS = b"0912000001\r\n" * 30_000  # more than is kept in memory


class Unread(io.BytesIO):
    """A body that nobody may read."""

    def read(self, size: int | None = -1) -> bytes:
        raise AssertionError("the body was read")


@contextmanager
def serving(there: World) -> Iterator[WebServer]:
    """The pages as `smsgw serve` serves them."""
    app = create_app(there.gateway)
    server = WebServer(app, "127.0.0.1:0", most=most_of(app, there.gateway.signing_in))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def begun(server: WebServer, desk: Desk, length: int, path: str = NEW) -> socket.socket:
    """A browser that has sent the beginning of a form with a file, and announced so many bytes of it."""
    token, cookie = desk.token(), desk.client.get_cookie("smsgw")
    assert cookie is not None
    browser = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    browser.sendall(
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: smsgw={cookie.value}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {length}\r\n\r\n"
        f'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nphone\r\n'.encode()
    )
    browser.sendall(ROWS)
    return browser


def answer(browser: socket.socket) -> str:
    """The beginning of what the server answers."""
    return browser.recv(4000).decode()


def test_of_a_stranger_and_of_a_wrong_role_no_page_reads_anything(here: World) -> None:
    for desk, status in ((stranger(here), 303), (official(here, "lan", "viewer"), 403)):
        for path in (NEW, "/console/people/", "/console/nowhere" if status == 303 else NEW):
            kind = "multipart/form-data; boundary=x"
            refused = desk.client.post(path, input_stream=Unread(), content_length=MIB, content_type=kind)
            assert refused.status_code == status, path


def test_a_strangers_file_is_refused_when_it_has_hardly_begun(here: World) -> None:
    viewer = official(here, "lan", "viewer")
    with serving(here) as server:
        for desk, status in ((stranger(here), "303 See Other"), (viewer, "403 Forbidden")):
            with begun(server, desk, 20 * MIB) as browser:
                assert answer(browser).startswith(f"HTTP/1.1 {status}")
        with begun(server, official(here, "minh", "sender"), 20 * MIB, "/tra-cuu") as browser:
            assert answer(browser).startswith("HTTP/1.1 405 ")


def test_a_file_that_is_announced_as_too_large_is_refused_in_the_officials_words(tmp_path: Path) -> None:
    with (
        world(tmp_path, more="[notices]\nlargest_file = 1") as small,
        serving(small) as server,
        begun(server, official(small, "lan", "sender"), 20 * MIB) as browser,
    ):
        browser.sendall(ROWS * 3)
        with browser.makefile(encoding="utf-8") as answered:
            assert answered.readline().startswith("HTTP/1.1 413 ")
            assert any("Tệp danh sách không được quá 1 MB. Hãy chia thành nhiều tệp" in line for line in answered)


def test_a_second_step_that_is_not_done_yet_is_none(here: World) -> None:
    desk = official(here, "lan", "sender")
    secret = "JBSWY3DPEHPK3PXP"
    with here.gateway.database.writing("test") as connection:
        connection.exec_driver_sql(f"UPDATE official SET totp_secret = '{secret}'")
        connection.exec_driver_sql("UPDATE official_session SET stage = 'password'")
    with serving(here) as server, begun(server, desk, 20 * MIB) as browser:
        assert "Location: /console/code" in answer(browser).replace("location", "Location")


def brought(here: World, desk: Desk) -> requests.Response:
    """What an official gets who brings a file that is more than is kept in memory."""
    fields = {"csrf_token": desk.token(), "name": "Thu", "text": "Chao", "by": "file"}
    cookie = desk.client.get_cookie("smsgw")
    assert cookie is not None
    with serving(here) as server:
        return requests.post(
            f"http://127.0.0.1:{server.port}{NEW}",
            data=fields,
            files={"file": ("a.csv", b"phone\r\n" + ROWS)},
            cookies={"smsgw": cookie.value},
            timeout=20,
        )


def test_an_officials_file_is_taken_in_whole(here: World) -> None:
    shown = brought(here, official(here, "lan", "sender"))
    assert shown.status_code == 200, shown.text
    (notice,) = here.gateway.notices.page(here.gateway.accounts.named("lan"))
    assert json.loads(notice.reckoning)["duplicates"] == ROWS.count(b"\n") - 1


@pytest.mark.parametrize("disk", [FullDisk(), NoFolder()])
def test_who_brings_a_file_for_which_the_disk_has_no_room_reads_so_on_a_page_of_the_console(
    here: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, disk: object
) -> None:
    desk = official(here, "lan", "sender")
    monkeypatch.setattr(tempfile, "TemporaryFile", disk)
    shown = brought(here, desk)
    assert (shown.status_code, shown.headers["Content-Type"]) == (507, "text/html; charset=utf-8")
    assert "Máy chủ hết chỗ trống" in shown.text
    assert "there is no room for the body" in caplog.text
    desk.post("/language", language="en", next="/console/")
    assert "The server has no room left" in brought(here, desk).text
    assert brought(here, stranger(here)).url.endswith("/sign-in")
    assert not here.gateway.notices.page(here.gateway.accounts.named("lan"))


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the library does not close what it could not fill
def test_so_does_who_brings_one_for_which_there_is_no_room_when_its_form_is_read(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = official(here, "lan", "sender")
    monkeypatch.setattr(formparser, "SpooledTemporaryFile", FullDisk())
    shown = brought(here, desk)
    assert (shown.status_code, "Máy chủ hết chỗ trống" in shown.text) == (507, True)
    assert not here.gateway.notices.page(here.gateway.accounts.named("lan"))


def test_a_report_for_which_the_disk_has_no_room_is_said_so(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = official(here, "lan", "sender")
    post(desk, "new")
    monkeypatch.setattr(notice_files, "TemporaryFile", NoFolder())
    assert "Máy chủ hết chỗ trống" in desk.get(f"/notices/{latest(here).id}/report.xlsx", 507)


def test_a_browser_that_is_closed_in_mid_upload_leaves_nothing_behind(
    here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    with serving(here) as server:
        browser = begun(server, official(here, "lan", "sender"), 2 * MIB)
        until(lambda: open_in(folder), "the file to be on disk")
        browser.close()
        until(lambda: not open_in(folder), "the file to be gone")
    assert not here.gateway.notices.page(here.gateway.accounts.named("lan"))
    assert not [*folder.iterdir()]


def open_in(folder: Path) -> list[Path]:
    """Files of a folder that this process has open; temporary ones have no name there."""
    links = []
    for number in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            links.append(number.readlink())
    return [link for link in links if link.is_relative_to(folder)]
