"""Kannel 1.4 (bearerbox and smsbox): `sendsms` out, `get-url` in with the reply in the body, `dlr-url` for receipts.

After Kannel's user guide 1.4.5 and the programs themselves. What its two configuration files need is in
docs/carriers/kannel.md. Kannel signs nothing, so the addresses it is told hold a key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar, cast
from urllib.parse import urlencode

from pydantic import BaseModel, Field, HttpUrl, SecretStr

from providers.callbacks import check_key, dialled, moment, optional, raw_query, required
from providers.contract import (
    Abilities,
    Accepted,
    Callback,
    CallbackAnswer,
    ChannelRefused,
    Encoding,
    Inbound,
    Malformed,
    Outbound,
    Outcome,
    Receipt,
    ReceiptStatus,
    Refused,
    Rejected,
    Taken,
    Throttled,
    Unknown,
)
from providers.http import AT_ONCE, Answer, HttpCarrier, ReportedConfig

CODINGS: Mapping[Encoding, int] = {"gsm7": 0, "ucs2": 2}
EVERY_RECEIPT = 31  # delivered 1, failed 2, buffered 4, taken by the SMSC 8, refused by it 16
STATUSES: Mapping[str, ReceiptStatus] = {
    "1": "delivered",
    "2": "undelivered",
    "4": "buffered",
    "8": "buffered",
    "16": "rejected",
}
# What %C calls a message that is not binary; "GSM" has been recoded to UTF-8 by then.
CHARSETS = {"": "utf-8", "gsm": "utf-8", "utf-8": "utf-8", "utf-16be": "utf-16-be", "windows-1252": "windows-1252"}


class Config(ReportedConfig):
    """`url`: of smsbox's sendsms."""

    url: HttpUrl = HttpUrl("http://127.0.0.1:13013/cgi-bin/sendsms")
    username: str = Field(min_length=1)
    password: SecretStr = Field(min_length=1)
    smsc: str = ""


def connect(config: BaseModel) -> Kannel:
    """A provider for one channel."""
    return Kannel(cast(Config, config))


class Kannel(HttpCarrier):
    """One channel's translator."""

    abilities: ClassVar[Abilities] = Abilities(
        largest_batch=AT_ONCE, answers_in_body=True, reports_bodies=True, methods=frozenset({"GET"})
    )

    def __init__(self, config: Config) -> None:
        password, self._key = config.password.get_secret_value(), config.key.get_secret_value()
        super().__init__(config.time_limit, [password, self._key])
        self._url = str(config.url)
        self._login = {"username": config.username, "password": password}
        self._smsc = {"smsc": config.smsc} if config.smsc else {}
        self._receipts = config.receipts_url

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        check_key(callback, self._key)
        fields = required(callback.query, "id", "from", "to")
        text = _text(raw_query(callback).get("text"), callback.query.get("charset", ""))
        at = moment(callback.query.get("time"), "%Y-%m-%d %H:%M", UTC)
        return [Inbound(fields["id"], dialled(fields["from"]), fields["to"].removeprefix("+"), text, at)]

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        check_key(callback, self._key)
        fields = required(callback.query, "ref", "status")
        if (status := STATUSES.get(fields["status"])) is None:
            raise Malformed([("status", f"must be one of {', '.join(STATUSES)}")])
        said = optional(callback.query, "answer") if status in ("undelivered", "rejected") else None
        return [Receipt(fields["ref"], None, status, said, as_written=fields["ref"])]

    def answer(self, taken: Sequence[Taken]) -> CallbackAnswer:
        kind = "text/plain; charset=utf-8"
        reply = taken[0].reply
        if reply is None:
            return CallbackAnswer(b"", kind)
        headers = {
            "X-Kannel-Coding": str(CODINGS[reply.encoding]),
            "X-Kannel-DLR-Mask": str(EVERY_RECEIPT),
            "X-Kannel-DLR-Url": self._receipt_url(reply.ref),
        }
        return CallbackAnswer(reply.text.encode(), kind, headers)

    def _send(self, message: Outbound) -> Outcome:
        fields = {
            "from": message.sender,
            "to": message.recipient,
            "text": message.text,
            "charset": "UTF-8",
            "coding": CODINGS[message.encoding],
            "dlr-mask": EVERY_RECEIPT,
            "dlr-url": self._receipt_url(message.ref),
        }
        query = urlencode({**self._login, **fields, **self._smsc})
        return _outcome(self._line.send(message.ref, "GET", f"{self._url}?{query}"))

    def _check(self) -> str | None:
        # Kannel looks at the name first, then at the number, and without one sends nothing.
        answer = self._line.ask("GET", f"{self._url}?{urlencode(self._login)}")
        if answer.status in (401, 403, 404) or "uthorization" in answer.text():
            return f"sendsms answers {answer.status}: check url, username and password, and Kannel's sendsms-user"
        if answer.status >= 500:
            return f"sendsms answers {answer.status}: is bearerbox running?"
        if "receiver" not in answer.text():  # bearerbox's own port answers 200, as many a web page does
            return f"what answers {answer.status} there is not Kannel's sendsms: check url"
        return None

    def _receipt_url(self, ref: str) -> str:
        # Kannel puts the receipt's status for %d and the SMSC's words for %A, so these are not to be quoted.
        return f"{self._receipts}&{urlencode({'ref': ref})}&status=%d&answer=%A"


def _text(raw: bytes | None, charset: str) -> str:
    if raw is None:
        raise Malformed([("text", "is missing")])
    if (name := CHARSETS.get(charset.lower())) is None:
        raise Malformed([("charset", f"must be one of {', '.join(filter(None, CHARSETS))}")])
    return raw.decode(name, "replace")


def _outcome(answer: Answer) -> Outcome:
    said = answer.text().strip()[:200]
    if answer.status == 202 and said[:2] in ("0:", "3:"):
        return Accepted(None)
    if answer.status == 503 and "Temporal failure" in said:
        return Throttled(None, said)
    if "uthorization failed" in said:
        raise ChannelRefused("Kannel does not take our username and password")
    if answer.status == 403 and "ot routable" in said:  # it has no SMSC for that number, and others may
        return Rejected("not_routable", said, elsewhere=True)
    return answer.refusal() or Unknown("Kannel's answer can't be read")
