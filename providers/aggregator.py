"""The carrier-aggregator's format, which the simulator speaks: JSON both ways, signed callbacks, bearer token.

Callbacks carry `X-Signature: t=<unix seconds>,v1=<hex>`, HMAC-SHA256 under the channel's secret over
`"<t>." + body`. A submission's `ref` is an idempotency key for 24 hours.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, cast, get_args

import orjson
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from providers.callbacks import LONGEST_ID
from providers.carrier_ids import Form, canonical
from providers.codes import of_batch
from providers.contract import (
    Abilities,
    Accepted,
    BadSignature,
    Callback,
    CallbackAnswer,
    CallFailed,
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
from providers.http import MISCONFIGURED, Answer, Doubtful, HeaderSecret, Line, Unreadable, seconds

MOST_ITEMS = 500  # in one callback
OLDEST_SIGNATURE = 300  # seconds
STATUSES: tuple[ReceiptStatus, ...] = get_args(ReceiptStatus)


class Config(BaseModel):
    """The settings that only this carrier has. `answer_ids`, `receipt_ids`: how it writes its messages' ids there."""

    model_config = ConfigDict(extra="forbid")

    url: HttpUrl
    token: HeaderSecret
    secret: SecretStr = Field(min_length=1)
    time_limit: float = Field(default=10.0, gt=0, le=120)
    answer_ids: Form = "exact"
    receipt_ids: Form = "exact"


def connect(config: BaseModel) -> Aggregator:
    """A provider for one channel."""
    return Aggregator(cast(Config, config))


class Aggregator:
    """One channel's translator."""

    abilities: ClassVar[Abilities] = Abilities(idempotent_by_ref=True, largest_batch=500)

    def __init__(self, config: Config) -> None:
        self._messages_url = f"{str(config.url).rstrip('/')}/messages"
        self._answer_ids, self._receipt_ids = config.answer_ids, config.receipt_ids
        self._secret = config.secret.get_secret_value().encode()
        self.time_limit = config.time_limit
        token = config.token.get_secret_value()
        self._line = Line(config.time_limit, [token, config.secret.get_secret_value()])
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        return [_inbound(item) for item in self._items(callback, "messages", now)]

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        return [_receipt(item, self._receipt_ids) for item in self._items(callback, "receipts", now)]

    def answer(self, taken: Sequence[Taken]) -> CallbackAnswer:
        results = [
            {"id": item.id, "status": item.status, **({"error": item.error} if item.error else {})} for item in taken
        ]
        return CallbackAnswer(json.dumps({"results": results}).encode(), "application/json")

    def submit(self, batch: Sequence[Outbound]) -> list[Outcome]:
        return of_batch(self._submitted(batch, time.monotonic() + self.time_limit / 2))

    def _submitted(self, batch: Sequence[Outbound], end: float) -> list[Outcome | CallFailed]:
        """What becomes of each message. A call that is refused as a whole does not say which one is at fault, so each
        half of it goes again by itself. The last of those calls begins before `end`, for which a lease has room."""
        body = orjson.dumps({"messages": [_submission(message) for message in batch]})
        try:
            answer = self._line.send(None, "POST", self._messages_url, data=body, headers=self._headers)
            refusal = answer.refusal()
            if refusal is None:
                return [*_outcomes(answer, batch, self._answer_ids)]
        except Doubtful as doubt:
            return [Unknown(str(doubt))] * len(batch)
        except CallFailed as failed:
            return [failed] * len(batch)
        half = len(batch) // 2
        if half == 0 or not isinstance(refusal, Rejected):
            return [refusal] * len(batch)
        if time.monotonic() >= end:
            return [Throttled(None, refusal.detail)] * len(batch)
        return [*self._submitted(batch[:half], end), *self._submitted(batch[half:], end)]

    def fault(self) -> str | None:
        try:
            answer = self._line.ask("POST", self._messages_url, data=b'{"messages": []}', headers=self._headers)
            if answer.status < 300:
                answer.json()
        except (CallFailed, Doubtful) as error:
            return f"{self._messages_url}: {error}: check the channel's url"
        if answer.status in MISCONFIGURED or 300 <= answer.status < 400:
            return f"{self._messages_url} answers {answer.status}: check the channel's url and token"
        return None if answer.status < 500 else f"{self._messages_url} answers {answer.status}: ask the carrier"

    def close(self) -> None:
        self._line.close()

    def _items(self, callback: Callback, name: str, now: datetime) -> list[Any]:
        _check_signature(callback, self._secret, now)
        try:
            document = json.loads(callback.body)
        except (ValueError, RecursionError):
            raise Malformed([("body", "must be JSON")]) from None
        if not isinstance(document, dict):
            raise Malformed([("body", f"must be an object with the member {name!r}")])
        items = document.get(name)
        if not isinstance(items, list):
            raise Malformed([(name, "must be a list")])
        if len(items) > MOST_ITEMS:
            raise Malformed([(name, f"must hold at most {MOST_ITEMS} items, holds {len(items)}")])
        return items


