"""Several nodes on one PostgreSQL: they come and go, wake each other, keep the contract's rate together, and need not
agree on the time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from smsgw.store.tables import outbound
from tests import postgres
from tests.chaos import NOTHING, Chaos, until

NEVER = 3600.0  # seconds
TPS, BATCH = 2500, 500

Make = Callable[..., Chaos]


@pytest.fixture
def make(tmp_path: Path, postgres_url: str) -> Iterator[Make]:
    """Makes a gateway of nodes that are yet to come."""
    made: list[Chaos] = []

    def new(tps: int, batch: int) -> Chaos:
        made.append(Chaos(tmp_path, postgres_url, tps=tps, batch=batch, time_limit=1.0))
        return made[-1]

    yield new
    for chaos in made:
        chaos.close()


@pytest.fixture
def chaos(make: Make) -> Chaos:
    return make(TPS, BATCH)


def test_nodes_that_start_at_once_on_an_empty_database_all_come_up(chaos: Chaos) -> None:
    nodes = [chaos.node() for _ in range(4)]
    chaos.text(20)
    chaos.settle()
    assert [node.exitcode for node in nodes] == [None] * 4
    assert chaos.count() == NOTHING


def send_with_three_nodes_of_which_one_is_killed(chaos: Chaos, notices: int) -> None:
    """Every notice is sent once, and none too soon for the contract."""
    nodes = [chaos.up(roles=("web", "worker")) for _ in range(3)]
    ids = chaos.notices(notices)  # when all are up: the first would have sent most by then
    until(lambda: len(chaos.carrier.delivered) > notices // 4, "some to be sent")
    chaos.kill(nodes[0])
    assert len(chaos.carrier.delivered) < notices
    chaos.settle()
    assert chaos.states() == {"delivered": notices}
    assert sorted(ref for ref, _ in chaos.carrier.delivered.values()) == sorted(ids)


def test_three_nodes_of_which_one_is_killed_send_every_notice_once_and_never_too_fast(chaos: Chaos) -> None:
    send_with_three_nodes_of_which_one_is_killed(chaos, 5000)
    assert most_in_a_second(_claims(chaos)) <= TPS + BATCH


@pytest.mark.soak
@pytest.mark.parametrize(
    ("tps", "batch", "notices"),
    [(2500, 500, 20_000), (5000, 500, 20_000), (1000, 100, 20_000), (1000, 500, 20_000), (10, 5, 200), (5, 1, 100)],
)
def test_three_nodes_keep_to_any_contract(make: Make, tps: int, batch: int, notices: int) -> None:
    chaos = make(tps, batch)
    began = time.monotonic()
    send_with_three_nodes_of_which_one_is_killed(chaos, notices)
    most, took = most_in_a_second(chaos.carrier.calls), chaos.carrier.calls[-1][0] - began
    print(f"{tps}/s, {batch} a call: at most {most} in a second, {notices / took:.0f}/s in all")  # noqa: T201
    assert most <= tps + batch


def _claims(chaos: Chaos) -> list[tuple[float, int]]:
    """When messages were taken from the rate, and how many; unlike arrivals, no busy machine drives these together."""
    with chaos.database.reading() as connection:
        taken = sa.select(outbound.c.tried_at, sa.func.count()).group_by(outbound.c.tried_at)
        return [(at.timestamp(), messages) for at, messages in connection.execute(taken.order_by(outbound.c.tried_at))]


def most_in_a_second(calls: list[tuple[float, int]]) -> int:
    """The most messages within any second."""
    most = within = first = 0
    for at, messages in calls:
        within += messages
        while calls[first][0] <= at - 1:
            within -= calls[first][1]
            first += 1
        most = max(most, within)
    return most


@pytest.mark.long
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
        # What came before the worker listened anew is found when it does.
    chaos.settle()
    assert chaos.count() == NOTHING


def _listeners(chaos: Chaos) -> int:
    try:
        with chaos.database.reading() as connection:
            listening = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            return connection.scalar(sa.text(listening)) or 0
    except sa.exc.OperationalError:
        return 0


@pytest.mark.long
@pytest.mark.parametrize("hours", [-1, 1], ids=["behind", "ahead"])
def test_a_node_whose_clock_is_an_hour_off_loses_and_doubles_nothing(
    tmp_path: Path, postgres_url: str, hours: int
) -> None:
    chaos = Chaos(tmp_path, postgres_url, tps=50, batch=10)
    chaos.carrier.faults.change({"cut_after": 0.2, "throttle_429": 0.1, "retry_after": 0.2, "latency": 0.02})
    wrong = chaos.up(clock_off=hours * 3600)
    chaos.up()
    for _ in range(5):
        chaos.text(5)
        until(lambda: chaos.texts_taken() == len(chaos.senders), "the texts to be taken")
    # Nobody has to wait until the right clocks have reached what the wrong one wrote down.
    chaos.kill(wrong)
    chaos.text(20)
    chaos.settle()
    assert chaos.count() == NOTHING
    chaos.close()
