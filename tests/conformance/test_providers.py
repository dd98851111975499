"""Every provider against its table: one harness, and a double that speaks over a real line."""

from __future__ import annotations

import importlib
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
import urllib3.util.connection
from pydantic import SecretStr

from providers import exchanges, load
from providers.contract import (
    Accepted,
    CallbackError,
    CallFailed,
    ChannelRefused,
    Outcome,
    Rejected,
    Throttled,
    Unknown,
    Unreachable,
)
from providers.http import LARGEST_ANSWER
from smsgw.text.phones import mask_all
from tests.conformance import double
from tests.conformance.double import Double, Says, response
from tests.conformance.odd import odd_documents
from tests.conformance.tables import (
    ROOM,
    Table,
    cases,
    coded,
    configured,
    connected,
    message,
    modules,
    names,
    read,
    table,
)

KINDS = {
    "accepted": Accepted,
    "rejected": Rejected,
    "elsewhere": Rejected,
    "throttled": Throttled,
    "unknown": Unknown,
    "refused": ChannelRefused,
    "unreachable": Unreachable,
}
SENDING = [name for name in names() if load(name).connect(configured(name, "http://127.0.0.1:9")).abilities.submits]


@pytest.fixture
def carrier() -> Iterator[Double]:
    with Double(response(500)) as made:
        yield made


def submitted(name: str, carrier: Double, says: Says, case: Table | None = None, **config: Any) -> Outcome | CallFailed:
    """What comes of one message when the carrier says that, or how the call failed."""
    carrier.says = says
    for step in (*table(name).get("script", ()), *(case or {}).get("script", ())):
        carrier.script[step["path"]] = answer(step)
    provider = connected(name, carrier.url, **config)
    try:
        (outcome,) = provider.submit([message(name, case)])
    except CallFailed as failed:
        return failed
    finally:
        provider.close()
    return outcome


def answer(case: Table) -> Says:
    return response(case.get("status", 200), case.get("body", "").encode(), case.get("headers"))


def test_every_provider_has_its_table_and_its_page() -> None:
    pages = {file.stem for file in (ROOM.parent / "docs/carriers").glob("*.md")}
    tables = {*names(), *names("smpp")}
    assert not [f"tests/conformance/tables/{name}.toml is missing" for name in modules() if name not in tables]
    assert not [f"docs/carriers/{name}.md is missing" for name in modules() if name not in pages]
    assert tables <= set(modules())


@pytest.mark.parametrize(("name", "case"), cases("request"))
def test_what_goes_out_is_right_to_the_byte(name: str, case: Table, carrier: Double) -> None:
    submitted(name, carrier, answer(case), case)
    head, _, body = case["http"].strip("\n").partition("\n\n")
    first, *rows = head.splitlines()
    sent = carrier.heard[-1]
    assert sent.line == f"{first} HTTP/1.1"
    assert {row.partition(":")[0]: sent.headers.get(row.partition(":")[0].lower()) for row in rows} == {
        row.partition(":")[0]: row.partition(":")[2].strip() for row in rows
    }
    assert sent.body.decode() == body


@pytest.mark.parametrize(("name", "case"), cases("answer"))
def test_each_answer_has_its_outcome(name: str, case: Table, carrier: Double) -> None:
    outcome = submitted(name, carrier, answer(case), case)
    meaning = next(kind for kind in KINDS if kind in case)
    assert type(outcome) is KINDS[meaning], outcome
    match outcome:
        case Accepted(carrier_id):
            assert carrier_id == (case["accepted"] or None)
        case Rejected(code, elsewhere=elsewhere):
            assert (code, elsewhere) == (case[meaning], meaning == "elsewhere")
        case Throttled(after):
            assert after == (case["throttled"] if case["throttled"] is not True else None)
        case Unknown(detail, parts):
            assert list(parts) == [part or None for part in case.get("parts", [])]
            assert case.get("detail", detail) == detail


@pytest.mark.parametrize(("name", "code", "meaning"), [*coded()])
def test_each_code_of_the_carrier_has_its_outcome(name: str, code: str, meaning: str, carrier: Double) -> None:
    codes = table(name)["codes"]
    says = response(codes.get("status", 200), codes["body"].replace("CODE", code).encode())
    outcome = submitted(name, carrier, says)
    assert type(outcome) is KINDS[meaning], outcome
    if isinstance(outcome, Rejected):
        assert outcome.elsewhere == (meaning == "elsewhere")


def test_no_code_that_a_provider_knows_is_without_its_case() -> None:
    for name in names():
        known = set(getattr(importlib.import_module(f"providers.{name}"), "CODES", ()))
        codes = table(name).get("codes", {})
        tried = {code for meaning in KINDS for code in codes.get(meaning, ())}
        assert not known - tried, name


