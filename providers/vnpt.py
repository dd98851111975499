"""VNPT's brandname service: JSON out, registered templates with parameters only; no receipts, no messages in.

After integrators' public code; what its codes mean is published nowhere.
"""

from __future__ import annotations

from typing import ClassVar, cast

from pydantic import BaseModel, Field, HttpUrl, SecretStr

from providers.contract import Abilities, Accepted, Outbound, Outcome, Rejected
from providers.http import AT_ONCE, Doubtful, HttpCarrier, HttpConfig, Unreadable
from providers.templates import UNREGISTERED, Filled, Templates
from smsgw.text.segments import measure

CODINGS = {"gsm7": "0", "ucs2": "8"}


class Config(HttpConfig):
    """`templates`: the registered texts by TEMPLATEID, parameters in braces. `label`, `contract`, `agent`: of the
    contract."""

    url: HttpUrl
    api_user: str = Field(min_length=1)
    api_password: SecretStr = Field(min_length=1)
    username: str = Field(min_length=1)
    label: str = Field(min_length=1)
    contract: str = Field(min_length=1)
    agent: str = Field(min_length=1)
    templates: dict[str, str] = Field(default_factory=dict)


def connect(config: BaseModel) -> Vnpt:
    """A provider for one channel."""
    return Vnpt(cast(Config, config))


class Vnpt(HttpCarrier):
    """One channel's translator."""

    abilities: ClassVar[Abilities] = Abilities(largest_batch=AT_ONCE, receives=False, reports=False)

    def __init__(self, config: Config) -> None:
        self._password = config.api_password.get_secret_value()
        super().__init__(config.time_limit, [self._password])
        self._url = str(config.url)
        self._config = config
        self.templates = Templates(config.templates)

    def _send(self, message: Outbound) -> Outcome:
        if (filled := self.templates.filled_plain(message.text)) is None:
            return UNREGISTERED
        answer = self._line.send(message.ref, "POST", self._url, json={"RQST": self._request(message, filled)})
        match answer.success().json():
            case {"RPLY": {"ERROR": "0" | 0}}:
                return Accepted(None)
            case {"RPLY": {"ERROR": str() | int() as code, **rest}}:
                # Its codes are nowhere documented; that it refused this message is said all the same.
                return Rejected(str(code), str(rest.get("ERROR_DESC", "")))
        raise Unreadable

    def _request(self, message: Outbound, filled: Filled) -> dict[str, object]:
        config = self._config
        return {
            "name": "send_sms_list",
            "REQID": message.ref,
            "LABELID": config.label,
            "CONTRACTTYPEID": "1",
            "CONTRACTID": config.contract,
            "TEMPLATEID": filled.id,
            "PARAMS": [{"NUM": str(number), "CONTENT": value} for number, value in enumerate(filled.values, 1)],
            "SCHEDULETIME": "",
            "MOBILELIST": message.recipient,
            "ISTELCOSUB": "0",
            "AGENTID": config.agent,
            "APIUSER": config.api_user,
            "APIPASS": self._password,
            "USERNAME": config.username,
            "DATACODING": CODINGS[measure(filled.text).encoding],
        }

    def _check(self) -> str | None:
        if not self.templates:
            return "it takes only registered texts, and there are none: see docs/carriers/vnpt.md"
        # There is no call that sends nothing; to this one the service need not answer well, but it is no web page.
        answer = self._line.ask("GET", self._url)
        if answer.status in (401, 403, 404) or 300 <= answer.status < 400 or answer.status >= 500:
            return f"VNPT answers {answer.status}: check the url"
        if answer.status < 300 and answer.body.lstrip().startswith(b"<"):
            raise Doubtful("the carrier's answer can't be read, and is a web page")
        return None
