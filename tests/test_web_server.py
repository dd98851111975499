"""The web server: who is slow, who breaks off and who says too much does no harm to the others."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPResponse
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
import requests

from providers.aggregator import sign
from smsgw import app as application
from smsgw import metrics
from smsgw.web import front, server
from smsgw.web.carrier import LARGEST_CALLBACK
from smsgw.web.server import WebServer
from tests.chaos import until
from tests.disk import FullDisk, NoFolder
from tests.world import SECRET, World

HOST = "127.0.0.1"
PAGE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Echo:
    """A page that says what it was sent, and counts."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.calls += 1
        body = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"%d " % len(body), body[:10], b" from ", environ["REMOTE_ADDR"].encode()]


@contextmanager
def running(app: WSGIApplication, **settings: object) -> Iterator[WebServer]:
    web = WebServer(app, f"{HOST}:0", **settings)  # type: ignore[arg-type]
    web.start()
    try:
        yield web
    finally:
        web.stop()


def call(web: WebServer) -> socket.socket:
    return socket.create_connection((HOST, web.port), timeout=20)


def refused(web: WebServer) -> bool:
    try:
        call(web).close()
    except (ConnectionRefusedError, ConnectionResetError):  # the latter at the very moment when the door closes
        return True
    return False


def test_half_sent_heads_and_bodies_keep_nobody_waiting_and_reach_no_page() -> None:
    echo = Echo()
    with running(echo, threads=2) as web:
        lines = [call(web) for _ in range(60)]
        for line in lines[:30]:
            line.sendall(b"GET / HTTP/1.1\r\nHost:")
        for line in lines[30:]:
            line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        assert requests.get(f"http://{HOST}:{web.port}/", timeout=10).text == "0  from 127.0.0.1"
        for line in lines:
            line.close()
    assert echo.calls == 1


def test_who_never_says_what_he_wants_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.05)
    with running(Echo()) as web:
        for beginning in (b"", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhal"):
            with call(web) as line:
                line.sendall(beginning)
                with suppress(ConnectionResetError):
                    assert line.recv(1000) == b""


BODY_IN_CHUNKS = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n"


@pytest.mark.parametrize("begun", [b"GET / HTTP/1.1\r\n", BODY_IN_CHUNKS + b"0\r\n"], ids=["head", "behind the body"])
def test_a_head_that_does_not_end_is_refused(begun: bytes) -> None:
    with running(Echo()) as web, call(web) as line, suppress(ConnectionResetError, BrokenPipeError):
        line.sendall(begun + b"X-More: and more\r\n" * 80_000)
        assert line.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_a_body_comes_whole_however_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "LARGEST_REQUEST", 3_000_000)
    with running(Echo()) as web:
        url = f"http://{HOST}:{web.port}/"
        assert requests.post(url, data=b"a" * 2_000_000, timeout=20).text.startswith("2000000 aaaaaaaaaa")
        assert requests.post(url, data=iter([b"ab", b"cd"]), timeout=20).text.startswith("4 abcd")
        assert requests.post(url, data=b"a" * 3_000_001, timeout=20).status_code == 413


@pytest.mark.parametrize("name", ["Upgrade", "upgrade", "UPGRADE"])
@pytest.mark.parametrize("pieces", [1, 2])
def test_who_offers_to_go_on_in_another_protocol_is_answered_in_this_one(name: str, pieces: int) -> None:
    """As the client of Java's own library does with each request over plain HTTP."""
    offer = f"Connection: Upgrade, HTTP2-Settings\r\n{name}: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n".encode()
    head, body = b"POST / HTTP/1.1\r\nHost: x\r\n" + offer + b"Content-Length: 16\r\n\r\n", b"\r\nupgrade: whole"
    with running(Echo()) as web, call(web) as line:
        for sent in ([head + body], [head, body])[pieces - 1]:
            line.sendall(sent)
        for expected in (b"16 \r\nupgrade: from 127.0.0.1", b"0  from 127.0.0.1"):
            answer = HTTPResponse(line)
            answer.begin()
            assert (answer.status, answer.read()) == (200, expected)
            line.sendall(PAGE)


def test_what_comes_behind_the_body_is_no_header() -> None:
    def signed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [environ["HTTP_X_SIGNATURE"].encode(), b" ", environ["wsgi.input"].read()]

    with running(signed) as web, call(web) as line:
        line.sendall(BODY_IN_CHUNKS.replace(b"Host: x", b"X-Signature: first"))
        line.sendall(b"0\r\nX-Signature: second\r\n\r\n")
        answer = HTTPResponse(line)
        answer.begin()
        assert answer.read() == b"first body"


