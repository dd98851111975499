"""The purge on several nodes, at its hour, and killed where it can be."""

from __future__ import annotations

import threading

import pytest

from smsgw import checkup
from smsgw.gateway import Gateway
from smsgw.retention.daily import PURGE, Leased
from smsgw.store import schedules
from smsgw.store.schedules import LEASE, Stopped
from tests.dying import at_commit, dying_node
from tests.test_retention import answered, look, retire, rows
from tests.world import World


@pytest.mark.long
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_purge_that_is_killed_at_any_of_its_commits_goes_on_next_time(
    anywhere: World, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsgw.store.removing.PAGE", 2)
    for number in range(5):
        anywhere.text(f"8491234{number:04}", "HELP")
    retire(anywhere)
    anywhere.clock.forward(days=400)
    there, commits, lived = look(anywhere), 0, False
    assert there["messages to citizens"] == there["messages from citizens"] == 5
    while not lived:
        commits += 1
        with dying_node(anywhere, at_commit(commits, side)) as node:
            node.purge.remove()
            lived = True
    assert commits > 3
    assert rows(anywhere).keys() == {"channel"}


def test_it_is_done_once_a_day_by_one_of_two_nodes_and_caught_up_after_a_silence(anywhere: World) -> None:
    other = Gateway(anywhere.gateway.settings, anywhere.clock)
    nodes = (anywhere.gateway.retention, other.retention)

    def ticks() -> list[bool]:
        return [node.tick() for node in nodes]

    for node in nodes:
        node.meet()
    assert ticks() == [False, False]
    anywhere.clock.forward(hours=14)  # it is 2 in the morning there
    assert ticks() == [False, False]
    anywhere.clock.forward(minutes=21)
    assert ticks() == [True, False]
    assert ticks() == [False, False]
    anywhere.clock.forward(days=9)
    assert ticks() == [True, False]
    assert not any(node.silence() for node in nodes)
    assert rows(anywhere)["schedule_run"] == 2
    other.close()


def test_a_node_that_dies_at_it_is_replaced_when_its_lease_is_over(anywhere: World) -> None:
    answered(anywhere)
    anywhere.gateway.retention.meet()
    anywhere.clock.forward(days=400)
    with dying_node(anywhere, lambda name, side: (name, side) == ("forget", "before")) as node:
        node.retention.tick()
    assert anywhere.gateway.retention.tick() is False
    assert anywhere.gateway.retention.silence() is False
    anywhere.clock.forward(minutes=3)
    assert anywhere.gateway.retention.tick() is True
    assert look(anywhere) == {}


def test_who_reads_for_long_and_finds_nothing_to_remove_keeps_its_lease(anywhere: World) -> None:
    gateway = anywhere.gateway
    with gateway.database.writing("test") as connection:
        mine = schedules.begin(connection, PURGE, anywhere.clock(), anywhere.clock())
    hands = Leased(gateway.database, mine, anywhere.clock, threading.Event())
    for _ in range(3):
        anywhere.clock.forward(seconds=LEASE.total_seconds() * 0.9)
        with hands.reading() as connection:
            assert schedules.pending(connection, anywhere.clock()) == []


def test_a_node_that_is_told_to_stop_lets_go_and_another_goes_on(anywhere: World) -> None:
    answered(anywhere)
    anywhere.gateway.retention.meet()
    anywhere.clock.forward(days=400)
    other = Gateway(anywhere.gateway.settings, anywhere.clock)
    other.retention.stop()
    with pytest.raises(Stopped):
        other.retention.tick()
    other.close()
    anywhere.clock.forward(minutes=3)
    assert anywhere.gateway.retention.tick() is True
    assert look(anywhere) == {}


def test_the_log_tells_in_one_line_what_was_removed(anywhere: World, caplog: pytest.LogCaptureFixture) -> None:
    answered(anywhere)
    anywhere.clock.forward(days=400)
    with caplog.at_level("INFO", "smsgw.retention"):
        anywhere.gateway.purge.remove()
    (line,) = [record.getMessage() for record in caplog.records if record.name == "smsgw.retention"]
    assert "what is old was removed: 1 messages to citizens, 1 messages from citizens, " in line


def test_the_doctor_says_if_it_is_not_done(anywhere: World) -> None:
    anywhere.gateway.retention.meet()
    assert checkup._retention(anywhere.gateway).ok
    anywhere.clock.forward(days=4)
    assert not checkup._retention(anywhere.gateway).ok


def test_under_a_clock_that_is_set_back_it_is_done_the_next_night(anywhere: World) -> None:
    anywhere.clock.forward(days=900)
    anywhere.gateway.retention.meet()
    anywhere.clock.forward(days=-900)
    assert anywhere.gateway.retention.tick() is False
    anywhere.clock.forward(days=1)
    assert anywhere.gateway.retention.tick() is True
