"""Zalo's formats on the wire: signatures, events, what goes out, and what each of its errors means."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from providers import zalo, zalo_errors
from providers.contract import (
    Accepted,
    BadSignature,
    Callback,
    CallFailed,
    ChannelRefused,
    Inbound,
    Malformed,
    Outbound,
    Outcome,
    Quota,
    Receipt,
    Rejected,
    RenewalDoubtful,
    Renewed,
    Throttled,
    Unknown,
    Unreachable,
)
from providers.zalo_webhook import mac
from smsgw.settings import load

NOW = datetime(2024, 9, 1, 1, 30, tzinfo=UTC)
STAMP = str(int(NOW.timestamp() * 1000))
UNTIL = NOW + timedelta(hours=12)
CHAT = Outbound("r-1", "Zalo", "zalo:4567", "Hồ sơ", "ucs2", 1, UNTIL)
NOTICE = Outbound("r-2", "Zalo", "84912345678", "Ho so H01.12-180802-0012: xong", "gsm7", 1, UNTIL)
SEND, NOTIFY = "https://openapi.zalo.me/v3.0/oa/message/cs", "https://business.openapi.zalo.me/message/template"
RENEW = "https://oauth.zaloapp.com/v4/oa/access_token"
QUOTA = "https://business.openapi.zalo.me/message/quota"
ERRORS = zalo_errors.EVERY


class FixedKeys:
    """One token, and which ones were said to be no good."""

    def __init__(self) -> None:
        self.no_good: list[str] = []

    def access_token(self) -> str | None:
        return "access-token-1"

    def rejected(self, token: str) -> None:
        self.no_good.append(token)

    def trouble(self) -> str | None:
        return None


@pytest.fixture
def keys() -> FixedKeys:
    return FixedKeys()


@pytest.fixture
def provider(keys: FixedKeys) -> Iterator[zalo.Zalo]:
    secrets = {"app_secret": "app-secret-1", "oa_secret": "demo-oa-secret", "refresh_token": "refresh-1"}
    templates = {"301": "Hồ sơ {ma_ho_so}: {trang_thai}"}
    made = zalo.Zalo(zalo.Config.model_validate({"app_id": "123", "templates": templates} | secrets))
    made.use(keys)
    yield made
    made.close()


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def event(document: Any, *, signature: str | None = None, secret: str = "demo-oa-secret") -> Callback:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    signed = signature if signature is not None else f"mac={mac('123', body, STAMP, secret)}"
    return Callback("POST", {}, {"x-zevent-signature": signed}, body)


def said(text: str, **more: Any) -> dict[str, Any]:
    message = {"msg_id": "m-1", "text": text}
    who = {"sender": {"id": "4567"}, "recipient": {"id": "99"}}
    return {"app_id": "123", "event_name": "user_send_text", **who, "message": message, "timestamp": STAMP} | more


def test_the_signature_is_the_one_of_the_documentation() -> None:
    body = b'{"app_id":"123","event_name":"user_send_text"}'
    expected = "95482f864e5a0c4d152f9d4d64ea877ec2b27c68936b884e99c86774041c5dbe"
    assert mac("123", body, "1725154200000", "demo-oa-secret") == expected


def test_a_text_is_read_and_composed(provider: zalo.Zalo) -> None:
    (message,) = provider.inbound(event(said("Hồ sơ")), NOW)
    assert message == Inbound("m-1", "zalo:4567", "99", "Hồ sơ", NOW)


@pytest.mark.parametrize("written", ["mac={}", "mac = {}", " MAC={} "])
def test_a_signature_is_read_as_various_senders_write_it(provider: zalo.Zalo, written: str) -> None:
    body = json.dumps(said("x")).encode()
    assert provider.inbound(event(body, signature=written.format(mac("123", body, STAMP, "demo-oa-secret"))), NOW)


@pytest.mark.parametrize(
    "document",
    [said("x"), {"oa_id": "99", "follower": {"id": "4567"}, "event_name": "follow", "timestamp": STAMP}],
    ids=["in the chat", "about the account"],
)
def test_an_event_may_be_signed_with_the_account_in_the_place_of_the_app(
    provider: zalo.Zalo, document: dict[str, Any]
) -> None:
    body = json.dumps(document).encode()
    assert provider.inbound(event(body, signature=f"mac={mac('99', body, STAMP, 'demo-oa-secret')}"), NOW)
    for first, secret in (("98", "demo-oa-secret"), ("99", "another-secret"), ("", "demo-oa-secret")):
        with pytest.raises(BadSignature, match="does not match"):
            provider.inbound(event(body, signature=f"mac={mac(first, body, STAMP, secret)}"), NOW)


def test_a_notification_arrived_when_zalo_says_so_and_not_when_it_tells_us(provider: zalo.Zalo) -> None:
    arrived = NOW - timedelta(minutes=3)
    told = {"delivery_time": str(int(arrived.timestamp() * 1000)), "msg_id": "z-1", "tracking_id": "r-2"}
    document = said("", event_name="user_received_message", message=told)
    assert provider.receipts(event(document), NOW) == [Receipt("r-2", "z-1", "delivered", at=arrived)]
    document = said("", event_name="user_received_message", message=told | {"delivery_time": "soon"})
    assert provider.receipts(event(document), NOW) == [Receipt("r-2", "z-1", "delivered", at=NOW)]


@pytest.mark.parametrize("wrong", ["r\0", "r\ud800", "r" * 256, 7, ""])
def test_an_id_that_no_database_takes_is_none(provider: zalo.Zalo, wrong: Any) -> None:
    told = {"msg_id": "z-1", "tracking_id": wrong}
    document = said("", event_name="user_received_message", message=told)
    assert provider.receipts(event(document), NOW) == [Receipt(None, "z-1", "delivered", at=NOW)]
    document = said("", event_name="user_seen_message", message={"msg_ids": [wrong, "z-1"]})
    assert provider.receipts(event(document), NOW) == [Receipt(None, "z-1", "delivered", at=NOW)]


@pytest.mark.parametrize("signature", ["", "mac=", "mac=0", "x"])
def test_an_event_without_a_signature_is_refused(provider: zalo.Zalo, signature: str) -> None:
    with pytest.raises(BadSignature):
        provider.inbound(event(said("x"), signature=signature), NOW)


@pytest.mark.parametrize(
    ("later", "taken"), [(-6, False), (-4, True), (111, True), (121, False)], ids=lambda value: str(value)
)
def test_an_event_counts_for_as_long_as_zalo_calls_again(provider: zalo.Zalo, later: int, taken: bool) -> None:
    if taken:
        assert provider.inbound(event(said("x")), NOW + timedelta(minutes=later))
    else:
        with pytest.raises(BadSignature, match="another time"):
            provider.inbound(event(said("x")), NOW + timedelta(minutes=later))


def test_coming_and_going_have_an_id_that_is_the_same_when_told_again(provider: zalo.Zalo) -> None:
    came = {"app_id": "123", "oa_id": "99", "follower": {"id": "4567"}, "event_name": "follow", "timestamp": STAMP}
    for name in ("follow", "unfollow"):
        (message,) = provider.inbound(event(came | {"event_name": name}), NOW)
        assert isinstance(message, Inbound)
        assert (message.id, message.event) == (f"{name}:zalo:4567:{STAMP}", name)


def test_a_picture_is_a_text_without_words(provider: zalo.Zalo) -> None:
    (message,) = provider.inbound(event(said("nothing", event_name="user_send_image")), NOW)
    assert isinstance(message, Inbound)
    assert message.text == ""


@pytest.mark.parametrize("name", ["oa_send_text", "user_seen_message", "anonymous_send_text", "change_oa_daily_quota"])
def test_what_no_person_wrote_is_no_message(provider: zalo.Zalo, name: str) -> None:
    assert provider.inbound(event(said("x", event_name=name)), NOW) == []


@pytest.mark.parametrize(
    "document",
    [b"", b"<html>", b"[]", b'{"timestamp":"x"}', b"[" * 100_000, said("x", timestamp="soon")]
    + [said("x", sender={"id": value}) for value in ("", "a", 7, "1" * 33, None)]
    + [said("x", message=value) for value in (None, {}, {"msg_id": 1}, {"msg_id": "m\0"}, {"msg_id": "m", "text": 7})]
    + [said("x", event_name="follow"), said("x", event_name="follow", follower={"id": "x"})],
    ids=lambda document: str(document)[:40],
)
def test_what_can_not_be_read_is_said_to_be_so(provider: zalo.Zalo, document: Any) -> None:
    with pytest.raises(Malformed):
        provider.inbound(event(document), NOW)


def outcome_of(code: int) -> Outcome | type[CallFailed]:
    if code in zalo_errors.HELD:
        return ChannelRefused
    if code in zalo_errors.TOKEN:
        return Throttled(0.0, zalo_errors.TOKEN[code])
    if code in zalo_errors.LATER:
        return Throttled(None, zalo_errors.LATER[code])
    if code in zalo_errors.DOUBTFUL:
        return Unknown(f"Zalo answered {code}, {zalo_errors.DOUBTFUL[code]}")
    return Rejected(
        str(code), (zalo_errors.ELSEWHERE | zalo_errors.NEVER)[code], elsewhere=code in zalo_errors.ELSEWHERE
    )


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_error_has_its_outcome(
    provider: zalo.Zalo, keys: FixedKeys, wire: responses.RequestsMock, code: int
) -> None:
    wire.post(SEND, json={"error": code, "message": "no"})
    expected = outcome_of(code)
    if expected is ChannelRefused:
        with pytest.raises(ChannelRefused, match=str(code)):
            provider.submit([CHAT])
    else:
        assert provider.submit([CHAT]) == [expected]
    assert keys.no_good == (["access-token-1"] if code in zalo_errors.TOKEN else [])


def test_the_settings_that_are_shipped_for_it_only_have_to_be_switched_on() -> None:
    file = Path(__file__).parent.parent / "settings.toml"
    shipped = file.read_text(encoding="utf-8")
    assert "zalo" not in load(file).channels
    paragraphs = shipped.split("\n\n")
    switched_on = [re.sub("(?m)^# ", "", said) if said.startswith("# [channels.zalo]") else said for said in paragraphs]
    assert "zalo" in load(file, "\n\n".join(switched_on)).channels


def test_every_error_is_explained() -> None:
    paper = (Path(__file__).parent.parent / "docs/carriers/zalo.md").read_text(encoding="utf-8")
    assert not [code for code in ERRORS if f"−{-code}" not in paper]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 401}, ChannelRefused),
        ({"status": 404}, ChannelRefused),
        ({"body": requests.ConnectTimeout()}, Unreachable),
    ],
)
def test_a_call_that_surely_did_nothing_is_said_to_be_so(
    provider: zalo.Zalo, wire: responses.RequestsMock, answer: dict[str, Any], expected: type[CallFailed]
) -> None:
    wire.post(SEND, **answer)
    with pytest.raises(expected):
        provider.submit([CHAT])


def test_of_a_batch_that_went_through_in_part_the_rest_is_tried_again(
    provider: zalo.Zalo, wire: responses.RequestsMock
) -> None:
    wire.post(SEND, json={"error": 0, "data": {"message_id": "m-1"}})
    wire.post(NOTIFY, body=requests.ConnectTimeout())
    taken, rest = provider.submit([CHAT, NOTICE])
    assert taken == Accepted("m-1")
    assert isinstance(rest, Throttled)


def test_what_zalo_can_not_carry_is_not_sent_there(provider: zalo.Zalo, wire: responses.RequestsMock) -> None:
    long = Outbound("r", "Zalo", "zalo:4567", "a" * 2001, "gsm7", 14, UNTIL)
    foreign = Outbound("r", "Zalo", "84912345678", "Chuc mung nam moi", "gsm7", 1, UNTIL)
    for outcome, code in zip(provider.submit([long, foreign]), ("too_long", "no_template"), strict=True):
        assert isinstance(outcome, Rejected)
        assert (outcome.code, outcome.elsewhere) == (code, True)
    assert len(wire.calls) == 0


def test_a_template_gives_its_values_with_and_without_accents(
    provider: zalo.Zalo, wire: responses.RequestsMock
) -> None:
    wire.post(NOTIFY, json={"error": 0})
    for text, value in (("Hồ sơ H01: đã xong", "đã xong"), ("Ho so H01: da xong", "da xong")):
        assert provider.submit([NOTICE._replace(text=text)]) == [Accepted(None)]
        assert json.loads(wire.calls[-1].request.body or b"")["template_data"]["trang_thai"] == value


def test_a_refresh_token_is_traded_in(provider: zalo.Zalo, wire: responses.RequestsMock) -> None:
    wire.post(RENEW, json={"access_token": "a", "refresh_token": "r", "expires_in": "90000"})
    assert provider.renew("refresh-1") == Renewed("a", "r", timedelta(hours=25))
    request = wire.calls[0].request
    assert request.headers["secret_key"] == "app-secret-1"
    assert request.body == "grant_type=refresh_token&refresh_token=refresh-1&app_id=123"


@pytest.mark.parametrize(
    ("said", "lasts"),
    [(90000, timedelta(hours=25)), ("soon", timedelta(hours=1)), ("9" * 400, timedelta(days=90)), ("0", timedelta())],
)
def test_a_token_lasts_as_long_as_zalo_says_but_for_what_no_clock_can_tell(
    provider: zalo.Zalo, wire: responses.RequestsMock, said: Any, lasts: timedelta
) -> None:
    wire.post(RENEW, json={"access_token": "a", "refresh_token": "r", "expires_in": said})
    assert provider.renew("refresh-1").lifetime == lasts


@pytest.mark.parametrize(
    ("left", "daily", "quota"),
    [("7", 500, Quota(7, 500)), ("9" * 400, "500", None), (-1, 500, None), ("7", "\u0667", None), ([], 500, None)],
)
def test_a_quota_that_is_no_number_of_messages_is_not_kept(
    provider: zalo.Zalo, wire: responses.RequestsMock, left: Any, daily: Any, quota: Quota | None
) -> None:
    wire.get(QUOTA, json={"error": 0, "data": {"remainingQuota": left, "dailyQuota": daily}})
    assert provider.quota() == quota


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"json": {"error": -14014, "error_name": "Invalid refresh token"}}, ChannelRefused),
        ({"json": {"access_token": "a"}}, RenewalDoubtful),
        ({"json": {"access_token": "a", "refresh_token": "r\0", "expires_in": "90000"}}, RenewalDoubtful),
        ({"json": {"access_token": "\ud800", "refresh_token": "r", "expires_in": "90000"}}, RenewalDoubtful),
        ({"json": {"access_token": "", "refresh_token": "r", "expires_in": "90000"}}, RenewalDoubtful),
        ({"body": b"<html>"}, RenewalDoubtful),
        ({"status": 500}, RenewalDoubtful),
        ({"body": requests.ReadTimeout()}, RenewalDoubtful),
        ({"body": requests.ConnectTimeout()}, Unreachable),
    ],
)
def test_a_renewal_that_failed_says_whether_the_token_may_be_spent(
    provider: zalo.Zalo, wire: responses.RequestsMock, answer: dict[str, Any], expected: type[CallFailed]
) -> None:
    wire.post(RENEW, **answer)
    with pytest.raises(expected) as failed:
        provider.renew("refresh-1")
    assert failed.type is expected


def test_no_secret_is_in_what_is_printed_or_logged(
    provider: zalo.Zalo, wire: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wire.post(SEND, json={"error": -216})
    wire.post(RENEW, json={"error": -14014})
    provider.submit([CHAT])
    with pytest.raises(ChannelRefused) as refused:
        provider.renew("refresh-1")
    shown = (refused.value, provider, Renewed("access-token-1", "refresh-1", timedelta()))
    printed = caplog.text + "".join(map(repr, shown))
    secrets = ("access-token-1", "refresh-1", "app-secret-1", "demo-oa-secret")
    assert not [secret for secret in secrets if secret in printed]
