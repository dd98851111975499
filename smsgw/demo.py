"""Everything on one machine's loopback: carrier simulator, gateway, a sample province, and one exchange to show."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import HttpUrl

from providers import aggregator, simulator, zalo
from smsgw.clock import utc_now
from smsgw.dossiers import sample
from smsgw.dossiers.dossier import Status
from smsgw.dossiers.source import OneStopUnavailable
from smsgw.failure import ExpectedFailure
from smsgw.gateway import ROLES
from smsgw.handset import Answer, Handset
from smsgw.officials.accounts import Accounts
from smsgw.serve import Node
from smsgw.settings import ChannelSettings, Settings
from smsgw.store.database import Database
from smsgw.store.officials import Role
from smsgw.text.phones import msisdn
from smsgw.web.server import WebServer

DOSSIERS = 2000
DEMO = "demo"  # who makes these accounts, as the audit log names it
OFFICIALS: tuple[tuple[str, Role], ...] = (("lan", "sender"), ("mai", "approver"), ("quan", "admin"))
SEED = 2018
WAIT = 20.0  # seconds for the first answer on a slow machine
STRANGER = "84900000001"
NAMES = re.compile(r"\{([^{}]*)\}")  # of a template's parameters
CHAT = "zalo"  # the name of the demonstration's channel

_STATUS_NAMES = {
    Status.REGISTERED: ("Mới đăng ký", "Registered"),
    Status.RECEIVED: ("Được tiếp nhận", "Received"),
    Status.NOT_ACCEPTED: ("Không được tiếp nhận", "Not accepted"),
    Status.IN_PROGRESS: ("Đang xử lý", "In progress"),
    Status.SUPPLEMENT_ASKED: ("Yêu cầu bổ sung giấy tờ", "Papers asked for"),
    Status.FEE_ASKED: ("Yêu cầu nộp phí", "Fee to be paid"),
    Status.WITHDRAWN: ("Công dân rút hồ sơ", "Withdrawn"),
    Status.STOPPED: ("Dừng xử lý", "Stopped"),
    Status.RESOLVED: ("Đã xử lý xong", "Resolved"),
    Status.RETURNED: ("Đã trả kết quả", "Returned"),
}

Print = Callable[[str], object]


class NotPossible(ExpectedFailure):
    """The demonstration can't run with these settings. The text says why and what to do."""


class SimulatedCarrier:
    """The carrier simulator for one channel of the settings, listening where the channel's url points."""

    def __init__(self, settings: Settings, name: str | None = None) -> None:
        name = name or _simulated_channel(settings)
        if name not in settings.channels or settings.channels[name].provider != "aggregator":
            raise NotPossible(f"there is no channel {name} of provider aggregator, whose carrier could be played")
        channel = settings.channels[name]
        config = _aggregator_config(channel)
        self.url = str(config.url).rstrip("/")
        self._carrier = simulator.Carrier(
            simulator.SimulatorConfig(
                gateway_url=f"http://{settings.web.bind}",
                token=config.token.get_secret_value(),
                secret=config.secret.get_secret_value(),
                channel=name,
                short_code=channel.sender,
            )
        )
        samples = _samples(settings)
        self._zalo = _simulated_zalo(settings, self.url)
        chat = simulator.zalo_routes(self._zalo, _phone_of(samples), _chat_samples(samples)) if self._zalo else None
        app = simulator.create_app(self._carrier, samples, chat)
        # A handset that waits for an answer keeps a thread.
        self._web = WebServer(app, f"{config.url.host}:{config.url.port}", threads=24)

    def start(self) -> None:
        self._carrier.start()
        if self._zalo:
            self._zalo.start()
        self._web.start()

    def stop(self) -> None:
        self._carrier.stop()
        if self._zalo:
            self._zalo.stop()
        self._web.stop()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A citizen's text and what came back. `expected` is what should have, as the gateway says when asked directly."""

    phone: str
    text: str
    code: str
    answer: Answer
    expected: str

    @property
    def right(self) -> bool:
        return self.answer.text == self.expected and self.code in self.answer.text

    def show(self, echo: Print) -> None:
        """Print it as a conversation."""
        echo(f"  +{self.phone} > {self.text}")
        echo(f"  +{self.phone} < {self.answer.text}")
        echo(f"  ({self.answer.segments} segment, {self.answer.encoding})")
        if not self.right:
            echo(f"  That is not the right answer, which is: {self.expected}")


