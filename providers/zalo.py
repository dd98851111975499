"""Zalo: a chat with an Official Account, and ZNS notifications to phones that have Zalo.

A recipient `zalo:<user id>` gets a consultation message (Official Account API v3.0), which Zalo takes for 48 hours
after the person's last word for nothing, for seven days for money, and then no more. A phone whose holder has written
within the 48 hours gets one too; any other a ZNS notification, if the text is of a registered template. Every answer is
HTTP 200; what it says stands in `error`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, cast

from pydantic import BaseModel, Field, HttpUrl, SecretStr

from providers import zalo_webhook
from providers.contract import (
    Abilities,
    Accepted,
    Callback,
    CallbackAnswer,
    CallFailed,
    ChannelRefused,
    Inbound,
    Keys,
    Outbound,
    Outcome,
    Quota,
    Receipt,
    Refused,
    Rejected,
    RenewalDoubtful,
    Renewed,
    Taken,
    Throttled,
    Unknown,
)
from providers.http import AT_ONCE, Answer, Doubtful, HeaderSecret, HttpCarrier, HttpConfig, seconds
from providers.templates import UNREGISTERED, Templates
from providers.zalo_errors import DOUBTFUL, ELSEWHERE, EVERY, HELD, LATER, NEVER, TOKEN
from providers.zalo_webhook import SCHEME

LONGEST_TEXT = 2000  # characters
LONGEST_LIFETIME = 90 * 86400.0  # seconds of an access token; by then its refresh token has ended, too
FREE = timedelta(hours=48)
PATIENCE = timedelta(seconds=2)

CODES = frozenset(str(code) for code in (0, *EVERY))

_TOKEN = re.compile(r"[\x21-\x7e]+")  # what a header carries, and a database keeps
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_URL = Annotated[HttpUrl, Field(validate_default=True)]


class Config(HttpConfig):
    """`refresh_token`: the first one, from which all others come. `templates`: of ZNS, by their numbers at Zalo."""

    app_id: str = Field(pattern=r"^\d{1,32}$")
    app_secret: HeaderSecret
    oa_secret: SecretStr = Field(min_length=1)
    refresh_token: SecretStr = Field(min_length=1)
    time_limit: float = Field(default=5.0, gt=0, le=60)
    templates: dict[str, str] = Field(default_factory=dict)
    oauth_url: _URL = HttpUrl("https://oauth.zaloapp.com")
    api_url: _URL = HttpUrl("https://openapi.zalo.me")
    zns_url: _URL = HttpUrl("https://business.openapi.zalo.me")


def connect(config: BaseModel) -> Zalo:
    """A provider for one Official Account."""
    return Zalo(cast(Config, config))


class Zalo(HttpCarrier):
    """One Official Account's translator."""

    abilities: ClassVar[Abilities] = Abilities(
        largest_batch=AT_ONCE, scheme=SCHEME, chat_open=FREE, one_door=True, patience=PATIENCE
    )
    calls = 3  # for a token; into the chat; and where that does not take it, the notification

    def __init__(self, config: Config) -> None:
        self._app_secret, self._oa_secret = config.app_secret.get_secret_value(), config.oa_secret.get_secret_value()
        self.first_refresh_token = config.refresh_token.get_secret_value()
        super().__init__(config.time_limit, [self._app_secret, self._oa_secret, self.first_refresh_token])
        self._app_id = config.app_id
        self._oauth, self._api, self._zns = (
            str(url).rstrip("/") for url in (config.oauth_url, config.api_url, config.zns_url)
        )
        self.templates = Templates(config.templates)
        self._keys: Keys | None = None

    def use(self, keys: Keys) -> None:
        self._keys = keys

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        return [*zalo_webhook.inbound(zalo_webhook.read(callback, self._app_id, self._oa_secret, now))]

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        return [*zalo_webhook.receipts(zalo_webhook.read(callback, self._app_id, self._oa_secret, now))]

    def answer(self, taken: Sequence[Taken]) -> CallbackAnswer:
        return CallbackAnswer(b'{"error":0}', "application/json")

    def renew(self, refresh_token: str) -> Renewed:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "app_id": self._app_id}
        headers = {"secret_key": self._app_secret}
        try:
            answer = self._line.ask("POST", f"{self._oauth}/v4/oa/access_token", data=form, headers=headers)
            document = _document(answer)
        except Doubtful as doubt:
            raise RenewalDoubtful(f"no answer to the renewal of the token ({doubt})") from None
        match document:
            case {
                "access_token": str(access), "refresh_token": str(refresh), "expires_in": str() | int() as lasts,
            } if all(map(_TOKEN.fullmatch, (access, refresh))):  # fmt: skip
                return Renewed(access, refresh, _lifetime(lasts))
            case {"error": int(code), **rest} if code:
                said = " ".join(filter(None, (str(code), str(rest.get("error_name", "")))))
                raise ChannelRefused(f"Zalo does not renew the token (error {said}): authorise the account again")
        raise RenewalDoubtful("Zalo's answer to the renewal of the token can't be read")

    def _send(self, message: Outbound) -> Outcome:
        if message.recipient.startswith(f"{SCHEME}:"):
            return self._say(message.recipient, message)
        said = self._say(message.chat, message) if message.chat else None
        # What surely was not said can still be notified of.
        return self._notify(message) if said is None or isinstance(said, Rejected) else said

    def quota(self) -> Quota | None:
        """Of ZNS notifications; the chat has none."""
        try:
            said = self._asked_quota(self._keys.access_token() if self._keys else None)
        except (CallFailed, Doubtful):
            return None
        match said.get("data"):
            case {"remainingQuota": str() | int() as left, "dailyQuota": str() | int() as daily}:
                return Quota(int(left), int(daily)) if all(map(_COUNT.fullmatch, (str(left), str(daily)))) else None
        return None

    def _asked_quota(self, token: str | None) -> dict[str, Any]:
        headers = {"access_token": token} if token else {}
        return _document(self._line.ask("GET", f"{self._zns}/message/quota", headers=headers))

    def _check(self) -> str | None:
        token = self._keys.access_token() if self._keys else None
        code = _code(self._asked_quota(token))
        if token and (code in TOKEN or code in HELD):
            return f"Zalo answers {code}, {(TOKEN | HELD)[code]}: see docs/carriers/zalo.md"
        return self._keys.trouble() if self._keys else None

    def _say(self, address: str, message: Outbound) -> Outcome:
        if len(message.text) > LONGEST_TEXT:
            return Rejected("too_long", f"a text may have {LONGEST_TEXT} characters", elsewhere=True)
        body = {"recipient": {"user_id": address.removeprefix(f"{SCHEME}:")}, "message": {"text": message.text}}
        return self._call(message.ref, f"{self._api}/v3.0/oa/message/cs", body)

    def _notify(self, message: Outbound) -> Outcome:
        if (filled := self.templates.filled(message.text)) is None:
            return UNREGISTERED
        values = dict(zip(filled.names, filled.values, strict=True))
        body = {"phone": message.recipient, "template_id": filled.id, "template_data": values}
        return self._call(message.ref, f"{self._zns}/message/template", body | {"tracking_id": message.ref})

    def _call(self, ref: str, url: str, body: dict[str, Any]) -> Outcome:
        if self._keys is None:
            raise ChannelRefused("there is nowhere to keep the account's tokens")
        token = self._keys.access_token()
        if token is None:
            return Throttled(1.0, "another node renews the token")
        answer = self._line.send(ref, "POST", url, json=body, headers={"access_token": token})
        document = answer.success().json()
        if _code(document) in TOKEN:
            self._keys.rejected(token)
        return _outcome(document)