def test_an_answer_goes_out_in_one_piece_and_whole_before_the_line_is_closed() -> None:
    sent: list[list[bytes]] = []

    class Line:
        closed = False

        def writelines(self, pieces: list[bytes]) -> None:
            assert not self.closed
            sent.append(pieces)

        def is_closing(self) -> bool:
            return self.closed

        def close(self) -> None:
            self.closed = True

    async def answers() -> None:
        line = server._InOneWrite(cast(Any, Line()), asyncio.get_running_loop())
        for body in (b"first", b"second"):
            line.write(b"head ")
            line.write(body)
            await asyncio.sleep(0)
        line.write(b"last")
        line.close()
        await asyncio.sleep(0)

    asyncio.run(answers())
    assert sent == [[b"head ", b"first"], [b"head ", b"second"], [b"last"]]


def test_stopping_lets_requests_in_hand_end_and_takes_no_more() -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        entered.set()
        go_on.wait(20)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"done"]

    web = WebServer(slow, f"{HOST}:0")
    web.start()
    with call(web) as line:
        line.sendall(PAGE)
        assert entered.wait(20)
        stopping = threading.Thread(target=web.stop)
        stopping.start()
        until(lambda: refused(web), "the door to be closed")
        go_on.set()
        assert line.makefile("rb").read().endswith(b"done")
        stopping.join(20)
    assert not stopping.is_alive()


def test_only_a_trusted_proxy_is_believed_who_the_visitor_is() -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.7"}
    for trusted, visitor in ((None, HOST), (HOST, "203.0.113.7"), ("192.0.2.1", HOST)):
        with running(Echo(), trusted_proxy=trusted) as web:
            said = requests.get(f"http://{HOST}:{web.port}/", headers=forwarded, timeout=10).text
            assert said == f"0  from {visitor}"


def test_the_door_in_front_answers_as_the_one_among_the_pages(here: World) -> None:
    pages = application.create_app(here.gateway)
    message = {"from": "84912345678", "to": "8188", "text": "HELP"}
    bodies = [
        json.dumps({"messages": [{**message, "id": "mo-1"}, {"id": "mo-2"}]}).encode(),
        b"{",
        b'{"messages": "none"}',
        b"x" * (LARGEST_CALLBACK + 1),
    ]
    with running(pages, door=application.create_door(here.gateway)) as web:
        for what in ("inbound", "receipts", "nonsense"):
            for name in ("sms", "nobody"):
                for body in bodies:
                    headers = {"X-Signature": sign(SECRET.encode(), body, int(here.clock().timestamp()))}
                    url = f"http://{HOST}:{web.port}/carrier/{name}/{what}"
                    at_front = requests.post(url, data=body, headers=headers, timeout=20)
                    by_page = here.client.post(f"/carrier/{name}/{what}", data=body, headers=headers)
                    assert at_front.status_code == by_page.status_code
                    assert at_front.text.replace("accepted", "duplicate") == by_page.text
                    assert at_front.headers["Content-Type"] == by_page.headers["Content-Type"]
        for method in ("GET", "PUT", "DELETE"):
            by_front = requests.request(method, f"http://{HOST}:{web.port}/carrier/sms/inbound", timeout=20)
            by_page = here.client.open("/carrier/sms/inbound", method=method)
            for answer in (by_front, by_page):
                assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
                assert answer.headers["Content-Type"] == "application/problem+json"
        unsigned = requests.post(f"http://{HOST}:{web.port}/carrier/sms/inbound", data=bodies[0], timeout=20)
        assert unsigned.status_code == 401


@pytest.mark.parametrize(
    ("disk", "why"), [(FullDisk(), "No space left on device"), (NoFolder(), "No usable temporary directory found")]
)
def test_what_finds_no_room_on_the_disk_is_to_be_sent_again_and_the_log_says_why(
    here: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, disk: object, why: str
) -> None:
    pages, body = application.create_app(here.gateway), b"x" * (LARGEST_CALLBACK - 1000)
    most = application.create_most(pages, here.gateway)
    _, key = here.gateway.systems.add("kiosk", "sender", None, 10, "test")
    refused = metrics.callbacks_refused.labels("sms", "room")
    before = refused._value.get()
    monkeypatch.setattr(tempfile, "TemporaryFile", disk)
    with running(pages, door=application.create_door(here.gateway), most=most) as web, caplog.at_level(logging.WARNING):
        for path in ("/carrier/sms/inbound", "/carrier/sms/receipts", "/api/v1/notices"):
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            answer = requests.post(f"http://{HOST}:{web.port}{path}", data=body, headers=headers, timeout=20)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), answer.text
            assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["reason"] == "away"  # which programs are told to look at
        assert requests.post(f"http://{HOST}:{web.port}/carrier/x/inbound", data=body, timeout=20).status_code == 404
    assert [record.getMessage() for record in caplog.records] == [
        *[f"channel sms: there is no room for the body of a callback: {why}"] * 2,
        f"POST /api/v1/notices: there is no room for the body: {why}",
    ]
    assert refused._value.get() - before == 2
