"""A gateway under load with every fault on, killed at random: nothing lost, nothing twice, nothing left lying.

`pytest -m soak --chaos-seconds 600 --chaos-seed 7` does for ten minutes what is done here for seconds.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from smsgw.gateway import ROLES, Role
from tests import postgres
from tests.chaos import NOTHING, Chaos, until
from tests.kannel import listens

FAULTS = {
    "latency": 0.02,
    "error_500": 0.1,
    "throttle_429": 0.1,
    "retry_after": 0.2,
    "cut_before": 0.1,
    "cut_after": 0.15,
    "undelivered": 0.1,
    "lost_receipts": 0.2,
    "doubled_receipts": 0.3,
    "disordered_receipts": 0.5,
    "doubled_inbound": 0.3,
}
CHANNELS = ("sms", "spare")
KILLED = 0.05  # of looks at the nodes; there are some twenty a second
FROZEN = 0.02
BROKEN = 0.03  # of commits, and as many again whose acknowledgement never comes
MIXTURES: tuple[tuple[Role, ...], ...] = (ROLES, ("web", "scheduler"), ("worker",), ("web", "worker"))

Make = Callable[..., Chaos]


@pytest.fixture
def make(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes a gateway under chaos."""
    made: list[Chaos] = []

    def new(database_url: str, **more: Any) -> Chaos:
        seed: int = request.config.getoption("--chaos-seed")
        print(f"--chaos-seed {seed}")  # noqa: T201 - shown where a test fails
        made.append(Chaos(tmp_path, database_url, channels=CHANNELS, seed=seed, **more))
        return made[-1]

    yield new
    for chaos in made:
        chaos.close()


@pytest.fixture
def long(request: pytest.FixtureRequest) -> float:
    """The seconds of a soak."""
    seconds: float = request.config.getoption("--chaos-seconds")
    return seconds


class Nodes:
    """Nodes that are killed and started again, and frozen and thawed. `mixtures`: the roles of each."""

    def __init__(self, chaos: Chaos, mixtures: Sequence[tuple[Role, ...]]) -> None:
        self._chaos = chaos
        self._mixtures = mixtures
        self._nodes = [self._new(roles) for roles in mixtures]
        self.frozen: list[tuple[float, ForkServerProcess]] = []  # each until when, the first one first

    def strike(self) -> None:
        """Now and then one is killed, or stands still for longer than its leases last and then goes on."""
        chance = self._chaos.chance
        place = chance.randrange(len(self._nodes))
        if chance.random() < KILLED:
            self._chaos.kill(self._nodes[place])
            self._nodes[place] = self._new(self._mixtures[place])
        elif chance.random() < FROZEN:
            self._chaos.freeze(self._nodes[place])
            self.frozen.append((time.monotonic() + 2 * self._chaos.lease, self._nodes[place]))

    def thaw(self, now: float = math.inf) -> None:
        """Those whose time has come go on; without a time, all do."""
        while self.frozen and self.frozen[0][0] <= now:
            self._chaos.thaw(self.frozen.pop(0)[1])

    def all_up(self) -> bool:
        """Whether all are there, after those that are dead were started again."""
        self._revive()
        return all(map(self._chaos.is_up, self._nodes))

    def some_up(self) -> bool:
        """The same of any that answers carriers."""
        self._revive()
        nodes = zip(self._mixtures, self._nodes, strict=True)
        return any("web" in roles and self._chaos.is_up(node) for roles, node in nodes)

    def _revive(self) -> None:
        # One that was just starting when the database died could not know whether its settings are right.
        places = enumerate(self._nodes)
        self._nodes = [node if node.is_alive() else self._new(self._mixtures[place]) for place, node in places]

    def _new(self, roles: tuple[Role, ...]) -> ForkServerProcess:
        return self._chaos.node(roles=roles, breaks=BROKEN, seed=self._chaos.chance.getrandbits(32))


def storm(chaos: Chaos, seconds: float, mixtures: Sequence[tuple[Role, ...]], server: postgres.Server | None) -> None:
    """Texts and notices without end, nodes that fall, and so does the database if it is given."""
    _change_faults(chaos, FAULTS)
    chaos.database.create()
    nodes = Nodes(chaos, mixtures)
    end, fall = time.monotonic() + seconds, time.monotonic() + min(seconds / 2, 15)
    while time.monotonic() < end:
        chaos.text(chaos.chance.randrange(12), channel=chaos.chance.choice(CHANNELS))
        if not nodes.frozen and chaos.chance.random() < 0.2:  # one that is may have the lock of SQLite
            chaos.notices(chaos.chance.randrange(12), chaos.chance.choice(CHANNELS))
        time.sleep(0.1 * chaos.chance.random())
        nodes.strike()
        nodes.thaw(time.monotonic())
        if server and time.monotonic() > fall:
            fall += 15
            nodes.thaw()
            until(nodes.some_up, "a node to be there to answer")
            _killed_database(chaos, server)
            nodes.all_up()
    nodes.thaw()
    until(nodes.all_up, "all nodes to be up")
    _change_faults(chaos, dict.fromkeys(FAULTS, 0.0))


