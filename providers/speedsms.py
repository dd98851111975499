"""SpeedSMS (speedsms.vn): JSON out with Basic authentication, JSON in, replies by the API.

After SpeedSMS's page "SMS API" and public libraries. It signs nothing, so the addresses that it is told hold a key; a
message from a citizen has no id, so one is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, cast

from pydantic import BaseModel, Field, HttpUrl, SecretStr

from providers.callbacks import check_key, document, required
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
    Rejected,
    Throttled,
)
from providers.http import AT_ONCE, HeaderSecret, HttpCarrier, HttpConfig, seconds

RECEIPT = "report"  # the type of a callback that is no message
SAME_MESSAGE = 600  # seconds in which the same text of the same phone is the same message, called back again
LASTING_FAILURE = 64  # of a receipt's status; below it the carrier still tries
TOO_MANY = 429  # it takes 60 calls a minute, and says in a header of its own when the next one may come
CODES: Mapping[str, Meaning] = {
    "00": Meaning.TAKEN,
    "007": Meaning.REFUSED,  # IP address
    "008": Meaning.REFUSED,  # account locked
    "009": Meaning.REFUSED,  # not allowed
    "101": Meaning.REJECTED,  # a parameter
    "105": Meaning.REJECTED,  # phone
    "110": Meaning.REJECTED,  # letters that it can't send
    "113": Meaning.REJECTED,  # too long
    "300": Meaning.REFUSED,  # balance
    "500": Meaning.DOUBTFUL,
}


class Config(HttpConfig):
    """`sms_type`: 2 care, 3 brandname, 4 its brandname, 5 a phone's app, 6 fixed number, 7 your number, 8 two-way.

    `number`: the one that citizens write to; `key` stands in the addresses that SpeedSMS is told.
    """

    url: HttpUrl = HttpUrl("https://api.speedsms.vn/index.php")
    token: HeaderSecret
    key: SecretStr = Field(min_length=8)
    number: str = Field(min_length=1)
    sms_type: int = Field(default=3, ge=2, le=8)


def connect(config: BaseModel) -> SpeedSms:
    """A provider for one channel."""
    return SpeedSms(cast(Config, config))


class SpeedSms(HttpCarrier):
    """One channel's translator."""

    abilities: ClassVar[Abilities] = Abilities(largest_batch=AT_ONCE, one_door=True)

    def __init__(self, config: Config) -> None:
        token, self._key = config.token.get_secret_value(), config.key.get_secret_value()
        super().__init__(config.time_limit, [token, self._key])
        self._url = str(config.url).rstrip("/")
        self._login = (token, "x")
        self._number, self._type = config.number, config.sms_type

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        check_key(callback, self._key)
        said = document(callback)
        if said.get("type") == RECEIPT:
            return []
        fields = required(said, "phone", text="content")
        told = f"{fields['phone']} {fields['content']} {int(now.timestamp()) // SAME_MESSAGE}"
        id = hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()
        return [Inbound(id, fields["phone"], self._number, fields["content"])]

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        check_key(callback, self._key)
        fields = required(document(callback), "tranId", "status")
        if not (fields["status"].isascii() and fields["status"].isdigit()):
            raise Malformed([("status", "must be a number")])
        code = int(fields["status"])
        status: ReceiptStatus = "delivered" if code == 0 else "buffered" if code < LASTING_FAILURE else "undelivered"
        return [Receipt(None, fields["tranId"], status, fields["status"] if code else None)]

    def _send(self, message: Outbound) -> Outcome:
        fields = {
            "to": [message.recipient],
            "content": message.text,
            "sms_type": self._type,
            "sender": message.sender,
        }
        answer = self._line.send(message.ref, "POST", f"{self._url}/sms/send", json=fields, auth=self._login)
        if answer.status == TOO_MANY:
            return Throttled(seconds(answer.headers.get("X-Rate-Limit-Reset")), "60 calls a minute")
        said = answer.success().json()
        data = said.get("data")
        data = data if isinstance(data, dict) else {}
        if data.get("invalidPhone"):
            return Rejected("105", "the carrier finds the number invalid")
        return outcome(CODES, said.get("code"), said.get("message"), data.get("tranId"))

    def _check(self) -> str | None:
        said = self._line.ask("GET", f"{self._url}/user/info", auth=self._login).success().json()
        return None if said.get("status") == "success" else f"SpeedSMS answers {said.get('code')}: check the token"
