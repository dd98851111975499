"""Running a gateway in this process until it is told to stop."""

from __future__ import annotations

import logging
import signal
import socket
import threading
import time
from collections.abc import Collection
from types import FrameType
from typing import Any
from wsgiref.types import WSGIApplication

from waitress.server import create_server

from smsgw.app import create_app
from smsgw.gateway import Gateway, Role
from smsgw.settings import Settings
from smsgw.web.carrier import LARGEST_CALLBACK

LOOK_FOR_SIGNALS = 0.1  # seconds
DRAIN = 20  # seconds that requests in hand get to end

log = logging.getLogger("smsgw")


class CannotListen(Exception):
    """The address is taken or not ours."""


class WebServer:
    """A WSGI application behind waitress, in a thread of its own. `bind` is HOST:PORT; port 0 takes a free one."""

    def __init__(
        self,
        app: WSGIApplication,
        bind: str,
        *,
        threads: int = 8,
        trusted_proxy: str | None = None,
        share_port: bool = False,
    ) -> None:
        host, _, port = bind.rpartition(":")
        address = (host.strip("[]"), int(port))
        try:
            listening = socket.create_server(address, family=_family(host), backlog=1024, reuse_port=share_port)
        except OSError as error:
            raise CannotListen(f"can't listen on {bind}: {error.strerror}; choose another address") from None
        self.port = listening.getsockname()[1]
        self._server: Any = create_server(
            app,
            sockets=[listening],
            threads=threads,
            connection_limit=500,
            channel_timeout=30,
            # Somewhat more than a callback may have, so that our own answer names the limit.
            max_request_body_size=2 * LARGEST_CALLBACK,
            trusted_proxy=trusted_proxy,
            trusted_proxy_headers={"x-forwarded-for", "x-forwarded-proto"} if trusted_proxy else set(),
            clear_untrusted_proxy_headers=True,
            ident=None,
        )
        self._thread = threading.Thread(target=self._server.run, name=f"web-{bind}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections, and let requests in hand end."""
        # Only the loop's own thread may close its door, and its other parts must live on to send the last answers.
        self._server.trigger.pull_trigger(self._close_door)
        self._server.task_dispatcher.shutdown(cancel_pending=False, timeout=DRAIN)

    def _close_door(self) -> None:
        self._server.del_channel()
        self._server.socket.close()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class Node:
    """One node of the gateway: its work, and its pages if it has that role."""

    def __init__(self, settings: Settings, roles: Collection[Role]) -> None:
        self.gateway = Gateway(settings)
        self._roles = roles
        self._web = (
            WebServer(
                create_app(self.gateway),
                settings.web.bind,
                threads=settings.web.threads,
                trusted_proxy=settings.web.trusted_proxy,
                share_port=settings.web.share_port,
            )
            if "web" in roles
            else None
        )

    def start(self) -> None:
        self.gateway.start(self._roles)
        if self._web:
            self._web.start()

    def stop(self) -> None:
        """First the door, then the work behind it."""
        if self._web:
            self._web.stop()
        self.gateway.stop()


def until_told_to_stop() -> None:
    """Wait for SIGTERM or Ctrl-C."""
    told: list[int] = []

    def tell(number: int, frame: FrameType | None) -> None:
        told.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, tell)
    # The system may give a signal to any thread, and then it wakes no lock that this one waits for.
    while not told:
        time.sleep(LOOK_FOR_SIGNALS)
