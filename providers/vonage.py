"""Vonage's SMS API: a form out, a query, a form or JSON in, replies by the API.

After Vonage's OpenAPI description of it, its pages "Inbound SMS", "Signing Messages" and "Troubleshooting SMS", and its
own libraries. Signing is something that Vonage switches on for an account; the addresses hold a key in any case.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, cast
from urllib.parse import urlencode

from pydantic import BaseModel, Field, HttpUrl, SecretStr, model_validator

from providers.callbacks import check, check_key, document, form, international, moment, optional, required
from providers.codes import Meaning, outcome
from providers.contract import (
    Abilities,
    Accepted,
    Callback,
    CallFailed,
    Inbound,
    Malformed,
    Outbound,
    Outcome,
    Part,
    Receipt,
    ReceiptStatus,
    Refused,
    Unknown,
)
from providers.http import AT_ONCE, HttpCarrier, ReportedConfig, Unreadable

LONGEST_CALLBACK = 100  # characters of the address for receipts
TIME = "%Y-%m-%d %H:%M:%S"
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
    "10": Meaning.LATER,  # too many connections
    "11": Meaning.REFUSED,  # the account is for SMPP only
    "12": Meaning.REJECTED,  # too long
    "14": Meaning.REFUSED,  # signature
    "15": Meaning.ELSEWHERE,  # the country of that number does not take the sender
    "22": Meaning.REJECTED,  # the network does not fit the number
    "23": Meaning.REFUSED,  # callback_url
    "29": Meaning.REFUSED,  # the account is on trial
    "32": Meaning.REFUSED,  # signed, and with a secret
    "33": Meaning.REJECTED,  # the number is no more
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
NO_ERROR = ("0", "000")
MOST_PARTS = 255
Method = Literal["md5hash", "md5", "sha1", "sha256", "sha512"]


class Config(ReportedConfig):
    """`signature_secret`: with which Vonage signs, if it does for this account; `signature_method`: and how."""

    url: HttpUrl = HttpUrl("https://rest.nexmo.com")
    api_key: str = Field(min_length=1)
    api_secret: SecretStr = Field(min_length=1)
    signature_secret: SecretStr | None = Field(default=None, min_length=1)
    signature_method: Method = "md5hash"

    @model_validator(mode="after")
    def _short_enough(self) -> Config:
        if (length := len(self.receipts_url)) > LONGEST_CALLBACK:
            raise ValueError(
                f"the address for receipts, which is made of callback_url and key, has {length} characters;"
                f" expected at most {LONGEST_CALLBACK}, which is all that Vonage takes"
            )
        return self


def connect(config: BaseModel) -> Vonage:
    """A provider for one channel."""
    return Vonage(cast(Config, config))


class Vonage(HttpCarrier):
    """One channel's translator."""

    abilities: ClassVar[Abilities] = Abilities(largest_batch=AT_ONCE, methods=frozenset({"GET", "POST"}))

    def __init__(self, config: Config) -> None:
        secret, self._key = config.api_secret.get_secret_value(), config.key.get_secret_value()
        self._signing = config.signature_secret.get_secret_value() if config.signature_secret else None
        self._method = config.signature_method
        super().__init__(config.time_limit, [secret, self._key])
        self._url = str(config.url).rstrip("/")
        self._login = {"api_key": config.api_key, "api_secret": secret}
        self._receipts = config.receipts_url

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        fields = self._fields(callback)
        read = required(fields, "messageId", "msisdn", "to", text="text")
        sender, at = international(read["msisdn"]), moment(optional(fields, "message-timestamp"), TIME, UTC)
        return [Inbound(read["messageId"], sender, read["to"], read["text"], at, part=_part(fields))]

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        fields = self._fields(callback)
        read = required(fields, "messageId", "status")
        if (status := STATUSES.get(read["status"])) is None:
            raise Malformed([("status", f"must be one of {', '.join(STATUSES)}")])
        code, ref = optional(fields, "err-code"), optional(fields, "client-ref")
        at = moment(optional(fields, "message-timestamp"), TIME, UTC)
        return [Receipt(ref, read["messageId"], status, None if code in NO_ERROR else code, at)]

    def _fields(self, callback: Callback) -> Mapping[str, Any]:
        """An account says in which of three forms it wants them."""
        check_key(callback, self._key)
        fields = document(callback) if "json" in callback.headers.get("content-type", "").lower() else form(callback)
        if self._signing is not None:
            # The key is part of the address that Vonage was told, and nothing that it says itself.
            signed = {name: value for name, value in fields.items() if name not in ("sig", "key")}
            check(sign(self._signing, self._method, signed), str(fields.get("sig", "")).lower(), "the field sig")
        return fields

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
        match answer.success().json():
            case {"messages": [_, *_] as parts} if all(isinstance(part, dict) and "status" in part for part in parts):
                return _together([_result(part) for part in parts])
        raise Unreadable

    def _check(self) -> str | None:
        self._line.ask("GET", f"{self._url}/account/get-balance?{urlencode(self._login)}").success().json()
        return None


def _result(part: Mapping[str, Any]) -> Outcome | CallFailed:
    try:
        return outcome(CODES, part["status"], part.get("error-text"), part.get("message-id"))
    except CallFailed as failed:
        return failed


def _together(results: Sequence[Outcome | CallFailed]) -> Outcome:
    """What is so of a text that has one result for each part. Raises CallFailed if Vonage surely has none of them."""
    first, other = results[0], next((one for one in results if not isinstance(one, Accepted)), None)
    if other is None or len(results) == 1 or not any(isinstance(one, Accepted | Unknown) for one in results):
        if isinstance(first, CallFailed):
            raise first
        return first
    names = tuple(one.carrier_id if isinstance(one, Accepted) else None for one in results)
    why = str(other) if isinstance(other, CallFailed) else other.detail
    return Unknown(f"Vonage took {len(names) - names.count(None)} of {len(names)} parts: {why}", names)


def sign(secret: str, method: Method, fields: Mapping[str, Any]) -> str:
    """The signature of a callback's fields, `sig` left out: in hexadecimal, lower case."""
    told = "".join(f"&{name}={str(fields[name]).translate(_SIGNED_AS)}" for name in sorted(fields))
    said = told.encode("utf-8", "replace")  # the text of a part may end with half of a surrogate pair
    if method == "md5hash":
        return hashlib.md5(said + secret.encode(), usedforsecurity=False).hexdigest()
    return hmac.new(secret.encode(), said, method).hexdigest()


_SIGNED_AS = str.maketrans("&=", "__")


def _part(fields: Mapping[str, Any]) -> Part | None:
    """Which part of a long text a message is; None for one that is whole, or says it in a way that can't be read."""
    reference, *numbers = (optional(fields, f"concat-{name}") for name in ("ref", "total", "part"))
    count, number = (int(said) if said and said.isascii() and said.isdigit() else 0 for said in numbers)
    return Part(reference, count, number) if reference and 1 <= number <= count <= MOST_PARTS and count > 1 else None
