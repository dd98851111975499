"""The gateway killed at every commit boundary, by name: on either side of each transaction that the code has.

Every day each transaction has its turn at one side, on one of the databases; `-m long` takes the other side on the
other one besides, and `-m soak` both sides on both.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain, product, repeat
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

import smsgw
from providers.simulator import Zalo
from tests import provoking
from tests.bulletin import TEXT
from tests.chaos import NOTHING, Chaos, killed_by_itself, until
from tests.chaos_node import Point
from tests.chats import serving, zalo_config, zalo_settings
from tests.conformance.smsc import DELIVER_SM, Smsc, unit

SIDES = ("before", "after")
# The sweep is three transactions under one name, and these are worth a death in the middle of things.
AGAIN: dict[str, tuple[int, ...]] = dict.fromkeys(("sweep", "keys", "run"), (1, 2, 3))
AGAIN |= {"accept": (1, 3), "receipts": (1, 3), "claim": (1, 4), "settle": (1, 3)}
COMMANDS = {
    "turn": ("reminders", "on", "uncollected_7"),
    "decide": ("doubtful", "drop"),
    "steer": ("channel", "release", "sms"),
    "officials": ("user", "disable", provoking.OFFICIAL),
    "try out": ("channel", "test", "sms", "--wait", "0", "--to"),
    "voice": ("voice", "close"),
    "systems": ("key", "add"),
    "load notice": ("notice", "create", "--name", "Nghỉ", "--text", TEXT, "--as", provoking.OFFICIAL, "--csv"),
    "move notice": ("notice", "submit", "--as", provoking.OFFICIAL),
}
FAULTS = {"cut_after": 0.2, "doubled_inbound": 0.2, "disordered_receipts": 0.5}
# Each node holds this line too, and gets a part of a text by it whose rest never comes, so that nobody is answered.
LINE = """
[channels.line]
provider = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "smsgw"
password = "secret"
sender = "8188"
tps = 50
"""
PART = b"\0\1\x0184912345678\0\3\0008188\0\x40\0\0\0\0\0\0\0\0\x08\5\0\3\7\2\1HS"
TRIED = {"before": "84870000001", "after": "84870000002"}  # phones that get a test message


@cache
def transactions() -> list[str]:
    """The names of all writing transactions of a gateway, read from the code."""
    names: set[str] = set()
    rooms = Path(smsgw.__file__).parent
    for file in set(rooms.rglob("*.py")) - set((rooms / "bench").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(attr="writing" | "_working" | "_all"), args=[first, *_]):
                    given = (part.value for part in ast.walk(first) if isinstance(part, ast.Constant))
                    names |= {name for name in given if isinstance(name, str)}
    return sorted(names)


@pytest.fixture
def chaos(tmp_path: Path, database_url: str, request: pytest.FixtureRequest) -> Iterator[Chaos]:
    zalo = Zalo(zalo_config())
    with serving(zalo) as url, Smsc(greets=unit(DELIVER_SM, 1, PART)) as center:
        seed = request.config.getoption("--chaos-seed")
        more = zalo_settings(url) + LINE.format(port=center.port)
        made = Chaos(tmp_path, database_url, channels=("sms", "spare"), seed=seed, more=more)
        made.authorise = zalo.forget_everything
        yield made
        made.close()


def _every_point() -> list[Point]:
    # The tables are made but once, and that has to fail first.
    names = sorted(transactions(), key=lambda name: name != "create")
    return [Point(name, side, number) for name, side in product(names, SIDES) for number in AGAIN.get(name, (1,))]


@pytest.mark.parametrize("turn", [0, pytest.param(1, marks=pytest.mark.long)])
def test_killed_at_a_side_of_every_commit_everybody_is_answered_exactly_once(chaos: Chaos, turn: int) -> None:
    _killed_at(chaos, [point for point in _every_point() if _turn(point, chaos.database.on_sqlite) == turn])


def _turn(point: Point, on_sqlite: bool) -> int | None:
    """When a point has its turn on a database; None: not there, but on the other one."""
    place = transactions().index(point.transaction)
    here = (place + SIDES.index(point.side)) % 2 == on_sqlite
    return (place // 2 + on_sqlite) % 2 if here else None


@pytest.mark.soak
def test_killed_at_both_sides_of_every_commit_everybody_is_answered_exactly_once(chaos: Chaos) -> None:
    _killed_at(chaos, _every_point())


def _killed_at(chaos: Chaos, points: Sequence[Point]) -> None:
    chaos.carrier.faults.change(FAULTS)
    for point in points:
        if point.transaction not in COMMANDS:
            _killed_node(chaos, point)
    node = chaos.up()
    for point in points:
        if point.transaction in COMMANDS:
            _killed_command(chaos, point)
    chaos.kill(node)
    chaos.up()
    until(lambda: provoking.notices_are_out(chaos), "the end of the notices")
    provoking.reminders_due(chaos)
    until(lambda: provoking.reminders_are_told(chaos), "the end of the reminders")
    chaos.settle()
    assert chaos.count() == NOTHING
    # A result that is ready is told once, by each of the points that it was told at; so is a notice.
    provoked = Counter(provoking.PROVOKED.get(point.transaction, provoking.nothing) for point in points)
    commands = Counter(point.transaction for point in points)
    told = (
        commands["try out"]
        + provoked[provoking.result_ready]
        + provoked[provoking.notice_approved]
        + provoked[provoking.system_sends]
    )
    dropped = commands["decide"] + provoked[provoking.not_ready_any_more]
    assert chaos.states() == Counter(delivered=len(chaos.senders) + told, cancelled=dropped)


def _killed_node(chaos: Chaos, point: Point) -> None:
    provoke = provoking.PROVOKED.get(point.transaction, provoking.nothing)
    chaos.text(2)
    if provoke is provoking.one_stop_returns:
        (chaos.folder / "onestop.db").rename(chaos.folder / "away.db")
    if point.transaction in ("keys", "quota"):
        provoking.authorised_anew(chaos)
    node = chaos.node(dies_at=point)
    provoke(chaos)
    chaos.text(2)
    # Some places are come by only when there is little to do, which on a busy machine is when people text more slowly.
    pauses = chain(repeat(0.05, 100), repeat(1.0))
    until(lambda: _has_died(chaos, node, next(pauses)), f"a death at {point}")
    killed_by_itself(chaos, node, point)


def _has_died(chaos: Chaos, node: ForkServerProcess, pause: float) -> bool:
    """Whether a node is dead after so many seconds; if not, somebody texts, so that it comes by every place."""
    node.join(pause)
    if node.exitcode is None:
        chaos.text(1)
    return node.exitcode is not None


def _killed_command(chaos: Chaos, point: Point) -> None:
    """A person's command is killed, and given once more if it did not come to its end."""
    command = COMMANDS[point.transaction]
    if point.transaction == "decide":
        command = (*command, provoking.in_doubt(chaos))
    if point.transaction == "try out":
        command = (*command, TRIED[point.side])
        chaos.carrier.faults.change({"cut_after": 0.0})  # it would tell of the cut, and end as a failure
    if point.transaction == "systems":
        command = (*command, f"kiosk-{point.side}")
    if point.transaction == "officials":
        provoking.somebody_works_here(chaos)
    if point.transaction == "voice":
        command = (*command, provoking.complained(chaos))
    if point.transaction == "load notice":
        command = (*command, str(provoking.people(chaos)))
    if point.transaction == "move notice":
        command = (*command, provoking.draft(chaos))
    killed_by_itself(chaos, chaos.node(command=command, dies_at=point), point)
    if point.side == "before":
        chaos.ended(chaos.node(command=command), 0)
    chaos.carrier.faults.change(FAULTS)
