"""1Pay-style inbound: a message by GET or as a form, signed with HMAC-SHA256, the reply as JSON in the body.

After integrators' public code. Nothing can be sent by it but replies.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from providers.callbacks import check, form, moment, required
from providers.contract import Abilities, Callback, CallbackAnswer, Inbound, Refused, Taken
from providers.http import HttpCarrier

SIGNED = ("access_key", "command", "mo_message", "msisdn", "request_id", "request_time", "short_code")


class Config(BaseModel):
    """`access_key` names us, `secret` signs."""

    model_config = ConfigDict(extra="forbid")

    access_key: str = Field(min_length=1)
    secret: SecretStr = Field(min_length=1)


def connect(config: BaseModel) -> OnePay:
    """A provider for one channel."""
    return OnePay(cast(Config, config))


class OnePay(HttpCarrier):
    """One channel's translator."""

    abilities: ClassVar[Abilities] = Abilities(
        submits=False, reports=False, answers_in_body=True, methods=frozenset({"GET", "POST"})
    )

    def __init__(self, config: Config) -> None:
        super().__init__(10.0)
        self._access_key = config.access_key
        self._secret = config.secret.get_secret_value().encode()

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        fields = form(callback)
        signed = "&".join(f"{name}={fields.get(name, '')}" for name in SIGNED)
        digest = hmac.new(self._secret, signed.encode(), hashlib.sha256).hexdigest()
        check(digest, fields.get("signature", ""), "signature")
        check(self._access_key, fields.get("access_key", ""), "access_key")
        known = required(fields, "request_id", "msisdn", "short_code", text="mo_message")
        # The signed time is the message's own: refusing an old one would lose what waited at the carrier.
        at = moment(fields.get("request_time"), "%Y-%m-%dT%H:%M:%SZ", UTC)
        return [Inbound(known["request_id"], known["msisdn"], known["short_code"], known["mo_message"], at)]

    def answer(self, taken: Sequence[Taken]) -> CallbackAnswer:
        reply = taken[0].reply
        said = {"status": 1, "sms": reply.text, "type": "text"} if reply else {"status": 0, "sms": "", "type": "text"}
        return CallbackAnswer(json.dumps(said, ensure_ascii=False).encode(), "application/json; charset=utf-8")