def _change_faults(chaos: Chaos, faults: dict[str, float]) -> None:
    for carrier in chaos.carriers.values():
        carrier.faults.change(faults)


def _killed_database(chaos: Chaos, server: postgres.Server) -> None:
    """PostgreSQL dies under load and comes back; the carrier is told to try again meanwhile."""
    before = chaos.carrier.answers[503]
    server.kill()
    chaos.text(20)
    until(lambda: chaos.carrier.answers[503] > before, "a 503")
    server.start()
    chaos.database.close()  # with every connection that broke


def assert_nothing_lost(chaos: Chaos) -> None:
    """Everything comes to its end, each text with one reply, and ends as its receipt says if there was one.

    With two carriers that each take a ref once, that is also to say that nothing went out by both.
    """
    chaos.settle("submitted")
    chaos.days_later()
    assert chaos.count() == NOTHING
    states = chaos.states()
    told = len(chaos.senders) + len(chaos.told)
    assert sum(states[state] for state in ("delivered", "undelivered", "expired")) == told
    assert chaos.texts_taken() == len(chaos.senders)
    ends = chaos.ends()
    reported = {id: end for carrier in chaos.carriers.values() for id, end in carrier.reported.items()}
    assert {id: ends[id] for id in reported} == reported


def test_one_node_on_sqlite_killed_at_random_with_every_fault_on(make: Make, tmp_path: Path) -> None:
    chaos = make(f"sqlite:///{tmp_path}/gateway.db")
    storm(chaos, 3, [ROLES], None)
    assert_nothing_lost(chaos)


def test_nodes_and_their_postgresql_killed_at_random_with_every_fault_on(
    postgres_url: str, postgres_server: postgres.Server, make: Make
) -> None:
    chaos = make(postgres_url)
    storm(chaos, 4, MIXTURES, postgres_server)
    assert_nothing_lost(chaos)


def test_told_to_stop_it_ends_what_it_has_in_hand(make: Make, database_url: str) -> None:
    chaos = make(database_url, time_limit=60)
    chaos.carrier.faults.change({"lost_receipts": 1})
    chaos.carrier.answering.clear()
    node = chaos.up()
    chaos.text(1)
    until(lambda: chaos.carrier.calls, "the reply to be on its way")
    node.terminate()
    until(lambda: not listens(chaos.port), "the node to be stopping")
    assert chaos.states() == {"sending": 1}
    chaos.carrier.answering.set()
    chaos.ended(node, 0)
    assert chaos.states() == {"submitted": 1}


@pytest.mark.soak
def test_a_long_storm_on_sqlite(make: Make, tmp_path: Path, long: float) -> None:
    chaos = make(f"sqlite:///{tmp_path}/gateway.db")
    storm(chaos, long, [ROLES], None)
    assert_nothing_lost(chaos)


@pytest.mark.soak
def test_a_long_storm_on_postgresql(
    postgres_url: str, postgres_server: postgres.Server, make: Make, long: float
) -> None:
    chaos = make(postgres_url)
    storm(chaos, long, MIXTURES, postgres_server)
    assert_nothing_lost(chaos)


@pytest.mark.soak
def test_a_long_storm_over_carriers_that_can_not_be_asked_sends_a_reply_at_most_twice_and_a_notice_once(
    database_url: str, make: Make, long: float
) -> None:
    chaos = make(database_url, provider="unsure")
    storm(chaos, long, [ROLES] if chaos.database.on_sqlite else MIXTURES, None)
    chaos.settle("submitted", "unknown")
    times = Counter(phone for carrier in chaos.carriers.values() for _, phone in carrier.delivered.values())
    assert {times[phone] for phone in chaos.told} <= {0, 1}
    assert {times[phone] for phone in chaos.senders} <= {0, 1, 2}
    # Who got nothing is known to be in doubt.
    unheard = sum(not times[phone] for phone in (*chaos.told, *chaos.senders))
    assert unheard <= chaos.states()["unknown"]
    assert chaos.texts_taken() == len(chaos.senders)
