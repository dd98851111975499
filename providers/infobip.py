"""Infobip: JSON both ways, replies by the API.

After Infobip's own client library and its page "Message status codes". What it calls us with is known by a key in the
addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, TypeVar, cast

from pydantic import BaseModel, HttpUrl

from providers.callbacks import check_key, document, international, moment, optional, required
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
from providers.http import AT_ONCE, HeaderSecret, HttpCarrier, ReportedConfig, Unreadable

_Item = TypeVar("_Item", Inbound, Receipt)

TIME = "%Y-%m-%dT%H:%M:%S.%f%z"
# Groups of statuses, and those statuses that say something else than their group.
CODES: Mapping[str, Meaning] = {
    "PENDING": Meaning.TAKEN,
    "DELIVERED": Meaning.TAKEN,
    "UNDELIVERABLE": Meaning.REJECTED,
    "EXPIRED": Meaning.REJECTED,
    "REJECTED": Meaning.REJECTED,
    "REJECTED_NETWORK": Meaning.ELSEWHERE,  # the network of that number is not covered, or not set up for the account
    "REJECTED_DUPLICATE_MESSAGE_ID": Meaning.TAKEN,  # it has one under our ref
    "REJECTED_FLOODING_FILTER": Meaning.LATER,  # 20 a phone and hour, 6 of them alike
    "REJECTED_SYSTEM_ERROR": Meaning.LATER,
    "REJECTED_SOURCE": Meaning.REFUSED,  # the sender is not registered
    "REJECTED_SENDER": Meaning.REFUSED,  # the sender is barred
    "REJECTED_NOT_ENOUGH_CREDITS": Meaning.REFUSED,
    "REJECTED_PREPAID_PACKAGE_EXPIRED": Meaning.REFUSED,
    "REJECTED_ROUTE_NOT_AVAILABLE": Meaning.REFUSED,  # the account may not send anywhere
}
STATUSES: Mapping[str, ReceiptStatus] = {
    "PENDING": "buffered",
    "DELIVERED": "delivered",
    "UNDELIVERABLE": "undelivered",
    "EXPIRED": "expired",
    "REJECTED": "rejected",
    "DELIVERED_TO_OPERATOR": "buffered",  # of the group DELIVERED, but not at the handset yet
    "REJECTED_DUPLICATE_MESSAGE_ID": "buffered",  # about the copy; the first one goes its way
}
GROUPS = [name for name in STATUSES if "_" not in name]


class Config(ReportedConfig):
    """`url`: the account's own base URL."""

    url: HttpUrl
    api_key: HeaderSecret


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
        self._headers = {"Authorization": f"App {api_key}"}
        self._receipts = config.receipts_url

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
        url, body = f"{self._url}/sms/3/messages", {"messages": [item]}
        answer = self._line.send(message.ref, "POST", url, json=body, headers=self._headers)
        match answer.success().json():
            case {"messages": [{"status": {"groupName": str(group), **rest}}]}:
                name = str(rest.get("name"))
                return outcome(CODES, name if name in CODES else group, rest.get("description") or name, message.ref)
        raise Unreadable

    def _check(self) -> str | None:
        self._line.ask("GET", f"{self._url}/account/1/balance", headers=self._headers).success().json()
        return None


def _read(item: Any, reading: Callable[[dict[str, Any]], _Item]) -> _Item | Refused:
    """One result; what is wrong with it does not keep its neighbours from being taken."""
    if not isinstance(item, dict):
        return Refused(None, "must be an object")
    try:
        return reading(item)
    except Malformed as wrong:
        return Refused(optional(item, "messageId"), str(wrong))


def _inbound(item: dict[str, Any]) -> Inbound:
    read = required(item, "messageId", "from", "to", text="text")
    at = moment(item.get("receivedAt"), TIME)
    return Inbound(read["messageId"], international(read["from"]), read["to"], read["text"], at)


def _receipt(item: dict[str, Any]) -> Receipt:
    read = required(item, "messageId")
    match item.get("status"):
        case {"groupName": str(group), **rest} if group in GROUPS:
            name = str(rest.get("name", group))
            status = STATUSES.get(name, STATUSES[group])
        case _:
            raise Malformed([("status.groupName", f"must be one of {', '.join(GROUPS)}")])
    error = item.get("error")
    code = optional(error, "name") if isinstance(error, dict) and error.get("id") else None
    if code is None and name != group and status not in ("buffered", "delivered"):
        code = optional({"name": name}, "name")
    # Its messageId is the ref that we sent.
    return Receipt(read["messageId"], None, status, code, moment(item.get("doneAt"), TIME))
