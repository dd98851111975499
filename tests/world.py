"""A gateway, a carrier and a sample province for one test: real databases, the real wire, and a clock that is set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from providers.simulator import Bubble, Carrier, SimulatorConfig, create_app
from smsgw import app as application
from smsgw.bench.ports import free_port
from smsgw.dossiers import sample
from smsgw.dossiers.sample import Example
from smsgw.gateway import Gateway
from smsgw.settings import Settings, load
from smsgw.store.database import Database
from smsgw.store.figures import Outbox, outbox
from smsgw.store.states import FINAL
from smsgw.store.tables import channel, notice, outbound, receipt
from smsgw.web.server import WebServer

TODAY = date(2018, 8, 15)
NOON = datetime(2018, 8, 15, 5, 0, tzinfo=UTC)
TOKEN, SECRET = "test-token", "test-secret"


@dataclass
class SetClock:
    """A clock that stands still until it is moved."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


def settings_text(
    folder: Path, database: str | None = None, url: str = "http://127.0.0.1:9", more: str = "", tps: int = 1000
) -> str:
    """A settings file for a gateway that lives in a folder."""
    return f"""
[gateway]
database = "{database or f"sqlite:///{folder}/gateway.db"}"
[onestop]
database = "sqlite:///{folder}/onestop.db"
time_limit = 5
[channels.sms]
provider = "aggregator"
url = "{url}"
token = "{TOKEN}"
secret = "{SECRET}"
sender = "8188"
tps = {tps}
batch = 100
time_limit = 5
{more}
"""


def settings(
    folder: Path, database: str | None = None, url: str = "http://127.0.0.1:9", more: str = "", tps: int = 1000
) -> Settings:
    """The same, loaded."""
    return load(folder / "settings.toml", settings_text(folder, database, url, more, tps))


def province(folder: Path, dossiers: int = 60) -> list[Example]:
    """A sample one-stop database in a folder, around TODAY; one dossier of each state."""
    content, examples = _province(dossiers)
    (folder / "onestop.db").write_bytes(content)
    return [*examples]


@cache
def _province(dossiers: int) -> tuple[bytes, tuple[Example, ...]]:
    """The sample of that size, made once: it is the same each time."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/onestop.db"
        sample.write(url, dossiers, 1, TODAY)
        return Path(folder, "onestop.db").read_bytes(), tuple(sample.examples(url))


@cache
def _gateway_tables() -> bytes:
    """The gateway's database on SQLite as it is before anything has happened."""
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/gateway.db")
        database.create()
        database.close()
        return Path(folder, "gateway.db").read_bytes()


def sqlite_with_tables(folder: Path) -> str:
    """The URL of a gateway's database in a folder, made if it is not there."""
    file = folder / "gateway.db"
    if not file.exists():
        file.write_bytes(_gateway_tables())
    return f"sqlite:///{file}"


class Line:
    """A web server that is a carrier's for a test and then the next one's: to stop one takes a tenth of a second."""

    _free: ClassVar[list[Line]] = []

    def __init__(self) -> None:
        self._app: WSGIApplication
        self.web = WebServer(
            self, f"127.0.0.1:{free_port()}", threads=12
        )  # which a carrier that was lost comes back to
        self.web.start()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._app(environ, start_response)

    @classmethod
    def to(cls, app: WSGIApplication) -> Line:
        line = cls._free.pop() if cls._free else cls()
        line._app = app
        return line

    def hang_up(self) -> None:
        self._free.append(self)


_UNDER_WAY = sa.select(
    sa.or_(
        sa.exists().where(outbound.c.state.not_in(FINAL)),
        sa.exists().where(receipt.c.outbound_id.is_(None)),
        sa.exists().where(notice.c.state.in_(("loading", "approved", "sending"))),
        sa.exists().where(channel.c.state == "tripped"),
    )
)


