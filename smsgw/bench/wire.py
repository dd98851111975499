"""HTTP as cheap as Python allows: one thread, raw sockets, keep-alive, one request at a time on a connection.

What the bench itself costs is taken from the gateway's cores, so nothing here is general: requests and answers have a
Content-Length, and are small enough for the kernel's buffers.
"""

from __future__ import annotations

import gc
import heapq
import itertools
import select
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress

HOST = "127.0.0.1"
BUFFER = 200 * 1024  # bytes that the kernel takes at once
PIECE = 1024 * 1024  # bytes read at once
MILLISECOND = 0.001
LONGEST_WAIT = 0.25  # seconds between looks at whether to stop

Work = Callable[[], None]
now = time.monotonic


class Loop:
    """Calls whoever has something to read, and whatever is due."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._readers: dict[int, Work] = {}
        self._due: list[tuple[float, int, Work]] = []
        self._order = itertools.count()

    def add(self, fd: int, ready: Work) -> None:
        self._readers[fd] = ready
        self._epoll.register(fd, select.EPOLLIN)

    def remove(self, fd: int) -> None:
        del self._readers[fd]
        self._epoll.unregister(fd)

    def at(self, when: float, work: Work) -> None:
        """Do something at a time of the monotonic clock."""
        heapq.heappush(self._due, (when, next(self._order), work))

    def run(self, until: Callable[[], bool], limit: float) -> bool:
        """Run until that is so; False if it was not within `limit` seconds."""
        end = now() + limit
        gc.freeze()
        gc.disable()
        try:
            while not until():
                if now() > end:
                    return False
                self._turn()
            return True
        finally:
            gc.enable()
            gc.unfreeze()

    def _turn(self) -> None:
        wait = LONGEST_WAIT
        while self._due:
            wait = min(LONGEST_WAIT, self._due[0][0] - now())
            if wait > 0:
                break
            heapq.heappop(self._due)[2]()
            wait = LONGEST_WAIT
        # The kernel counts in milliseconds, upwards. The last one is spent looking, or the bench would be what is late.
        for fd, _ in self._epoll.poll(max(0.0, wait - MILLISECOND)):
            if ready := self._readers.get(fd):
                ready()

    def close(self) -> None:
        self._epoll.close()


class _Connection(ABC):
    """One TCP connection on which whole HTTP messages are read."""

    def __init__(self, loop: Loop, connected: socket.socket) -> None:
        self._loop = loop
        self._socket = connected
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        connected.setblocking(False)
        self._read = b""
        loop.add(connected.fileno(), self._ready)

    def send(self, message: bytes) -> None:
        with suppress(ConnectionError):
            sent = self._socket.send(message)
            if sent < len(message):
                self._socket.settimeout(5)
                self._socket.sendall(message[sent:])
                self._socket.setblocking(False)

    def close(self) -> None:
        self._loop.remove(self._socket.fileno())
        self._socket.close()

    def _ready(self) -> None:
        try:
            piece = self._socket.recv(PIECE)
        except BlockingIOError:
            return
        except ConnectionError:
            piece = b""
        if not piece:
            self.close()
            self.ended()
            return
        self._read = self._read + piece if self._read else piece
        head, found, rest = self._read.partition(b"\r\n\r\n")
        if found and len(rest) >= (length := _length(head)):
            self._read = rest[length:]
            self.came(head, rest[:length])

    @abstractmethod
    def came(self, head: bytes, body: bytes) -> None:
        """A whole request or answer has come."""

    @abstractmethod
    def ended(self) -> None:
        """The other side has closed it."""


def _length(head: bytes) -> int:
    value = head.lower().partition(b"\r\ncontent-length:")[2]
    return int(value.partition(b"\r\n")[0] or 0)


class Caller(_Connection):
    """Sends requests to a port of this machine. `answered` is told the status; 0: the connection broke instead."""

    def __init__(self, loop: Loop, port: int, answered: Callable[[Caller, int, bytes], None]) -> None:
        super().__init__(loop, socket.create_connection((HOST, port), timeout=10))
        self._answered = answered

    def came(self, head: bytes, body: bytes) -> None:
        self._answered(self, int(head[9:12]), body)

    def ended(self) -> None:
        self._answered(self, 0, b"")


Handle = Callable[[bytes, bytes], bytes]  # a request's head and body: the answer's body


class Server:
    """Answers 200 with what `handle` makes of each request, after `latency` seconds."""

    def __init__(self, loop: Loop, handle: Handle, latency: float = 0.0) -> None:
        self._loop = loop
        self._handle = handle
        self._latency = latency
        self._lines: set[_Line] = set()
        self._door = socket.create_server((HOST, 0), backlog=512)
        self.port: int = self._door.getsockname()[1]
        loop.add(self._door.fileno(), self._accept)

    def _accept(self) -> None:
        line = _Line(self._loop, self._door.accept()[0], self._handle, self._latency, self._lines.discard)
        self._lines.add(line)

    def close(self) -> None:
        for line in self._lines:
            line.close()
        self._loop.remove(self._door.fileno())
        self._door.close()


class _Line(_Connection):
    """One client of a server."""

    def __init__(
        self, loop: Loop, connected: socket.socket, handle: Handle, latency: float, gone: Callable[[_Line], None]
    ) -> None:
        super().__init__(loop, connected)
        self._handle = handle
        self._latency = latency
        self._gone = gone

    def ended(self) -> None:
        self._gone(self)

    def came(self, head: bytes, body: bytes) -> None:
        answer = self._handle(head, body)
        whole = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer
        )
        if self._latency:
            self._loop.at(now() + self._latency, lambda: self.send(whole))
        else:
            self.send(whole)
