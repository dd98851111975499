"""Every provider's callbacks against its table: what they bring, whose they are, and what the carrier is answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import quote

import pytest

from providers.contract import BadSignature, CallbackError, Inbound, Malformed, Part, Refused, Reply, Taken
from tests.conformance.odd import odd_documents
from tests.conformance.tables import NOW, Table, callback, cases, connected, made, names, read, table


def plain(item: Any) -> dict[str, Any]:
    """An Inbound or a Receipt, or a refused one, by what it says."""
    shown = {}
    for name in item.__match_args__:
        value = getattr(item, name)
        usual = value in (None, ()) or (name, value) == ("event", "text")
        value = asdict(value) if isinstance(value, Part) else value
        if not usual and name != "as_written":
            shown[name] = value.isoformat() if hasattr(value, "isoformat") else value
    return shown


@pytest.mark.parametrize(
    ("kind", "name", "case"),
    [
        pytest.param(kind, *case.values, id=f"{kind}, {case.id}")
        for kind in ("inbound", "receipts")
        for case in cases(kind)
    ],
)
def test_each_callback_is_read(kind: str, name: str, case: Table) -> None:
    provider = connected(name, "http://127.0.0.1:9")
    if case.get("unsigned"):
        with pytest.raises(BadSignature):
            read(provider, kind, case)
    elif "malformed" in case:
        with pytest.raises(Malformed) as wrong:
            read(provider, kind, case)
        assert [field for field, _ in wrong.value.errors] == case["malformed"]
    else:
        assert [plain(item) for item in read(provider, kind, case)] == case["items"]
    provider.close()


@pytest.mark.parametrize(("name", "case"), cases("body"))
def test_what_the_carrier_wants_to_hear_is_right_to_the_letter(name: str, case: Table) -> None:
    provider = connected(name, "http://127.0.0.1:9")
    reply = Reply(**case["reply"]) if "reply" in case else None
    said = provider.answer([Taken(case.get("id"), case.get("status", "accepted"), reply=reply)])
    assert (said.body.decode(), said.content_type, dict(said.headers)) == (
        case["says"],
        case["type"],
        case.get("headers", {}),
    )
    provider.close()


SIGNED = [
    pytest.param(kind, name, case, id=f"{name}: {kind}")
    for name in names()
    for kind in ("inbound", "receipts")
    for case in table(name).get(kind, ())[:1]
    if "signed" in table(name)
]


@pytest.mark.parametrize(("kind", "name", "case"), SIGNED)
def test_one_bit_changed_is_refused(kind: str, name: str, case: Table) -> None:
    """One bit of any character of the signature, and of everything that is signed."""
    provider = connected(name, "http://127.0.0.1:9")
    signed = table(name)["signed"].get(kind, [])
    given = callback(case)
    reading = provider.inbound if kind == "inbound" else provider.receipts
    reading(given, NOW)
    changed = 0
    for part in signed:
        for other in flipped(given, part):
            with pytest.raises(CallbackError):
                reading(other, NOW)
            changed += 1
    assert changed or not signed
    provider.close()


def flipped(given: Any, part: str) -> Iterator[Any]:
    """The callback with the lowest bit of one character changed, for each character of that part."""
    where, _, name = part.partition(" ")
    if where == "body":
        for place in range(len(given.body)):
            body = bytearray(given.body)
            body[place] ^= 1
            yield replace(given, body=bytes(body))
    elif where == "header":
        value = given.headers[name]
        for place in range(len(value)):
            yield replace(given, headers={**given.headers, name: bit(value, place)})
    else:
        value = given.query[name]
        for place in range(len(value)):
            query = {**given.query, name: bit(value, place)}
            target = given.url.partition("?")[0] + "?" + "&".join(f"{key}={quote(text)}" for key, text in query.items())
            yield replace(given, query=query, url=target)


def bit(text: str, place: int) -> str:
    return text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]


JUNK = [
    ("GET", "/carrier/x/inbound", b""),
    ("GET", "/carrier/x/inbound?%00=%ff&key=%00", b""),
    ("POST", "/carrier/x/inbound", b""),
    ("POST", "/carrier/x/inbound", b"\xff\x00" * 100),
    ("POST", "/carrier/x/inbound", b"[" * 100_000),
    ("POST", "/carrier/x/inbound", b"a=1&" * 200),
    ("POST", "/carrier/x/inbound", b"<!DOCTYPE x><x/>"),
]


@pytest.mark.parametrize("name", names())
def test_a_callback_of_junk_is_refused_and_nothing_else(name: str) -> None:
    provider = connected(name, "http://127.0.0.1:9")
    for method, target, body in JUNK:
        for reading in (provider.inbound, provider.receipts):
            with pytest.raises(CallbackError):
                reading(made(method, target, {}, body), NOW)
    provider.close()


@pytest.mark.parametrize(
    ("kind", "name", "case"),
    [
        pytest.param(kind, *case.values, id=f"{kind}, {case.id}")
        for kind in ("inbound", "receipts")
        for case in cases(kind)
        if "items" in case.values[1] and "body" not in table(case.values[0]).get("signed", {}).get(kind, ())
    ],
)
def test_a_callback_with_something_odd_in_any_place_is_read_or_refused(kind: str, name: str, case: Table) -> None:
    given = callback(case)
    provider = connected(name, "http://127.0.0.1:9")
    for body in sorted({*odd_documents(given.body)}):
        with suppress(CallbackError):
            for item in (provider.inbound if kind == "inbound" else provider.receipts)(replace(given, body=body), NOW):
                ids = (
                    (item.id,) if isinstance(item, Inbound | Refused) else (item.ref, item.carrier_id, item.error_code)
                )
                assert all(len(id) < 256 and id.isprintable() for id in ids if id is not None), body
    provider.close()


@pytest.mark.parametrize(
    ("kind", "name", "case"),
    [
        pytest.param(kind, *case.values, id=f"{kind}, {case.id}")
        for kind in ("inbound", "receipts")
        for case in cases(kind)
        if "items" in case.values[1] and callback(case.values[1]).body
    ],
)
def test_half_a_callback_is_refused(kind: str, name: str, case: Table) -> None:
    given = callback(case)
    half = replace(given, body=given.body[: len(given.body) // 2])
    provider = connected(name, "http://127.0.0.1:9")
    with pytest.raises(CallbackError):
        (provider.inbound if kind == "inbound" else provider.receipts)(half, NOW)
    provider.close()
