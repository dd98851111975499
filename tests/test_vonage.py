"""What Vonage signs, against what its own libraries make; and long texts that it brings in parts, at the door."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlencode

import pytest

from providers import vonage
from providers.contract import BadSignature, Callback
from providers.vonage import Method, sign
from tests.conformance.tables import NOW, made
from tests.world import World, world

PHONE = "84912345678"
SETTINGS = {
    "url": "http://127.0.0.1:9",
    "api_key": "a1b2",
    "api_secret": "sec-2290",
    "key": "key-660144",
    "callback_url": "https://smsgw.example.vn/carrier/vonage",
}
FIELDS = {"msisdn": PHONE, "to": "8188", "messageId": "v-9", "text": "HS & = Hồ sơ", "timestamp": "1534309200"}


# What vonage-http-client 1.5.0 makes of FIELDS and the secret "secret" (Auth.sign_params).
THEIRS: dict[Method, str] = {
    "md5": "974dc42f932a868b4b41d8325274927f",
    "sha1": "27c6c08025fbbcde6e7c97e7b681b43e5530e042",
    "sha256": "0b3c127caaa5407197e897fd10e46c4bbe5df19ea77da427e15117ab6115d49c",
    "sha512": "4d851465c15ade6048f9a20ffef3a3018f6d49411d86439073a62c8a5e34d624"
    "3b8b530c9df91c99d14eb48e79e0affe968bfa94bf79cf351290251d7802583c",
}


@pytest.mark.parametrize("method", THEIRS)
def test_a_signature_is_the_one_that_vonage_s_library_makes(method: Method) -> None:
    assert sign("secret", method, FIELDS) == THEIRS[method]


def test_a_signature_by_the_oldest_method_is_the_one_in_the_tests_of_vonage_s_libraries() -> None:
    # The library above does not know it any more; those of Nexmo, for Python and for Ruby, have this example.
    fields = {"b": "2", "a": "1", "timestamp": "1461605396"}
    assert sign("secret", "md5hash", fields) == "6af838ef94998832dbfc29020b564830"


def signing(method: Method) -> vonage.Vonage:
    settings = SETTINGS | {"signature_secret": "sig-4417", "signature_method": method}
    return vonage.connect(vonage.Config.model_validate(settings))


def called(way: str, fields: dict[str, Any]) -> Callback:
    """A callback with these fields, in one of the three ways that an account may ask for."""
    target = "/carrier/x/inbound?key=key-660144"
    if way == "GET":
        return made("GET", f"{target}&{urlencode(fields)}", {}, b"")
    if way == "form":
        return made("POST", target, {}, urlencode(fields).encode())
    return made("POST", target, {"content-type": "application/json"}, json.dumps(fields).encode())


@pytest.mark.parametrize("way", ["GET", "form", "JSON"])
@pytest.mark.parametrize("method", get_args(Method))
def test_what_is_signed_is_taken_and_with_one_bit_changed_it_is_not(way: str, method: Method) -> None:
    provider, signed = signing(method), FIELDS | {"sig": sign("sig-4417", method, FIELDS).upper()}
    assert provider.inbound(called(way, signed), NOW)
    for name, value in signed.items():
        other = signed | {name: value[:-1] + chr(ord(value[-1]) ^ 1)}
        with pytest.raises(BadSignature):
            provider.inbound(called(way, other), NOW)
    for wrong in (FIELDS, signed | {"more": "1"}, {name: signed[name] for name in signed if name != "to"}):
        with pytest.raises(BadSignature):
            provider.inbound(called(way, wrong), NOW)
    with pytest.raises(BadSignature):
        provider.inbound(replace(called(way, signed), query={}), NOW)
    provider.close()


@pytest.mark.parametrize("method", get_args(Method))
def test_a_part_that_ends_with_half_a_pair_has_its_signature_looked_at_like_any_other(method: Method) -> None:
    half = FIELDS | {"text": "HS \ud83d"}
    provider, signed = signing(method), half | {"sig": sign("sig-4417", method, half)}
    assert provider.inbound(called("JSON", signed), NOW)
    for wrong in (half, half | {"sig": "\ud83d"}):
        with pytest.raises(BadSignature):
            provider.inbound(called("JSON", wrong), NOW)
    provider.close()


def test_a_receipt_is_signed_too() -> None:
    provider = signing("sha256")
    fields = {"messageId": "v-1", "status": "delivered", "timestamp": "1534309200"}
    assert provider.receipts(called("JSON", fields | {"sig": sign("sig-4417", "sha256", fields)}), NOW)
    with pytest.raises(BadSignature):
        provider.receipts(called("JSON", fields), NOW)
    provider.close()


def test_a_long_text_in_parts_is_one_text_with_one_reply_however_often_they_are_brought(tmp_path: Path) -> None:
    rows = "\n".join(f'{name} = "{value}"' for name, value in SETTINGS.items())
    with world(tmp_path, more=f'[channels.vonage]\nprovider = "vonage"\nsender = "8189"\ntps = 10\n{rows}\n') as here:
        for number in (2, 1, 2, 1):
            assert brought(here, number) == 200
        with here.gateway.database.reading() as connection:
            assert connection.exec_driver_sql("SELECT text FROM inbound").scalars().all() == ["HELP and then me"]
            assert connection.exec_driver_sql("SELECT count(*) FROM outbound").scalar() == 1


def brought(here: World, number: int) -> int:
    fields = {
        "key": "key-660144",
        "msisdn": PHONE,
        "to": "8189",
        "messageId": f"v-{number}",
        "text": ("HELP and ", "then me")[number - 1],
        "concat": "true",
        "concat-ref": "108",
        "concat-total": "2",
        "concat-part": str(number),
    }
    return here.client.get("/carrier/vonage/inbound", query_string=fields).status_code