def _outcome(document: dict[str, Any]) -> Outcome:
    code, data = _code(document), document.get("data")
    if code is None:
        return Unknown("Zalo's answer can't be read")
    if code == 0:
        ids = data if isinstance(data, dict) else {}
        id = ids.get("message_id", ids.get("msg_id"))
        return Accepted(id if isinstance(id, str) else None)
    if code in HELD:
        raise ChannelRefused(f"Zalo answered {code}, {HELD[code]}: see docs/carriers/zalo.md")
    if code in TOKEN:
        return Throttled(0.0, TOKEN[code])
    if code in LATER:
        return Throttled(None, LATER[code])
    if code in ELSEWHERE:
        return Rejected(str(code), ELSEWHERE[code], elsewhere=True)
    if code in NEVER:
        return Rejected(str(code), NEVER[code])
    if code in DOUBTFUL:
        return Unknown(f"Zalo answered {code}, {DOUBTFUL[code]}")
    return Unknown(f"Zalo answered {code}, which is not in the list of its errors")


def _code(document: dict[str, Any]) -> int | None:
    """What it says in `error`; None if that is none of Zalo's."""
    code = document.get("error")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _document(answer: Answer) -> dict[str, Any]:
    """The body of a 200. Raises ChannelRefused and Doubtful."""
    if answer.refusal() is not None:
        raise Doubtful(f"Zalo answered {answer.status}")
    return answer.json()


def _lifetime(expires_in: str | int) -> timedelta:
    """What Zalo says in seconds and as a string; an hour where it can't be read."""
    said = seconds(expires_in)
    return timedelta(hours=1) if said is None else timedelta(seconds=min(said, LONGEST_LIFETIME))
