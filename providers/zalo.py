"""Zalo: a chat with an Official Account, and ZNS notifications to phones that have Zalo.

A recipient `zalo:<user id>` gets a consultation message (Official Account API v3.0), which Zalo takes for 48 hours
after the person's last word for nothing, for seven days for money, and then no more. A phone whose holder has written
within the 48 hours gets one too; any other a ZNS notification, if the text is of a registered template. Every answer is
HTTP 200; what it says stands in `error`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, cast

import requests
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr

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
    Receipt,
    Refused,
    Rejected,
    RenewalDoubtful,
    Renewed,
    Taken,
    Throttled,
    Unknown,
    Unreachable,
)
from providers.zalo_templates import Template, filled
from providers.zalo_webhook import SCHEME

AT_A_TIME = 8  # calls of one batch; Zalo takes one message a call, and 4,000 calls a minute
LONGEST_TEXT = 2000  # characters
FREE = timedelta(hours=48)

# What `error` says, by what follows from it (OA API and ZNS, "Mã lỗi", 2026).
TOKEN = {-216: "token invalid", -220: "token expired", -124: "token invalid"}
HELD = {
    -204: "the account is disabled",
    -221: "the account is not verified",
    -224: "the account's package does not include this",
    -240: "this version of the interface is shut",
}
LATER = {-32: "too many calls"}
ELSEWHERE = {
    -200: "Zalo failed to send",
    -211: "quota used up",
    -213: "does not follow the account",
    -227: "not active for 45 days",
    -230: "no word from the person for 7 days",
    -232: "no conversation yet",
    -233: "not allowed for this kind of message",
    -234: "not at night",
    -109: "no such template",
    -112: "the template's parameters do not fit",
    -1121: "a parameter is too long",
    -1122: "a parameter is missing",
    -114: "the person can't receive it",
    -115: "no money left",
    -118: "no Zalo account",
    -126: "no money left for trials",
    -127: "a trial goes only to the account's own people",
    -131: "the template is not approved",
    -133: "not at night",
    -135: "the account may not send notifications",
    -137: "could not be charged",
    -139: "the person refuses this kind",
    -140: "the person refuses this kind",
    -141: "the person refuses all of them",
    -144: "the account's daily limit",
    -146: "the template is disabled",
    -147: "the template's daily limit",
}
NEVER = {-201: "a field is wrong", -108: "no such phone"}

_URL = Annotated[HttpUrl, Field(validate_default=True)]


class Config(BaseModel):
    """The settings that only this carrier has. `refresh_token`: the first one, from which all others come."""

    model_config = ConfigDict(extra="forbid")

    app_id: str = Field(pattern=r"^\d{1,32}$")
    app_secret: SecretStr = Field(min_length=1)
    oa_secret: SecretStr = Field(min_length=1)
    refresh_token: SecretStr = Field(min_length=1)
    time_limit: float = Field(default=5.0, gt=0, le=60)
    templates: tuple[Template, ...] = ()
    oauth_url: _URL = HttpUrl("https://oauth.zaloapp.com")
    api_url: _URL = HttpUrl("https://openapi.zalo.me")
    zns_url: _URL = HttpUrl("https://business.openapi.zalo.me")


def connect(config: BaseModel) -> Zalo:
    """A provider for one Official Account."""
    return Zalo(cast(Config, config))


class Zalo:
    """One Official Account's translator."""

    abilities: ClassVar[Abilities] = Abilities(largest_batch=AT_A_TIME, scheme=SCHEME, chat_open=FREE, one_door=True)

    def __init__(self, config: Config) -> None:
        self._config = config
        self._oauth, self._api, self._zns = (
            str(url).rstrip("/") for url in (config.oauth_url, config.api_url, config.zns_url)
        )
        self.first_refresh_token = config.refresh_token.get_secret_value()
        self.time_limit = config.time_limit
        self._keys: Keys | None = None
        self._calls = ThreadPoolExecutor(AT_A_TIME, "zalo")
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the machine's must not see citizens' messages
        self._session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=AT_A_TIME * 3))

    def use(self, keys: Keys) -> None:
        self._keys = keys

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        return [*zalo_webhook.inbound(self._event(callback, now))]

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        return [*zalo_webhook.receipts(self._event(callback, now))]

    def answer(self, taken: Sequence[Taken]) -> CallbackAnswer:
        return CallbackAnswer(b'{"error":0}', "application/json")

    def submit(self, batch: Sequence[Outbound]) -> list[Outcome]:
        token = self._token()
        if token is None:
            return [Throttled(1.0, "another node renews the token")] * len(batch)
        results = [*self._calls.map(lambda message: self._send(message, token), batch)]
        failed = [result for result in results if isinstance(result, CallFailed)]
        if len(failed) == len(results):
            raise failed[0]
        # Zalo took some, so it is well; what it surely did not get is sent again.
        return [Throttled(None, str(item)) if isinstance(item, CallFailed) else item for item in results]

    def fault(self) -> str | None:
        try:
            token = self._token()
            answer = self._call("GET", f"{self._zns}/message/quota", token) if token else {"error": 0}
        except CallFailed as failed:
            return str(failed)
        except requests.RequestException as error:
            return f"{self._zns} can't be reached ({type(error).__name__})"
        code = answer.get("error")
        if code is None:
            return f"{self._zns} gives no answer that can be read: ask Zalo"
        if code in TOKEN or code in HELD:
            return f"Zalo answers {code}, {(TOKEN | HELD)[code]}: see docs/carriers/zalo.md"
        return self._keys.trouble() if self._keys else None

    def renew(self, refresh_token: str) -> Renewed:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "app_id": self._config.app_id}
        headers = {"secret_key": self._config.app_secret.get_secret_value()}
        try:
            answer = self._call("POST", f"{self._oauth}/v4/oa/access_token", None, data=form, headers=headers)
        except requests.RequestException as error:
            raise RenewalDoubtful(f"no answer to the renewal of the token ({type(error).__name__})") from None
        match answer:
            case {"access_token": str(access), "refresh_token": str(refresh), "expires_in": str() | int() as seconds}:
                return Renewed(access, refresh, timedelta(seconds=_seconds(seconds)))
            case {"error": int(code)} if code:
                raise ChannelRefused(f"Zalo does not renew the token (error {code}): authorise the account again")
        raise RenewalDoubtful("Zalo's answer to the renewal of the token can't be read")

    def close(self) -> None:
        self._calls.shutdown()
        self._session.close()

    def _token(self) -> str | None:
        if self._keys is None:
            raise ChannelRefused("there is nowhere to keep the account's tokens")
        return self._keys.access_token()

    def _event(self, callback: Callback, now: datetime) -> dict[str, Any]:
        return zalo_webhook.read(callback, self._config.app_id, self._config.oa_secret.get_secret_value(), now)

    def _send(self, message: Outbound, token: str) -> Outcome | CallFailed:
        try:
            if message.recipient.startswith(f"{SCHEME}:"):
                return self._say(message.recipient, message.text, token)
            said = self._say(message.chat, message.text, token) if message.chat else None
            # What surely was not said can still be notified of.
            return self._notify(message, token) if said is None or isinstance(said, Rejected) else said
        except CallFailed as failed:
            return failed
        except requests.RequestException as error:
            return Unknown(type(error).__name__)

    def _say(self, address: str, text: str, token: str) -> Outcome:
        if len(text) > LONGEST_TEXT:
            return Rejected("too_long", f"a text may have {LONGEST_TEXT} characters", elsewhere=True)
        body = {"recipient": {"user_id": address.removeprefix(f"{SCHEME}:")}, "message": {"text": text}}
        return self._outcome(self._call("POST", f"{self._api}/v3.0/oa/message/cs", token, json=body), token)

    def _notify(self, message: Outbound, token: str) -> Outcome:
        notification = filled(self._config.templates, message.text)
        if notification is None:
            return Rejected("no_template", "the text is none of the channel's templates", elsewhere=True)
        id, values = notification
        body = {"phone": message.recipient, "template_id": id, "template_data": values, "tracking_id": message.ref}
        return self._outcome(self._call("POST", f"{self._zns}/message/template", token, json=body), token)

    def _outcome(self, answer: dict[str, Any], token: str) -> Outcome:
        code, data = answer.get("error"), answer.get("data")
        if code == 0:
            ids = data if isinstance(data, dict) else {}
            id = ids.get("message_id", ids.get("msg_id"))
            return Accepted(id if isinstance(id, str) else None)
        if not isinstance(code, int):
            return Unknown("Zalo's answer can't be read")
        if code in TOKEN and self._keys:
            self._keys.rejected(token)
            return Throttled(0.0, TOKEN[code])
        if code in HELD:
            raise ChannelRefused(f"Zalo answered {code}, {HELD[code]}: see docs/carriers/zalo.md")
        if code in LATER:
            return Throttled(None, LATER[code])
        if code in ELSEWHERE:
            return Rejected(str(code), ELSEWHERE[code], elsewhere=True)
        if code in NEVER:
            return Rejected(str(code), NEVER[code])
        return Unknown(f"Zalo answered {code}, which is not in the list of its errors")

    def _call(self, method: str, url: str, token: str | None, **arguments: Any) -> dict[str, Any]:
        """Zalo's answer. Raises CallFailed if it surely did nothing, and what requests raises if that is not known."""
        headers = arguments.pop("headers", {}) | ({"access_token": token} if token else {})
        try:
            answer = self._session.request(
                method, url, headers=headers, timeout=self.time_limit, allow_redirects=False, **arguments
            )
        except requests.ConnectTimeout:
            raise Unreachable("no connection within the time limit") from None
        except requests.ConnectionError as error:
            if "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error):
                raise Unreachable("no connection") from None
            raise
        if answer.status_code in (401, 403, 404, 405):
            raise ChannelRefused(f"{url} answers {answer.status_code}: check the channel's settings")
        if answer.status_code == 429:
            return {"error": -32}
        if answer.status_code != 200:
            return {}
        try:
            document = answer.json()
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}


def _seconds(value: str | int) -> int:
    """`expires_in`, which Zalo sends as a string; an hour where it can't be read."""
    return int(value) if str(value).isascii() and str(value).isdigit() else 3600
