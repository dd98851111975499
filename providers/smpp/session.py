"""One bound connection to an SMSC: bytes in, bytes out, and which of our acknowledgements it has surely read.

Only the thread that opened it may touch it. It never blocks for longer than it is told: what does not fit into the
socket waits in a buffer, and half a unit waits for its other half.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

from providers.codes import Meaning
from providers.contract import CallFailed, ChannelRefused, Unreachable
from providers.smpp.codes import CODES, name_of
from providers.smpp.pdu import LAST_SEQUENCE, Pdu, Unreadable, read, taken_from, written

ALREADY_BOUND = "ESME_RALYBND"
UNBIND_WAIT = 2.0  # seconds
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Way:
    """How to get to an SMSC, and who we are there. `time_limit`: seconds to connect, and to be let in."""

    host: str
    port: int
    tls: bool
    tls_ca: Path | None
    system_id: str
    password: str = field(repr=False)
    system_type: str
    time_limit: float

    @property
    def address(self) -> str:
        return f"smpp{'s' if self.tls else ''}://{self.host}:{self.port}"


class Broken(Unreachable):
    """The line is no more."""


class Session:
    """See above. `wake`: a socket that ends a wait when something can be read from it."""

    def __init__(self, line: socket.socket, wake: socket.socket | None = None) -> None:
        self._line = line
        self._wake = wake
        self._in, self._out = bytearray(), bytearray()
        self._sequence = 0
        self._unsent: set[int] = set()  # requests that no part of was given to the socket yet
        self._early: list[Pdu | Unreadable] = []  # came while an answer was waited for
        self._acknowledged: deque[tuple[int, float, str]] = deque()  # not surely read yet: number, when, message
        self._acknowledgements = 0
        self._marks: dict[int, int] = {}  # acknowledgements that went out before a request of ours, by its sequence
        self._broken = ""  # why, once it is
        self.heard_at = self.read_at = time.monotonic()  # when something came, and when it was last looked
        line.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(line, selectors.EVENT_READ)
        if wake is not None:
            self._selector.register(wake, selectors.EVENT_READ)

    def request(self, command: str, **fields: Any) -> int:
        """Ask the SMSC something; the number under which it will answer. Raises Broken."""
        if self._broken:
            raise Broken(f"the line broke: {self._broken}")
        self._sequence = self._sequence % LAST_SEQUENCE + 1
        self._out += written(command, self._sequence, **fields)
        self._unsent.add(self._sequence)
        self._marks[self._sequence] = self._acknowledgements
        return self._sequence

    def reply(self, command: str, sequence: int, status: int = 0, acknowledges: str | None = None) -> None:
        """Answer the SMSC. `acknowledges`: the message that it must not bring again, once it has read this."""
        self._out += written(command, sequence, status)
        if acknowledges is not None:
            self._acknowledgements += 1
            self._acknowledged.append((self._acknowledgements, time.monotonic(), acknowledges))

    def unsent(self) -> Collection[int]:
        """The requests of which nothing went out."""
        return self._unsent

    def surely_read(self, answered: int) -> list[str]:
        """What the SMSC had read before it answered that request of ours."""
        mark, ids = self._marks.pop(answered, 0), []
        # It may never answer what it was asked before, and no answer to that would prove more than this one.
        for asked in [*takewhile(lambda asked: self._marks[asked] <= mark, self._marks)]:
            del self._marks[asked]
        while self._acknowledged and self._acknowledged[0][0] <= mark:
            ids.append(self._acknowledged.popleft()[2])
        return ids

    @property
    def unproved_since(self) -> float | None:
        """Since when there has been an acknowledgement of which nobody knows yet whether it was read."""
        return self._acknowledged[0][1] if self._acknowledged else None

    def turn(self, seconds: float) -> list[Pdu | Unreadable]:
        """Wait for so long at most, and write and read what can be; what came. Raises Broken."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._out else 0)
        self._selector.modify(self._line, events)
        early, self._early = self._early, []
        for key, _ in self._selector.select(0.0 if early else max(0.0, seconds)):
            if key.fileobj is self._wake and self._wake is not None:
                with suppress(BlockingIOError):
                    self._wake.recv(_PIECE)
        self.read_at = time.monotonic()
        # Reading comes first: what the SMSC said before it hung up is no less said, and it hears nothing any more.
        for work in (self._read, self._write):
            try:
                if not self._broken:
                    work()
            except (OSError, Broken) as error:
                self._broken = str(error)
        units = [*early, *self._units()]
        if self._broken and not units:
            raise Broken(f"the line broke: {self._broken}")
        return units

    def bind(self, command: str, way: Way) -> None:
        """Be let in. Raises ChannelRefused or Unreachable."""
        asked = self.request(command, system_id=way.system_id, password=way.password, system_type=way.system_type)
        answer = self._answer_to(asked, way.time_limit)
        if answer is None:
            raise Unreachable("the SMSC does not answer a bind within the time limit")
        if not answer.status and answer.command != f"{command}_resp":
            raise Unreachable(f"the SMSC answers a bind with {answer.command}")
        if answer.status:
            name = name_of(answer.status)
            said = f"the SMSC answers the bind with {name}"
            refused = CODES.get(name) is Meaning.REFUSED
            raise (
                ChannelRefused(said) if refused else AlreadyBound(said) if name == ALREADY_BOUND else Unreachable(said)
            )

    def unbind(self) -> None:
        """Take leave, with nothing in hand."""
        with suppress(Broken):
            self._answer_to(self.request("unbind"), UNBIND_WAIT)

    def close(self) -> None:
        self._selector.close()
        self._line.close()

    def _answer_to(self, asked: int, seconds: float) -> Pdu | None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            answer, others = None, []
            for unit in self.turn(left):
                head = unit.head if isinstance(unit, Unreadable) else unit
                if answer is None and head.sequence == asked and is_answer(head):
                    answer = head
                else:
                    others.append(unit)
            if answer is not None:
                self._early = others
                return answer
        return None

    def _write(self) -> None:
        if self._out:
            self._unsent.clear()  # TLS that fails does not say how much of it went out
            with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                del self._out[: self._line.send(self._out)]

    def _read(self) -> None:
        # Until nothing is left: what TLS has deciphered already, no selector tells of.
        with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            for _ in range(16):
                piece = self._line.recv(_PIECE)
                if not piece:
                    raise Broken("the SMSC hung up")
                self._in += piece
                self.heard_at = time.monotonic()

    def _units(self) -> Iterator[Pdu | Unreadable]:
        try:
            while (raw := taken_from(self._in)) is not None:
                try:
                    yield read(raw)
                except Unreadable as unreadable:
                    yield unreadable
        except ValueError as error:  # what came before it is no less said
            self._broken = self._broken or str(error)


