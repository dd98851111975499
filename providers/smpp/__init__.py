"""SMPP 3.4 (specification issue 1.2): a line to an SMSC that carries messages, receipts and citizens' texts.

The line is a transceiver, held where the gateway works; `pdu` has the units, `session` one connection, `line` the
thread that owns it, `jobs` what comes of a message, `texts` and `receipts` what units say.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal, cast
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from providers import exchanges
from providers.callbacks import LONGEST_ID, dialled, international
from providers.carrier_ids import Form, canonical
from providers.codes import Meaning, of_batch
from providers.contract import (
    Abilities,
    Accepted,
    Callback,
    CallbackAnswer,
    CallFailed,
    Inbound,
    Malformed,
    Outbound,
    Outcome,
    Receipt,
    Receiver,
    Refused,
    Rejected,
    Taken,
    Throttled,
    Unknown,
)
from providers.smpp.codes import CODES, NUMBERS, name_of
from providers.smpp.jobs import Answered, Job
from providers.smpp.line import Brought, Line
from providers.smpp.pdu import Pdu
from providers.smpp.receipts import is_receipt, receipt
from providers.smpp.session import AlreadyBound, Way, opened, shown
from providers.smpp.texts import HAS_HEADER, Alphabet, cut, header, text_of

LARGEST_BATCH = 100
ASK_FOR_RECEIPT = 1
UNKNOWN_TYPE, INTERNATIONAL, NETWORK_SPECIFIC, ALPHANUMERIC = 0, 1, 3, 5  # types of number
ISDN = 1  # the numbering plan of telephones

_MEANINGS = {
    "rejected": Meaning.REJECTED,
    "elsewhere": Meaning.ELSEWHERE,
    "later": Meaning.LATER,
    "refused": Meaning.REFUSED,
}


class Config(BaseModel):
    """`alphabet`: the SMSC's default one. `window`: unanswered messages; `enquire_link`: seconds of silence.

    `source_ton`, `source_npi`: by the look of the sender if they are not set. `answer_ids`, `receipt_ids`: see
    `carrier_ids`. `timezone`: of the times in receipts. `codes`: what statuses of the SMSC mean, as `0x0401`.
    """

    model_config = ConfigDict(extra="forbid")

    host: str = Field(min_length=1)
    port: int = Field(default=2775, ge=1, le=65535)
    system_id: str = Field(min_length=1, max_length=15, pattern=r"^[!-~]+$")
    password: SecretStr = Field(min_length=1, max_length=8)
    system_type: str = Field(default="", max_length=12, pattern=r"^[!-~]*$")
    service_type: str = Field(default="", max_length=5, pattern=r"^[!-~]*$")
    tls: bool = False
    tls_ca: Path | None = None
    source_ton: int | None = Field(default=None, ge=0, le=6)
    source_npi: int | None = Field(default=None, ge=0, le=18)
    dest_ton: int = Field(default=INTERNATIONAL, ge=0, le=6)
    dest_npi: int = Field(default=ISDN, ge=0, le=18)
    alphabet: Alphabet = "gsm7"
    validity: Literal["absolute", "relative", "none"] = "absolute"
    window: int = Field(default=10, ge=1, le=1000)
    enquire_link: float = Field(default=30.0, gt=0, le=3600)
    time_limit: float = Field(default=10.0, gt=0, le=120)
    answer_ids: Form = "exact"
    receipt_ids: Form = "exact"
    timezone: str = "Asia/Ho_Chi_Minh"
    codes: dict[str, Literal["rejected", "elsewhere", "later", "refused"]] = Field(default_factory=dict)

    @field_validator("password")
    @classmethod
    def _ascii(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().isascii():
            raise ValueError("expected ASCII characters")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("expected the name of a time zone, such as Asia/Ho_Chi_Minh") from None
        return value


def connect(config: BaseModel) -> Smpp:
    """A provider for one channel."""
    return Smpp(cast(Config, config))


class Smpp:
    """One channel's line."""

    abilities: ClassVar[Abilities] = Abilities(largest_batch=LARGEST_BATCH)

    def __init__(self, config: Config) -> None:
        self.time_limit = config.time_limit
        self._config = config
        self._password = config.password.get_secret_value()
        self._way = Way(
            config.host,
            config.port,
            config.tls,
            config.tls_ca,
            config.system_id,
            self._password,
            config.system_type,
            config.time_limit,
        )
        self._meanings = {**CODES, **{_spelt(code): _MEANINGS[what] for code, what in config.codes.items()}}
        self._zone = ZoneInfo(config.timezone)
        self._line = Line(self._way, config.window, config.enquire_link)
        self._receiver: Receiver | None = None
        self._run = uuid.uuid4().hex[:12]  # tells our sessions from those of other processes

    def hold(self, receiver: Receiver) -> None:
        """Open the line, and keep it open until `close`."""
        self._receiver = receiver
        self._line.hold(self._brought, receiver.heard, receiver.note, self._late)

    def inbound(self, callback: Callback, now: datetime) -> list[Inbound | Refused]:
        raise Malformed([("url", "this carrier brings its messages by its line")])

    def receipts(self, callback: Callback, now: datetime) -> list[Receipt | Refused]:
        raise Malformed([("url", "this carrier brings its receipts by its line")])

    def answer(self, taken: Sequence[Taken]) -> CallbackAnswer:
        return CallbackAnswer(b"", "text/plain; charset=utf-8")

    def submit(self, batch: Sequence[Outbound]) -> list[Outcome]:
        """All parts of all messages, as far as the window goes, and then as answers come."""
        jobs = [Job(message.ref, self.parts(message), self._meanings) for message in batch]
        with ExitStack() as keeping:
            kept = [keeping.enter_context(exchanges.keeping(job.ref, (self._password,))) for job in jobs]
            for job, exchange in zip(jobs, kept, strict=True):
                exchange.asked("submit_sm", self._way.address, "\n".join(map(shown, job.parts)))
            self._line.submit(jobs)
            for job, exchange in zip(jobs, kept, strict=True):
                exchange.answer = "\n".join(map(_said, job.answers))
        return of_batch([self._named(job.outcome()) for job in jobs])

    def fault(self) -> str | None:
        """The held line's; otherwise that of a line of its own, bound for sending and left again at once."""
        failed = self._line.fault() if self._line.held else self._tried()
        return f"{failed}: check the channel's settings, or ask the carrier" if failed else None

    def close(self) -> None:
        self._line.close()

    def parts(self, message: Outbound) -> list[Mapping[str, Any]]:
        """The fields of each submit_sm that a message takes."""
        config, pieces = self._config, cut(message.text, message.encoding, self._config.alphabet)
        source_ton, source_npi = _numbering(message.sender)
        fields = {
            "service_type": config.service_type,
            "source_addr_ton": source_ton if config.source_ton is None else config.source_ton,
            "source_addr_npi": source_npi if config.source_npi is None else config.source_npi,
            "source_addr": message.sender,
            "dest_addr_ton": config.dest_ton,
            "dest_addr_npi": config.dest_npi,
            "destination_addr": message.recipient,
            "validity_period": _validity(message.expires_at, config.validity),
            "registered_delivery": ASK_FOR_RECEIPT,
            "data_coding": pieces.data_coding,
        }
        if len(pieces.parts) == 1:
            return [{**fields, "short_message": pieces.parts[0]}]
        # The same message has the same reference whenever it is sent, so that a phone can join parts of two tries.
        reference, count = zlib.crc32(message.ref.encode()) & 0xFF, len(pieces.parts)
        return [
            {**fields, "esm_class": HAS_HEADER, "short_message": header(reference, count, number) + octets}
            for number, octets in enumerate(pieces.parts, 1)
        ]

    def read(self, unit: Pdu, id: str) -> Inbound | Receipt | Refused:
        """What a deliver_sm brings. `id`: for a message, since the SMSC has none."""
        try:
            if is_receipt(unit):
                return receipt(unit, self._config.receipt_ids, self._zone)
            text, part = text_of(unit, self._config.alphabet)
        except ValueError as error:
            return Refused(id, str(error))
        sender, recipient = unit.text("source_addr"), unit.text("destination_addr").removeprefix("+")
        sender = international(sender) if unit.number("source_addr_ton") == INTERNATIONAL else dialled(sender)
        if max(len(sender), len(recipient)) > LONGEST_ID:
            return Refused(id, f"an address has more than {LONGEST_ID} characters")
        return Inbound(id, sender, recipient, text, part=part, session=id.rpartition("-")[0])

    def _brought(self, unit: Pdu, turn: int) -> Future[Brought]:
        receiver = cast(Receiver, self._receiver)
        item = self.read(unit, f"{self._run}-{turn}-{uuid.uuid4().hex[:12]}")
        said = f"deliver_sm {self._way.address}\n{shown({**unit.fields, **unit.tlvs})}"
        if isinstance(item, Receipt):
            return _then(receiver.receipts([item], said), lambda _: Brought(0))
        if isinstance(item, Refused):
            return _then(receiver.messages([item], said), lambda _: Brought(NUMBERS["ESME_RX_P_APPN"]))
        return _then(receiver.messages([item], said), lambda _: Brought(0, item.id))

    def _late(self, job: Job) -> None:
        """What was said too late of a message says as much as a receipt does."""
        match self._named(job.outcome()):
            case Accepted(carrier_id, parts) if all(len(id) <= LONGEST_ID for id in (carrier_id or "", *parts)):
                report = Receipt(job.ref, carrier_id, "buffered", parts=parts)
            case Rejected(code):
                report = Receipt(job.ref, None, "rejected", code)
            case Throttled() | CallFailed():
                cast(Receiver, self._receiver).not_taken([job.ref])
                return
            case _:
                return
        said = "\n".join(map(_said, job.answers))
        cast(Receiver, self._receiver).receipts([report], f"submit_sm_resp {self._way.address}\n{said}")

    def _named(self, outcome: Outcome | CallFailed) -> Outcome | CallFailed:
        """With the SMSC's ids in the spelling that its receipts are brought into as well."""
        form = self._config.answer_ids
        if isinstance(outcome, Accepted):
            id = canonical(outcome.carrier_id, form) if outcome.carrier_id else None
            return Accepted(id, tuple(canonical(part, form) for part in outcome.parts))
        if isinstance(outcome, Unknown):
            return Unknown(outcome.detail, tuple(part and canonical(part, form) for part in outcome.parts))
        return outcome

    def _tried(self) -> CallFailed | None:
        try:
            with opened(self._way, "bind_transmitter") as session:
                session.unbind()
        except AlreadyBound:
            return None  # by the gateway that is running, as a rule
        except CallFailed as failed:
            return failed
        return None


