"""What the gateway and a carrier's translator say to each other.

A provider is one module with two names in it: `Config`, a pydantic model of the settings that only this carrier
has, and `connect(config)`, which returns a `Provider`, the protocol below. It translates and nothing else: it keeps no
state, retries nothing, logs nothing and paces nothing; all that is the caller's.

Ways to fail, all of them declared here:

    CallbackError
      BadSignature      the caller is not who it says, or its time is off: 401
      Malformed         the body can't be read; names each wrong field: 400
    CallFailed          a whole call of `submit` came to nothing, and the carrier surely has none of its messages
      ChannelRefused    it rejects our credentials: the channel must be held until someone mends it
      Unreachable       no connection could be made
        RenewalDoubtful a rotating token was perhaps spent and none came for it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

from pydantic import BaseModel

Encoding = Literal["gsm7", "ucs2"]
ReceiptStatus = Literal["buffered", "delivered", "undelivered", "expired", "rejected"]
Event = Literal["text", "follow", "unfollow"]


@dataclass(frozen=True, slots=True)
class Callback:
    """One HTTP request from a carrier, as it came. Header names are lower case.

    `url`: the whole address as the carrier was told it, with its query as sent; some sign that.
    """

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    url: str = ""


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What the carrier gets back for a callback that was read."""

    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a long text a message is: the `number`th (from 1) of `count`, all with one `reference`."""

    reference: str
    count: int
    number: int


class Inbound(NamedTuple):
    """A message from a citizen (MO). `id` is the carrier's; the same id is the same message, sent again.

    `sender` is a phone, with a plus where it surely has its country's code, or `<scheme>:<id>` where the carrier knows
    people by ids of its own. `event`: in a chat, people also begin and cease to follow us; the text is then empty.
    `part`: where the carrier leaves joining to us; the text may then begin or end with half of a surrogate pair.
    `session`: where the carrier has no ids, the line that it came by, and `id` is ours; one that came by an earlier
    line and was perhaps not acknowledged is known by what it says.
    """

    id: str
    sender: str
    recipient: str
    text: str
    received_at: datetime | None = None
    event: Event = "text"
    part: Part | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery report (DLR). At least one of `ref` (our id) and `carrier_id` (theirs) is set.

    `carrier_id` is spelt as in `Accepted`, see `carrier_ids`; `as_written` is what the carrier is answered with.
    `parts`, beside a `ref`: its names for the parts, where an answer to a submission comes so late that it is a report.
    """

    ref: str | None
    carrier_id: str | None
    status: ReceiptStatus
    error_code: str | None = None
    at: datetime | None = None
    as_written: str | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """One item of a callback that can't be taken, while its neighbours can.

    `error` says which field is wrong and not what it holds, as it is logged.
    """

    id: str | None
    error: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to an inbound message, for a carrier that takes it from the body of our answer. `ref` is our id."""

    ref: str
    recipient: str
    text: str
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one item of a callback. `reply` is set where the carrier's `answers_in_body`."""

    id: str | None
    status: Literal["accepted", "duplicate", "rejected"]
    error: str | None = None
    reply: Reply | None = None


class Outbound(NamedTuple):
    """A message to a citizen (MT). `ref` is our id for it and stays the same however often it is sent.

    `chat`: where the holder of the phone has lately written to us in the carrier's chat.
    """

    ref: str
    sender: str
    recipient: str
    text: str
    encoding: Encoding
    segments: int
    expires_at: datetime
    chat: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier has it. `parts`: its names for the parts, where it has no one name for the whole."""

    carrier_id: str | None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """The carrier will never take it; sending it again would change nothing.

    `elsewhere`: it surely does not have it either, and it is only here that the person can't be reached.
    """

    code: str
    detail: str = ""
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Throttled:
    """The carrier surely does not have it and may take it later. `retry_after` in seconds, where it said so."""

    retry_after: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The carrier may have it: a time-out, a cut connection, a server error, an answer that can't be read.

    `parts`: its names for the parts, None for those in doubt; empty where it surely has none of them.
    """

    detail: str
    parts: tuple[str | None, ...] = ()


