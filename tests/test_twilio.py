"""Twilio's own library reads what we say and checks what we sign."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse

from providers import twilio
from providers.contract import BadSignature, Callback, Reply, Taken
from tests.world import NOON

URL = "https://smsgw.example.vn/carrier/twilio"
CONFIG = twilio.Config.model_validate({"account_sid": "AC1", "auth_token": "tok-5530", "callback_url": URL})


def test_our_signature_is_theirs() -> None:
    fields = {"MessageSid": "SM1", "From": "+84912345678", "Body": "Hồ sơ & + %", "Empty": ""}
    validator = RequestValidator("tok-5530")
    for url in (f"{URL}/inbound", f"{URL}/receipts?ref=r-1&x=%20"):
        signature = twilio.sign("tok-5530", url, fields)
        assert validator.validate(url, fields, signature)
        assert not validator.validate(url, fields | {"Body": "other"}, signature)


@pytest.mark.parametrize("port", [":8443", ":443", ""])
def test_what_twilio_signs_with_the_port_or_without_it_is_let_in(port: str) -> None:
    """Its library tries both, `since sig generation on back end is inconsistent`."""
    provider, fields = twilio.connect(CONFIG), {"MessageSid": "SM1", "From": "+84912345678", "To": "+1", "Body": "HS"}
    here, without = (f"https://smsgw.example.vn{there}/carrier/twilio/inbound?x=%20" for there in (port, ""))

    def let_in(signed: str) -> bool:
        signature = RequestValidator("tok-5530").compute_signature(signed, fields)
        callback = Callback("POST", {"x": " "}, {"x-twilio-signature": signature}, urlencode(fields).encode(), url=here)
        try:
            return len(provider.inbound(callback, NOON)) == 1
        except BadSignature:
            return False

    assert let_in(here)
    assert let_in(without)
    assert let_in(without.replace(".vn/", f".vn{port or ':443'}/"))
    assert not let_in(without.replace(".vn/", ".vn:8444/"))
    provider.close()


def test_our_reply_is_the_one_their_library_writes() -> None:
    provider = twilio.connect(CONFIG)
    text = "Hồ sơ <A> & B"
    said = provider.answer([Taken("SM1", "accepted", reply=Reply("r-1", "84912345678", text, "ucs2"))])
    theirs = MessagingResponse()
    theirs.message(text, status_callback=f"{URL}/receipts?ref=r-1")
    assert said.body.decode() == str(theirs)
    provider.close()