def _spelt(code: str) -> str:
    """A status as `name_of` has it, however the operator wrote it."""
    try:
        return name_of(int(code, 0))
    except ValueError:
        return code.upper()


def _numbering(sender: str) -> tuple[int, int]:
    """Type and plan of our own address by its look: a name, a short code, or a full number."""
    if not sender.isdigit():
        return ALPHANUMERIC, UNKNOWN_TYPE
    return (NETWORK_SPECIFIC, UNKNOWN_TYPE) if len(sender) <= 8 else (INTERNATIONAL, ISDN)


def _validity(expires_at: datetime, form: str) -> str:
    """SMPP 3.4, 7.1.1: a time in UTC, or the time from now on."""
    if form == "absolute":
        return expires_at.astimezone(UTC).strftime("%y%m%d%H%M%S000+")
    if form == "none":
        return ""
    left = max(60, int((expires_at - datetime.now(UTC)).total_seconds()))
    minutes, seconds = divmod(left, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{min(days, 30):02}{hours:02}{minutes:02}{seconds:02}000R"


def _said(answer: object) -> str:
    if isinstance(answer, Answered):
        return f"{name_of(answer.status)} {answer.id or ''}".rstrip()
    return "no answer" if answer is None else str(answer)


def _then(future: Future[list[Taken]], made: Callable[[list[Taken]], Brought]) -> Future[Brought]:
    """What is made of a future's result; its exception if it has one."""
    after: Future[Brought] = Future()

    def settled(done: Future[list[Taken]]) -> None:
        if (error := done.exception()) is not None:
            after.set_exception(error)
        else:
            after.set_result(made(done.result()))

    future.add_done_callback(settled)
    return after
