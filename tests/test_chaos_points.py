"""The gateway killed at every commit boundary, by name: on either side of each transaction that the code has.

Every day each transaction has its turn at one side, on one of the databases; `-m long` takes the other side on the
other one besides, and `-m soak` both sides on both.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import chain, product, repeat
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

import smsgw
from providers.simulator import Zalo
from smsgw.clock import utc_now
from smsgw.gateway import Gateway
from smsgw.notices.office import Notices
from smsgw.officials.systems import Systems
from smsgw.reminders.running import CHANGES, OWNERS
from smsgw.settings import load
from smsgw.store import channels, officials, outbox, reminders, voices
from smsgw.store.ids import new_id
from smsgw.store.officials import Official, Role
from smsgw.store.outbox import NewMessage, Settled
from smsgw.store.reminders import OWNER, Reminder
from smsgw.store.states import State
from smsgw.store.tables import Lane, access_key, daily, exchange, notice, quota, run, schedule, switch
from smsgw.store.voices import Voice
from tests.agency import Agency
from tests.bulletin import TEXT, drafted, official, table
from tests.chaos import NOTHING, Chaos, age, killed_by_itself, until
from tests.chaos_node import Point
from tests.chats import serving, zalo_config, zalo_settings
from tests.conformance.smsc import DELIVER_SM, Smsc, unit

SIDES = ("before", "after")
OFFICIAL, APPROVER = "lan", "mai"
# The sweep is three transactions under one name, and these are worth a death in the middle of things.
AGAIN: dict[str, tuple[int, ...]] = dict.fromkeys(("sweep", "keys", "run"), (1, 2, 3))
AGAIN |= {"accept": (1, 3), "receipts": (1, 3), "claim": (1, 4), "settle": (1, 3)}
COMMANDS = {
    "turn": ("reminders", "on", "uncollected_7"),
    "decide": ("doubtful", "drop"),
    "steer": ("channel", "release", "sms"),
    "officials": ("user", "disable", OFFICIAL),
    "try out": ("channel", "test", "sms", "--wait", "0", "--to"),
    "voice": ("voice", "close"),
    "systems": ("key", "add"),
    "load notice": ("notice", "create", "--name", "Nghỉ", "--text", TEXT, "--as", OFFICIAL, "--csv"),
    "move notice": ("notice", "submit", "--as", OFFICIAL),
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
    until(lambda: _notices_are_out(chaos), "the end of the notices")
    _reminders_due(chaos)
    until(lambda: _reminders_are_told(chaos), "the end of the reminders")
    chaos.settle()
    assert chaos.count() == NOTHING
    # A result that is ready is told once, by each of the points that it was told at; so is a notice.
    provoked = Counter(PROVOKED.get(point.transaction, _nothing) for point in points)
    commands = Counter(point.transaction for point in points)
    told = commands["try out"] + provoked[_result_ready] + provoked[_notice] + provoked[_system_sends]
    dropped = commands["decide"] + provoked[_not_ready_any_more]
    assert chaos.states() == Counter(delivered=len(chaos.senders) + told, cancelled=dropped)


def _killed_node(chaos: Chaos, point: Point) -> None:
    provoke = PROVOKED.get(point.transaction, _nothing)
    chaos.text(2)
    if provoke is _one_stop_returns:
        (chaos.folder / "onestop.db").rename(chaos.folder / "away.db")
    if point.transaction in ("keys", "quota"):
        _authorised_anew(chaos)
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
        command = (*command, _in_doubt(chaos))
    if point.transaction == "try out":
        command = (*command, TRIED[point.side])
        chaos.carrier.faults.change({"cut_after": 0.0})  # it would tell of the cut, and end as a failure
    if point.transaction == "systems":
        command = (*command, f"kiosk-{point.side}")
    if point.transaction == "officials":
        _somebody_works_here(chaos)
    if point.transaction == "voice":
        command = (*command, _complained(chaos))
    if point.transaction == "load notice":
        command = (*command, str(_people(chaos)))
    if point.transaction == "move notice":
        command = (*command, _draft(chaos))
    killed_by_itself(chaos, chaos.node(command=command, dies_at=point), point)
    if point.side == "before":
        chaos.ended(chaos.node(command=command), 0)
    chaos.carrier.faults.change(FAULTS)


def _somebody_works_here(chaos: Chaos) -> None:
    """Officials who can be disabled, and write notices until they are."""
    roles: dict[str, Role] = {OFFICIAL: "sender", APPROVER: "approver"}
    with chaos.database.writing("test") as connection:
        for name, role in roles.items():
            if (there := officials.by_name(connection, name)) is not None:
                officials.change(connection, there.id, disabled_at=None)
            else:
                official(connection, name, role)


def _people(chaos: Chaos) -> Path:
    """Who gets a notice."""
    _somebody_works_here(chaos)
    file = chaos.folder / "people.csv"
    file.write_text(table(1), encoding="utf-8")
    return file


def _draft(chaos: Chaos) -> str:
    """A notice that can be submitted."""
    _somebody_works_here(chaos)
    with _office(chaos) as (notices, author, _):
        return drafted(notices, author, 1).notice.id


@contextmanager
def _office(chaos: Chaos) -> Iterator[tuple[Notices, Official, Official]]:
    gateway = Gateway(load(chaos.settings))
    with gateway.database.reading() as connection:
        author, approver = (officials.by_name(connection, name) for name in (OFFICIAL, APPROVER))
    assert author is not None
    assert approver is not None
    yield gateway.notices, author, approver
    gateway.close()


def _notice(chaos: Chaos) -> None:
    """A notice that may go out, to somebody whom no other one goes to."""
    _somebody_works_here(chaos)
    with _office(chaos) as (notices, author, approver):
        made = drafted(notices, author, file=table(1, first=len(chaos.senders))).notice
        notices.submit(made.id, author)
        notices.approve(made.id, approver)


def _notices_are_out(chaos: Chaos) -> bool:
    with chaos.database.reading() as connection:
        going_out = sa.select(notice.c.id).where(notice.c.state.in_(("approved", "sending")))
        return connection.execute(going_out).first() is None


def _reminders_are_told(chaos: Chaos) -> bool:
    with chaos.database.reading() as connection:
        open_runs = sa.select(run.c.id).where(run.c.ended_at.is_(None))
        due = sa.select(schedule.c.name).where(schedule.c.name == CHANGES, schedule.c.next_due <= utc_now())
        return connection.execute(open_runs).first() is None and connection.execute(due).first() is None


def _complained(chaos: Chaos) -> str:
    """The number of a complaint that nobody has looked at."""
    chaos.text(1, "PA cham qua")

    def new() -> list[Voice]:
        with chaos.database.reading() as connection:
            return voices.page(connection, "new")

    until(new, "a complaint")
    return str(new()[0].number)


def _in_doubt(chaos: Chaos) -> str:
    """A message that waits for an official's decision."""
    now, lease = utc_now(), new_id()
    # By a channel that nobody sends to, so that it is nobody else's.
    (id,) = chaos.notices(1, channel="abroad")
    chaos.told.clear()
    with chaos.database.writing("test") as connection:
        claimed = outbox.claim(connection, "abroad", (Lane.NOTICE,), 1, lease=lease, until=now, now=utc_now())
        doubt = Settled(claimed[0], State.UNKNOWN, now + timedelta(days=30), outcome="unknown")
        assert outbox.settle(connection, "abroad", lease, [doubt], now) == 1
    return id


