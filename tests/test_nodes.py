"""Several nodes on one PostgreSQL: they come and go, wake each other, keep the contract's rate together, and need not
agree on the time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import postgres
from tests.chaos import NOTHING, Chaos, until

NEVER = 3600.0  # seconds
NOTICES = 20_000
# Calls are on their way for different times, so that the carrier may see them closer together than they were made. What
# is kept for replies, who are not there, makes up for a tenth of a second of that.
TPS, BATCH, REPLY_SHARE = 2500, 500, 0.5


@pytest.fixture
def chaos(tmp_path: Path, postgres_url: str) -> Iterator[Chaos]:
    made = Chaos(tmp_path, postgres_url, tps=TPS, batch=BATCH, reply_share=REPLY_SHARE)
    yield made
    made.close()


def test_nodes_that_start_at_once_on_an_empty_database_all_come_up(chaos: Chaos) -> None:
    nodes = [chaos.node() for _ in range(4)]
    chaos.text(20)
    chaos.settle()
    assert [node.exitcode for node in nodes] == [None] * 4
    assert chaos.count() == NOTHING


def test_three_nodes_of_which_one_is_killed_send_every_notice_once_and_never_too_fast(chaos: Chaos) -> None:
    chaos.database.create()
    ids = chaos.notices(NOTICES)
    nodes = [chaos.up(roles=("web", "worker")) for _ in range(3)]
    until(lambda: len(chaos.carrier.delivered) > NOTICES // 4, "some to be sent")
    chaos.kill(nodes[0])
    assert len(chaos.carrier.delivered) < NOTICES
    chaos.settle()
    assert chaos.states() == {"delivered": NOTICES}
    assert sorted(ref for ref, _ in chaos.carrier.delivered.values()) == sorted(ids)
    assert _most_in_a_second(chaos.carrier.calls) <= TPS + BATCH


def _most_in_a_second(calls: list[tuple[float, int]]) -> int:
    """The most messages that arrived in any second."""
    most = within = first = 0
    for at, messages in calls:
        within += messages
        while calls[first][0] <= at - 1:
            within -= calls[first][1]
            first += 1
        most = max(most, within)
    return most


def test_a_reply_goes_out_without_a_poll_also_after_the_database_was_away(
    chaos: Chaos, postgres_server: postgres.Server
) -> None:
    chaos.up(roles=("web",))
    chaos.up(roles=("worker",), poll=NEVER)
    for _ in range(2):
        until(lambda: _listeners(chaos) == 1, "the worker to listen")
        chaos.text(3)
        chaos.settle()
        postgres_server.kill()
        chaos.text(1)
        until(lambda: chaos.carrier.answers[503] > 0, "a 503")
        chaos.carrier.answers.clear()
        postgres_server.start()
        # What came meanwhile is found when the worker looks again after its trouble.
    chaos.settle()
    assert chaos.count() == NOTHING


def _listeners(chaos: Chaos) -> int:
    try:
        with chaos.database.reading() as connection:
            listening = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            return connection.scalar(sa.text(listening)) or 0
    except sa.exc.OperationalError:
        return 0


@pytest.mark.parametrize("hours", [-1, 1], ids=["behind", "ahead"])
def test_a_node_whose_clock_is_an_hour_off_loses_and_doubles_nothing(
    tmp_path: Path, postgres_url: str, hours: int
) -> None:
    chaos = Chaos(tmp_path, postgres_url, tps=50, batch=10)
    chaos.carrier.faults.change({"cut_after": 0.2, "throttle_429": 0.1, "retry_after": 0.2, "latency": 0.02})
    wrong = chaos.up(clock_off=hours * 3600)
    chaos.up()
    for _ in range(10):
        chaos.text(5)
        until(lambda: chaos.texts_taken() == len(chaos.senders), "the texts to be taken")
    # Nobody has to wait until the right clocks have reached what the wrong one wrote down.
    chaos.kill(wrong)
    chaos.text(20)
    chaos.settle()
    assert chaos.count() == NOTHING
    chaos.close()