def on_loopback(settings: Settings, port: int | None, simulator_port: int | None, data: Path | None) -> Settings:
    """The settings with gateway, simulator and databases moved, where that is asked for."""
    if port is not None:
        address = f"127.0.0.1:{port}"
        settings = _changed(settings, "web", bind=address)
        settings = _changed(settings, "gateway", public_url=HttpUrl(f"http://{address}"))
    if data is not None:
        settings = _changed(settings, "gateway", database=_sqlite(data / "gateway.db"))
        settings = _changed(settings, "onestop", database=_sqlite(data / "onestop.db"))
    if simulator_port is not None:
        name = _simulated_channel(settings)
        channel = settings.channels[name]
        url = f"http://127.0.0.1:{simulator_port}"
        moved = ChannelSettings.model_validate({**channel.model_dump(), "url": url})
        settings = settings.model_copy(update={"channels": {**settings.channels, name: moved}})
    return _with_chat(settings)


def _with_chat(settings: Settings) -> Settings:
    """The settings with a chat on Zalo that the simulator plays, in place of any that is none of this machine's."""
    others = {name: channel for name, channel in settings.channels.items() if channel.provider != "zalo"}
    url = simulator_url(settings)
    chat = ChannelSettings.model_validate(
        {
            "provider": "zalo",
            "sender": "Zalo",
            "tps": 50,
            "app_id": "1234567890",
            "app_secret": "demo-app-secret",
            "oa_secret": "demo-oa-secret",
            "refresh_token": "demo-refresh-token",
            "oauth_url": url,
            "api_url": url,
            "zns_url": url,
        }
    )
    return settings.model_copy(update={"channels": {**others, CHAT: chat}})


@contextmanager
def running(settings: Settings, echo: Print) -> Iterator[Exchange]:
    """Run everything for as long as the block lasts; the first exchange. Raises HandsetError if no answer comes."""
    _fill_sample(settings, echo)
    carrier = SimulatedCarrier(settings)
    node = Node(settings, ROLES)
    node.start()
    carrier.start()
    try:
        yield _first_exchange(settings, node, carrier.url)
    finally:
        carrier.stop()
        node.stop()


def officials(settings: Settings) -> str:
    """See to it that the console has somebody for each role; the password of all of them, a new one at each start."""
    password = secrets.token_urlsafe(12)
    database = Database(settings.gateway.database)
    accounts = Accounts(database, utc_now)
    there = {official.name: official for official in accounts.every()}
    for name, role in OFFICIALS:
        if name in there:
            accounts.set_password(there[name], password, DEMO)
        else:
            accounts.add(name, role, None, None, password, DEMO)
    database.close()
    return password


def _fill_sample(settings: Settings, echo: Print) -> None:
    url = sa.make_url(settings.onestop.database)
    if url.get_backend_name() != "sqlite":
        raise NotPossible("the demonstration fills a database of its own: onestop.database must be a SQLite file")
    if not Path(url.database or "").exists():
        echo(f"Making a sample one-stop database of {DOSSIERS} dossiers ...")
        today = datetime.now(ZoneInfo(settings.gateway.timezone)).date()
        sample.write(settings.onestop.database, DOSSIERS, SEED, today)


