"""A gateway of several processes, the carriers around it, and the count of what was lost, doubled or left lying."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from providers.simulator import SimulatorConfig, create_app
from smsgw.bench.ports import free_port
from smsgw.clock import utc_now
from smsgw.dispatch.sender import LEASES
from smsgw.dossiers import sample
from smsgw.gateway import Gateway
from smsgw.settings import load
from smsgw.store import history, outbox
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.outbox import NewMessage
from smsgw.store.states import FINAL, State
from smsgw.store.tables import Lane, inbound, outbound, receipt
from smsgw.web.server import WebServer
from tests import processes
from tests.chaos_node import Plan, ready_file, run
from tests.ledger import Ledger
from tests.world import SECRET, TODAY, TOKEN

PATIENCE = 90.0  # seconds, for machines with much else to do


def until(
    true: Callable[[], object], what: str, seconds: float = PATIENCE, reached: Callable[[], int] = lambda: 0
) -> None:
    """Look until it is true; a machine that is slow is waited for, and nothing is said of how long it took.

    The seconds begin anew whenever `reached` has grown, which says how much of it is done.
    """
    most, end = reached(), time.monotonic() + seconds
    while not true():
        if time.monotonic() >= end:
            before, most = most, reached()
            assert most > before, f"waited in vain for {what}"
            end = time.monotonic() + seconds
        time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Count:
    """What must all be empty: phones that got nothing or several messages, callbacks given up, what is not final."""

    lost: list[str]
    doubled: list[str]
    given_up: int
    stuck: dict[str, int]


NOTHING = Count([], [], 0, {})


class Chaos:
    """A province, its carriers, a database, and nodes that may be killed. Every text has a sender of its own."""

    def __init__(
        self,
        folder: Path,
        database_url: str,
        *,
        channels: Sequence[str] = ("sms",),
        provider: str = "aggregator",
        tps: int = 2000,
        batch: int = 100,
        reply_share: float = 0.2,
        time_limit: float = 0.4,
        seed: int = 2018,
        more: str = "",
    ) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.settings = folder / "settings.toml"
        self.lease = LEASES * time_limit  # seconds
        self.chance = random.Random(seed)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.senders: list[str] = []
        self.told: list[str] = []  # the phones of those who get a notice
        self.authorise: Callable[[], None] = lambda: None
        self.nodes: list[ForkServerProcess] = []
        self._aside = ThreadPoolExecutor(4)
        self._under_way: list[Future[None]] = []
        self.carriers = {name: self._carrier(name, provider != "aggregator") for name in channels}
        self._webs = {
            name: WebServer(create_app(carrier), "127.0.0.1:0", threads=12) for name, carrier in self.carriers.items()
        }
        sample.write(f"sqlite:///{folder}/onestop.db", 100, 1, TODAY)
        self.dossier = sample.examples(f"sqlite:///{folder}/onestop.db")[0]
        self.settings.write_text(
            self._settings(
                database_url,
                provider,
                f"tps = {tps}\nbatch = {batch}\nreply_share = {reply_share}\ntime_limit = {time_limit}",
            )
            + more
        )
        self.database = Database(database_url)
        for carrier, web in zip(self.carriers.values(), self._webs.values(), strict=True):
            carrier.faults.chance = random.Random(seed)
            web.start()
            carrier.start()

    @property
    def carrier(self) -> Ledger:
        return self.carriers["sms"]

    def close(self) -> None:
        print(self.story())  # noqa: T201 - shown where a test fails
        for node in self.nodes:
            if node.is_alive():
                node.kill()
            node.join()
        self._aside.shutdown(wait=False)
        for carrier, web in zip(self.carriers.values(), self._webs.values(), strict=True):
            carrier.stop()
            web.stop()
        self.database.close()

    def story(self) -> str:
        """How much there was, what became of the nodes, and the last that they said."""
        ends = Counter(self._end(node) for node in self.nodes)
        said = self.log.read_text()[-3000:] if self.log.exists() else "nothing"
        return f"{len(self.senders)} texts, {len(self.told)} notices; nodes: {dict(ends)}\n{said}"

    def _end(self, node: ForkServerProcess) -> str:
        if node.exitcode is not None:
            return f"ended with {node.exitcode}"
        return "up" if self.is_up(node) else "starting"

    def is_up(self, node: ForkServerProcess) -> bool:
        """Whether a node has come up; it may have died since."""
        return ready_file(self.log, node.pid or 0).exists()

    def node(self, **plan: Any) -> ForkServerProcess:
        """Start a node, or a command; see `Plan`."""
        process = processes.start(run, Plan(self.settings, self.log, **plan))
        self.nodes.append(process)
        return process

    def up(self, **plan: Any) -> ForkServerProcess:
        """Start a node and wait until it is there."""
        node = self.node(**plan)
        until(lambda: self.is_up(node) or not node.is_alive(), "a node to start")
        assert node.is_alive(), self.log.read_text()[-3000:]
        return node

    def kill(self, node: ForkServerProcess) -> None:
        node.kill()
        node.join()

    def freeze(self, node: ForkServerProcess) -> None:
        """It stands still in the middle of whatever it does, as when its machine sleeps."""
        _signal(node, signal.SIGSTOP)

    def thaw(self, node: ForkServerProcess) -> None:
        """It goes on as if no time had passed, unless it was killed meanwhile."""
        _signal(node, signal.SIGCONT)

    def ended(self, process: ForkServerProcess, status: int, what: str = "") -> None:
        """Wait for the end of a process."""
        process.join(PATIENCE)
        assert process.exitcode == status, f"{what}: {self.log.read_text()[-3000:]}"

    def text(self, count: int = 1, text: str = "HELP", channel: str = "sms") -> None:
        """So many people text something, each of them once."""
        for _ in range(count):
            self.senders.append(f"849{len(self.senders):08}")
            self.carriers[channel].text(self.senders[-1], text)

    def notices(self, count: int, channel: str = "sms") -> list[str]:
        """Queue messages that answer nothing, each to somebody else; their ids."""
        now, first = utc_now(), len(self.told)
        new = [
            NewMessage(
                id=new_id(),
                channel=channel,
                lane=Lane.NOTICE,
                in_reply_to=None,
                sender="8188",
                recipient=f"848{first + number:08}",
                text="Ho so",
                encoding="gsm7",
                segments=1,
                created_at=now,
                not_before=now,
                expires_at=now + timedelta(hours=12),
            )
            for number in range(count)
        ]
        until(lambda: self._added(new), "the database to have a turn for us")
        self.told += [message.recipient for message in new]
        return [message.id for message in new]

    def _added(self, messages: Sequence[NewMessage]) -> bool:
        """Whether they are queued now; not where others write for longer than SQLite has us wait."""
        try:
            with self.database.writing("test") as connection:
                outbox.add(connection, messages)
        except sa.exc.OperationalError:
            return False
        return True

    def meanwhile(self, work: Callable[[], None]) -> None:
        """Something is done while nodes come and go; it has its end before everything settles."""
        self._under_way.append(self._aside.submit(work))

    def states(self) -> Counter[str]:
        """How many messages there are in each state, live or in history."""
        message = history.message.c
        with self.database.reading() as connection:
            rows = connection.execute(sa.select(message.state, sa.func.count()).group_by(message.state)).all()
        return Counter(dict(rows))

    def ends(self) -> dict[str, str]:
        """The state of each message."""
        message = history.message.c
        with self.database.reading() as connection:
            return dict(connection.execute(sa.select(message.id, message.state)).all())

    def texts_taken(self, state: str | None = None) -> int:
        """How many texts the gateway has, or has in a state."""
        counted = sa.select(sa.func.count()).select_from(inbound)
        if state is not None:
            counted = counted.where(inbound.c.state == state)
        with self.database.reading() as connection:
            return connection.scalar(counted) or 0

    def quiet(self, *also: str) -> bool:
        """Whether all texts are acknowledged, all messages at their end or in such a state, and no receipt is left."""
        idle = all(carrier.is_idle() for carrier in self.carriers.values())
        try:
            if not idle or self.texts_taken() < len(self.senders) or self.texts_taken("waiting"):
                return False
            # Of a message in doubt the carrier's id is perhaps never learnt, which is all that some receipts name.
            return set(self.states()) <= {*FINAL, *also} and (State.UNKNOWN in also or not self.parked())
        except sa.exc.DBAPIError:
            return False  # the database is away, or has no tables yet

    def parked(self) -> int:
        """How many receipts there are whose messages are not known."""
        with self.database.reading() as connection:
            left = sa.select(sa.func.count()).select_from(receipt).where(receipt.c.outbound_id.is_(None))
            return connection.scalar(left) or 0

    def left(self) -> list[dict[str, Any]]:
        """The messages that are not at their end, but for whom and what they are."""
        told = [column for column in outbound.c if column.name not in ("recipient", "text")]
        with self.database.reading() as connection:
            return [
                {**row} for row in connection.execute(sa.select(*told).where(outbound.c.state.not_in(FINAL))).mappings()
            ]

    def settle(self, *also: str) -> None:
        """Wait until it is quiet."""
        for work in self._under_way:
            work.result()
        try:
            until(lambda: self.quiet(*also), "everything to come to its end", reached=lambda: self._ended(*also))
        except AssertionError as late:
            late.add_note(
                f"texts taken: {self.texts_taken()} of {len(self.senders)}, {self.texts_taken('waiting')} wait"
            )
            late.add_note(f"messages: {dict(self.states())}; receipts whose messages are not known: {self.parked()}")
            late.add_note(f"left: {self.left()}")
            late.add_note(f"carriers: {[carrier.counters() for carrier in self.carriers.values()]}")
            raise

    def _ended(self, *also: str) -> int:
        """How many texts are taken in, and messages at their end or in such a state."""
        try:
            states = self.states()
            return self.texts_taken() + sum(states[state] for state in (*FINAL, *also))
        except sa.exc.DBAPIError:
            return 0  # as in `quiet`

    def days_later(self) -> None:
        """What never got its receipt ends after three days."""
        gateway = Gateway(load(self.settings), clock=lambda: utc_now() + timedelta(hours=73))
        gateway.sweep()
        gateway.close()

    def count(self) -> Count:
        """What was lost, doubled, given up, and left lying."""
        heard: dict[str, set[str]] = defaultdict(set)
        for carrier in self.carriers.values():
            for id, (_, phone) in carrier.delivered.items():
                heard[phone].add(id)
        counters = [carrier.counters() for carrier in self.carriers.values()]
        return Count(
            lost=[phone for phone in (*self.senders, *self.told) if phone not in heard],
            doubled=[phone for phone, ids in heard.items() if len(ids) > 1],
            given_up=sum(counter["given_up"] for counter in counters),
            stuck={state: count for state, count in self.states().items() if state not in FINAL},
        )

    def _carrier(self, channel: str, forgetful: bool) -> Ledger:
        config = SimulatorConfig(
            self.url, TOKEN, SECRET, channel, receipt_delay=0.05, longest_pause=0.1, most_tries=100_000
        )
        return Ledger(config, forgetful=forgetful)

    def _settings(self, database_url: str, provider: str, pace: str) -> str:
        channels = "".join(
            f"""
