"""Twilio's own library reads what we say and checks what we sign."""

from __future__ import annotations

from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse

from providers import twilio
from providers.contract import Reply, Taken

URL = "https://smsgw.example.vn/carrier/twilio"
CONFIG = twilio.Config.model_validate({"account_sid": "AC1", "auth_token": "tok-5530", "callback_url": URL})


def test_our_signature_is_theirs() -> None:
    fields = {"MessageSid": "SM1", "From": "+84912345678", "Body": "Hồ sơ & + %", "Empty": ""}
    validator = RequestValidator("tok-5530")
    for url in (f"{URL}/inbound", f"{URL}/receipts?ref=r-1&x=%20"):
        signature = twilio.sign("tok-5530", url, fields)
        assert validator.validate(url, fields, signature)
        assert not validator.validate(url, fields | {"Body": "other"}, signature)


def test_our_reply_is_the_one_their_library_writes() -> None:
    provider = twilio.connect(CONFIG)
    text = "Hồ sơ <A> & B"
    said = provider.answer([Taken("SM1", "accepted", reply=Reply("r-1", "84912345678", text, "ucs2"))])
    theirs = MessagingResponse()
    theirs.message(text, status_callback=f"{URL}/receipts?ref=r-1")
    assert said.body.decode() == str(theirs)
    provider.close()
