"""The outbox: what is claimed has one owner, goes out in order, and is never forgotten; on both databases."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from itertools import permutations

import pytest
import sqlalchemy as sa

from smsgw.dispatch.channel import Roads
from smsgw.dispatch.routes import Routes
from smsgw.dispatch.sweep import Sweeper
from smsgw.store import figures, outbox, overdue, pending, receipts
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.outbox import NewMessage, Settled
from smsgw.store.receipts import Report
from smsgw.store.states import State
from smsgw.store.tables import Lane, attempt, outbound, receipt
from tests.world import NOON, SetClock

LATER = NOON + timedelta(hours=1)
CLAIMED: dict[str, outbox.Claimed] = {}


def message(lane: Lane = Lane.REPLY, due: datetime = NOON) -> NewMessage:
    return NewMessage(
        id=new_id(),
        channel="sms",
        lane=lane,
        in_reply_to=None,
        sender="8188",
        recipient="84912345678",
        text="Ho so",
        encoding="gsm7",
        segments=1,
        created_at=NOON,
        not_before=due,
        expires_at=NOON + timedelta(hours=12),
    )


def add(database: Database, *messages: NewMessage) -> list[str]:
    with database.writing("test") as connection:
        outbox.add(connection, messages)
    return [message.id for message in messages]


def claim(
    database: Database,
    limit: int = 100,
    *,
    lanes: tuple[Lane, ...] = tuple(Lane),
    now: datetime = NOON,
    lease: str = "me",
) -> list[str]:
    with database.writing("test") as connection:
        until = now + timedelta(seconds=30)
        claimed = outbox.claim(connection, "sms", lanes, limit, lease=lease, until=until, now=now)
    CLAIMED.update({message.id: message for message in claimed})
    return [message.id for message in claimed]


def settle(database: Database, id: str, state: State, *, lease: str = "me", carrier_id: str | None = None) -> int:
    outcome = {State.SUBMITTED: "accepted", State.QUEUED: "throttled"}.get(state, state.value)
    settled = Settled(CLAIMED[id], state, LATER, carrier_message_id=carrier_id, outcome=outcome)
    with database.writing("test") as connection:
        return outbox.settle(connection, "sms", lease, [settled], NOON)


def report(database: Database, *reports: Report) -> list[bool]:
    with database.writing("test") as connection:
        return receipts.record(connection, "sms", reports, NOON)


def state(database: Database, id: str) -> State:
    with database.reading() as connection:
        return State(connection.scalars(sa.select(outbound.c.state).where(outbound.c.id == id)).one())


def test_a_message_that_was_put_off_more_often_than_can_be_counted_stops_nobody(database: Database) -> None:
    ids = add(database, message(), message())
    with database.writing("test") as connection:
        connection.execute(sa.update(outbound).where(outbound.c.id == ids[0]).values(attempts=32_767))
    assert claim(database) == ids
    assert [CLAIMED[id].attempts for id in ids] == [32_767, 1]


def test_replies_go_first_and_each_lane_in_the_order_of_arrival(database: Database) -> None:
    notices = add(database, message(Lane.NOTICE), message(Lane.NOTICE))
    replies = add(database, message(), message())
    reminders = add(database, message(Lane.REMINDER))
    assert claim(database) == [*replies, *reminders, *notices]


def test_a_message_is_not_claimed_before_it_is_due_nor_after_it_expired(database: Database) -> None:
    soon, never = add(database, message(due=LATER), message()._replace(expires_at=NOON))
    assert claim(database) == []
    assert claim(database, now=LATER) == [soon]
    with database.writing("test") as connection:
        assert overdue.expire(connection, NOON) == 1
    assert state(database, never) is State.EXPIRED


def test_what_is_held_expires_too(database: Database) -> None:
    (held,) = add(database, message())
    with database.writing("test") as connection:
        connection.execute(sa.update(outbound).values(state=State.HELD))
        assert overdue.expire(connection, NOON + timedelta(hours=12)) == 1
    assert state(database, held) is State.EXPIRED


def test_a_claimed_message_has_one_owner(database: Database) -> None:
    (id,) = add(database, message())
    assert claim(database) == [id]
    assert claim(database, lease="other") == []
    assert settle(database, id, State.SUBMITTED, lease="other") == 0
    assert state(database, id) is State.SENDING
    assert settle(database, id, State.SUBMITTED) == 1
    assert settle(database, id, State.SUBMITTED) == 0


def test_a_message_is_reworded_by_its_owner_only_and_not_once_a_carrier_may_have_it(database: Database) -> None:
    (ours,) = add(database, message())
    claim(database)

    def reworded(lease: str, text: str) -> str:
        with database.writing("test") as connection:
            outbox.reword(connection, lease, [CLAIMED[ours]._replace(text=text)])
            text = connection.scalars(sa.select(outbound.c.text).where(outbound.c.id == ours)).one()
        return str(text)

    assert reworded("other", "Of another") == "Ho so"
    assert reworded("me", "Of ours") == "Of ours"
    settle(database, ours, State.UNKNOWN)
    with database.writing("test") as connection:
        pending.move(connection, State.UNKNOWN, [pending.Move(ours, State.QUEUED, LATER)], NOON)
    claim(database)
    assert reworded("me", "Too late") == "Of ours"


def test_many_claimers_at_once_never_get_the_same_message(database: Database) -> None:
    ids = add(database, *(message() for _ in range(200)))
    got: list[str] = []
    claimers = [threading.Thread(target=lambda: got.extend(claim(database, 30, lease=new_id()))) for _ in range(8)]
    for claimer in claimers:
        claimer.start()
    for claimer in claimers:
        claimer.join()
    got += claim(database, 200)
    assert sorted(got) == sorted(ids)


def test_a_sender_that_does_not_come_back_leaves_doubt(database: Database) -> None:
    (id,) = add(database, message())
    claim(database)
    with database.writing("test") as connection:
        assert overdue.rescue(connection, NOON) == 0
        assert overdue.rescue(connection, LATER) == 1
        assert overdue.rescue(connection, LATER) == 0
        (doubtful,) = pending.doubtful(connection, ["sms"], LATER, LATER)
        assert (doubtful.id, doubtful.doubts) == (id, 1)
        assert connection.scalars(sa.select(attempt.c.code)).all() == [overdue.LEASE_LOST]


def test_what_a_sender_learnt_that_lost_its_lease_still_ends_the_doubt(database: Database) -> None:
    accepted, rejected, unknown = add(database, message(), message(), message())
    claim(database)
    with database.writing("test") as connection:
        overdue.rescue(connection, LATER)
    assert settle(database, accepted, State.SUBMITTED) == 0
    assert settle(database, rejected, State.REJECTED) == 0
    assert settle(database, unknown, State.UNKNOWN) == 0
    ends = [state(database, id) for id in (accepted, rejected, unknown)]
    assert ends == [State.SUBMITTED, State.REJECTED, State.UNKNOWN]


@pytest.mark.parametrize("code", ["7\0", "7\ud800"])
def test_a_code_that_no_database_keeps_ends_the_doubt_also_after_the_lease_had_run_out(
    database: Database, code: str
) -> None:
    (id,) = add(database, message())
    claim(database)
    with database.writing("test") as connection:
        overdue.rescue(connection, LATER)
    late = Settled(CLAIMED[id], State.REJECTED, LATER, outcome="rejected", code=code)
    with database.writing("test") as connection:
        outbox.settle(connection, "sms", "me", [late], NOON)
    assert state(database, id) is State.REJECTED


@pytest.mark.parametrize("first", ["answer", "receipt"])
def test_the_carriers_id_that_came_after_the_lease_had_run_out_still_finds_the_receipts(
    database: Database, first: str
) -> None:
    (id,) = add(database, message())
    claim(database)
    with database.writing("test") as connection:
        overdue.rescue(connection, LATER)
    delivered = Report(None, "mt-7", "delivered", None, NOON)
    if first == "receipt":
        report(database, delivered)
    settle(database, id, State.SUBMITTED, carrier_id="mt-7")
    if first == "answer":
        report(database, delivered)
    assert state(database, id) is State.DELIVERED


@pytest.mark.parametrize("first", ["buffered", "delivered"])
def test_a_receipt_that_names_both_ids_finds_those_that_name_the_carriers_alone(database: Database, first: str) -> None:
    (id,) = add(database, message())
    claim(database)
    with database.writing("test") as connection:
        overdue.rescue(connection, LATER)
    buffered, delivered = Report(id, "mt-7", "buffered", None, NOON), Report(None, "mt-7", "delivered", None, NOON)
    for one in (buffered, delivered) if first == "buffered" else (delivered, buffered):
        report(database, one)
    assert state(database, id) is State.DELIVERED


def test_the_carriers_id_is_known_also_when_the_next_try_was_under_way(database: Database) -> None:
    (id,) = add(database, message())
    claim(database)
    lost = CLAIMED[id]
    with database.writing("test") as connection:
        overdue.rescue(connection, LATER)
        pending.move(connection, State.UNKNOWN, [pending.Move(id, State.QUEUED, LATER)], NOON)
    assert claim(database, lease="other") == [id]
    CLAIMED[id] = lost
    settle(database, id, State.SUBMITTED, carrier_id="mt-7")
    settle(database, id, State.UNKNOWN, lease="other")
    assert state(database, id) is State.SUBMITTED  # the first answer was parked until then
    report(database, Report(None, "mt-7", "delivered", None, NOON))
    assert state(database, id) is State.DELIVERED


def test_a_claim_that_was_committed_unheard_is_let_go_of_and_leaves_no_doubt(database: Database) -> None:
    mine, others = add(database, message(), message())
    assert claim(database, 1) == [mine]
    assert claim(database, 1, lease="other") == [others]
    with database.writing("test") as connection:
        assert outbox.give_back(connection, ["me"]) == 1
    assert (state(database, mine), state(database, others)) == (State.QUEUED, State.SENDING)
    assert claim(database) == [mine]


@pytest.mark.parametrize("order", list(permutations(("settle", "buffered", "delivered"))))
def test_receipts_before_and_after_the_carriers_answer_end_the_same(database: Database, order: tuple[str, ...]) -> None:
    (id,) = add(database, message())
    claim(database)
    for event in (*order, *order[::-1]):
        if event == "settle":
            settle(database, id, State.SUBMITTED, carrier_id="mt-1")
        else:
            report(database, Report(id, "mt-1", event, None, NOON))
    assert state(database, id) is State.DELIVERED
    with database.reading() as connection:
        assert connection.scalars(sa.select(receipt.c.outbound_id)).all() == [id, id]


def test_a_receipt_that_names_the_carriers_id_only_waits_until_that_is_known(database: Database) -> None:
    (id,) = add(database, message())
    claim(database)
    assert report(database, Report(None, "mt-7", "delivered", None, NOON)) == [True]
    assert state(database, id) is State.SENDING
    settle(database, id, State.SUBMITTED, carrier_id="mt-7")
    assert state(database, id) is State.DELIVERED


def test_a_receipt_is_new_once_and_one_for_nobody_is_kept(database: Database) -> None:
    stray = Report("nobody", "mt-9", "delivered", None, NOON)
    assert report(database, stray, stray) == [True, False]
    assert report(database, stray) == [False]
    with database.reading() as connection:
        assert connection.scalars(sa.select(receipt.c.outbound_id)).all() == [None]


def test_a_message_that_waits_to_be_sent_again_is_not_when_a_receipt_says_it_arrived(database: Database) -> None:
    (id,) = add(database, message())
    claim(database)
    settle(database, id, State.QUEUED)
    report(database, Report(id, None, "delivered", None, NOON))
    assert claim(database, now=LATER) == []
    assert state(database, id) is State.DELIVERED


def test_a_receipt_and_a_settlement_that_meet_never_miss_each_other(database: Database) -> None:
    for _ in range(25):
        (id,) = add(database, message())
        claim(database)
        meeting = threading.Barrier(2)

        def receive(id: str = id, meeting: threading.Barrier = meeting) -> None:
            meeting.wait()
            report(database, Report(id, None, "delivered", None, NOON))

        receiver = threading.Thread(target=receive)
        receiver.start()
        meeting.wait()
        settle(database, id, State.SUBMITTED)
        receiver.join()
        assert state(database, id) is State.DELIVERED


def test_a_second_reply_to_one_message_is_refused_by_the_database(database: Database) -> None:
    twice = message()._replace(in_reply_to=None)
    with database.writing("test") as connection:
        connection.execute(
            sa.text(
                "INSERT INTO inbound (id, channel, carrier_message_id, sender, recipient, text, received_at, state)"
                " VALUES ('in-1', 'sms', 'mo-1', '84912345678', '8188', '', '2018-08-15 05:00:00', 'answered')"
            )
        )
        outbox.add(connection, [twice._replace(in_reply_to="in-1")])
    with pytest.raises(sa.exc.IntegrityError):
        add(database, message()._replace(in_reply_to="in-1"))


def test_ids_of_one_process_are_in_order() -> None:
    ids = [new_id() for _ in range(5000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_what_was_reported_while_the_sender_was_dying_is_known_as_soon_as_its_lease_ends(database: Database) -> None:
    (id,) = add(database, message())
    claim(database)
    report(database, Report(id, None, "delivered", None, None))
    with database.writing("test") as connection:
        assert overdue.rescue(connection, LATER) == 1
    assert state(database, id) is State.DELIVERED


def test_a_receipt_that_missed_its_message_is_applied_however_long_every_node_was_down(database: Database) -> None:
    (id,) = add(database, message())
    claim(database)
    _missed(database, id)
    sweeper = Sweeper(database, Roads([], Routes([], "sms")), lambda: NOON + timedelta(hours=5))
    assert sweeper.late_receipts() == 1
    assert state(database, id) is State.DELIVERED


def _missed(database: Database, id: str) -> None:
    """A receipt and its message have met, and neither has seen the other."""
    report(database, Report(None, "mt-7", "delivered", None, NOON))
    settle(database, id, State.SUBMITTED)
    with database.writing("test") as connection:
        connection.execute(sa.update(outbound).values(carrier_message_id="mt-7"))


def test_a_receipt_that_was_too_young_for_one_sweep_is_tried_by_the_next(database: Database) -> None:
    (id,) = add(database, message())
    claim(database)
    _missed(database, id)
    clock = SetClock(NOON + timedelta(seconds=1))
    sweeper = Sweeper(database, Roads([], Routes([], "sms")), clock)
    assert sweeper.late_receipts() == 0
    clock.forward(seconds=4)
    assert sweeper.late_receipts() == 1
    assert state(database, id) is State.DELIVERED


def test_a_receipt_that_is_parked_while_others_are_applied_is_not_taken_for_applied(postgres_url: str) -> None:
    database = Database(postgres_url)  # SQLite's writers come one after the other
    database.create()
    (id,) = add(database, message())
    claim(database)
    report(database, Report(None, "77", "buffered", None, NOON))
    settled = Settled(CLAIMED[id], State.SUBMITTED, LATER, carrier_message_id="77")
    with database.writing("test") as connection:
        # Another node does not see the carrier's id before this one commits it, and so has no message to wait for.
        meanwhile = [Report(None, "77", "delivered", None, NOON)]

        @sa.event.listens_for(connection, "before_cursor_execute")
        def between(_: object, __: object, statement: str, *more: object) -> None:
            if statement.startswith("UPDATE receipt") and meanwhile:
                report(database, meanwhile.pop())

        assert outbox.settle(connection, "sms", "me", [settled], NOON) == 1
    assert not meanwhile
    with database.writing("test") as connection:
        receipts.match_parked(connection, None, LATER)
    assert state(database, id) is State.DELIVERED
    database.close()


def test_what_waits_by_state_and_what_waits_by_channel_are_the_same_messages(database: Database) -> None:
    add(database, message(), message())
    with database.reading() as connection:
        # Between the first statement and the next one, if there is a next one.
        sa.event.listen(connection, "after_cursor_execute", lambda *_: claim(database, 1), once=True)
        shown = figures.outbox(connection, NOON)
    channel = shown.channels["sms"]
    assert (shown.states["queued"], shown.states["sending"]) == (channel.queued, channel.sending) == (2, 0)
    with database.reading() as connection:
        shown = figures.outbox(connection, NOON)
    channel = shown.channels["sms"]
    assert (shown.states["queued"], shown.states["sending"]) == (channel.queued, channel.sending) == (1, 1)