[channels.{name}]
provider = "{provider}"
url = "http://127.0.0.1:{web.port}"
token = "{TOKEN}"
secret = "{SECRET}"
sender = "8188"
answer_ids = "hexadecimal"
receipt_ids = "decimal"
{pace}
"""
            for name, web in self._webs.items()
        )
        return f"""
[gateway]
database = "{database_url}"
secret_key = "not made by two nodes at once"
[onestop]
database = "sqlite:///{self.folder}/onestop.db"
[web]
bind = "{self.url.removeprefix("http://")}"
share_port = true
[quiet_hours]
start = "00:00"
end = "00:00"
[[routes]]
channels = [{", ".join(f'"{name}"' for name in self._webs)}]
{channels}"""


def _signal(node: ForkServerProcess, number: signal.Signals) -> None:
    if node.is_alive() and node.pid:
        os.kill(node.pid, number)


def age(chaos: Chaos) -> None:
    """Let what is finished have been so for days."""
    with chaos.database.writing("test") as connection:
        connection.execute(sa.update(outbound).where(outbound.c.state.in_(sorted(FINAL))).values(deadline=utc_now()))


def killed_by_itself(chaos: Chaos, process: ForkServerProcess, point: object) -> None:
    """Wait for a process to die at the place that its plan names."""
    chaos.ended(process, -signal.SIGKILL, str(point))