@pytest.mark.parametrize("name", SENDING)
def test_a_table_shows_every_outcome_that_there_is(name: str) -> None:
    shown = {meaning for case in (table(name).get("codes", {}), *table(name)["answer"]) for meaning in case}
    assert {"accepted", "rejected", "throttled", "refused", "unknown"} <= shown


def test_no_status_of_receipts_that_a_provider_knows_is_without_its_case() -> None:
    for name in names():
        shown = {word for case in table(name).get("receipts", ()) for word in case.get("says", ())}
        for case in table(name).get("receipts", ()):
            assert all(word in case["http"] for word in case.get("says", ())), name
        known = set(getattr(importlib.import_module(f"providers.{name}"), "STATUSES", ()))
        assert known == shown, name


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


IN_HEADERS = {
    "aggregator": "token",
    "infobip": "api_key",
    "speedsms": "token",
    "twilio": "auth_token",
    "zalo": "app_secret",
}


@pytest.mark.parametrize("secret", ["", "a b", "line\n", "tok\u1ebf"])
@pytest.mark.parametrize("name", IN_HEADERS)
def test_a_secret_that_no_header_carries_is_refused_with_the_settings(name: str, secret: str) -> None:
    with pytest.raises(ValueError, match=IN_HEADERS[name]):
        configured(name, "http://127.0.0.1:9", **{IN_HEADERS[name]: secret})


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


@pytest.mark.parametrize("name", SENDING)
def test_the_doctor_s_question_sends_nothing_and_hears_what_is_wrong(name: str, carrier: Double) -> None:
    provider = connected(name, carrier.url)
    carrier.says = response(401)
    assert provider.fault()
    assert b"Ho so" not in b"".join(heard.body for heard in carrier.heard)
    provider.close()


@pytest.mark.parametrize("status", [301, 401, 404, 500])
@pytest.mark.parametrize("name", SENDING)
def test_the_doctor_is_told_what_the_carrier_said_and_once_what_to_do(name: str, status: int, carrier: Double) -> None:
    provider = connected(name, carrier.url)
    carrier.says = response(status, b"<html>")
    fault = provider.fault() or ""
    assert str(status) in fault
    assert "None" not in fault
    assert fault.count("check ") <= 1, fault
    assert fault.endswith("?") or "check " in fault or "ask " in fault
    provider.close()


@pytest.mark.parametrize("page", [b"<html>welcome</html>", b"\n<!DOCTYPE html>\n<html><body>welcome</body></html>"])
@pytest.mark.parametrize("name", SENDING)
def test_the_doctor_does_not_take_a_web_page_for_the_carrier(name: str, page: bytes, carrier: Double) -> None:
    provider = connected(name, carrier.url)
    carrier.says = response(200, page)
    fault = provider.fault() or ""
    assert "can't be read" in fault or "is not" in fault
    assert "check" in fault
    provider.close()


def secrets(name: str) -> list[str]:
    config = configured(name, "http://127.0.0.1:9")
    return [value.get_secret_value() for value in dict(config).values() if isinstance(value, SecretStr)]


@pytest.mark.parametrize("name", names())
def test_no_secret_is_printed_logged_or_kept(name: str, carrier: Double, caplog: pytest.LogCaptureFixture) -> None:
    hidden = secrets(name)
    assert hidden
    config = configured(name, carrier.url)
    shown = repr(config) + str(config)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.WARNING)  # as the gateway has it
    with exchanges.listening() as heard:
        if name in SENDING:
            for says in (response(200, " ".join(hidden).encode()), response(401), double.cut):
                shown += repr(submitted(name, carrier, says))
    for kind in ("inbound", "receipts"):
        with suppress(CallbackError):
            read(connected(name, carrier.url), kind, {"http": "GET /carrier/x/inbound?key=wrong"})
    assert not heard or all(exchange.request and exchange.answer for exchange in heard)
    said = shown + caplog.text + repr(heard)
    assert not [secret for secret in hidden if secret in said or quote(secret, safe="") in said]


@pytest.mark.parametrize("name", SENDING)
def test_a_phone_is_masked_in_what_is_kept_of_the_exchange_about_it(name: str, carrier: Double) -> None:
    says = response(200, b"+84912345678 tel:84912345678 <to>0912345678</to> To=%2B84912345678")
    with exchanges.listening() as heard:
        submitted(name, carrier, says)
    shown = "".join(mask_all(f"{exchange.request} {exchange.answer}") for exchange in heard)
    assert "***678" in shown
    assert "912345678" not in shown
