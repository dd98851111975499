"""A web server in a thread of its own: uvicorn, with limits that it lacks on how long a request may take to come."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from typing import Any, cast
from wsgiref.types import WSGIApplication

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from smsgw.failure import ExpectedFailure
from smsgw.web.carrier import Door
from smsgw.web.front import Front, Most

DRAIN = 20  # seconds that requests in hand get to end
KEEP_ALIVE = 30  # seconds that a connection may be idle between requests
PATIENCE = 30.0  # seconds for a request's head, and without any progress for its body
LARGEST_HEAD = 64 * 1024  # bytes
MOST_CONNECTIONS = 1000

_UPGRADE = re.compile(rb"(?<=\n)upgrade(?=:)", re.IGNORECASE)


class CannotListen(ExpectedFailure):
    """The address is taken or not ours."""


class WebServer:
    """A WSGI application, and a door beside it. `bind` is HOST:PORT; port 0 takes a free one.

    `trusted_proxy`: the address whose word on a visitor's own is taken. `share_port`: others may listen there as well.
    `most`: how many bytes a request to a page may bring; without it, what no page's is larger than.
    """

    def __init__(
        self,
        app: WSGIApplication,
        bind: str,
        *,
        door: Door | None = None,
        threads: int = 8,
        trusted_proxy: str | None = None,
        share_port: bool = False,
        most: Most | None = None,
    ) -> None:
        host, _, port = bind.rpartition(":")
        address = (host.strip("[]"), int(port))
        try:
            self._listening = socket.create_server(address, family=_family(host), backlog=1024, reuse_port=share_port)
        except OSError as error:
            why = str(error.strerror).partition(" (while")[0]  # which says the address once more
            raise CannotListen(f"can't listen on {bind}: {why}; choose another address") from None
        self.port = self._listening.getsockname()[1]
        self._server = uvicorn.Server(
            uvicorn.Config(
                Front(app, door, threads=threads, most=most),
                http=PatientProtocol,
                ws="none",
                lifespan="off",
                loop="uvloop",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=trusted_proxy is not None,
                forwarded_allow_ips=trusted_proxy,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=DRAIN,
            )
        )
        self._thread = threading.Thread(target=self._run, name=f"web-{bind}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections, and let requests in hand end."""
        self._server.should_exit = True
        self._thread.join()

    def _run(self) -> None:
        self._server.run(sockets=[self._listening])


class PatientProtocol(HttpToolsProtocol):
    """Hangs up on who is too slow to say what he wants, or says too much before it."""

    _impatient: asyncio.TimerHandle | None = None
    _head = 0  # bytes that have come and are neither a whole head nor of a body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, _InOneWrite(transport, self.loop)))
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        reading_head = self.cycle is None or not self.cycle.more_body
        self._head += len(data)
        if self._impatient is None or not reading_head:
            self._wait()
        super().data_received(_in_http(data) if reading_head else data)
        if self._head > LARGEST_HEAD and self.parser is not None:
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        self._head = 0
        super().on_headers_complete()
        self.headers = []  # for what comes behind the body, which is no header (RFC 9110, 6.5.1)

    def on_body(self, body: bytes) -> None:
        self._head = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._wait_no_more()
        super().on_message_complete()

    def _wait(self) -> None:
        self._wait_no_more()
        self._impatient = self.loop.call_later(PATIENCE, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._impatient is not None:
            self._impatient.cancel()
            self._impatient = None


def _in_http(data: bytes) -> bytes:
    """What begins with a head, without its offer to go on in another protocol, which nobody need take (RFC 9110, 7.8).

    Java's client makes it with each of its requests, and the parser would take the body for that protocol's.
    """
    end = data.find(b"\r\n\r\n") + 1 or len(data)
    return _UPGRADE.sub(b"X-Upgrade", data[:end]) + data[end:] if _UPGRADE.search(data, 0, end) else data


class _InOneWrite:
    """A connection that sends in one packet what is written to it at a time: a response's head with its body."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        held, self._held = self._held, []
        if held and not self._transport.is_closing():
            self._transport.writelines(held)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
