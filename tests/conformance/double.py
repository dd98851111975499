"""A carrier of plain sockets: it says what it is told to, byte for byte, and writes down what it heard."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

Says = Callable[[socket.socket], None]


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it came over the line. `packets`: as how many it came."""

    line: str
    headers: dict[str, str]
    body: bytes
    packets: int

    @property
    def path(self) -> str:
        return self.line.split(" ")[1].partition("?")[0]


@dataclass
class Double:
    """Listens on loopback. `script` has what is said on a path; `says` answers every other request."""

    says: Says
    script: dict[str, Says] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    bytes_said: int = 0  # of an answer that trickles

    def __enter__(self) -> Double:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(5)
            heard = _read(connection)
            self.heard.append(heard)
            self.script.get(heard.path, self.says)(connection)

    def silent(self, connection: socket.socket) -> None:
        """Says nothing for as long as the test lasts."""
        self._ended.wait(5)

    def trickling(self, begun: bytes) -> Says:
        """Goes on answering after these bytes, a byte at a time, for as long as somebody listens and the test lasts."""

        def say(connection: socket.socket) -> None:
            connection.sendall(begun)
            while not self._ended.wait(0.02):
                connection.sendall(b"a")
                self.bytes_said += 1

        return say

    def flooding(self, begun: bytes) -> Says:
        """Says a hundred megabytes after these bytes, as far as somebody listens."""

        def say(connection: socket.socket) -> None:
            connection.sendall(begun)
            for _ in range(100_000_000 // 65536):
                connection.sendall(b"a" * 65536)
                self.bytes_said += 65536

        return say


def _read(connection: socket.socket) -> Heard:
    stream = connection.makefile("rb")
    line = stream.readline().decode("ascii").strip()
    headers: dict[str, str] = {}
    while row := stream.readline().decode("latin-1").strip():
        name, _, value = row.partition(":")
        headers[name.lower()] = value.strip()
    return Heard(line, headers, stream.read(int(headers.get("content-length", 0))), _packets(connection))


def _packets(connection: socket.socket) -> int:
    """With something in them, that came by a connection: `tcpi_data_segs_in` of Linux's `struct tcp_info`."""
    count: int = struct.unpack_from("I", connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160), 152)[0]
    return count


def response(status: int = 200, body: bytes = b"", headers: dict[str, str] | None = None) -> Says:
    """An answer of HTTP."""
    rows = {"Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in rows.items())

    def say(connection: socket.socket) -> None:
        connection.sendall(head.encode("latin-1") + b"\r\n" + body)

    return say


def cut(connection: socket.socket) -> None:
    """The line breaks after the request was read."""


def half(body: bytes) -> Says:
    """The line breaks in the middle of the answer."""

    def say(connection: socket.socket) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body[: len(body) // 2])

    return say
