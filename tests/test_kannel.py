"""Through Kannel's own programs: text in at its SMSC, answer out, receipt back, exactly once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import pytest
import sqlalchemy as sa

from smsgw import cli
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
        self.database.create()
        self._gateway: subprocess.Popen[bytes] | None = None

    def start(self, dies_at: tuple[str, str] | None = None) -> None:
        """Start it; `dies_at`: the transaction, and the side of its commit, where it kills itself."""
        program = "import sys; from tests.test_kannel import main; main(sys.argv.pop(), sys.argv.pop())"
        ending = dies_at or ("", "")
        command = [sys.executable, "-c", program, "--config", f"{self.folder}/settings.toml", "serve", *ending]
        with (self.folder / "gateway.log").open("ab") as log:
            self._gateway = subprocess.Popen(command, stdout=log, stderr=log)
        until(lambda: kannel.listens(self.port), "the gateway to start")

    def ended(self) -> bool:
        return self._gateway is not None and self._gateway.poll() is not None

    def kill(self) -> None:
        if self._gateway:
            self._gateway.kill()
            self._gateway.wait()

    def states(self) -> list[str]:
        with self.database.reading() as connection:
            return [*connection.scalars(sa.select(message.c.state))]


def main(side: str, transaction: str) -> None:
    """The gateway, in a process that dies where it is told to."""

    def fate(name: str, at: str) -> None:
        if (name, at) == (transaction, side):
            os.kill(os.getpid(), signal.SIGKILL)

    Database.boundary = staticmethod(fate)
    cli.main()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    sample.write(f"sqlite:///{tmp_path}/onestop.db", 60, 1, TODAY)
    changes = {"/var/spool/kannel/store": str(tmp_path / "store"), "http-queue-delay = 3": "http-queue-delay = 1"}
    with kannel.running(tmp_path, changes) as (phones, ports):
        made = Place(tmp_path, phones, ports)
        yield made
        made.kill()
        made.database.close()


def test_a_text_is_answered_and_the_receipt_comes_back(place: Place) -> None:
    place.start()
    place.phones.text("84912345678 8188 text HELP")
    until(lambda: place.phones.heard, "the reply")
    assert place.phones.heard[0].startswith("8188 84912345678 text ")
    until(lambda: place.states() == ["delivered"], "the receipt")


def test_letters_with_accents_go_in_and_out_in_as_many_parts_as_it_takes(place: Place) -> None:
    place.start()
    place.phones.text(f"84912345678 8188 ucs2 {quote('có dấu'.encode('utf-16-be'), safe='')}")
    until(lambda: place.states() == ["delivered"], "the first receipt")
    place.phones.text("84912345678 8188 text HELP")
    until(lambda: place.states() == ["delivered"] * 2, "the second receipt")
    with place.database.reading() as connection:
        sent = [*connection.execute(sa.select(message.c.text, message.c.encoding).order_by(message.c.id))]
    assert {encoding for _, encoding in sent} == {"ucs2"}
    assert "".join(said(row) for row in place.phones.heard) == "".join(text for text, _ in sent)


def said(row: str) -> str:
    """The text of a part in UCS-2 that a phone heard, without the header that joins parts."""
    words = row.split(" ")
    return unquote_to_bytes(words[-1].replace("+", " ")).decode("utf-16-be")


@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_in_the_middle_the_citizen_is_answered_exactly_once(place: Place, side: str) -> None:
    place.start(dies_at=("accept", side))
    place.phones.text("84912345678 8188 text HELP")
    until(place.ended, "the gateway to die")
    assert not place.phones.heard
    place.start()
    until(lambda: place.states() == ["delivered"], "the receipt")
    assert len(place.phones.heard) == 1