Outcome = Accepted | Rejected | Throttled | Unknown


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a carrier can do, asked before it is used.

    `idempotent_by_ref`: it takes a ref only once, for as long as `ref_known_for`. `largest_batch`: messages in one
    `submit`. `submits`, `receives`, `reports`: it takes messages from us, brings citizens' ones, brings receipts.
    `answers_in_body`: it takes the reply to a message from the body of our answer, one message a callback, and gets
    the same body for the same message again; `reports_bodies`: it sends receipts for those replies. `methods`: of its
    callbacks. `scheme`: it knows people as `<scheme>:<id>`, and lets us write for `chat_open` after their last word.
    `one_door`: its receipts come by the door of its messages. `patience`: how long it waits for the answer to a
    callback before it calls again, where that is short enough to matter.
    """

    idempotent_by_ref: bool = False
    ref_known_for: timedelta = timedelta(hours=24)
    largest_batch: int = 1
    submits: bool = True
    receives: bool = True
    reports: bool = True
    answers_in_body: bool = False
    reports_bodies: bool = False
    methods: frozenset[str] = frozenset({"POST"})
    scheme: str | None = None
    chat_open: timedelta = timedelta()
    one_door: bool = False
    patience: timedelta | None = None


class CallbackError(Exception):
    """A callback that is not taken."""


class BadSignature(CallbackError):
    """The signature is missing, wrong or out of date. The text says which, for the log."""


@dataclass
class Malformed(CallbackError):
    """The body can't be read. `errors` pairs each wrong field's path with what was expected there."""

    errors: list[tuple[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        return "; ".join(f"{where}: {what}" for where, what in self.errors)


class CallFailed(Exception):
    """A call came to nothing: the carrier has none of its messages. The text says why, for the operator."""


class ChannelRefused(CallFailed):
    """The carrier does not accept us (401, 403): nothing can be sent until the settings are mended."""


class Unreachable(CallFailed):
    """No connection could be made."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a carrier gave for a refresh token, which is spent by that. `lifetime`: of the access token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    lifetime: timedelta


class RenewalDoubtful(Unreachable):
    """The carrier may have taken the refresh token without our hearing what it gave for it."""


class Keys(Protocol):
    """A channel's access token, which all nodes share and one of them renews."""

    def access_token(self) -> str | None:
        """The token to show; None while another node renews it. Raises CallFailed."""

    def rejected(self, token: str) -> None:
        """The carrier does not take that token (any more). Raises ChannelRefused if it has only just given it."""

    def trouble(self) -> str | None:
        """Why the last renewal failed, for the operator; None if it did not."""


@runtime_checkable
class Renewing(Protocol):
    """A provider whose refresh token is good for one renewal. `first_refresh_token`: as the operator set it."""

    first_refresh_token: str

    def renew(self, refresh_token: str) -> Renewed:
        """Trade a refresh token in. Raises ChannelRefused, Unreachable, or RenewalDoubtful and nothing else."""

    def use(self, keys: Keys) -> None:
        """Where access tokens are to be had from now on."""


@dataclass(frozen=True, slots=True)
class Quota:
    """How many messages a carrier still takes from us today, and of how many."""

    left: int
    daily: int


@runtime_checkable
class Metered(Protocol):
    """A provider whose carrier takes only so many messages a day, and says how many."""

    def quota(self) -> Quota | None:
        """What is left of it, asked without sending anything; None where the carrier does not say now."""


class Receiver(Protocol):
    """Where a line brings what comes by it, with how it was said, for the trace. Nothing here waits."""

    def messages(self, messages: Sequence[Inbound | Refused], said: str) -> Future[list[Taken]]:
        """What became of each, once everything is committed; an error if it was not, and must come again."""

    def receipts(self, receipts: Sequence[Receipt | Refused], said: str) -> Future[list[Taken]]:
        """The same of delivery reports."""

    def heard(self, ids: Sequence[str]) -> Future[None]:
        """The carrier has surely read that we took these messages, so it will not bring them again."""

    def not_taken(self, refs: Sequence[str]) -> Future[None]:
        """The carrier says of messages, after the call's time limit, that it has them not and may take them later."""

    def note(self, what: str) -> None:
        """Something about the line that an operator wants to read in the log."""


@runtime_checkable
class Connected(Protocol):
    """A provider whose messages and receipts come in by a line that it holds."""

    def hold(self, receiver: Receiver) -> None:
        """Open the line, and keep it open until `close`. What can't be opened yet is tried again.

        Called before anything is submitted: a line that is only sent by hears nothing.
        """


class Provider(Protocol):
    """A carrier's translator."""

    abilities: ClassVar[Abilities]
    time_limit: float  # seconds that one submit may take; leases are made from it

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        """Read a callback with citizens' messages. Raises CallbackError."""

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        """Read a callback with delivery reports. Raises CallbackError."""

    def answer(self, taken: Sequence[Taken]) -> CallbackAnswer:
        """Put into the carrier's words what became of each item of its callback, in the order given."""

    def submit(self, batch: Sequence[Outbound]) -> list[Outcome]:
        """Hand a batch to the carrier: one outcome a message, in order. Raises CallFailed and nothing else.

        Called by several threads at a time: a reply does not wait for the call that carries notices.
        """

    def fault(self) -> str | None:
        """What keeps messages from being sent, found without sending any; None if nothing does."""

    def close(self) -> None:
        """Let go of connections."""


class ProviderModule(Protocol):
    """What a provider's module has to have: how to configure it, and the class itself."""

    Config: type[BaseModel]

    def connect(self, config: BaseModel) -> Provider:
        """A provider for one channel, with a configuration that is a `Config` of this module."""
