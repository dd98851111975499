"""FPT's brandname service: a token by OAuth2 client credentials, the text in base64, receipts; no messages in.

After integrators' public code, which knows some of its codes; the manual that lists them all is not published.
"""

from __future__ import annotations

import base64
import hashlib
import math
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, cast

from pydantic import BaseModel, Field, HttpUrl, SecretStr

from providers.callbacks import check, document, optional, required
from providers.codes import Meaning, outcome
from providers.contract import (
    Abilities,
    Accepted,
    Callback,
    CallbackAnswer,
    CallFailed,
    ChannelRefused,
    Outbound,
    Outcome,
    Receipt,
    ReceiptStatus,
    Refused,
    Rejected,
    Taken,
    Throttled,
    Unreachable,
)
from providers.http import AT_ONCE, LATER, Answer, Doubtful, HttpCarrier, HttpConfig, Unreadable, seconds

SCOPE = "send_brandname_otp send_brandname"
SPARE = 60.0  # seconds before its end that a token is not used any more
# Some have two or three spellings.
CODES: Mapping[str, Meaning] = {
    "1008": Meaning.REFUSED,  # client_id or client_secret
    "1011": Meaning.LATER,  # the token is wrong
    "1013": Meaning.LATER,  # the token is too old
    "2501": Meaning.TAKEN,  # it has the same text for the same phone since less than five minutes
    **dict.fromkeys(("2513", "2", "-8"), Meaning.REFUSED),  # brandname
    **dict.fromkeys(("2518", "5", "-20"), Meaning.ELSEWHERE),  # the text is by no registered template
    **dict.fromkeys(("2519", "6", "-18"), Meaning.REJECTED),  # a forbidden word
}
STATUSES: Mapping[str, ReceiptStatus] = {"1": "delivered", "0": "undelivered", "2": "buffered", "-11": "buffered"}


class Config(HttpConfig):
    """`receipt_key`: what they show us in `Authorization`."""

    url: HttpUrl = HttpUrl("https://api01.sms.fpt.net")
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)
    receipt_key: SecretStr = Field(min_length=8)


def connect(config: BaseModel) -> Fpt:
    """A provider for one channel."""
    return Fpt(cast(Config, config))


class Fpt(HttpCarrier):
    """One channel's translator. It keeps its token, which is good for any number of calls until it ends."""

    abilities: ClassVar[Abilities] = Abilities(largest_batch=AT_ONCE, receives=False)
    calls = 2  # for a token, and with it

    def __init__(self, config: Config) -> None:
        secret, self._receipt_key = config.client_secret.get_secret_value(), config.receipt_key.get_secret_value()
        super().__init__(config.time_limit, [secret, self._receipt_key])
        self._url = str(config.url).rstrip("/")
        self._login = {"grant_type": "client_credentials", "client_id": config.client_id, "client_secret": secret}
        self._session = hashlib.sha256(config.client_id.encode()).hexdigest()[:32]
        self._one_asks = threading.Lock()
        self._token, self._ends = "", 0.0
        self._asked_at = -math.inf  # when the last answer about a token came, and why none came with it
        self._failed: CallFailed | None = None

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        check(self._receipt_key, callback.headers.get("authorization", ""), "Authorization")
        given = {name.lower(): value for name, value in document(callback).items()}  # `status` and `Status` are seen
        fields = required(given, "smsid", "status")
        status = STATUSES.get(fields["status"], "undelivered")
        code = None if status in ("delivered", "buffered") else optional(given, "error") or fields["status"]
        return [Receipt(None, fields["smsid"], status, code)]

    def answer(self, taken: Sequence[Taken]) -> CallbackAnswer:
        return CallbackAnswer(b'{"status":1}', "application/json")

    def _send(self, message: Outbound) -> Outcome:
        token = self._access()
        fields = {
            "access_token": token,
            "session_id": self._session,
            "BrandName": message.sender,
            "Phone": message.recipient,
            "Message": base64.b64encode(message.text.encode()).decode(),
            "RequestId": message.ref,
        }
        url = f"{self._url}/api/push-brandname-otp"
        return self._outcome(self._line.send(message.ref, "POST", url, hide=[token], json=fields))

    def _outcome(self, answer: Answer) -> Outcome:
        # Its refusals may come with any status, and say more than that.
        said = _object(answer)
        if "error" in said:
            code, why = str(said["error"]), str(said.get("error_description") or said["error"])
            if CODES.get(code) is Meaning.LATER or "token" in why.lower():
                self._ends = 0.0
                return Throttled(None, why)
            # What is not in the table is a refusal all the same.
            return outcome(CODES, code, why, said.get("MessageId")) if code in CODES else Rejected(code, why)
        answer.success()
        if not said.get("MessageId"):
            raise Unreadable
        return Accepted(str(said["MessageId"]))

    def _access(self) -> str:
        """A token. Whoever waits while another asks takes what comes of that: a call has time for one question."""
        came = time.monotonic()
        with self._one_asks:
            if self._asked_at < came and came >= self._ends:
                self._ask()
            if self._failed is not None:
                raise type(self._failed)(str(self._failed))
            return self._token

    def _ask(self) -> None:
        try:
            said = self._fresh()
        except CallFailed as failed:
            self._failed = failed
        else:
            self._failed, self._token = None, str(said["access_token"])
            self._ends = time.monotonic() + (seconds(said.get("expires_in")) or 0.0) - SPARE
        self._asked_at = time.monotonic()

    def _fresh(self) -> dict[str, Any]:
        """A new token and how long it lasts. Raises CallFailed: without one nothing was sent."""
        fields = {**self._login, "scope": SCOPE, "session_id": self._session}
        try:
            answer = self._line.ask("POST", f"{self._url}/oauth2/token", json=fields)
            said = _object(answer)
        except Doubtful as doubt:
            raise Unreachable(f"no token: {doubt}") from None
        if answer.status >= 500 or answer.status in LATER or 300 <= answer.status < 400:
            raise Unreachable(f"no token: the carrier answered {answer.status}")
        if not said.get("access_token"):
            why = said.get("error_description") or said.get("error") or f"the carrier answered {answer.status}"
            raise ChannelRefused(f"no token: {why}: check url, client_id and client_secret")
        return said

    def _check(self) -> str | None:
        self._access()
        return None


def _object(answer: Answer) -> dict[str, Any]:
    """Its answer, whatever its status; nothing where a refusal has no body that can be read."""
    try:
        return answer.json()
    except Doubtful:
        if answer.status < 300:
            raise
        return {}