def is_answer(head: Pdu) -> bool:
    """Whether a unit answers a request of ours."""
    return head.command.endswith("_resp") or head.command == "generic_nack"


class AlreadyBound(Unreachable):
    """The SMSC takes our name and password, and says that we are there already."""


@contextmanager
def opened(way: Way, command: str, wake: socket.socket | None = None) -> Iterator[Session]:
    """A session that is bound. Raises ChannelRefused or Unreachable."""
    session = Session(_connected(way), wake)
    try:
        session.bind(command, way)
        yield session
    finally:
        session.close()


def _connected(way: Way) -> socket.socket:
    try:
        line = socket.create_connection((way.host, way.port), timeout=way.time_limit)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not way.tls:
            return line
    except OSError as error:
        raise Unreachable(f"no connection to {way.address}: {error.strerror or error}") from None
    except UnicodeError:
        raise Unreachable(f"no connection to {way.address}: no host can have that name") from None
    try:
        context = ssl.create_default_context(cafile=way.tls_ca)
        return context.wrap_socket(line, server_hostname=way.host)
    except OSError as error:
        line.close()
        raise Unreachable(f"no TLS with {way.address}: {getattr(error, 'verify_message', '') or error}") from None


def shown(fields: Mapping[Any, Any]) -> str:
    """A unit's fields, for those who look into an exchange: octets as the characters that they are, else as hex."""
    return " ".join(_field(name, value) for name, value in fields.items() if value)


def _field(name: str | int, value: Any) -> str:
    if isinstance(name, int):  # an optional one, whose characters may end with a NUL
        name, value = f"0x{name:04x}", value.removesuffix(b"\0")
    if isinstance(value, bytes):
        plain = value.decode("latin-1")
        value = plain if plain.isascii() and plain.isprintable() else value.hex()
    return f"{name}={value}"


def failed_again(failed: CallFailed) -> CallFailed:
    """The same failure, to be raised by another thread."""
    return type(failed)(str(failed))
