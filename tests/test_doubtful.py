"""What is left for an official: the list says what becomes of each message, and a decision is carried out."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from smsgw.clock import utc_now
from smsgw.dispatch.retry import decided, doubt_until, outlook
from smsgw.officials.steering import RESENT_FOR, Steering
from smsgw.store import outbox, overdue, pending
from smsgw.store.database import Database
from smsgw.store.outbox import Settled
from smsgw.store.pending import Doubtful
from smsgw.store.states import State
from smsgw.store.tables import Lane, outbound
from tests.chaos import until
from tests.test_commands import Shell
from tests.test_outbox import add, claim, message, settle, state
from tests.world import NOON


def in_doubt(lane: Lane, doubts: int, deadline: datetime) -> Doubtful:
    expires = NOON + timedelta(hours=12)
    return Doubtful("m", "sms", lane, "84912345678", doubts, doubts, NOON, NOON, expires, NOON, deadline, None)


def test_the_list_says_what_will_become_of_a_message_and_so_it_does() -> None:
    soon = doubt_until(Lane.REPLY, 1, 0.5, NOON, idempotent=False)
    assert outlook(in_doubt(Lane.REPLY, 1, soon), idempotent=False) == "again"
    assert outlook(in_doubt(Lane.NOTICE, 3, soon), idempotent=True) == "again"
    left = in_doubt(Lane.NOTICE, 1, soon)
    assert outlook(left, idempotent=False) == "waits"
    later = decided(left, idempotent=False, now=soon)
    assert outlook(in_doubt(Lane.NOTICE, 1, later.deadline), idempotent=False) == "official"
    twice = decided(in_doubt(Lane.REPLY, 2, soon), idempotent=False, now=soon)
    assert outlook(in_doubt(Lane.REPLY, 2, twice.deadline), idempotent=False) == "official"


@pytest.mark.parametrize("days", [0, 20])
def test_what_an_official_sends_again_goes_out_however_long_it_was_in_doubt(database: Database, days: int) -> None:
    (id,) = add(database, message(Lane.NOTICE))
    claim(database)
    settle(database, id, State.UNKNOWN)
    then = NOON + timedelta(days=days)
    assert Steering(database, lambda: then).resend([id], "lan") == 1
    assert claim(database, now=then) == [id]


def test_what_is_sent_again_and_can_not_go_out_for_a_day_is_over(database: Database) -> None:
    (id,) = add(database, message(Lane.NOTICE))
    claim(database)
    settle(database, id, State.UNKNOWN)
    then = NOON + timedelta(days=20)
    Steering(database, lambda: then).resend([id], "lan")
    assert claim(database, now=then + RESENT_FOR) == []
    with database.writing("test") as connection:
        assert overdue.expire(connection, then + RESENT_FOR) == 1
    assert state(database, id) is State.EXPIRED


def test_if_there_are_too_many_those_are_listed_that_stay_in_doubt_for_longest(database: Database) -> None:
    ids = add(database, message(), message(), message(Lane.NOTICE))
    claim(database)
    for id in ids:
        settle(database, id, State.UNKNOWN)
    with database.writing("test") as connection:
        late = pending.Move(ids[2], State.UNKNOWN, NOON + timedelta(days=30))
        pending.move(connection, State.UNKNOWN, [late], NOON)
        assert [doubt.id for doubt in pending.unresolved(connection, 2)] == [ids[2], ids[0]]


def test_the_command_says_what_is_to_be_done_and_how(tmp_path: Path) -> None:
    shell, now = Shell(tmp_path), utc_now()
    shell.run("init")
    database = Database(f"sqlite:///{tmp_path}/gateway.db")
    new = message(Lane.NOTICE)._replace(created_at=now, not_before=now, expires_at=now + timedelta(hours=72))
    add(database, new, new._replace(id="theirs", channel="one that can't be asked"))
    with database.writing("test") as connection:
        for channel, wait in ((new.channel, timedelta(minutes=1)), ("one that can't be asked", timedelta(days=33))):
            claimed = outbox.claim(connection, channel, (Lane.NOTICE,), 9, lease="me", until=now, now=now)
            doubt = Settled(claimed[0], State.UNKNOWN, now + wait, outcome="unknown")
            outbox.settle(connection, channel, "me", [doubt], now)
    database.close()
    first, second, *rest = shell.run("doubtful").stdout.splitlines()
    assert first.startswith("theirs")
    assert "decide: resend or drop it" in first
    assert second.startswith(new.id)
    assert "nothing to do: sent again by itself" in second
    assert rest[0] == "2 in doubt, 1 of them for you to decide on"
    assert "doubtful resend ID" in rest[1]
    assert "doubtful drop ID" in rest[2]
    assert [one["outlook"] for one in shell.json("doubtful")] == ["official", "again"]
    failed = shell.run("doubtful", "drop", "theirs", "mistyped")
    said = "smsgw: 1 of 2 are not in doubt, or not any more; 1 decided on; smsgw doubtful shows those there are\n"
    assert (failed.returncode, failed.stderr) == (1, said)


def test_a_decision_and_receipts_of_the_same_messages_do_not_wait_in_a_circle(postgres_url: str) -> None:
    database = Database(postgres_url)
    database.create()
    first, second = sorted(add(database, message(), message()))
    claim(database)
    for id in (first, second):
        settle(database, id, State.UNKNOWN)
    decision = threading.Thread(target=Steering(database, lambda: NOON).resend, args=([second, first], "lan"))
    locked = sa.select(outbound.c.id).with_for_update(nowait=True)
    with database.writing("test") as connection:
        connection.execute(locked.where(outbound.c.id == first))
        decision.start()
        until(lambda: _waits(database), "the decision to wait for the first message")
        connection.execute(locked.where(outbound.c.id == second))
    decision.join()
    assert state(database, first) is state(database, second) is State.QUEUED
    database.close()


def _waits(database: Database) -> bool:
    with database.reading() as connection:
        waiting = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(connection.scalar(waiting))
