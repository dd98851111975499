"""A message that passes by the queue takes of its channel's rate what `dispatch.pace` says, in the database's words."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as some

from smsgw.clock import utc_now
from smsgw.dispatch import pace
from smsgw.dispatch.pace import Pace
from smsgw.store import channels, outbox
from smsgw.store.channels import Channel, State
from smsgw.store.clock import CommonClock
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.outbox import NewMessage
from smsgw.store.tables import Lane
from tests.test_outbox import message
from tests.world import NOON


def passing(database: Database, contract: Pace, row: Channel, *others: NewMessage) -> tuple[bool, Channel]:
    """Whether a reply passes by the others at noon, and the channel's row after it."""
    at_noon = contract.passing(row.name, NOON, theirs=False)
    with database.writing("test") as connection:
        channels.ensure(connection, row.name, NOON)
        channels.write(connection, channels.lock(connection, row.name), row, NOON)
        outbox.add(connection, [other._replace(channel=row.name) for other in others])
        return at_noon.take(connection), channels.lock(connection, row.name)


def a_row(**known: object) -> Channel:
    """A channel that nobody else uses."""
    open_ = Channel(new_id(), "open", None, NOON, None, 0, 0, 0.0, 0.0, NOON, 5.0, NOON)
    return replace(open_, **known)  # type: ignore[arg-type]


around_noon = some.timedeltas(timedelta(seconds=-4), timedelta(seconds=4)).map(lambda away: NOON + away)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    state=some.sampled_from(["open", "open", "open", "tripped", "held", "paused"]),
    resume_at=some.none() | around_noon,
    allowance=some.floats(-2, 600),
    allowed_at=around_noon,
    tps=some.sampled_from([0.2, 1.0, 30.0, 500.0, 1_000_000.0]),
    batch=some.sampled_from([1, 20, 500]),
)
def test_the_database_counts_as_pace_does(
    database: Database,
    state: State,
    resume_at: datetime | None,
    allowance: float,
    allowed_at: datetime,
    tps: float,
    batch: int,
) -> None:
    contract = Pace(tps, batch)
    row = a_row(state=state, resume_at=resume_at, allowance=allowance, allowed_at=allowed_at)
    there = contract.allowance(row, NOON)
    assume(abs(there - 1) > 1e-6)  # where two databases may round to either side
    passes = state == "open" and not row.waits(NOON) and there >= 1 and pace.at_this_time(row, NOON) == row
    passed, after = passing(database, contract, row)
    expected = contract.spent(row, 1, NOON) if passes else row
    assert passed == passes
    assert after.allowance == pytest.approx(expected.allowance, abs=1e-6)
    assert replace(after, allowance=expected.allowance) == expected


@pytest.mark.parametrize(
    ("other", "passes"),
    [
        (message(), False),
        (message(due=NOON + timedelta(microseconds=1)), True),
        (message()._replace(expires_at=NOON), True),
        (message(Lane.REMINDER), True),
        (outbox.in_hand(message(), lease="another's", until=NOON + timedelta(seconds=30)), True),
    ],
    ids=["due", "due later", "expired", "in another lane", "in hand"],
)
def test_only_who_is_due_in_the_same_lane_is_not_passed_by(database: Database, other: NewMessage, passes: bool) -> None:
    passed, _ = passing(database, Pace(10.0, 10), a_row(), other._replace(id=new_id()))
    assert passed == passes


@pytest.mark.parametrize("tables_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("ahead", [timedelta(seconds=1.5), timedelta(seconds=60)])
def test_a_channel_that_was_counted_by_a_clock_set_back_since_gains_nothing(
    database: Database, ahead: timedelta
) -> None:
    contract, row, common = Pace(10.0, 20), a_row(allowance=3.0), CommonClock(database, utc_now)
    with database.writing("test") as connection:
        channels.ensure(connection, row.name, NOON)
        made, now = channels.lock_for_rate(connection, row.name, common)
        before = replace(row, allowed_at=now + ahead)
        channels.write(connection, made, before, now)
        passed = contract.passing(row.name, now, theirs=True).take(connection)
        after = channels.lock(connection, row.name)
    assert passed == (ahead < pace.SET_BACK)
    assert after == (replace(before, allowance=2.0) if passed else before)


@pytest.mark.parametrize("tables_url", ["postgresql"], indirect=True)
def test_the_rate_is_counted_by_the_clock_that_all_nodes_have_in_common(database: Database) -> None:
    contract, row, common = Pace(10.0, 20), a_row(allowance=0.0), CommonClock(database, utc_now)
    with database.writing("test") as connection:
        channels.ensure(connection, row.name, NOON)
        made, began = channels.lock_for_rate(connection, row.name, common)
        before = replace(row, allowed_at=began - timedelta(seconds=0.3))
        channels.write(connection, made, before, began)
        # By its own clock, which is behind, it had no room yet.
        behind = contract.passing(row.name, began - timedelta(seconds=0.5), theirs=True)
        assert behind.take(connection)
        after = channels.lock(connection, row.name)
    assert after.allowed_at >= began
    assert after == contract.spent(before, 1, after.allowed_at)


def test_nodes_that_pass_at_the_same_time_take_no_more_than_there_is(database: Database) -> None:
    row, contract = a_row(allowance=41.0), Pace(100.0, 100)
    passing(database, contract, row)  # which takes one

    def node(_: int) -> int:
        theirs = Database(database.url.render_as_string(False))
        count = 0
        for _ in range(40):
            with theirs.writing("test") as connection:
                count += contract.passing(row.name, NOON, theirs=False).take(connection)
        theirs.close()
        return count

    with ThreadPoolExecutor(4) as nodes:
        passed = sum(nodes.map(node, range(4)))
    with database.reading() as connection:
        left = channels.every(connection)[row.name].allowance
    assert 0 < passed <= 40
    assert left == 40 - passed
