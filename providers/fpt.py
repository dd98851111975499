"""FPT's brandname service: a token by OAuth2 client credentials, the text in base64, receipts; no messages in.

After integrators' public code; confidence medium to high.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from providers.callbacks import check, document, required
from providers.contract import (
    Abilities,
    Accepted,
    Callback,
    CallbackAnswer,
    ChannelRefused,
    Outbound,
    Outcome,
    Receipt,
    Refused,
    Rejected,
    Taken,
    Throttled,
    Unreachable,
)
from providers.http import AT_ONCE, Answer, Doubtful, HttpCarrier

SCOPE = "send_brandname_otp send_brandname"
SPARE = 60.0  # seconds before its end that a token is not used any more
DELIVERED = "1"
JSON = {"Content-Type": "application/json"}


class Config(BaseModel):
    """`receipt_key`: what they show us in `Authorization`."""

    model_config = ConfigDict(extra="forbid")

    url: HttpUrl = HttpUrl("https://api01.sms.fpt.net")
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)
    receipt_key: SecretStr = Field(min_length=8)
    time_limit: float = Field(default=10.0, gt=0, le=120)


def connect(config: BaseModel) -> Fpt:
    """A provider for one channel."""
    return Fpt(cast(Config, config))


class Fpt(HttpCarrier):
    """One channel's translator. It keeps its token, which is good for any number of calls until it ends."""

    abilities: ClassVar[Abilities] = Abilities(largest_batch=AT_ONCE, receives=False)

    def __init__(self, config: Config) -> None:
        secret, self._receipt_key = config.client_secret.get_secret_value(), config.receipt_key.get_secret_value()
        # Getting a token and using it are two calls.
        super().__init__(config.time_limit / 2, [secret, self._receipt_key])
        self.time_limit = config.time_limit
        self._url = str(config.url).rstrip("/")
        self._login = {"grant_type": "client_credentials", "client_id": config.client_id, "client_secret": secret}
        self._session = hashlib.sha256(config.client_id.encode()).hexdigest()[:32]
        self._one_asks = threading.Lock()
        self._token, self._ends = "", 0.0

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        check(self._receipt_key, callback.headers.get("authorization", ""), "Authorization")
        fields = required(document(callback), "smsid", "status")
        arrived = fields["status"] == DELIVERED
        return [
            Receipt(
                None,
                fields["smsid"],
                "delivered" if arrived else "undelivered",
                None if arrived else fields["status"],
            )
        ]

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
        body = json.dumps(fields).encode()
        answer = self._line.send(
            message.ref, "POST", f"{self._url}/api/push-brandname-otp", hide=[token], data=body, headers=JSON
        )
        return self._outcome(answer)

    def _outcome(self, answer: Answer) -> Outcome:
        # Its refusals may come with any status, and say more than that.
        said = _object(answer)
        if "error" in said:
            why = str(said.get("error_description") or said["error"])
            if "token" in why.lower():
                self._ends = 0.0
                return Throttled(None, why)
            return Rejected(str(said["error"]), why)
        if refusal := answer.refusal():
            return refusal
        if not said.get("MessageId"):
            raise Doubtful("the carrier's answer can't be read")
        return Accepted(str(said["MessageId"]))

    def _access(self) -> str:
        with self._one_asks:
            if time.monotonic() >= self._ends:
                fields = {**self._login, "scope": SCOPE, "session_id": self._session}
                body = json.dumps(fields).encode()
                try:
                    said = _object(self._line.ask("POST", f"{self._url}/oauth2/token", data=body, headers=JSON))
                except Doubtful as doubt:
                    # Without a token nothing was sent.
                    raise Unreachable(f"no token: {doubt}") from None
                if not said.get("access_token"):
                    raise ChannelRefused(f"no token: {said.get('error_description') or said.get('error')}")
                self._token = str(said["access_token"])
                lasts = said.get("expires_in")
                self._ends = time.monotonic() + (lasts if isinstance(lasts, int) else 0) - SPARE
            return self._token

    def _check(self) -> str | None:
        self._access()
        return None


def _object(answer: Answer) -> dict[str, Any]:
    """Its answer, whatever its status; nothing where a refusal has no body that can be read."""
    try:
        return answer.json()
    except Doubtful:
        if answer.status < 400:
            raise
        return {}
