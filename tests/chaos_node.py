"""A node of the gateway in a process of its own, made to die or to be told lies at chosen places.

What a node waits for is shortened; nothing else of it is changed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import sqlalchemy as sa

from smsgw import gateway, logs, silence
from smsgw.cli.main import commands
from smsgw.clock import utc_now
from smsgw.dispatch import breaker, retry, sender
from smsgw.gateway import ROLES, Gateway, Role
from smsgw.serve import Node, Stop
from smsgw.settings import load
from smsgw.store import schedules, wakes
from smsgw.store.database import Database
from tests import processes, unsure
from tests.world import settings

# A process that is forked from the one that has imported this module (tests/processes.py) finds there every command and
# what is read but once.
with TemporaryDirectory() as nowhere:
    Gateway(settings(Path(nowhere)), utc_now).close()
for name in commands.list_commands(click.Context(commands)):
    commands.get_command(click.Context(commands), name)

_WAITS = (
    (gateway, "TICK", 0.05),
    (gateway, "ANSWER_WAITING_EVERY", 0.05),
    (gateway, "MATCH_EVERY", 0.1),
    (gateway, "RETIRE_EVERY", 0.1),
    (gateway, "REMIND_EVERY", 0.05),
    (gateway, "KEEP_DAYS_EVERY", 0.1),
    (gateway, "QUOTAS_EVERY", 0.1),
    (breaker, "FIRST_PAUSE", timedelta(seconds=0.2)),
    (breaker, "LONGEST_PAUSE", timedelta(seconds=1)),
    (retry, "BLIND_WAIT", timedelta(seconds=1)),
    (sender, "TROUBLE_PAUSE", 0.2),
    (wakes, "PATIENCE", 0.2),
    (silence, "SILENCE", 1),
    (schedules, "LEASE", timedelta(seconds=1)),
)


@dataclass(frozen=True, slots=True)
class Point:
    """A place in a node's life: the n-th time that a transaction's commit is about to begin, or has just ended."""

    transaction: str
    side: str
    number: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What a process is to do, and what is to happen to it.

    `command`: a command of smsgw, in place of a node. `dies_at`: where it kills itself. `breaks`: the share of its
    commits that break off, and of those that are made without its hearing of it. `clock_off`: seconds by which its
    machine's clock is ahead. `poll`: seconds between the looks of a sender that nobody wakes.
    """

    settings: Path
    log: Path
    roles: tuple[Role, ...] = ROLES
    command: tuple[str, ...] = ()
    dies_at: Point | None = None
    breaks: float = 0.0
    clock_off: float = 0.0
    poll: float | None = None
    seed: int = 0


class Fate:
    """Stands at every commit boundary. One whose database fails before it `is_up` does not start, which is no news."""

    def __init__(self, plan: Plan) -> None:
        self.is_up = False
        self._plan = plan
        self._chance = random.Random(plan.seed)
        self._passed: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def __call__(self, transaction: str, side: str) -> None:
        with self._lock:
            self._passed[transaction, side] += 1
            if self._plan.dies_at == Point(transaction, side, self._passed[transaction, side]):
                os.kill(os.getpid(), signal.SIGKILL)
            broken = self._chance.random() < self._plan.breaks
        if broken and self.is_up:
            raise sa.exc.OperationalError("COMMIT", None, ConnectionError("the connection broke"))


def run(plan: Plan) -> None:
    """The life of a process."""
    processes.output_to(plan.log)
    Database.boundary = fate = Fate(plan)
    sys.modules["providers.unsure"] = unsure
    if plan.command:
        if plan.dies_at is None:  # who is killed leaves a lease as short as a node's
            os.environ["SMSGW_CHANNELS__SMS__TIME_LIMIT"] = "60"  # a carrier on a slow machine makes no command fail
        processes.smsgw("--config", str(plan.settings), *plan.command)
        return
    for module, name, value in _WAITS:
        setattr(module, name, value)
    # A message that met many a death would else wait for minutes.
    for lane, rule in retry.RULES.items():
        retry.RULES[lane] = replace(rule, longest_pause=timedelta(seconds=2))
    if plan.poll is not None:
        sender.POLL = plan.poll
    if plan.clock_off:
        _put_clock_off(timedelta(seconds=plan.clock_off))
    logs.to_stderr()
    stop = Stop()
    node = Node(load(plan.settings), plan.roles)
    node.start()
    fate.is_up = True
    ready_file(plan.log, os.getpid()).touch()
    stop.wait()
    node.stop()


def ready_file(log: Path, process: int) -> Path:
    """The file by which a node says that it is up."""
    return log.with_name(f"ready-{process}")


def _put_clock_off(by: timedelta) -> None:
    def machine() -> datetime:
        return utc_now() + by

    setattr(gateway, "utc_now", machine)  # noqa: B010 - it is imported there, not exported
