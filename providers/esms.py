"""eSMS (esms.vn): JSON out, a signed query string in, the reply as XML in the body, receipts by GET.

After eSMS's public API documents. A `RequestId` is taken once a day, so our ref is safe to send again for a while.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, cast
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from pydantic import BaseModel, Field, HttpUrl, SecretStr

from providers.callbacks import check, check_key, moment, optional, required
from providers.codes import Meaning, outcome
from providers.contract import (
    Abilities,
    Callback,
    CallbackAnswer,
    Inbound,
    Malformed,
    Outbound,
    Outcome,
    Receipt,
    ReceiptStatus,
    Refused,
    Rejected,
    Taken,
)
from providers.http import AT_ONCE, HttpCarrier, ReportedConfig
from providers.templates import UNREGISTERED, Templates

SEND = "SendMultipleMessage_V4_post_json/"
BALANCE = "GetBalance_json"
# The day by the calendar ends at midnight, so the ref is relied on for no longer than a try and those after it take.
SAME_DAY = timedelta(hours=1)
BLOCKED = "99"
CODES: Mapping[str, Meaning] = {
    BLOCKED: Meaning.REJECTED,  # the number is blocked
    "100": Meaning.TAKEN,
    "101": Meaning.REFUSED,  # ApiKey or SecretKey
    "102": Meaning.REFUSED,  # no price list
    "103": Meaning.REFUSED,  # balance
    "104": Meaning.REFUSED,  # brandname
    "105": Meaning.REJECTED,  # no such SMSID
    "106": Meaning.REJECTED,  # a recording
    "107": Meaning.REJECTED,  # less than 30 phones for an advertisement
    "108": Meaning.REJECTED,  # phone
    "110": Meaning.REJECTED,  # data
    "115": Meaning.REJECTED,  # the hash of a phone
    "118": Meaning.REFUSED,  # SmsType
    "120": Meaning.REJECTED,  # too many phones for an advertisement
    "124": Meaning.TAKEN,  # the RequestId was there before
    "140": Meaning.REFUSED,  # our address is not on their list
    "146": Meaning.ELSEWHERE,  # the text is by no registered template
    "171": Meaning.REJECTED,  # a voucher
    "177": Meaning.ELSEWHERE,  # the brandname is not registered with that phone's carrier
    "199": Meaning.DOUBTFUL,  # the same is in process
    "204": Meaning.REFUSED,  # the Zalo account
    "210": Meaning.REJECTED,  # form of a Zalo message
    "300": Meaning.REFUSED,  # SmsType
    "301": Meaning.REFUSED,  # SmsType
    "687": Meaning.REJECTED,  # more than 500 phones
    **{str(code): Meaning.REJECTED for code in range(788, 800)},  # Zalo
}

OVER = "5"  # and then the counts say how it ended
STATUSES: Mapping[str, ReceiptStatus] = {
    "1": "buffered",  # waits for approval
    "2": "buffered",  # waits for its turn
    "4": "rejected",
    OVER: "buffered",
    "7": "buffered",  # sent, and nothing known yet
}
NONE = (None, "", "0")


class Config(ReportedConfig):
    """`private_key` signs citizens' messages; `key` stands in the address for receipts, which nothing signs.

    `templates`: the texts registered for the brandname, by a name of ours; none: any text is sent.
    """

    url: HttpUrl = HttpUrl("https://rest.esms.vn/MainService.svc/json")
    api_key: SecretStr = Field(min_length=1)
    secret_key: SecretStr = Field(min_length=1)
    private_key: SecretStr = Field(min_length=1)
    sms_type: str = "2"
    sandbox: bool = False
    templates: dict[str, str] = Field(default_factory=dict)


def connect(config: BaseModel) -> Esms:
    """A provider for one channel."""
    return Esms(cast(Config, config))


class Esms(HttpCarrier):
    """One channel's translator."""

    abilities: ClassVar[Abilities] = Abilities(
        idempotent_by_ref=True,
        ref_known_for=SAME_DAY,
        largest_batch=AT_ONCE,
        answers_in_body=True,
        methods=frozenset({"GET"}),
    )

    def __init__(self, config: Config) -> None:
        hidden = (config.api_key, config.secret_key, config.private_key, config.key)
        api_key, secret_key, self._private_key, self._key = (secret.get_secret_value() for secret in hidden)
        super().__init__(config.time_limit, [api_key, secret_key, self._private_key, self._key])
        self._url = str(config.url).rstrip("/")
        self._login = {"ApiKey": api_key, "SecretKey": secret_key}
        self._kind = {"SmsType": config.sms_type, "Sandbox": "1" if config.sandbox else "0"}
        self._receipts = config.receipts_url
        self.templates = Templates(config.templates)

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        query = callback.query
        signed = "".join(query.get(name, "") for name in ("cpid", "smsid", "content", "receiverTime"))
        digest = hashlib.md5((signed + self._private_key).encode(), usedforsecurity=False).digest()
        # Its documents show the address without anything quoted, and a `+` that isn't arrives as a blank.
        check(base64.b64encode(digest).decode(), query.get("sign", "").replace(" ", "+"), "sign")
        fields = required(query, "smsid", "sender", "serviceNumber", text="content")
        # The signed time is the message's own: refusing an old one would lose what waited at the carrier.
        at = moment(query.get("receiverTime"), "%Y%m%d%H%M%S")
        return [Inbound(fields["smsid"], fields["sender"], fields["serviceNumber"], fields["content"], at)]

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        # Its documents show `?` behind the address that it was told, which has one already.
        query = dict(parse_qsl(urlsplit(callback.url).query.replace("?", "&"), keep_blank_values=True))
        check_key(replace(callback, query=query), self._key)
        fields = required(query, "SMSID")
        ref, why = optional(query, "RequestId"), optional(query, "error_info")
        return [Receipt(ref, fields["SMSID"], _status(query), why)]

    def answer(self, taken: Sequence[Taken]) -> CallbackAnswer:
        item = taken[0]
        inner = ""
        if reply := item.reply:
            inner = (
                f"<Message>{escape(reply.text)}</Message><Smsid>{escape(item.id or '')}</Smsid>"
                f"<Receiver>{escape(reply.recipient)}</Receiver>"
            )
        return CallbackAnswer(f"<ClientResponse>{inner}</ClientResponse>".encode(), "text/xml; charset=utf-8")

    def _send(self, given: Outbound) -> Outcome:
        if (message := self.templates.as_registered(given)) is None:
            return UNREGISTERED
        fields = {
            "Phone": message.recipient,
            "Content": message.text,
            "Brandname": message.sender,
            "IsUnicode": "1" if message.encoding == "ucs2" else "0",
            "RequestId": message.ref,
            "CallbackUrl": self._receipts,
        }
        body = {**self._login, **fields, **self._kind}
        said = self._line.send(message.ref, "POST", f"{self._url}/{SEND}", json=body).success().json()
        if "CodeResult" not in said and "error" in said:  # so it says 99
            return Rejected(BLOCKED, str(said["error"]))
        return outcome(CODES, said.get("CodeResult"), said.get("ErrorMessage"), said.get("SMSID"))

    def _check(self) -> str | None:
        code = self._line.ask("POST", f"{self._url}/{BALANCE}", json=self._login).success().json().get("CodeResponse")
        return None if code == "100" else f"eSMS answers {code}: check api_key and secret_key"


def _status(query: Mapping[str, str]) -> ReceiptStatus:
    """What a receipt says. Raises Malformed."""
    status = query.get("SendStatus", "")
    if status != OVER:
        if status not in STATUSES:
            raise Malformed([("SendStatus", f"must be one of {', '.join(STATUSES)}")])
        return STATUSES[status]
    if query.get("SendSuccess") not in NONE:
        return "delivered"
    return "undelivered" if query.get("SendFailed") not in NONE else STATUSES[OVER]
