"""An SMSC of plain sockets: it answers what it is told to, octet for octet, and writes down what it heard."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

HEAD = struct.Struct(">4L")
SUBMIT_SM, SUBMIT_SM_RESP, DELIVER_SM = 0x04, 0x80000004, 0x05
BIND_TRANSMITTER, BIND_TRANSCEIVER, UNBIND, ENQUIRE_LINK = 0x02, 0x09, 0x06, 0x15
GENERIC_NACK = 0x80000000
RESPONSE = 0x80000000
_TOKEN = re.compile(r"'([^']*)'|([0-9A-Fa-f]+)|#[^\n]*|\s+")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of SMPP as it came over the line."""

    command: int
    status: int
    sequence: int
    body: bytes


# What is said to a submission; given its sequence number.
Says = Callable[[int], bytes]


def octets(written: str) -> bytes:
    """Octets as tables write them: in hexadecimal, 'ASCII' in quotes, and remarks."""
    out, at = b"", 0
    while at < len(written):
        match = _TOKEN.match(written, at)
        assert match, written[at : at + 20]
        out += match[1].encode("ascii") if match[1] is not None else bytes.fromhex(match[2] or "")
        at = match.end()
    return out


def unit(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    return HEAD.pack(HEAD.size + len(body), command, status, sequence) + body


def submit_answer(status: int = 0, body: bytes = b"1\0") -> Says:
    return lambda sequence: unit(SUBMIT_SM_RESP, sequence, body, status)


@dataclass
class Smsc:
    """Listens on loopback. `says` answers submissions, `bind_status` binds; `greets` follows a bind at once.

    `hangs_up`: the line breaks behind what is said to a submission. `bind_answer`: in place of the command of a bind's.
    """

    says: Says = field(default_factory=submit_answer)
    bind_status: int = 0
    bind_answer: int | None = None
    greets: bytes = b""
    hangs_up: bool = False
    answers_enquiries: bool = True
    heard: list[Unit] = field(default_factory=list)

    def __enter__(self) -> Smsc:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._come = threading.Condition()
        self._lines: list[socket.socket] = []
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self.hang_up()

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    def hang_up(self) -> None:
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self._lines.clear()

    def send(self, octets: bytes) -> None:
        """Say something that was not asked for, by the latest line."""
        self._lines[-1].sendall(octets)

    def of(self, command: int) -> list[Unit]:
        return [unit for unit in self.heard if unit.command == command]

    def waits_for(self, command: int, count: int = 1, seconds: float = 60.0) -> Unit:
        """The so many-th unit of a command, once it is there."""
        with self._come:
            assert self._come.wait_for(lambda: len(self.of(command)) >= count, seconds), f"no {command:#x} came"
        return self.of(command)[count - 1]

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._server.accept()
                self._lines.append(line)
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with suppress(OSError, struct.error, ValueError), line.makefile("rb") as stream:
            while True:
                length, command, status, sequence = HEAD.unpack(stream.read(HEAD.size))
                heard = Unit(command, status, sequence, stream.read(length - HEAD.size))
                said = self._answer(heard)
                # Written down after it is answered, so that who waits for it may hang up.
                line.sendall(said)
                with self._come:
                    self.heard.append(heard)
                    self._come.notify_all()
                if command == SUBMIT_SM and self.hangs_up:
                    line.shutdown(socket.SHUT_RDWR)

    def _answer(self, heard: Unit) -> bytes:
        match heard.command:
            case 0x02 | 0x09:
                body = b"SMSC\0" if not self.bind_status else b""
                command = self.bind_answer or heard.command | RESPONSE
                return unit(command, heard.sequence, body, self.bind_status) + self.greets
            case 0x04:
                return self.says(heard.sequence)
            case 0x06:
                return unit(heard.command | RESPONSE, heard.sequence)
            case 0x15:
                return unit(heard.command | RESPONSE, heard.sequence) if self.answers_enquiries else b""
        return b""
