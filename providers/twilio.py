"""Twilio: a form out, `X-Twilio-Signature` on what comes in, the reply as TwiML in the body, status callbacks.

After Twilio's OpenAPI description and its pages of errors; its own library checks our signature and reads our TwiML in
a test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, cast
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape, quoteattr

from pydantic import BaseModel, Field, HttpUrl

from providers.callbacks import check, dialled, form, optional, required
from providers.codes import Meaning, outcome
from providers.contract import (
    Abilities,
    Accepted,
    Callback,
    CallbackAnswer,
    Inbound,
    Malformed,
    Outbound,
    Outcome,
    Receipt,
    ReceiptStatus,
    Refused,
    Taken,
)
from providers.http import AT_ONCE, HeaderSecret, HttpCarrier, HttpConfig, Unreadable

CODES: Mapping[str, Meaning] = {
    "20003": Meaning.REFUSED,  # credentials
    "20005": Meaning.REFUSED,  # the account is not active
    "20429": Meaning.LATER,  # too many calls
    "21211": Meaning.REJECTED,  # number
    "21212": Meaning.REFUSED,  # the sender is no number
    "21408": Meaning.ELSEWHERE,  # the country of that number is not switched on
    "21606": Meaning.REFUSED,  # the sender is not ours
    "21608": Meaning.REJECTED,  # an account on trial, to a phone that it has not shown to hold
    "21609": Meaning.REFUSED,  # callback_url
    "21610": Meaning.REJECTED,  # that phone said STOP
    "21611": Meaning.LATER,  # the sender's queue is full
    "21612": Meaning.ELSEWHERE,  # that number can't be reached from this sender
    "21614": Meaning.REJECTED,  # no mobile number
    "21617": Meaning.REJECTED,  # too long
    "21635": Meaning.REJECTED,  # a landline
    "21659": Meaning.REFUSED,  # the sender is no number of Twilio's
    "21730": Meaning.LATER,  # maintenance
}
STATUSES: Mapping[str, ReceiptStatus] = {
    "accepted": "buffered",
    "scheduled": "buffered",
    "queued": "buffered",
    "sending": "buffered",
    "sent": "buffered",
    "partially_delivered": "buffered",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "rejected",
    "canceled": "rejected",
}


class Config(HttpConfig):
    """`callback_url`: this channel, to the letter as Twilio is told it, because Twilio signs that."""

    url: HttpUrl = HttpUrl("https://api.twilio.com")
    account_sid: str = Field(min_length=1)
    auth_token: HeaderSecret
    callback_url: HttpUrl


def connect(config: BaseModel) -> Twilio:
    """A provider for one channel."""
    return Twilio(cast(Config, config))


class Twilio(HttpCarrier):
    """One channel's translator."""

    abilities: ClassVar[Abilities] = Abilities(largest_batch=AT_ONCE, answers_in_body=True, reports_bodies=True)

    def __init__(self, config: Config) -> None:
        self._token = config.auth_token.get_secret_value()
        super().__init__(config.time_limit, [self._token])
        self._login = (config.account_sid, self._token)
        self._account = f"{str(config.url).rstrip('/')}/2010-04-01/Accounts/{quote(config.account_sid, safe='')}"
        self._receipts = f"{str(config.callback_url).rstrip('/')}/receipts"

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        fields = self._signed(callback)
        read = required(fields, "MessageSid", "From", "To", text="Body")
        return [Inbound(read["MessageSid"], dialled(read["From"]), read["To"].lstrip("+"), read["Body"])]

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        fields = self._signed(callback)
        read = required({**fields, "ref": callback.query.get("ref")}, "ref", "MessageSid", "MessageStatus")
        if (status := STATUSES.get(read["MessageStatus"])) is None:
            raise Malformed([("MessageStatus", f"must be one of {', '.join(STATUSES)}")])
        return [Receipt(read["ref"], read["MessageSid"], status, optional(fields, "ErrorCode"))]

    def answer(self, taken: Sequence[Taken]) -> CallbackAnswer:
        inner = ""
        if reply := taken[0].reply:
            back = quoteattr(self._receipt_url(reply.ref))
            inner = f"<Message statusCallback={back}>{escape(reply.text)}</Message>"
        said = f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'
        return CallbackAnswer(said.encode(), "text/xml; charset=utf-8")

    def _signed(self, callback: Callback) -> dict[str, str]:
        """The fields of a callback whose signature is right."""
        fields, given = form(callback), callback.headers.get("x-twilio-signature", "")
        right = [sign(self._token, url, fields) for url in _spellings(callback.url)]
        found = [each for each in right if hmac.compare_digest(each.encode(), given.encode())]
        check((found or right)[0], given, SIGNATURE)
        return fields

    def _send(self, message: Outbound) -> Outcome:
        fields = {
            "To": f"+{message.recipient}",
            "From": message.sender,
            "Body": message.text,
            "StatusCallback": self._receipt_url(message.ref),
        }
        answer = self._line.send(message.ref, "POST", f"{self._account}/Messages.json", data=fields, auth=self._login)
        if 400 <= answer.status < 500:
            try:
                said = json.loads(answer.body)
                if str(said["code"]) in CODES:
                    return outcome(CODES, said["code"], said.get("message"))
            except (ValueError, KeyError, TypeError, RecursionError):
                pass  # its status says enough
        sid = answer.success().json().get("sid")
        if not isinstance(sid, str):
            raise Unreadable
        return Accepted(sid)

    def _check(self) -> str | None:
        self._line.ask("GET", f"{self._account}.json", auth=self._login).success().json()
        return None

    def _receipt_url(self, ref: str) -> str:
        return f"{self._receipts}?ref={ref}"


SIGNATURE = "X-Twilio-Signature"


def _spellings(url: str) -> tuple[str, str]:
    """Without its port and with it: Twilio signs now the one and now the other, as its own library has it."""
    parts = urlsplit(url)
    host = parts.netloc.removesuffix(f":{parts.port}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts._replace(netloc=host).geturl(), parts._replace(netloc=f"{host}:{port}").geturl()


def sign(token: str, url: str, fields: Mapping[str, str]) -> str:
    """The signature of a form posted to a URL: HMAC-SHA1 over the URL and each field with its value, in order."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()