def _nothing(chaos: Chaos) -> None:
    """What texts bring is enough."""


def _tripped(chaos: Chaos, rest: float = 0.0) -> None:
    """The first channel is closed while messages wait there; `rest`: seconds until it may be probed."""
    # The faults may have closed it already, and the node have died over that.
    until(
        lambda: chaos.texts_taken() > len(chaos.senders) - 2 or not chaos.nodes[-1].is_alive(),
        "a node that takes texts",
    )
    with chaos.database.writing("test") as connection:
        before = channels.lock(connection, "sms")
        now = utc_now()
        tripped = replace(before, state="tripped", reason="test", resume_at=now + timedelta(seconds=rest))
        channels.write(connection, before, tripped, now)


def _closed_for_long(chaos: Chaos) -> None:
    _tripped(chaos, 60)


def _authorised_anew(chaos: Chaos) -> None:
    """No tokens and no quota of a channel are left, and its first token is good again; losses are tested elsewhere."""
    chaos.authorise()
    chaos.database.create()
    with chaos.database.writing("test") as connection:
        connection.execute(sa.delete(access_key))
        connection.execute(sa.delete(quota))


def _one_stop_returns(chaos: Chaos) -> None:
    """Somebody asks while the one-stop database is away, and it comes back."""
    chaos.text(1, f"HS {chaos.dossier.code}")
    until(lambda: chaos.texts_taken("waiting"), "a text that waits")
    (chaos.folder / "away.db").rename(chaos.folder / "onestop.db")


