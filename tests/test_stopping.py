"""A gateway that is told to stop lets the calls in hand end, and begins no others."""

from __future__ import annotations

import socket
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from smsgw.dossiers import candidates
from smsgw.gateway import Gateway
from smsgw.store import outbox
from smsgw.store.schedules import LEASE, Stopped
from smsgw.store.tables import Lane, attempt, outbound
from tests.bulletin import Cast, approved
from tests.chaos import Chaos, until
from tests.silence import greeter
from tests.world import World, province, settings, sqlite_with_tables

SPARE = """
[channels.spare]
provider = "aggregator"
url = "http://127.0.0.1:{port}"
token = "t"
secret = "s"
sender = "8188"
tps = 1000
batch = 1
time_limit = 0.2
"""


def silent_carrier() -> socket.socket:
    """One that takes calls and never answers."""
    carrier = socket.create_server(("127.0.0.1", 0))
    carrier.settimeout(60)
    return carrier


def test_all_senders_are_told_to_stop_before_one_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSGW_CHANNELS__SMS__TIME_LIMIT", "1.5")
    province(tmp_path, 10)
    with silent_carrier() as slow, silent_carrier() as quick:
        ports = [carrier.getsockname()[1] for carrier in (slow, quick)]
        url, more = f"http://127.0.0.1:{ports[0]}", SPARE.format(port=ports[1])
        gateway = Gateway(settings(tmp_path, sqlite_with_tables(tmp_path), url, more))
        now = gateway.clock()
        with gateway.database.writing("test") as connection:
            for channel in [gateway.channels["sms"], *[gateway.channels["spare"]] * 20]:
                message = channel.message(Lane.REPLY, "84912345678", "Ho so", now, now + timedelta(hours=1))
                outbox.add(connection, [message])
        gateway.start(["worker"])
        calls = [carrier.accept()[0] for carrier in (slow, quick)]
        before = tried(gateway)  # a slow machine may have come this far only after several
        gateway.stop()
        for call in calls:
            call.close()
    assert tried(gateway) - before <= 2


def tried(gateway: Gateway) -> int:
    """How many calls by the spare channel have come to their end."""
    with sa.create_engine(gateway.database.url, poolclass=sa.NullPool).connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).where(attempt.c.channel == "spare")) or 0


def test_what_has_piled_up_is_left_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsgw.dispatch.sweep.BATCH", 1)
    gateway, begun = Gateway(settings(tmp_path, sqlite_with_tables(tmp_path))), threading.Event()
    old = gateway.clock() - timedelta(days=1)
    with gateway.database.writing("test") as connection:
        late = [gateway.channels["sms"].message(Lane.REPLY, "84912345678", "Ho so", old, old) for _ in range(20)]
        outbox.add(connection, late)

    def wait_for_the_end(name: str, side: str) -> None:
        if (name, side) == ("sweep", "after"):
            begun.set()
            gateway.sweeper._stopping.wait(60)

    gateway.database.boundary = wait_for_the_end
    gateway.start(["worker"])
    assert begun.wait(60)
    gateway.stop()
    with sa.create_engine(gateway.database.url, poolclass=sa.NullPool).connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(outbound.c.state == "queued")) == 20


def test_a_notice_is_left_after_the_turn_in_hand(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsgw.notices.feeding.LONGEST", 5)
    feeder, turns = cast.world.gateway.feeder, 0

    def stop_after_two(name: str, side: str) -> None:
        nonlocal turns
        turns += (name, side) == ("feed notice", "after")
        if turns == 2:
            feeder.stop()

    approved(cast.notices, cast.an, cast.binh, 60)
    cast.world.gateway.database.boundary = stop_after_two
    assert feeder.feed() == 10
    assert cast.world.states() == {"queued": 10}


def test_a_search_that_hangs_in_the_one_stop_database_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsgw.gateway.LONGEST_DRAIN", 0.1)
    with greeter() as url:
        monkeypatch.setenv("SMSGW_ONESTOP__DATABASE", url)
        gateway = Gateway(settings(tmp_path, sqlite_with_tables(tmp_path)))
        gateway.start(["scheduler"])
        until(lambda: gateway.reminders.runs.latest(9), "the reminders to begin")
        begun = time.monotonic()
        gateway.stop()
        assert time.monotonic() - begun < candidates.TIME_LIMIT / 2


@pytest.mark.long
def test_a_node_ends_while_its_one_stop_database_hangs(tmp_path: Path) -> None:
    made = Chaos(tmp_path, sqlite_with_tables(tmp_path))
    with greeter() as url:
        made.settings.write_text(made.settings.read_text().replace(f"sqlite:///{tmp_path}/onestop.db", url))
        node = made.up(roles=("web",))
        answer = requests.get(f"{made.url}/readyz", timeout=60).json()
        assert "did not answer within" in answer["onestop"]
        node.terminate()
        made.ended(node, 0)
    made.close()


def test_a_run_of_reminders_is_left_after_the_page_in_hand_and_taken_over(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsgw.dossiers.candidates.PAGE", 5)
    runs, noted = here.gateway.reminders.runs, 0

    def stop_after_two(name: str, side: str) -> None:
        nonlocal noted
        noted += (name, side) == ("note owners", "after")
        if noted == 2:
            runs.stop()

    here.gateway.database.boundary = stop_after_two
    runs.meet()
    with pytest.raises(Stopped):
        runs.tick()
    assert noted == 2
    here.gateway.database.boundary = None
    here.clock.forward(seconds=LEASE.total_seconds())
    other = Gateway(here.gateway.settings, here.clock)
    other.reminders.runs.tick()
    tries = {run.schedule: run.tries for run in other.reminders.runs.latest(9) if run.ended_at}
    other.close()
    assert tries == {"changes": 1, "owners": 2}
