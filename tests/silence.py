"""A TCP line to PostgreSQL that can be cut as when a cable is pulled: nothing is refused, and nothing arrives.

A filter in the kernel drops what comes in on its side, so that nothing is acknowledged either; it needs no privilege.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

_ATTACH, _DETACH = 26, 27  # SO_ATTACH_FILTER, SO_DETACH_FILTER
_DROP = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # of a packet, let 0 bytes through
_DROPPING = struct.pack("HL", 1, ctypes.addressof(_DROP))


class Line:
    """Listens on loopback for clients of the server behind a socket file."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.listeners: list[socket.socket] = []  # the lines of clients that have said LISTEN
        self._clients: list[socket.socket] = []
        self._servers: list[socket.socket] = []
        self._quiet: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, direct: str) -> str:
        """Of a database of that server, by this line."""
        by_line = sa.make_url(direct).set(host="127.0.0.1", port=self.port)
        return by_line.difference_update_query(["host"]).render_as_string()

    def cut(self) -> None:
        """Nothing more is heard, and nobody is let in."""
        self._silence(self._listening, *self._clients)

    def cut_listeners(self) -> None:
        """Nothing more is heard by those who wait to be told something."""
        self._silence(*self.listeners)

    def hush(self) -> None:
        """Those who are there may say what they like and hear nothing more, as of a proxy that has lost its way."""
        self._quiet.update(self._clients)

    def mend(self) -> None:
        for line in self._quiet:
            with contextlib.suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, _DETACH, 0)
        self._quiet.clear()

    def close(self) -> None:
        self.mend()
        for line in (self._listening, *self._clients, *self._servers):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)  # whoever reads from it wakes up
            line.close()

    def _silence(self, *lines: socket.socket) -> None:
        for line in lines:
            with contextlib.suppress(OSError):  # it is closed already
                line.setsockopt(socket.SOL_SOCKET, _ATTACH, _DROPPING)
        self._quiet.update(lines)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._server))
                self._clients.append(client)
                self._servers.append(server)
                threading.Thread(target=self._to_server, args=(client, server), daemon=True).start()
                threading.Thread(target=self._to_client, args=(client, server), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError), server:
            while said := client.recv(65536):
                if b"LISTEN" in said:
                    self.listeners.append(client)
                server.sendall(said)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            while said := server.recv(65536):
                if client not in self._quiet:
                    client.sendall(said)


@contextlib.contextmanager
def line_to(server: Path) -> Iterator[Line]:
    """A line for as long as the block lasts."""
    line = Line(server)
    try:
        yield line
    finally:
        line.close()


@contextlib.contextmanager
def greeter() -> Iterator[str]:
    """The URL of a server that lets everybody in, as PostgreSQL does, and says nothing more."""
    clients: list[socket.socket] = []

    def greet() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                clients.append(client)
                client.recv(65536)
                client.sendall(b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I")  # you are who you say; ask away

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=greet, daemon=True).start()
        yield f"postgresql+psycopg://u@127.0.0.1:{listening.getsockname()[1]}/x?sslmode=disable&gssencmode=disable"
        listening.shutdown(socket.SHUT_RDWR)
        for client in clients:
            client.close()
