"""Infobip: JSON both ways, replies by the API.

The formats are those of public code and general knowledge, not verified. The webhooks are not signed, so their
addresses hold a key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from providers.callbacks import check_key, document, moment, optional, required
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

TIME = "%Y-%m-%dT%H:%M:%S.%f%z"
CODES: Mapping[str, Meaning] = {  # groups of statuses
    "PENDING": Meaning.TAKEN,
    "DELIVERED": Meaning.TAKEN,
    "UNDELIVERABLE": Meaning.REJECTED,
    "EXPIRED": Meaning.REJECTED,
    "REJECTED": Meaning.REJECTED,
}
STATUSES: Mapping[str, ReceiptStatus] = {
    "PENDING": "buffered",
    "DELIVERED": "delivered",
    "UNDELIVERABLE": "undelivered",
    "EXPIRED": "expired",
    "REJECTED": "rejected",
}


class Config(BaseModel):
    """`url`: the account's own base URL; `callback_url`: this channel, as Infobip reaches it."""

    model_config = ConfigDict(extra="forbid")

    url: HttpUrl
    api_key: SecretStr = Field(min_length=1)
    key: SecretStr = Field(min_length=8)
    callback_url: HttpUrl
    time_limit: float = Field(default=10.0, gt=0, le=120)


def connect(config: BaseModel) -> Infobip:
    """A provider for one channel."""
    return Infobip(cast(Config, config))


class Infobip(HttpCarrier):
    """One channel's translator."""

    abilities: ClassVar[Abilities] = Abilities(largest_batch=AT_ONCE)

    def __init__(self, config: Config) -> None:
        api_key, self._key = config.api_key.get_secret_value(), config.key.get_secret_value()
        super().__init__(config.time_limit, [api_key, self._key])
        self._url = str(config.url).rstrip("/")
        self._headers = {"Authorization": f"App {api_key}", "Content-Type": "application/json"}
        self._receipts = f"{str(config.callback_url).rstrip('/')}/receipts?{urlencode({'key': self._key})}"

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        return [_read(item, _inbound) for item in self._results(callback)]

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        return [_read(item, _receipt) for item in self._results(callback)]

    def _results(self, callback: Callback) -> list[Any]:
        check_key(callback, self._key)
        results = document(callback).get("results")
        if not isinstance(results, list):
            raise Malformed([("results", "must be a list")])
        return results

    def _send(self, message: Outbound) -> Outcome:
        item = {
            "sender": message.sender,
            "destinations": [{"to": message.recipient, "messageId": message.ref}],
            "content": {"text": message.text},
            "webhooks": {"delivery": {"url": self._receipts}},
        }
        body = json.dumps({"messages": [item]}).encode()
        answer = self._line.send(message.ref, "POST", f"{self._url}/sms/3/messages", data=body, headers=self._headers)
        if refusal := answer.refusal():
            return refusal
        match answer.json():
            case {"messages": [{"status": {"groupName": str(group), **rest}}]}:
                return outcome(CODES, group, rest.get("description") or rest.get("name"), message.ref)
        raise Doubtful("the carrier's answer can't be read")

    def _check(self) -> str | None:
        answer = self._line.ask("GET", f"{self._url}/account/1/balance", headers=self._headers)
        return f"Infobip answers {answer.status}: check url and api_key" if answer.refusal() else None


def _read(item: Any, reading: Any) -> Any:
    """One result; what is wrong with it does not keep its neighbours from being taken."""
    if not isinstance(item, dict):
        return Refused(None, "must be an object")
    try:
        return reading(item)
    except Malformed as wrong:
        return Refused(optional(item, "messageId"), str(wrong))


def _inbound(item: dict[str, Any]) -> Inbound:
    read = required(item, "messageId", "from", "to", text="text")
    return Inbound(read["messageId"], read["from"], read["to"], read["text"], moment(item.get("receivedAt"), TIME))


def _receipt(item: dict[str, Any]) -> Receipt:
    read = required(item, "messageId")
    status = item.get("status")
    group = status.get("groupName") if isinstance(status, dict) else None
    if not isinstance(group, str) or group not in STATUSES:
        raise Malformed([("status.groupName", f"must be one of {', '.join(STATUSES)}")])
    error = item.get("error")
    code = optional(error, "name") if isinstance(error, dict) and error.get("id") else None
    # Its messageId is the ref that we sent.
    return Receipt(read["messageId"], None, STATUSES[group], code, moment(item.get("doneAt"), TIME))
