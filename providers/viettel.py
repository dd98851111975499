"""Viettel's bulk service: SOAP, `wsCpMt`; no messages in, receipts only by asking.

After integrators' public code, where three projects have the same table of its answers.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import ClassVar, cast
from xml.sax.saxutils import escape

from pydantic import BaseModel, Field, HttpUrl, SecretStr

from providers.codes import Meaning, outcome
from providers.contract import Abilities, Outbound, Outcome
from providers.http import AT_ONCE, Answer, HttpCarrier, HttpConfig, Unreadable
from providers.templates import UNREGISTERED, Templates

CONTENT_TYPES = {"gsm7": "0", "ucs2": "1"}
LONGEST_REQUEST_ID = 10**18  # digits; it takes no letters
# Parts of what it answers; the first that is found counts.
CODES: Mapping[str, Meaning] = {
    "Insert MT_QUEUE: OK": Meaning.TAKEN,
    "DUPLICATE MESSAGE": Meaning.TAKEN,  # it has the same text for the same phone already
    "Cp_code: NULL_OR_BLANK": Meaning.REFUSED,
    "UserName: NULL_OR_BLANK": Meaning.REFUSED,
    "Password: NULL_OR_BLANK": Meaning.REFUSED,
    "IP_INVALID": Meaning.REFUSED,
    "CP_CODE_NOT_FOUND": Meaning.REFUSED,
    "WRONG_INFORMATION_AUTHENTICATE": Meaning.REFUSED,
    "CommandCode: NULL_OR_BLANK": Meaning.REFUSED,
    "COMMAND_CODE_ERROR": Meaning.REFUSED,
    "RequestID: NULL_OR_BLANK": Meaning.REJECTED,
    "REQUEST_ID_NOT_NUMBER": Meaning.REJECTED,
    "UserID: NULL_OR_BLANK": Meaning.REJECTED,
    "UserID_NOT_EQUAL_ReceiverID": Meaning.REJECTED,
    "ReceiverID: NULL_OR_BLANK": Meaning.REJECTED,
    "ReceiverID: FORMAT_ERROR": Meaning.REJECTED,
    "Length of ReceiverID is invalid": Meaning.REJECTED,
    "Unable to check telco": Meaning.REJECTED,  # no carrier has such numbers
    "ALIAS_INVALID": Meaning.ELSEWHERE,  # the brandname is not registered with that phone's carrier
    "Content: NULL_OR_BLANK": Meaning.REJECTED,
    "MAXLENGTH_LIMIT": Meaning.REJECTED,
    "MSG_ERROR_CONTAIN_BLACKLIST": Meaning.REJECTED,
    "CONTENT_NOT_MATCH_TEMPLATE": Meaning.ELSEWHERE,
    "Check information error": Meaning.DOUBTFUL,  # a fault of theirs
}


class Config(HttpConfig):
    """`cp_code`: of the contract. `templates`: the texts registered, by a name of ours; none: any text is sent."""

    url: HttpUrl
    user: str = Field(min_length=1)
    password: SecretStr = Field(min_length=1)
    cp_code: str = Field(min_length=1)
    templates: dict[str, str] = Field(default_factory=dict)


def connect(config: BaseModel) -> Viettel:
    """A provider for one channel."""
    return Viettel(cast(Config, config))


class Viettel(HttpCarrier):
    """One channel's translator."""

    abilities: ClassVar[Abilities] = Abilities(largest_batch=AT_ONCE, receives=False, reports=False)

    def __init__(self, config: Config) -> None:
        password = config.password.get_secret_value()
        super().__init__(config.time_limit, [password])
        self._url = str(config.url)
        self._login = {"User": config.user, "Password": password, "CPCode": config.cp_code}
        self.templates = Templates(config.templates)

    def _send(self, given: Outbound) -> Outcome:
        if (message := self.templates.as_registered(given)) is None:
            return UNREGISTERED
        fields = {
            "RequestID": str(uuid.UUID(message.ref).int % LONGEST_REQUEST_ID),
            "UserID": message.recipient,
            "ReceiverID": message.recipient,
            "ServiceID": message.sender,
            "CommandCode": "bulksms",
            "Content": message.text,
            "ContentType": CONTENT_TYPES[message.encoding],
        }
        answer = self._line.send(
            message.ref, "POST", self._url, data=_envelope("wsCpMt", {**self._login, **fields}), headers=HEADERS
        )
        said = _message(answer.success())
        return outcome(CODES, next((code for code in CODES if code in said), said), said)

    def _check(self) -> str | None:
        answer = self._line.ask("POST", self._url, data=_envelope("checkBalance", self._login), headers=HEADERS)
        if not answer.success().xml().tag.endswith("}Envelope"):
            raise Unreadable
        if "Authenticate" in answer.text():
            return "Viettel does not know us: check user, password, cp_code, and our address with them"
        return None


HEADERS = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}


def _envelope(call: str, fields: Mapping[str, str]) -> bytes:
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:impl="http://impl.bulkSms.ws/"><soapenv:Header/><soapenv:Body>'
        f"<impl:{call}>{inner}</impl:{call}></soapenv:Body></soapenv:Envelope>"
    ).encode()


def _message(answer: Answer) -> str:
    found = answer.xml().find(".//{*}message")
    if found is None or not found.text:
        raise Unreadable
    return found.text.strip()
