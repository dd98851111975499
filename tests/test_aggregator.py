"""The aggregator's format on the wire: what goes out to the byte, and what each answer of the carrier means."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import responses

from providers import NoSuchProvider, load
from providers.aggregator import Aggregator, Config
from providers.contract import Accepted, ChannelRefused, Outbound, Outcome, Rejected, Throttled, Unknown, Unreachable

URL = "http://carrier.test"
MESSAGE = Outbound("r-1", "8188", "84912345678", "Ho so", "gsm7", 1, datetime(2018, 8, 15, 5, tzinfo=UTC))
OTHER = Outbound("r-2", "8188", "84987654321", "Hồ sơ", "ucs2", 1, datetime(2018, 8, 15, 5, tzinfo=UTC))


def connected(url: str = URL, time_limit: float = 5) -> Aggregator:
    return Aggregator(Config.model_validate({"url": url, "token": "tok", "secret": "sec", "time_limit": time_limit}))


@pytest.fixture
def carrier() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def test_a_batch_goes_out_as_documented(carrier: responses.RequestsMock) -> None:
    carrier.post(f"{URL}/messages", json={"results": []})
    connected().submit([MESSAGE, OTHER])
    request = carrier.calls[0].request
    assert request.headers["Authorization"] == "Bearer tok"
    assert json.loads(request.body or b"") == {
        "messages": [
            {
                "ref": "r-1",
                "from": "8188",
                "to": "84912345678",
                "text": "Ho so",
                "encoding": "gsm7",
                "segments": 1,
                "expires_at": "2018-08-15T05:00:00+00:00",
            },
            {
                "ref": "r-2",
                "from": "8188",
                "to": "84987654321",
                "text": "Hồ sơ",
                "encoding": "ucs2",
                "segments": 1,
                "expires_at": "2018-08-15T05:00:00+00:00",
            },
        ]
    }


def result(**values: Any) -> dict[str, Any]:
    return {"json": {"results": [{"ref": "r-1", **values}]}}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (result(id="mt-1", status="accepted"), Accepted("mt-1")),
        (result(status="accepted"), Accepted(None)),
        (
            result(status="rejected", error={"code": "invalid_number", "message": "no"}),
            Rejected("invalid_number", "no"),
        ),
        (result(status="rejected"), Rejected("rejected", "")),
        (result(status="throttled", retry_after=3), Throttled(3.0, "throttled")),
        (result(status="lost"), Unknown("the carrier's answer does not name this message")),
        ({"json": {"results": []}}, Unknown("the carrier's answer does not name this message")),
        ({"json": {"results": [7]}}, Unknown("the carrier's answer can't be read")),
        ({"json": []}, Unknown("the carrier's answer can't be read")),
        ({"body": b"<html>maintenance</html>"}, Unknown("the carrier's answer can't be read")),
        ({"body": b""}, Unknown("the carrier's answer can't be read")),
        ({"body": b'{"results": [{"ref"'}, Unknown("the carrier's answer can't be read")),
        ({"status": 429, "headers": {"Retry-After": "7"}}, Throttled(7.0, "the carrier answered 429")),
        ({"status": 429, "headers": {"Retry-After": "soon"}}, Throttled(None, "the carrier answered 429")),
        ({"status": 400}, Rejected("http_400", "the carrier refused the call")),
        ({"status": 500}, Unknown("the carrier answered 500")),
        ({"status": 503}, Unknown("the carrier answered 503")),
        ({"status": 302, "headers": {"Location": "/"}}, Unknown("the carrier answered 302")),
        ({"body": requests.ReadTimeout()}, Unknown("ReadTimeout")),
        ({"body": requests.ConnectionError("aborted")}, Unknown("the connection broke")),
        ({"body": requests.exceptions.ChunkedEncodingError()}, Unknown("ChunkedEncodingError")),
    ],
)
def test_each_answer_has_its_outcome(carrier: responses.RequestsMock, answer: dict[str, Any], outcome: Outcome) -> None:
    carrier.post(f"{URL}/messages", **answer)
    assert connected().submit([MESSAGE]) == [outcome]


@pytest.mark.parametrize("token", ["", "a b", "line\n", "tok\u1ebf"])
def test_a_token_that_no_header_carries_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        Config.model_validate({"url": URL, "token": token, "secret": "s"})


def test_a_carrier_that_can_not_be_reached_in_time_has_nothing(carrier: responses.RequestsMock) -> None:
    carrier.post(f"{URL}/messages", body=requests.ConnectTimeout())
    with pytest.raises(Unreachable):
        connected().submit([MESSAGE])


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_channel_that_is_refused_is_reported_as_such(carrier: responses.RequestsMock, status: int) -> None:
    carrier.post(f"{URL}/messages", status=status)
    with pytest.raises(ChannelRefused, match=str(status)):
        connected().submit([MESSAGE])
    assert str(status) in (connected().fault() or "")


def test_a_batch_has_one_outcome_a_message_whatever_order_the_answer_has(carrier: responses.RequestsMock) -> None:
    answer = {"results": [{"ref": "r-2", "status": "throttled"}, {"ref": "r-1", "id": "mt-1", "status": "accepted"}]}
    carrier.post(f"{URL}/messages", json=answer)
    assert connected().submit([MESSAGE, OTHER]) == [Accepted("mt-1"), Throttled(None, "throttled")]


def serving(answer: Callable[[socket.socket], object]) -> tuple[str, threading.Thread]:
    """A server for one connection that does what it likes with it."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as connection:
            answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return f"http://127.0.0.1:{server.getsockname()[1]}", thread


def test_a_connection_that_was_never_made_carried_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable):
        connected(f"http://127.0.0.1:{port}").submit([MESSAGE])
    assert "can't be reached" in (connected(f"http://127.0.0.1:{port}").fault() or "")


def test_a_connection_that_is_cut_leaves_doubt() -> None:
    url, thread = serving(lambda connection: connection.recv(10))
    (outcome,) = connected(url).submit([MESSAGE])
    thread.join()
    assert isinstance(outcome, Unknown)


def test_an_answer_that_never_comes_leaves_doubt() -> None:
    done = threading.Event()
    url, thread = serving(lambda _: done.wait(10))
    (outcome,) = connected(url, time_limit=0.2).submit([MESSAGE])
    done.set()
    thread.join()
    assert isinstance(outcome, Unknown)


def test_no_secret_is_in_what_is_printed() -> None:
    config = Config.model_validate({"url": URL, "token": "tok-123", "secret": "sec-123"})
    assert "123" not in repr(config) + str(config)


@pytest.mark.parametrize("name", ["none", "os", "contract", "", "../x"])
def test_a_provider_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(NoSuchProvider, match="aggregator"):
        load(name)
