"""Running a gateway in this process until it is told to stop."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Collection
from types import FrameType

from smsgw.app import create_app, create_door, create_most
from smsgw.gateway import Gateway, Role
from smsgw.settings import Settings
from smsgw.web.server import WebServer

LOOK_FOR_SIGNALS = 0.1  # seconds
GARBAGE = 50_000  # objects, about those of a batch; by default the collector looks through them every 700


class Node:
    """One node of the gateway: its work, and its pages if it has that role."""

    def __init__(self, settings: Settings, roles: Collection[Role]) -> None:
        self.gateway = Gateway(settings)
        self.gateway.database.hold()
        self._roles = roles
        self._web = self._server() if "web" in roles else None

    def start(self) -> None:
        self.gateway.start(self._roles)
        if self._web:
            self._web.start()
        # What is there by now stays for good, so nobody need look through it for garbage.
        gc.freeze()
        gc.set_threshold(GARBAGE, 10, 10)

    def stop(self) -> None:
        """First the door, then the work behind it."""
        if self._web:
            self._web.stop()
        self.gateway.stop()

    def _server(self) -> WebServer:
        app, settings = create_app(self.gateway), self.gateway.settings.web
        return WebServer(
            app,
            settings.bind,
            door=create_door(self.gateway),
            threads=settings.threads,
            trusted_proxy=settings.trusted_proxy,
            share_port=settings.share_port,
            most=create_most(app, self.gateway),
        )


class Stop:
    """SIGTERM, Ctrl-C or a closed terminal, heard from when this is made: what starts comes up, then stops in order.

    By default Ctrl-C is an error raised wherever the program is, and is lost where nobody can catch it.
    """

    def __init__(self) -> None:
        self._told = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # Under nohup it is to outlive the terminal.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._tell)

    def wait(self) -> None:
        """Until it was told."""
        # The system may give a signal to any thread, and then it wakes no lock that this one waits for.
        while not self._told:
            time.sleep(LOOK_FOR_SIGNALS)

    def _tell(self, number: int, frame: FrameType | None) -> None:
        self._told = True