def _reminders_due(chaos: Chaos) -> None:
    """What is done once a minute is due now, also if it was done in this minute or a killed node has its lease."""
    with chaos.database.writing("test") as connection:
        connection.execute(sa.delete(run).where(run.c.ended_at.is_not(None)))
        connection.execute(sa.update(run).where(run.c.ended_at.is_(None)).values(leased_until=utc_now()))
        due = utc_now() - timedelta(minutes=1)
        often = schedule.c.name.in_((CHANGES, OWNERS))
        connection.execute(sa.update(schedule).where(often).values(next_due=due))


def _rule_switched_on(chaos: Chaos) -> None:
    with chaos.database.writing("test") as connection:
        connection.execute(sa.update(switch).where(switch.c.rule == "stopped").values(stock_taken=False))
    _reminders_due(chaos)


def _result_ready(chaos: Chaos) -> None:
    """A dossier that nothing was told of has its result."""
    _reminders_due(chaos)
    until(lambda: _stock_is_taken(chaos), "a node that has taken stock")
    agency, now = Agency(chaos.folder), utc_now()
    (code,) = agency.codes("status = 10")
    agency.finish(code, now, delivery="online", returned_at=None)
    _reminders_due(chaos)


def _stock_is_taken(chaos: Chaos) -> bool:
    with chaos.database.reading() as connection:
        left = sa.select(sa.func.count()).select_from(switch).where(switch.c.is_on, ~switch.c.stock_taken)
        return connection.scalar(left) == 0


def _not_ready_any_more(chaos: Chaos) -> None:
    """A reminder is about to go out whose dossier is not there any more."""
    until(lambda: chaos.texts_taken() > 0, "a node that takes texts")
    now, phone, id = utc_now(), f"848{chaos.chance.randrange(10**8):08}", new_id()
    gone = Reminder("ready_online", f"H01-180101-{phone}", "", OWNER, phone, "told", id)
    until_then = now + timedelta(hours=1)
    message = NewMessage(id, None, phone, "Ho so", 1, "sms", Lane.REMINDER, "8188", "gsm7", now, now, until_then)
    with chaos.database.writing("test") as connection:
        reminders.add(connection, [gone], "test", now)
        outbox.add(connection, [message])


def _system_sends(chaos: Chaos) -> None:
    """Another system sends a message, and asks again until it is told that this was taken."""
    until(lambda: chaos.texts_taken() > 0, "a node that takes texts")
    phone = f"8487{chaos.chance.randrange(10**7):07}"
    _, secret = Systems(chaos.database, utc_now).add(f"system-{phone}", "sender", None, 1, "test")
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "once"}
    order = {"to": phone, "text": "Moi ba den."}
    chaos.told.append(phone)

    def taken() -> bool:
        with suppress(requests.RequestException):  # nobody is there, or dies over it
            return requests.post(f"{chaos.url}/api/v1/messages", json=order, headers=headers, timeout=20).ok
        return False

    chaos.meanwhile(lambda: until(taken, "an answer to a system"))


def _a_day_is_not_counted(chaos: Chaos) -> None:
    """What was written down of the last days is gone."""
    with chaos.database.writing("test") as connection:
        connection.execute(sa.delete(daily))


def _something_is_old(chaos: Chaos) -> None:
    """What was said with a carrier is more than a week old."""
    at = utc_now() - timedelta(days=8)
    with chaos.database.writing("test") as connection:
        row = {"id": new_id(), "channel": "sms", "at": at, "seconds": 0.1, "packed": ""}
        connection.execute(sa.insert(exchange).values(**row))


PROVOKED: dict[str, Callable[[Chaos], None]] = {
    "daily": _a_day_is_not_counted,
    "answer late": _one_stop_returns,
    "run": _reminders_due,
    "note owners": _reminders_due,
    "take stock": _rule_switched_on,
    "tell": _result_ready,
    "vet": _result_ready,
    "withdraw": _not_ready_any_more,
    "claim probe": _tripped,
    "probe": _tripped,
    "move on": _closed_for_long,
    "retire": age,
    "forget": _something_is_old,
    "feed notice": _notice,
    "send for a system": _system_sends,
    "tend notices": _notice,
}