@dataclass
class World:
    """Everything of one test. Nothing runs by itself: `settle` lets it all happen, in the order in which it would."""

    folder: Path
    gateway: Gateway
    carrier: Carrier
    clock: SetClock
    web: WebServer
    examples: list[Example] = field(default_factory=list)
    lost: bool = False  # whether the carrier was away at some time

    @cached_property
    def app(self) -> Flask:
        """The gateway's doors, which are made for whoever comes first."""
        return application.create_app(self.gateway)

    @cached_property
    def client(self) -> FlaskClient:
        """Somebody who comes to them."""
        return self.app.test_client()

    def lose_carrier(self) -> None:
        """From now on nobody listens where the carrier was."""
        self.web.stop()
        self.lost = True

    def find_carrier(self) -> None:
        """It is back."""
        self.web = WebServer(create_app(self.carrier), f"127.0.0.1:{self.web.port}")
        self.web.start()

    def text(self, phone: str, text: str, **more: Any) -> str:
        """Somebody texts something; the reply, once all has settled. Empty: there was none."""
        before = len(self.heard(phone))
        self.carrier.text(phone, text, **more)
        self.settle()
        return "\n".join(bubble.text for bubble in self.heard(phone)[before:])

    def heard(self, phone: str) -> list[Bubble]:
        """What a phone got."""
        return [bubble for bubble in self.carrier.conversation(phone) if bubble.direction == "in"]

    def settle(self, seconds: int = 5) -> None:
        """Let callbacks, sending and sweeping happen for so many seconds of the clock.

        Those in which nothing would happen any more pass at once.
        """
        for left in reversed(range(seconds)):
            self.stride(1)
            if not self.under_way():
                self.clock.forward(seconds=left)
                return

    def under_way(self) -> bool:
        """Whether there is anything that goes on by itself."""
        if self.carrier.counters()["callbacks_waiting"]:
            return True
        with self.gateway.database.reading() as connection:
            return bool(connection.scalar(_UNDER_WAY))

    def stride(self, seconds: int) -> None:
        """Let so many seconds pass in which each of these happens once, as it does in a second of a running gateway."""
        self.carrier.run_due()
        self.clock.forward(seconds=seconds / 2)
        self.tick()
        self.send()
        self.carrier.run_due()
        self.sweep()
        self.clock.forward(seconds=seconds / 2)

    def sweep(self) -> None:
        """What the ticks of a worker do."""
        self.gateway.roads.look(self.gateway.database)
        self.gateway.sweeper.probes()
        self.gateway.sweeper.late_receipts()
        self.gateway.sweep()

    def tick(self) -> None:
        """What a tick of the scheduler does for notices."""
        self.gateway.feeder.feed()
        self.gateway.feeder.tend()

    def send(self) -> None:
        for sender in self.gateway.senders:
            sender.send_due()

    def outbox(self) -> Outbox:
        with self.gateway.database.reading() as connection:
            return outbox(connection, self.clock())

    def states(self) -> dict[str, int]:
        """How many messages are in each state that there is one in."""
        return {state: count for state, count in self.outbox().states.items() if count}


@contextmanager
def world(
    folder: Path, database: str | None = None, *, dossiers: int = 60, more: str = "", tps: int = 1000
) -> Iterator[World]:
    """A world around TODAY, on SQLite or the database of that URL."""
    clock = SetClock()

    def post(url: str, body: bytes, headers: dict[str, str]) -> int:
        return made.client.post(url.removeprefix("http://gateway"), data=body, headers=headers).status_code

    config = SimulatorConfig(gateway_url="http://gateway", token=TOKEN, secret=SECRET, receipt_delay=0.2)
    carrier = Carrier(config, clock=lambda: clock().timestamp(), post=post)
    line = Line.to(create_app(carrier))
    examples = province(folder, dossiers) if dossiers else []
    url = database or sqlite_with_tables(folder)
    gateway = Gateway(settings(folder, url, f"http://127.0.0.1:{line.web.port}", more, tps), clock)
    gateway.onestop.outage.clock = lambda: clock().timestamp()
    gateway.start(roles=())
    made = World(folder, gateway, carrier, clock, line.web, examples)
    try:
        yield made
    finally:
        gateway.stop()
        if made.lost:
            made.web.stop()
        else:
            line.hang_up()
