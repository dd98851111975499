"""eSMS (esms.vn): JSON out, a signed query string in, the reply as XML in the body, receipts by GET.

After eSMS's public API documents. A `RequestId` is taken once in 24 hours, so our ref is safe to send again.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, cast
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from providers.callbacks import check, check_key, moment, optional, required
from providers.codes import Meaning, outcome
from providers.contract import (
    Abilities,
    Callback,
    CallbackAnswer,
    Inbound,
    Outbound,
    Outcome,
    Receipt,
    ReceiptStatus,
    Refused,
    Rejected,
    Taken,
)
from providers.http import AT_ONCE, HttpCarrier
from providers.templates import NO_TEMPLATE, Templates

SEND = "SendMultipleMessage_V4_post_json/"
BALANCE = "GetBalance_json"
CODES: Mapping[str, Meaning] = {
    "99": Meaning.REJECTED,  # the number is blocked
    "100": Meaning.TAKEN,
    "101": Meaning.REFUSED,  # ApiKey or SecretKey
    "102": Meaning.REFUSED,  # no price list
    "103": Meaning.REFUSED,  # balance
    "104": Meaning.REFUSED,  # brandname
    "105": Meaning.REJECTED,
    "107": Meaning.REJECTED,
    "108": Meaning.REJECTED,  # phone
    "110": Meaning.REJECTED,
    "120": Meaning.LATER,  # too many calls
    "124": Meaning.TAKEN,  # the RequestId was there before
    "146": Meaning.REJECTED,  # the text is by no registered template
    "177": Meaning.REJECTED,  # the brandname is not registered with that phone's carrier
    "199": Meaning.DOUBTFUL,  # the same RequestId is in process
    "204": Meaning.REFUSED,
    "300": Meaning.REFUSED,  # SmsType
    "301": Meaning.REFUSED,
    "687": Meaning.REJECTED,
    **{str(code): Meaning.REJECTED for code in range(789, 800)},  # Zalo
}


class Config(BaseModel):
    """`private_key` signs what they call us with; `key` stands in the address for receipts, which nothing signs.

    `templates`: the texts registered for the brandname, by a name of ours; none: any text is sent.
    """

    model_config = ConfigDict(extra="forbid")

    url: HttpUrl = HttpUrl("https://rest.esms.vn/MainService.svc/json")
    api_key: SecretStr = Field(min_length=1)
    secret_key: SecretStr = Field(min_length=1)
    private_key: SecretStr = Field(min_length=1)
    key: SecretStr = Field(min_length=8)
    callback_url: HttpUrl
    sms_type: str = "2"
    sandbox: bool = False
    templates: dict[str, str] = Field(default_factory=dict)
    time_limit: float = Field(default=10.0, gt=0, le=120)


def connect(config: BaseModel) -> Esms:
    """A provider for one channel."""
    return Esms(cast(Config, config))


class Esms(HttpCarrier):
    """One channel's translator."""

    abilities: ClassVar[Abilities] = Abilities(
        idempotent_by_ref=True, largest_batch=AT_ONCE, answers_in_body=True, methods=frozenset({"GET"})
    )

    def __init__(self, config: Config) -> None:
        hidden = (config.api_key, config.secret_key, config.private_key, config.key)
        api_key, secret_key, self._private_key, self._key = (secret.get_secret_value() for secret in hidden)
        super().__init__(config.time_limit, [api_key, secret_key, self._private_key, self._key])
        self._url = str(config.url).rstrip("/")
        self._login = {"ApiKey": api_key, "SecretKey": secret_key}
        self._kind = {"SmsType": config.sms_type, "Sandbox": "1" if config.sandbox else "0"}
        self._receipts = f"{str(config.callback_url).rstrip('/')}/receipts?{urlencode({'key': self._key})}"
        self._templates = Templates(config.templates)

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        query = callback.query
        signed = "".join(query.get(name, "") for name in ("cpid", "smsid", "content", "receiverTime"))
        digest = hashlib.md5((signed + self._private_key).encode(), usedforsecurity=False).digest()
        check(base64.b64encode(digest).decode(), query.get("sign", ""), "sign")
        fields = required(query, "smsid", "sender", "serviceNumber", text="content")
        # The signed time is the message's own: refusing an old one would lose what waited at the carrier.
        at = moment(query.get("receiverTime"), "%Y%m%d%H%M%S")
        return [Inbound(fields["smsid"], fields["sender"], fields["serviceNumber"], fields["content"], at)]

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        check_key(callback, self._key)
        fields = required(callback.query, "RequestId", "SMSID", "SendStatus")
        status = _status(fields["SendStatus"], callback.query.get("SendSuccess", "0"), callback.query.get("SendFailed"))
        return [Receipt(fields["RequestId"], fields["SMSID"], status, optional(callback.query, "error_info"))]

    def answer(self, taken: Sequence[Taken]) -> CallbackAnswer:
        item = taken[0]
        inner = ""
        if reply := item.reply:
            inner = (
                f"<Message>{escape(reply.text)}</Message><Smsid>{escape(item.id or '')}</Smsid>"
                f"<Receiver>{escape(reply.recipient)}</Receiver>"
            )
        return CallbackAnswer(f"<ClientResponse>{inner}</ClientResponse>".encode(), "text/xml; charset=utf-8")

    def _send(self, message: Outbound) -> Outcome:
        if not self._templates.allow(message.text):
            return Rejected(NO_TEMPLATE, "the text is by no registered template")
        fields = {
            "Phone": message.recipient,
            "Content": message.text,
            "Brandname": message.sender,
            "IsUnicode": "1" if message.encoding == "ucs2" else "0",
            "RequestId": message.ref,
            "CallbackUrl": self._receipts,
        }
        body = json.dumps({**self._login, **fields, **self._kind}).encode()
        answer = self._line.send(message.ref, "POST", f"{self._url}/{SEND}", data=body, headers=JSON)
        said = answer.refusal() or answer.json()
        if not isinstance(said, dict):
            return said
        return outcome(CODES, said.get("CodeResult"), said.get("ErrorMessage"), said.get("SMSID"))

    def _check(self) -> str | None:
        body = json.dumps(self._login).encode()
        answer = self._line.ask("POST", f"{self._url}/{BALANCE}", data=body, headers=JSON)
        code = "" if answer.refusal() else answer.json().get("CodeResponse")
        return None if code == "100" else f"eSMS answers {answer.status} {code or ''}: check api_key and secret_key"


JSON = {"Content-Type": "application/json"}


def _status(status: str, success: str, failed: str | None) -> ReceiptStatus:
    """1 and 2: waits for approval, or for its turn; 4: refused; 5: sent, and then the counts say whether it arrived."""
    if status == "4":
        return "rejected"
    if status != "5":
        return "buffered"
    if success not in ("", "0"):
        return "delivered"
    return "undelivered" if failed not in (None, "", "0") else "buffered"
