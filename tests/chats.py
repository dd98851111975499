"""A world with a chat on Zalo beside the channel `sms`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from providers.simulator import Zalo, ZaloConfig, zalo_routes
from tests.world import Line, World, world

APP_ID, APP_SECRET, OA_SECRET, REFRESH_TOKEN = "1234567890", "app-secret", "oa-secret", "first-refresh-token"
MAI = "4567890123456789012"
STRANGER = "84987654321"
TIME_LIMIT = 5.0
READY = "Hồ sơ {ma_ho_so} đã có kết quả. Mời đến nhận tại {noi_nhan}, mang theo giấy hẹn."


def zalo_settings(url: str, more: str = "") -> str:
    """The settings of a channel `zalo` whose Zalo is under that URL."""
    return f"""
[channels.zalo]
provider = "zalo"
sender = "Zalo"
tps = 1000
app_id = "{APP_ID}"
app_secret = "{APP_SECRET}"
oa_secret = "{OA_SECRET}"
refresh_token = "{REFRESH_TOKEN}"
oauth_url = "{url}"
api_url = "{url}"
zns_url = "{url}"
time_limit = {TIME_LIMIT}
[channels.zalo.templates]
301 = "{READY}"
[[routes]]
purposes = ["notice"]
channels = ["zalo", "sms"]
{more}
"""


def zalo_config(gateway_url: str = "http://gateway") -> ZaloConfig:
    """The other side of it."""
    return ZaloConfig(
        gateway_url, APP_ID, APP_SECRET, OA_SECRET, REFRESH_TOKEN, templates={"301": ("ma_ho_so", "noi_nhan")}
    )


@contextmanager
def serving(zalo: Zalo) -> Iterator[str]:
    """Zalo's interfaces; the URL."""
    app = Flask("zalo")
    app.register_blueprint(zalo_routes(zalo, "84912345678"))
    line = Line.to(app)
    yield f"http://127.0.0.1:{line.web.port}"
    line.hang_up()


@dataclass
class Chats:
    """A world and its Zalo. Nothing runs by itself."""

    here: World
    zalo: Zalo

    def say(self, user: str, text: str, *, id: str | None = None) -> str:
        """Somebody writes in the chat; what is said there, once all has settled. Empty: nothing."""
        before = len(self.heard(user))
        self.zalo.say(user, text, id=id)
        self.settle()
        return "\n".join(self.heard(user)[before:])

    def heard(self, user: str) -> list[str]:
        """What somebody was told in the chat."""
        return [bubble.text for bubble in self.zalo.conversation(user) if bubble.direction == "in"]

    def sms(self, phone: str) -> list[str]:
        """What a phone got by SMS."""
        return [bubble.text for bubble in self.here.heard(phone)]

    def code_sent_to(self, phone: str) -> str:
        """The code in the latest SMS."""
        found = re.match(r"(\d{6}) la ma lien ket", self.sms(phone)[-1])
        assert found
        return found[1]

    def linked(self, user: str, phone: str) -> None:
        """Link somebody, as they would do it."""
        self.say(user, f"LK {phone}")
        assert "đã liên kết" in self.say(user, self.code_sent_to(phone))

    def rows(self, *columns: sa.Column[str]) -> list[tuple[object, ...]]:
        """What a table of the gateway has in these columns, in the order of the ids."""
        with self.here.gateway.database.reading() as connection:
            return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(columns[0].table.c.id))]

    def settle(self, seconds: int = 5) -> None:
        """The same as in the world without Zalo."""
        for left in reversed(range(seconds)):
            self.zalo.run_due()
            self.here.stride(1)
            if not self.zalo._events and not self.here.under_way():
                self.here.clock.forward(seconds=left)
                return


@contextmanager
def chats(folder: Path, database: str | None = None, *, dossiers: int = 60, more: str = "") -> Iterator[Chats]:
    """A world with Zalo, on SQLite or the database of that URL."""
    inside: list[World] = []

    def post(url: str, body: bytes, headers: dict[str, str]) -> int:
        return inside[0].client.post(url.removeprefix("http://gateway"), data=body, headers=headers).status_code

    zalo = Zalo(zalo_config(), clock=lambda: inside[0].clock().timestamp(), post=post)
    with (
        serving(zalo) as url,
        world(folder, database, dossiers=dossiers, more=zalo_settings(url, more)) as here,
    ):
        inside.append(here)
        yield Chats(here, zalo)
