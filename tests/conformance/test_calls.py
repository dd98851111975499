"""What may befall a call over HTTP, to whatever carrier: answers that nobody can read, that come late or never."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import urllib3.util.connection

from providers.contract import Accepted, CallFailed, ChannelRefused, Rejected, Throttled, Unknown, Unreachable
from providers.http import LARGEST_ANSWER
from tests.conformance import double
from tests.conformance.calls import SENDING, submitted
from tests.conformance.double import Double, Says, response
from tests.conformance.odd import odd_documents
from tests.conformance.tables import connected, message, table


@pytest.fixture
def carrier() -> Iterator[Double]:
    with Double(response(500)) as made:
        yield made


GARBAGE: dict[str, Says] = {
    "HTML for JSON": response(200, b"<html><body>maintenance</body></html>"),
    "an empty body": response(200, b""),
    "another kind of JSON": response(200, b"[7, null]"),
    "nested JSON": response(200, b"[" * 100_000),
    "no UTF-8": response(200, b"\xff\xfe{\x00"),
    "ten megabytes": response(200, b" " * 10 * LARGEST_ANSWER),
    "ten megabytes of JSON": response(200, b'{"a": "' + b"a" * 10 * LARGEST_ANSWER + b'"}'),
    "half a body": double.half(b'{"results": [{"ref": "01900000-0000-7000-8000-000000000001"'),
    "a cut line": double.cut,
    "a server error": response(500),
    "a redirect": response(302, headers={"Location": "/elsewhere"}),
    "a redirect to what is no address": response(302, headers={"Location": "http://[::1"}),
    "a redirect in no charset": response(302, headers={"Location": "http://\xe9\xff/"}),
}


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("name", SENDING)
def test_what_can_not_be_read_leaves_doubt(name: str, garbage: str, carrier: Double) -> None:
    assert isinstance(submitted(name, carrier, GARBAGE[garbage]), Unknown)
    assert "/elsewhere" not in [heard.path for heard in carrier.heard]


def odd_answers(name: str) -> Iterator[bytes]:
    """What the carrier answers, with something odd in the place of each value."""
    for case in table(name)["answer"]:
        yield from odd_documents(case.get("body", ""))


@pytest.mark.long
@pytest.mark.parametrize("name", SENDING)
def test_an_answer_with_something_odd_in_any_place_is_an_outcome(name: str, carrier: Double) -> None:
    for body in sorted({*odd_answers(name)}):
        outcome = submitted(name, carrier, response(200, body))
        match outcome:
            case Accepted(carrier_id):
                words = [carrier_id or ""]
            case Rejected(code, detail):
                words = [code, detail]
            case Throttled(_, detail) | Unknown(detail):
                words = [detail]
            case _:
                assert isinstance(outcome, CallFailed)
                words = [str(outcome)]
        assert [type(word) for word in words] == [str] * len(words), body


def a_time_limit(name: str) -> float:
    """Short, but long enough for what a carrier must answer before it is given the message, on a slow machine too."""
    return 2 if table(name).get("script") else 0.3


@pytest.mark.long
@pytest.mark.parametrize("name", SENDING)
def test_an_answer_that_does_not_come_in_time_leaves_doubt(name: str, carrier: Double) -> None:
    outcome = submitted(name, carrier, carrier.silent, time_limit=a_time_limit(name))
    assert outcome == Unknown("no answer within the time limit")


BEGUN = {
    "the status": b"HTTP/1.1 2",
    "the head": b"HTTP/1.1 200 OK\r\nX-",
    "the body": b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n",
    "a piece of the body": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5000\r\n",
}


@pytest.mark.long
@pytest.mark.parametrize("where", BEGUN)
@pytest.mark.parametrize("name", SENDING)
def test_an_answer_that_trickles_is_given_up_when_its_time_is_over(name: str, where: str, carrier: Double) -> None:
    outcome = submitted(name, carrier, carrier.trickling(BEGUN[where]), time_limit=a_time_limit(name))
    assert outcome == Unknown("no answer within the time limit")
    assert carrier.bytes_said < 150


def test_head_and_body_of_a_call_are_one_packet(carrier: Double) -> None:
    connected("aggregator", carrier.url).submit([message("aggregator")])
    assert [heard.packets for heard in carrier.heard] == [1]


def test_a_carrier_is_told_who_calls(carrier: Double) -> None:
    connected("aggregator", carrier.url).submit([message("aggregator")])
    assert [heard.headers["user-agent"] for heard in carrier.heard] == ["smsgw"]


def test_the_body_of_a_redirect_is_read_no_further_than_any_other(carrier: Double) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 100000000\r\n\r\n"
    assert isinstance(submitted("aggregator", carrier, carrier.flooding(head)), Unknown)
    assert carrier.bytes_said < 32 * LARGEST_ANSWER  # what the sockets hold


TAKEN = b'{"results": [{"ref": "01900000-0000-7000-8000-000000000001", "id": "7", "status": "accepted"}]}'


def test_an_answer_that_is_announced_before_it_comes_is_the_one_that_counts(carrier: Double) -> None:
    final = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(TAKEN) + TAKEN
    early = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    assert submitted("aggregator", carrier, lambda line: line.sendall(early + final)) == Accepted("7")


@pytest.mark.parametrize("status", [301, 308, 402, 406, 407, 410, 411, 415, 417, 421, 426, 428])
@pytest.mark.parametrize("name", SENDING)
def test_a_status_that_says_nothing_of_the_message_costs_none(name: str, status: int, carrier: Double) -> None:
    outcome = submitted(name, carrier, response(status, b"{}"))
    assert isinstance(outcome, ChannelRefused), outcome
    assert str(status) in str(outcome)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", None], ids=["cut", "plain", "silent"])
def test_where_no_tls_comes_about_nothing_was_sent(said: bytes | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with suppress(OSError):
                line, _ = server.accept()
                with line:
                    line.recv(1)
                    line.sendall(said or b"")

        if said is not None:
            threading.Thread(target=answer, daemon=True).start()
        provider = connected("aggregator", f"https://127.0.0.1:{server.getsockname()[1]}", time_limit=0.5)
        with pytest.raises(Unreachable, match="no TLS connection"):
            provider.submit([message("aggregator")])
        provider.close()


def test_an_address_that_swallows_what_is_sent_leaves_the_others_their_time(
    carrier: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, connect = socket.getaddrinfo, urllib3.util.connection.create_connection
    limits: list[float] = []

    def two(host: str, port: int, *args: Any, **more: Any) -> list[Any]:
        rest = found(host, port, *args, **more)
        return rest if host != "127.0.0.1" else [(*rest[0][:4], ("192.0.2.1", port)), *rest]

    def swallows(address: tuple[str, int], timeout: float, **more: Any) -> socket.socket:
        limits.append(timeout)
        if address[0] == "192.0.2.1":
            raise TimeoutError
        return connect(address, timeout, **more)

    monkeypatch.setattr(socket, "getaddrinfo", two)
    monkeypatch.setattr(urllib3.util.connection, "create_connection", swallows)
    assert submitted("aggregator", carrier, response(200, TAKEN), time_limit=8) == Accepted("7")
    assert limits[0] <= 2
    assert limits[1] <= 4


def test_how_a_call_failed_is_said_in_words(carrier: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    for says in (double.cut, double.half(b'{"results": []}')):
        assert submitted("aggregator", carrier, says) == Unknown("the connection broke")

    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    away = submitted("aggregator", carrier, double.cut)
    assert isinstance(away, Unreachable)
    assert str(away) == "the name of the carrier's host is not known"


@pytest.mark.parametrize("name", SENDING)
def test_a_connection_that_was_never_made_carried_nothing(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    provider = connected(name, url)
    with pytest.raises(Unreachable):
        provider.submit([message(name)])
    assert provider.fault()
    provider.close()


@pytest.mark.parametrize("host", ["sms..vn", ".vn"])
@pytest.mark.parametrize("name", SENDING)
def test_a_name_that_no_host_can_have_is_said_to_be_wrong_and_nothing_was_sent(name: str, host: str) -> None:
    provider = connected(name, f"http://{host}")
    with pytest.raises(Unreachable, match="host"):
        provider.submit([message(name)])
    assert "host" in (provider.fault() or "")
    provider.close()
