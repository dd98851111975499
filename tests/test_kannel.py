"""Through Kannel's own programs: text in at its SMSC, answer out, receipt back, exactly once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from smsgw.cli.main import commands
from smsgw.dossiers import sample
from smsgw.store.database import Database
from smsgw.store.history import message
from tests import kannel
from tests.kannel import Phones, until
from tests.world import TODAY

pytestmark = pytest.mark.skipif(bool(kannel.missing()), reason=f"Kannel is {kannel.missing()}")

SETTINGS = """
[gateway]
database = "sqlite:///{folder}/gateway.db"
[web]
bind = "127.0.0.1:{port}"
[onestop]
database = "sqlite:///{folder}/onestop.db"
[channels.kannel]
provider = "kannel"
url = "http://127.0.0.1:{sendsms}/cgi-bin/sendsms"
callback_url = "http://127.0.0.1:{port}/carrier/kannel"
username = "smsgw"
password = "change-me"
key = "change-me-too"
sender = "8188"
tps = 50
"""


class Place:
    """Kannel, its phones, and a gateway in a process of its own that may be killed."""

    def __init__(self, folder: Path, phones: Phones, ports: dict[str, int]) -> None:
        self.folder, self.phones, self.port = folder, phones, ports["8080"]
        text = SETTINGS.format(folder=folder, port=self.port, sendsms=ports["13013"])
        (folder / "settings.toml").write_text(text)
        self.database = Database(f"sqlite:///{folder}/gateway.db")
        self._gateway: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> list[str]:
        program = "from smsgw.cli.main import main; main()"
        return [sys.executable, "-c", program, "--config", str(self.folder / "settings.toml"), *arguments]

    def start(self) -> None:
        with (self.folder / "gateway.log").open("ab") as log:
            self._gateway = subprocess.Popen(self.command("serve"), stdout=log, stderr=log)
        until(lambda: kannel.listens(self.port), "the gateway to start")

    def kill(self) -> None:
        if self._gateway:
            self._gateway.kill()
            self._gateway.wait()

    def states(self) -> list[str]:
        with self.database.reading() as connection:
            return [*connection.scalars(sa.select(message.c.state))]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    sample.write(f"sqlite:///{tmp_path}/onestop.db", 60, 1, TODAY)
    with kannel.running(
        tmp_path, {"/var/spool/kannel/store": str(tmp_path / "store"), "http-queue-delay = 3": "http-queue-delay = 1"}
    ) as (phones, ports):
        made = Place(tmp_path, phones, ports)
        yield made
        made.kill()
        made.database.close()


def test_a_text_is_answered_and_the_receipt_comes_back(place: Place) -> None:
    assert commands  # the command line is what runs it
    place.start()
    place.phones.text("84912345678 8188 text HELP")
    until(lambda: place.phones.heard, "the reply")
    assert place.phones.heard[0].startswith("8188 84912345678 text ")
    until(lambda: place.states() == ["submitted"] or place.states() == ["delivered"], "the receipt")


def test_letters_with_accents_go_in_and_out(place: Place) -> None:
    place.start()
    text = quote("TIẾNG VIỆT".encode("utf-16-be"), safe="")
    place.phones.text(f"84912345678 8188 ucs2 {text}")
    until(lambda: place.phones.heard, "the reply")
    until(lambda: place.states() in (["submitted"], ["delivered"]), "the receipt")