def sign(secret: bytes, body: bytes, at: int) -> str:
    """The value of X-Signature for a body sent at that time (unix seconds)."""
    digest = hmac.digest(secret, b"%d." % at + body, "sha256").hex()
    return f"t={at},v1={digest}"


def _check_signature(callback: Callback, secret: bytes, now: datetime) -> None:
    header = callback.headers.get("x-signature")
    if header is None:
        raise BadSignature("X-Signature is missing")
    parts = [part.strip().partition("=")[::2] for part in header.split(",")]
    stamp = next((value for name, value in parts if name == "t"), "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        raise BadSignature("X-Signature has no time t")
    right = sign(secret, callback.body, int(stamp)).partition("v1=")[2].encode()
    # While a carrier changes its secret, it signs with the old one and the new one.
    if not any(hmac.compare_digest(right, value.encode()) for name, value in parts if name == "v1"):
        raise BadSignature("X-Signature does not match the body")
    if abs(now.timestamp() - int(stamp)) > OLDEST_SIGNATURE:
        raise BadSignature("X-Signature is of another time")


class _Wrong(Exception):
    """An item that can't be taken, and why."""


def _string(item: dict[str, Any], name: str, *, longest: int | None = None, empty: bool = False) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise _Wrong(f"{name}: must be a string" if name in item else f"{name}: is missing")
    if not value and not empty:
        raise _Wrong(f"{name}: must not be empty")
    if longest is not None and (len(value) > longest or not value.isprintable()):
        raise _Wrong(f"{name}: must have at most {longest} characters, all of them printable")
    return value


def _time(item: dict[str, Any], name: str) -> datetime | None:
    value = item.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _Wrong(f"{name}: must be a time such as 2026-11-23T21:00:00+07:00") from None
    if moment.tzinfo is None:
        raise _Wrong(f"{name}: must have an offset from UTC, such as +07:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _Wrong(f"{name}: lies outside of the calendar") from None


def _own_id(item: Any, *names: str) -> str | None:
    values = (item.get(name) for name in names) if isinstance(item, dict) else ()
    return next((value for value in values if isinstance(value, str)), None)


def _inbound(item: Any) -> Inbound | Refused:
    if not isinstance(item, dict):
        return Refused(None, "must be an object")
    try:
        return Inbound(
            id=_string(item, "id", longest=LONGEST_ID),
            sender=_string(item, "from", longest=LONGEST_ID),
            recipient=_string(item, "to", longest=LONGEST_ID),
            text=_string(item, "text", empty=True),
            received_at=_time(item, "received_at"),
        )
    except _Wrong as wrong:
        return Refused(_own_id(item, "id"), str(wrong))


def _receipt(item: Any, ids: Form) -> Receipt | Refused:
    if not isinstance(item, dict):
        return Refused(None, "must be an object")
    try:
        ref = _string(item, "ref", longest=LONGEST_ID) if item.get("ref") is not None else None
        carrier_id = _string(item, "id", longest=LONGEST_ID) if item.get("id") is not None else None
        if ref is None and carrier_id is None:
            raise _Wrong("ref: is missing, and so is id")
        status = _string(item, "status")
        if status not in STATUSES:
            raise _Wrong(f"status: must be one of {', '.join(STATUSES)}")
        code = item.get("error_code")
        return Receipt(
            ref=None if ref is None else ref.lower(),
            carrier_id=None if carrier_id is None else canonical(carrier_id, ids),
            status=status,
            error_code=None if code is None else ascii(code).strip("'")[:LONGEST_ID],
            at=_time(item, "at"),
            as_written=carrier_id or ref,
        )
    except _Wrong as wrong:
        return Refused(_own_id(item, "id", "ref"), str(wrong))


def _submission(message: Outbound) -> dict[str, object]:
    return {
        "ref": message.ref,
        "from": message.sender,
        "to": message.recipient,
        "text": message.text,
        "encoding": message.encoding,
        "segments": message.segments,
        "expires_at": message.expires_at,
    }


def _outcomes(answer: Answer, batch: Sequence[Outbound], ids: Form) -> list[Outcome]:
    results = answer.json().get("results")
    if not isinstance(results, list):
        raise Unreadable
    named = {
        ref.lower(): result
        for result in results
        if isinstance(result, dict) and isinstance(ref := result.get("ref"), str)
    }
    return [_outcome(named.get(message.ref.lower()), ids) for message in batch]


def _outcome(result: Any, ids: Form) -> Outcome:
    match result:
        case {"status": "accepted"}:
            carrier_id = result.get("id")
            return Accepted(canonical(carrier_id, ids) if isinstance(carrier_id, str) else None)
        case {"status": "rejected"}:
            error = result.get("error")
            detail = error if isinstance(error, dict) else {}
            return Rejected(str(detail.get("code") or "rejected"), str(detail.get("message") or ""))
        case {"status": "throttled"}:
            return Throttled(seconds(result.get("retry_after")), "throttled")
    return Unknown("the carrier's answer does not name this message")
