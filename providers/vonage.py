"""Vonage's SMS API: a form out, a query or a form in, replies by the API.

The formats are those of public code and general knowledge, not verified. The webhooks are not signed, so their
addresses hold a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar, cast
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from providers.callbacks import check_key, form, moment, required
from providers.codes import Meaning, outcome
from providers.contract import (
    Abilities,
    Callback,
    Inbound,
    Malformed,
    Outbound,
    Outcome,
    Receipt,
    ReceiptStatus,
    Refused,
)
from providers.http import AT_ONCE, Doubtful, HttpCarrier

CODES: Mapping[str, Meaning] = {
    "0": Meaning.TAKEN,
    "1": Meaning.LATER,  # too fast
    "2": Meaning.REJECTED,  # a parameter is missing
    "3": Meaning.REJECTED,  # a parameter is invalid
    "4": Meaning.REFUSED,  # credentials
    "5": Meaning.DOUBTFUL,  # a fault of theirs
    "6": Meaning.REJECTED,  # can't be routed
    "7": Meaning.REJECTED,  # the number is barred
    "8": Meaning.REFUSED,  # the account is barred
    "9": Meaning.REFUSED,  # balance
}
STATUSES: Mapping[str, ReceiptStatus] = {
    "accepted": "buffered",
    "buffered": "buffered",
    "unknown": "buffered",
    "delivered": "delivered",
    "expired": "expired",
    "failed": "undelivered",
    "rejected": "rejected",
}
NO_ERROR = ("", "0", "000")


class Config(BaseModel):
    """`callback_url`: this channel, as Vonage reaches it."""

    model_config = ConfigDict(extra="forbid")

    url: HttpUrl = HttpUrl("https://rest.nexmo.com")
    api_key: str = Field(min_length=1)
    api_secret: SecretStr = Field(min_length=1)
    key: SecretStr = Field(min_length=8)
    callback_url: HttpUrl
    time_limit: float = Field(default=10.0, gt=0, le=120)


def connect(config: BaseModel) -> Vonage:
    """A provider for one channel."""
    return Vonage(cast(Config, config))


class Vonage(HttpCarrier):
    """One channel's translator."""

    abilities: ClassVar[Abilities] = Abilities(largest_batch=AT_ONCE, methods=frozenset({"GET", "POST"}))

    def __init__(self, config: Config) -> None:
        secret, self._key = config.api_secret.get_secret_value(), config.key.get_secret_value()
        super().__init__(config.time_limit, [secret, self._key])
        self._url = str(config.url).rstrip("/")
        self._login = {"api_key": config.api_key, "api_secret": secret}
        self._receipts = f"{str(config.callback_url).rstrip('/')}/receipts?{urlencode({'key': self._key})}"

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        check_key(callback, self._key)
        fields = form(callback)
        read = required(fields, "messageId", "msisdn", "to", text="text")
        at = moment(fields.get("message-timestamp"), "%Y-%m-%d %H:%M:%S", UTC)
        return [Inbound(read["messageId"], read["msisdn"], read["to"], read["text"], at)]

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        check_key(callback, self._key)
        fields = form(callback)
        read = required(fields, "messageId", "status")
        if (status := STATUSES.get(read["status"])) is None:
            raise Malformed([("status", f"must be one of {', '.join(STATUSES)}")])
        code = fields.get("err-code", "")
        return [Receipt(fields.get("client-ref"), read["messageId"], status, None if code in NO_ERROR else code)]

    def _send(self, message: Outbound) -> Outcome:
        fields = {
            **self._login,
            "from": message.sender,
            "to": message.recipient,
            "text": message.text,
            "type": "unicode" if message.encoding == "ucs2" else "text",
            "client-ref": message.ref,
            "callback": self._receipts,
        }
        answer = self._line.send(message.ref, "POST", f"{self._url}/sms/json", data=fields)
        if refusal := answer.refusal():
            return refusal
        match answer.json():
            case {"messages": [{"status": status, **rest}, *_]}:
                return outcome(CODES, status, rest.get("error-text"), rest.get("message-id"))
        raise Doubtful("the carrier's answer can't be read")

    def _check(self) -> str | None:
        answer = self._line.ask("GET", f"{self._url}/account/get-balance?{urlencode(self._login)}")
        return f"Vonage answers {answer.status}: check api_key and api_secret" if answer.refusal() else None
