"""Every provider against its table: one harness, and a double that speaks over a real line."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from providers import exchanges
from providers.contract import Accepted, CallbackError, ChannelRefused, Rejected, Throttled, Unknown, Unreachable
from smsgw.text.phones import mask_all
from tests.conformance import double
from tests.conformance.calls import SENDING, answer, submitted
from tests.conformance.double import Double, response
from tests.conformance.tables import (
    ROOM,
    Table,
    cases,
    coded,
    configured,
    connected,
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


@pytest.fixture
def carrier() -> Iterator[Double]:
    with Double(response(500)) as made:
        yield made


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
