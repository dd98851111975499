"""A gateway that is killed or stopped: what was acknowledged is answered after it, exactly once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from providers.simulator import Carrier, SimulatorConfig, create_app
from smsgw.dossiers import sample
from smsgw.serve import WebServer
from smsgw.store.database import Database
from smsgw.store.tables import outbound
from tests.world import SECRET, TODAY, TOKEN, free_port, settings_text

MESSAGES = 120


class Killable:
    """A gateway in a process of its own, and a carrier that outlives it."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        config = SimulatorConfig(gateway_url=self.url, token=TOKEN, secret=SECRET, receipt_delay=0.05)
        self.carrier = Carrier(config)
        self.web = WebServer(create_app(self.carrier), "127.0.0.1:0")
        self.database = Database(database_url)
        self.database.create()
        sample.write(f"sqlite:///{folder}/onestop.db", 100, 1, TODAY)
        bind = f'[web]\nbind = "{self.url.removeprefix("http://")}"'
        text = settings_text(folder, database_url, f"http://127.0.0.1:{self.web.port}", bind)
        # Leases are short, so that what a killed sender held is soon somebody else's.
        (folder / "settings.toml").write_text(text.replace("\ntime_limit = 5\n[web]", "\ntime_limit = 1\n[web]"))
        self.web.start()
        self.carrier.start()

    def run(self) -> subprocess.Popen[bytes]:
        log = open(self.folder / "log", "ab")  # noqa: SIM115 - the process keeps it
        process = subprocess.Popen(
            [sys.executable, "-c", "from smsgw.cli import main; main()", "serve"],
            cwd=self.folder,
            stdout=log,
            stderr=log,
            env=os.environ,
        )
        log.close()
        until(lambda: self._alive(), "the gateway to start")
        return process

    def _alive(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=1).ok
        except requests.RequestException:
            return False

    def states(self) -> dict[str, int]:
        with self.database.reading() as connection:
            counted = sa.select(outbound.c.state, sa.func.count()).group_by(outbound.c.state)
            return dict(connection.execute(counted).all())

    def has(self, messages: int) -> bool:
        return sum(self.states().values()) >= messages

    def close(self) -> None:
        self.carrier.stop()
        self.web.stop()
        self.database.close()


def until(true: Callable[[], bool], what: str, seconds: float = 40) -> None:
    """Look until it is true; a machine that is slow is waited for, and nothing is said of how long it took."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)


@pytest.fixture
def killable(tmp_path: Path, database_url: str) -> Iterator[Killable]:
    made = Killable(tmp_path, database_url)
    yield made
    made.close()


def test_killed_again_and_again_under_load_everybody_is_answered_exactly_once(killable: Killable) -> None:
    killable.carrier.faults.change(
        {"latency": 0.05, "cut_after": 0.2, "doubled_inbound": 0.3, "disordered_receipts": 0.5}
    )
    phones = [f"849{number:08}" for number in range(MESSAGES)]
    for turn in range(3):
        gateway = killable.run()
        for phone in phones[turn::3]:
            killable.carrier.text(phone, "HELP")
        until(partial(killable.has, turn * MESSAGES // 3 + 10), "some to be taken")
        gateway.send_signal(signal.SIGKILL)
        gateway.wait()
    killable.carrier.faults.change({"latency": 0, "cut_after": 0})
    gateway = killable.run()
    until(lambda: killable.states() == {"delivered": MESSAGES}, "all to be answered")
    gateway.terminate()
    assert gateway.wait(30) == 0
    heard = {phone: [b for b in killable.carrier.conversation(phone) if b.direction == "in"] for phone in phones}
    assert {phone: len(bubbles) for phone, bubbles in heard.items()} == dict.fromkeys(phones, 1)
    assert killable.carrier.counters()["delivered_twice"] == []
    assert killable.carrier.counters()["given_up"] == 0


def test_told_to_stop_it_ends_what_it_has_in_hand(tmp_path: Path) -> None:
    killable = Killable(tmp_path, f"sqlite:///{tmp_path}/gateway.db")
    killable.carrier.faults.change({"latency": 0.5})
    gateway = killable.run()
    killable.carrier.text("84912345678", "HELP")
    until(lambda: killable.states() == {"sending": 1}, "the reply to be on its way")
    gateway.terminate()
    assert gateway.wait(30) == 0
    assert killable.states() == {"submitted": 1}
    killable.close()
