"""Calling a carrier over HTTP: what it surely does not have, what it may have, and no more than a bounded answer.

CallFailed          (of the contract) the carrier surely has nothing: no connection, or it does not accept us
Doubtful            it may have it: a time-out, a cut, an answer that can't be read
Refusing            the status of its answer says all about the message, which is then its outcome
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, ClassVar
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, ParseError

import requests
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, SecretStr
from urllib3 import Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from providers import exchanges
from providers.codes import of_batch
from providers.contract import (
    Abilities,
    Callback,
    CallbackAnswer,
    CallFailed,
    ChannelRefused,
    Inbound,
    Malformed,
    Outbound,
    Outcome,
    Receipt,
    Refused,
    Rejected,
    Taken,
    Throttled,
    Unknown,
    Unreachable,
)
from providers.timely import NoTls, TimelyAdapter

LARGEST_ANSWER = 1024 * 1024  # bytes
AT_ONCE = 16  # calls of one batch, for carriers that take one message a call
_CALLERS = 3  # senders that a channel may have
_PIECE = 16 * 1024
_ADDRESSES = 16  # that a carrier is called at; some have one for each message

# None of these is about a message. 301, 308: it has moved for good; 402: no money left; 406, 407, 411, 415, 417, 421,
# 426, 428: we call in another way than they want.
MISCONFIGURED = (301, 308, 401, 402, 403, 404, 405, 406, 407, 410, 411, 415, 417, 421, 426, 428)
NO_MONEY = 402
LATER = (408, 425, 429)


def _in_a_header(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]+", secret.get_secret_value()):
        raise ValueError("expected letters, digits and signs of ASCII, without blanks or line breaks")
    return secret


HeaderSecret = Annotated[SecretStr, Field(min_length=1), AfterValidator(_in_a_header)]  # what a call's head can carry


class Doubtful(Exception):
    """The carrier may have what was sent. The text says why."""


class Unreadable(Doubtful):
    """What it answered is not of the form that it was agreed to have."""

    def __init__(self) -> None:
        super().__init__("the carrier's answer can't be read")


class Refusing(Exception):
    """The carrier's answer is no success, and its status says what becomes of the message."""

    def __init__(self, outcome: Rejected | Throttled | Unknown) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


class HttpConfig(BaseModel):
    """The settings that every carrier over HTTP has. `time_limit`: seconds for one call, with the answer to it."""

    model_config = ConfigDict(extra="forbid")

    time_limit: float = Field(default=10.0, gt=0, le=120)