def _first_exchange(settings: Settings, node: Node, simulator_url: str) -> Exchange:
    shown = next(
        example for example in sample.examples(settings.onestop.database) if example.status == Status.IN_PROGRESS
    )
    phone = msisdn(shown.phone) or STRANGER
    # As somebody types it who is in a hurry.
    text = "hs " + shown.code.lower().replace(".", " ").replace("-", " ")
    clerk, now = node.gateway.clerk, utc_now()
    request = clerk.understand(text)
    expected = clerk.answer(request, clerk.asker(phone, request, now), now)
    answer = Handset(simulator_url, phone).ask(text, WAIT)
    return Exchange(phone, text, shown.code, answer, expected.text)


def _samples(settings: Settings) -> list[simulator.Sample]:
    """A text for each state of a dossier, if the sample database is there, and some that are mistyped."""
    try:
        examples = sample.examples(settings.onestop.database)
    except (OneStopUnavailable, sa.exc.SQLAlchemyError):
        return []
    shown = [
        simulator.Sample(
            msisdn(example.phone) or STRANGER, f"HS {example.code}", _label(*_STATUS_NAMES[example.status])
        )
        for example in examples
    ]
    if shown:
        first = shown[0]
        code = first.text.removeprefix("HS ")
        mistyped = code.replace(".", "").replace("-", " ").lower().replace("0", "o", 1)
        shown.append(simulator.Sample(first.sender, f"hồ sơ {mistyped} ạ", _label("Gõ sai cách", "Mistyped")))
        shown.append(simulator.Sample(STRANGER, f"HS {code}", _label("Người lạ hỏi", "Asked by a stranger")))
        shown.append(simulator.Sample(STRANGER, "CO DAU", _label("Nhận tin có dấu", "Texts with accents")))
    return shown


def _label(vi: str, en: str) -> dict[str, str]:
    return {"vi": vi, "en": en}


def _simulated_zalo(settings: Settings, url: str) -> simulator.Zalo | None:
    """The Zalo of a channel that looks for it where the simulator listens."""
    for name, channel in settings.channels.items():
        config = channel.config()
        if isinstance(config, zalo.Config) and str(config.api_url).rstrip("/") == url:
            return simulator.Zalo(
                simulator.ZaloConfig(
                    gateway_url=f"http://{settings.web.bind}",
                    app_id=config.app_id,
                    app_secret=config.app_secret.get_secret_value(),
                    oa_secret=config.oa_secret.get_secret_value(),
                    refresh_token=config.refresh_token.get_secret_value(),
                    channel=name,
                    templates={id: NAMES.findall(text) for id, text in config.templates.items()},
                )
            )
    return None


def _phone_of(samples: Sequence[simulator.Sample]) -> str:
    return samples[0].sender if samples else STRANGER


def _chat_samples(samples: Sequence[simulator.Sample]) -> list[simulator.ChatSample]:
    """What can be written in the chat; whose phone it is has to be shown by linking it."""
    shown = _label("Liên kết với số điện thoại trong hồ sơ", "Link the phone of the dossier")
    link = simulator.ChatSample(f"LK {_phone_of(samples)}", shown)
    asking = [simulator.ChatSample(item.text, item.label) for item in samples if item.text.startswith("HS ")]
    return [link, *asking[:6]]


def simulator_url(settings: Settings) -> str:
    """Where the simulator listens."""
    return str(_aggregator_config(settings.channels[_simulated_channel(settings)]).url).rstrip("/")


def _simulated_channel(settings: Settings) -> str:
    for name, channel in settings.channels.items():
        if channel.provider == "aggregator":
            return name
    raise NotPossible("no channel has the provider aggregator, whose carrier the simulator plays")


def _aggregator_config(channel: ChannelSettings) -> aggregator.Config:
    return cast(aggregator.Config, channel.config())


def _sqlite(file: Path) -> str:
    """The URL of a file, whatever its name has in it."""
    return sa.URL.create("sqlite", database=str(file)).render_as_string()


def _changed(settings: Settings, table: str, **values: object) -> Settings:
    return settings.model_copy(update={table: getattr(settings, table).model_copy(update=values)})
