"""Reminders on several nodes that die, and under clocks that are set: each told once, and in the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa

from smsgw.gateway import Gateway
from smsgw.store import schedules
from smsgw.store.database import Database
from smsgw.store.tables import reminder, run
from tests.agency import Agency
from tests.dying import at_commit, dying_node
from tests.test_reminders import IN_PROGRESS, at, begun, minutes, owner, told, turn_all_on, until
from tests.world import World


@pytest.fixture
def agency(anywhere: World) -> Agency:
    return begun(anywhere)


def test_a_clock_that_is_set_back_and_forward_doubles_nothing_and_leaves_nothing_out(
    anywhere: World, agency: Agency
) -> None:
    turn_all_on(anywhere)
    (code,) = agency.codes(IN_PROGRESS)
    agency.change(code, anywhere.clock(), due_at=at(17, 16, 30))
    until(anywhere, at(16, 7, 30))
    for hours in (1, -1, 1, -1):
        anywhere.clock.forward(hours=hours)
        minutes(anywhere, 3)
    until(anywhere, at(16, 8, 1))
    until(anywhere, at(16, 9))
    assert len(told(anywhere, agency, code)) == 1
    with anywhere.gateway.database.reading() as connection:
        morning = sa.select(sa.func.count()).where(run.c.schedule == "due_tomorrow", run.c.due_at == at(16, 8))
        assert connection.scalar(morning) == 1


@pytest.mark.long
@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_set_at_the_edge_of_the_night_wakes_nobody_and_forgets_nobody(
    anywhere: World, agency: Agency, hours: int
) -> None:
    evening, morning = agency.codes(IN_PROGRESS, 2)
    for code, moment in ((evening, at(15, 20, 30)), (morning, at(16, 6, 59))):
        anywhere.clock.now = moment
        agency.finish(code, anywhere.clock())
        anywhere.clock.forward(hours=hours)
        minutes(anywhere, 5)
        anywhere.clock.forward(hours=-hours)
        minutes(anywhere, 5)
    until(anywhere, at(16, 9))
    heard = [bubble for code in (evening, morning) for bubble in anywhere.heard(owner(agency, code))]
    assert len(heard) == 2
    assert all(7 <= hour_of(bubble.at) < 21 for bubble in heard)


def hour_of(moment: str) -> int:
    return (datetime.fromisoformat(moment).astimezone(UTC) + timedelta(hours=7)).hour


def test_what_was_claimed_right_before_the_night_waits_for_the_morning(here: World) -> None:
    agency = begun(here)
    (code,) = agency.codes(IN_PROGRESS)
    here.clock.now = at(15, 20, 59)
    agency.finish(code, here.clock())
    here.gateway.reminders.runs.tick()
    here.clock.forward(seconds=59.5)

    def slowly(name: str, side: str) -> None:
        if (name, side) == ("vet", "after"):
            here.clock.forward(seconds=1)

    here.gateway.database.boundary = slowly
    here.send()
    here.gateway.database.boundary = lambda name, side: None
    assert told(here, agency, code) == []
    until(here, at(16, 7))
    assert len(told(here, agency, code)) == 1


@pytest.mark.long
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_run_that_is_killed_at_any_of_its_commits_tells_each_of_them_once(
    anywhere: World, agency: Agency, side: str
) -> None:
    codes = agency.codes(IN_PROGRESS, 3)
    for code in codes:
        agency.finish(code, anywhere.clock())
    anywhere.clock.forward(minutes=1)
    commits, lived = 0, False
    while not lived:
        commits += 1
        with dying_node(anywhere, at_commit(commits, side)) as node:
            node.reminders.runs.tick()
            lived = True
        anywhere.clock.forward(minutes=3)  # its lease runs out
        anywhere.settle(3)
    assert commits > 3
    minutes(anywhere, 3)
    assert [len(told(anywhere, agency, code)) for code in codes] == [1, 1, 1]
    assert anywhere.gateway.reminders.runs.silence() == {}


def test_a_node_that_waited_in_vain_while_another_took_over_goes_on_with_its_other_work(
    anywhere: World, agency: Agency
) -> None:
    database, other = anywhere.gateway.database, Database(anywhere.gateway.settings.gateway.database)
    agency.go_away()

    def take_over(name: str, side: str) -> None:
        if (name, side) == ("run", "after"):
            database.boundary = None
            with other.writing("test") as connection:
                connection.execute(sa.update(run).where(run.c.ended_at.is_(None)).values(lease="another node's"))

    anywhere.clock.forward(minutes=1)
    database.boundary = take_over
    assert anywhere.gateway.reminders.runs.tick() == 0
    other.close()
    assert database.boundary is None
    with database.reading() as connection:
        problems = connection.execute(sa.select(run.c.lease, run.c.problem).where(run.c.ended_at.is_(None))).all()
    assert [lease for lease, problem in problems if problem is None] == ["another node's"]


def at_once(*nodes: Gateway, send: bool = False) -> None:
    """Nodes that do the same at the same time."""
    together = Barrier(len(nodes))

    def work(node: Gateway) -> None:
        together.wait(timeout=20)
        node.reminders.runs.tick()
        if send:
            for sender in node.senders:
                sender.send_due()

    threads = [Thread(target=work, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)


def test_nodes_that_look_at_the_same_moment_do_each_run_once_and_tell_each_once(
    anywhere: World, agency: Agency
) -> None:
    turn_all_on(anywhere)
    nodes = [Gateway(anywhere.gateway.settings, anywhere.clock) for _ in range(2)]
    codes = agency.codes(IN_PROGRESS, 6)
    for hour in range(8, 14):
        anywhere.clock.now = at(16, hour)
        agency.finish(codes[hour - 8], anywhere.clock())
        at_once(anywhere.gateway, *nodes)
        anywhere.settle(3)
    assert [len(told(anywhere, agency, code)) for code in codes] == [1] * 6
    with anywhere.gateway.database.reading() as connection:
        runs = connection.execute(sa.select(run.c.schedule, run.c.due_at, run.c.ended_at)).all()
    assert len({row[:2] for row in runs}) == len(runs)
    assert all(row.ended_at for row in runs)
    assert {("changes", at(16, hour)) for hour in range(8, 14)} <= {tuple(row[:2]) for row in runs}
    for node in nodes:
        node.close()


def test_nodes_that_send_at_the_same_moment_give_a_person_no_more_than_a_days_reminders(
    anywhere: World, agency: Agency
) -> None:
    node = Gateway(anywhere.gateway.settings, anywhere.clock)
    codes = agency.codes(IN_PROGRESS, 6)
    phone = agency.get(codes[0], "applicant_phone")
    for code in codes:
        agency.finish(code, anywhere.clock(), applicant_phone=phone)
    anywhere.clock.forward(minutes=1)
    anywhere.gateway.reminders.runs.tick()
    for _ in range(4):
        at_once(anywhere.gateway, node, send=True)
    minutes(anywhere, 2)
    assert len(told(anywhere, agency, codes[0])) == 3
    until(anywhere, at(16, 7))
    assert len(told(anywhere, agency, codes[0])) == 6
    with anywhere.gateway.database.reading() as connection:
        slots = connection.execute(sa.select(reminder.c.sent_on, reminder.c.slot).order_by(reminder.c.sent_on)).all()
    assert sorted(slot for day, slot in slots if day == "2018-08-15") == [1, 2, 3]
    node.close()


def test_a_run_whose_node_was_killed_is_taken_over(anywhere: World, agency: Agency) -> None:
    (code,) = agency.codes(IN_PROGRESS)
    agency.finish(code, anywhere.clock())
    anywhere.clock.forward(minutes=1)
    now = anywhere.clock()
    with anywhere.gateway.database.writing("test") as connection:
        mine = schedules.claim(connection, "changes", lambda due: (due, now + timedelta(minutes=1)), now)
    assert mine is not None
    minutes(anywhere, 1)
    assert told(anywhere, agency, code) == []
    minutes(anywhere, 2)
    assert len(told(anywhere, agency, code)) == 1
    with pytest.raises(schedules.LeaseLost), anywhere.gateway.database.writing("test") as connection:
        schedules.end(connection, mine, now)


def test_a_run_that_looks_for_long_and_tells_nobody_stays_with_its_node(anywhere: World, agency: Agency) -> None:
    node = Gateway(anywhere.gateway.settings, anywhere.clock)
    for name in node.reminders.rules:
        node.reminders.turn(name, "", False, "test")
        node.reminders.turn(name, "H01.99", True, "test")  # which has no dossier
    minutes(anywhere, 1)
    anywhere.clock.now = at(16, 6, 10)
    seen = list[tuple[str, bool]]()

    def slowly(connection: object, cursor: object, statement: str, *_: object) -> None:
        if "dossier_status" in statement:
            anywhere.clock.forward(seconds=50)
            with node.database.reading() as connection:
                (working,) = schedules.latest(connection, 1)
            seen.append((working.schedule, working.schedule in node.reminders.runs.timetable.due()))

    sa.event.listen(sa.Engine, "before_cursor_execute", slowly)
    anywhere.gateway.reminders.runs.tick()
    sa.event.remove(sa.Engine, "before_cursor_execute", slowly)
    node.close()
    assert seen.count(("missed changes", False)) > 4
    assert ("missed changes", True) not in seen


@pytest.mark.long
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("transaction", ["claim", "vet", "settle"])
def test_a_reminder_that_waited_for_days_is_told_once_though_its_sender_is_killed(
    anywhere: World, agency: Agency, transaction: str, side: str
) -> None:
    (code,) = agency.codes(IN_PROGRESS)
    until(anywhere, at(31, 22))
    agency.finish(code, anywhere.clock())
    minutes(anywhere, 2)
    anywhere.clock.now = at(35, 7)  # 4 September, after the holidays
    with dying_node(anywhere, lambda *place: place == (transaction, side)) as node:
        for sender in node.senders:
            sender.send_due()
        pytest.fail("nobody died")
    minutes(anywhere, 3)
    assert len(told(anywhere, agency, code)) == 1
    assert "unknown" not in anywhere.states()


@pytest.mark.parametrize(("transaction", "side"), [("vet", "after"), ("settle", "before")])
def test_what_was_dropped_in_doubt_is_told_once_when_it_is_so_again(
    anywhere: World, agency: Agency, transaction: str, side: str
) -> None:
    (code,) = agency.codes(IN_PROGRESS)
    agency.change(code, anywhere.clock(), status=5, supplement_note="Ban ve", supplement_due_at=at(22, 17))
    anywhere.clock.forward(minutes=1)
    anywhere.gateway.reminders.runs.tick()
    with dying_node(anywhere, lambda *place: place == (transaction, side)) as node:
        for sender in node.senders:
            sender.send_due()
        pytest.fail("nobody died")
    agency.change(code, anywhere.clock(), status=4)
    minutes(anywhere, 3)
    assert len(told(anywhere, agency, code)) == (transaction == "settle")  # the carrier had it then
    agency.change(code, anywhere.clock(), status=5)
    minutes(anywhere, 3)
    assert len(told(anywhere, agency, code)) == 1