class ReportedConfig(HttpConfig):
    """Those of one that signs nothing, and is told with each message where its receipts go.

    `callback_url`: this channel, as the carrier reaches it; `key` stands in the addresses that it is told.
    """

    callback_url: HttpUrl
    key: SecretStr = Field(min_length=8)

    @property
    def receipts_url(self) -> str:
        return f"{str(self.callback_url).rstrip('/')}/receipts?{urlencode({'key': self.key.get_secret_value()})}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a carrier answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> dict[str, Any]:
        """Its body, where that has to be a JSON object. Raises Doubtful."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise Unreadable
        return document

    def xml(self) -> Element:
        """The root of its body, where that has to be XML. Raises Doubtful."""
        try:
            return fromstring(self.body)
        except (ParseError, DefusedXmlException, ValueError):
            raise Unreadable from None

    def success(self) -> Answer:
        """Itself, if its status is 2xx. Raises Refusing and ChannelRefused."""
        if (refusal := self.refusal()) is not None:
            raise Refusing(refusal)
        return self

    def refusal(self) -> Rejected | Throttled | Unknown | None:
        """What its status says of a message, unless that is 2xx. Raises ChannelRefused."""
        if self.status in MISCONFIGURED:
            what = "contract" if self.status == NO_MONEY else "channel's url and credentials"
            raise ChannelRefused(f"the carrier answered {self.status}: check the {what}")
        if self.status in LATER:
            return Throttled(seconds(self.headers.get("Retry-After")), f"the carrier answered {self.status}")
        if 400 <= self.status < 500:
            return Rejected(f"http_{self.status}", f"the carrier answered {self.status}")
        return None if 200 <= self.status < 300 else Unknown(f"the carrier answered {self.status}")


def seconds(value: object) -> float | None:
    """As carriers send them; a date, which HTTP allows too, is rare and answered by our own pause."""
    try:
        return max(0.0, float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


class Line:
    """Calls to one carrier, by any number of threads. `time_limit`: seconds for a call, its answer included.

    `secrets` are masked in what is kept of an exchange. No proxy of the machine's sees citizens' messages, no cookie is
    kept and no redirect followed.
    """

    def __init__(self, time_limit: float, secrets: Sequence[str] = ()) -> None:
        self._time_limit = time_limit
        self._secrets = tuple(secrets)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = "smsgw"  # that of the library is turned away by many a firewall
        self._adapter = TimelyAdapter(pool_maxsize=AT_ONCE * _CALLERS)
        self._addressed = lru_cache(_ADDRESSES)(self._address)

    def send(self, ref: str | None, method: str, url: str, *, hide: Sequence[str] = (), **request: Any) -> Answer:
        """A call with messages in it, kept as an exchange. `ref`: the message, if it is one; `hide`: more secrets."""
        with exchanges.keeping(ref, (*self._secrets, *hide)) as kept:
            prepared = self._prepared(method, url, **request)
            kept.asked(method, prepared.url or url, prepared.body)
            answer = self._call(prepared)
            kept.answered(answer.status, answer.body)
            return answer

    def ask(self, method: str, url: str, **request: Any) -> Answer:
        """A call without any message, such as for a token."""
        return self._call(self._prepared(method, url, **request))

    def close(self) -> None:
        self._session.close()
        self._adapter.close()

    def _prepared(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, auth: Any = None, **body: Any
    ) -> requests.PreparedRequest:
        """A request as `requests` would prepare it, but for its address, which is prepared once and not for each."""
        request = self._addressed(method, url).copy()
        request.headers.update(headers or {})
        request.prepare_body(body.get("data"), None, body.get("json"))
        if auth:
            request.prepare_auth(auth)
        return request

    def _address(self, method: str, url: str) -> requests.PreparedRequest:
        try:
            return self._session.prepare_request(requests.Request(method, url))
        except requests.RequestException:  # whose words have all of the address in them, secrets too
            raise Unreachable("no host can have that name") from None

    def _call(self, request: requests.PreparedRequest) -> Answer:
        # requests hands it on as it is; its stubs do not say so.
        limit: Any = Timeout(total=self._time_limit)
        try:
            # Not by the session, which reads a redirect's target, and all of its body, also when it is not to follow.
            with self._adapter.send(request, timeout=limit, stream=True) as answer:
                return Answer(answer.status_code, answer.headers, _bounded(answer))
        except requests.ConnectionError as error:
            raise _failure(error) from None
        except (requests.Timeout, ReadTimeoutError):
            raise Doubtful("no answer within the time limit") from None
        except ProtocolError:
            raise Doubtful("the connection broke") from None
        except (requests.RequestException, HTTPError) as error:
            raise Doubtful(f"the carrier's answer can't be read ({type(error).__name__})") from None


def _bounded(answer: requests.Response) -> bytes:
    pieces, size = [], 0
    while piece := answer.raw.read(_PIECE, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise Doubtful(f"the carrier's answer has more than {LARGEST_ANSWER} bytes")
    return b"".join(pieces)


def _failure(error: requests.ConnectionError) -> Exception:
    """A connection that was never made carried nothing; one that broke may have carried everything."""
    reason = error.args[0].reason if error.args and isinstance(error.args[0], MaxRetryError) else None
    if isinstance(reason, NameResolutionError):
        return Unreachable("the name of the carrier's host is not known")
    if isinstance(reason, NoTls):
        return Unreachable("no TLS connection")
    if isinstance(reason, NewConnectionError):
        return Unreachable("no connection")
    if isinstance(error, requests.ConnectTimeout) or isinstance(reason, ConnectTimeoutError):
        return Unreachable("no connection within the time limit")
    if reason is not None and isinstance(reason.args[0] if reason.args else None, ssl.SSLCertVerificationError):
        return Unreachable("the carrier's certificate is not valid")
    return Doubtful("the connection broke")


class HttpCarrier:
    """What carriers over HTTP have in common: those that do less leave out what they don't do.

    A carrier says how one message is sent (`_send`) and what keeps it from sending (`_check`); both may raise
    `CallFailed`, `Doubtful` and `Refusing`. `calls`: how many a message may take, one after the other, each of which
    has `time_limit` seconds.
    """

    abilities: ClassVar[Abilities]
    calls: ClassVar[int] = 1

    def __init__(self, time_limit: float, secrets: Sequence[str] = ()) -> None:
        self.time_limit = time_limit * self.calls
        self._line = Line(time_limit, secrets)
        self._at_once = ThreadPoolExecutor(AT_ONCE * _CALLERS, thread_name_prefix="carrier")

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        raise Malformed([("url", "this carrier brings no messages")])

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        raise Malformed([("url", "this carrier brings no receipts")])

    def answer(self, taken: Sequence[Taken]) -> CallbackAnswer:
        return CallbackAnswer(b"", "text/plain; charset=utf-8")

    def submit(self, batch: Sequence[Outbound]) -> list[Outcome]:
        """Each message in a call of its own, all of them at once."""
        if len(batch) == 1:
            results = [_tried(self._send, batch[0])]
        else:
            waiting = [self._at_once.submit(copy_context().run, _tried, self._send, message) for message in batch]
            results = [each.result() for each in waiting]
        return of_batch(results)

    def fault(self) -> str | None:
        try:
            return self._check()
        except ChannelRefused as refused:
            return str(refused)  # which says what to do
        except Refusing as refusing:
            return f"{refusing}: ask the carrier"
        except (CallFailed, Doubtful) as error:
            return f"{error}: check the channel's url, or ask the carrier"

    def close(self) -> None:
        self._at_once.shutdown(wait=False)
        self._line.close()

    def _send(self, message: Outbound) -> Outcome:
        raise Unreachable("this carrier takes no messages")

    def _check(self) -> str | None:
        return None


def _tried(send: Callable[[Outbound], Outcome], message: Outbound) -> Outcome | CallFailed:
    try:
        return send(message)
    except CallFailed as failed:
        return failed
    except Refusing as refusing:
        return refusing.outcome
    except Doubtful as doubt:
        return Unknown(str(doubt))
