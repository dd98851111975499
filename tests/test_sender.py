"""A sender's turns, whatever goes wrong in them: nothing stays leased, nothing is in doubt that nobody was handed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from providers.contract import Abilities, Outbound, Outcome, Unknown
from smsgw.dispatch.channel import Channel
from smsgw.dispatch.hours import Hours
from smsgw.dispatch.pace import Pace
from smsgw.dispatch.sender import OTHERS, REPLIES
from smsgw.dispatch.settling import NotTaken, Settler
from smsgw.dispatch.vetting import Vet, Vetted, all_go
from smsgw.officials.steering import Steering
from smsgw.store import channels
from smsgw.store.database import Database
from smsgw.store.outbox import Claimed
from smsgw.store.tables import Lane, outbound
from tests.sending import BLIND, LIMIT, REF_ONCE, Carrier, Desk, Make, broken, senders, taken
from tests.test_outbox import add, message
from tests.world import NOON, SetClock


@pytest.fixture
def make(database: Database) -> Iterator[Make]:
    with senders(database) as made:
        yield made


def test_a_claim_that_was_committed_unheard_is_let_go_of_however_long_the_database_stays_away(
    make: Make, database: Database
) -> None:
    desk = make(Carrier())
    add(database, message())
    database.boundary = broken(("claim", "after"), ("claim", "before"), ("claim", "before"))
    for _ in range(3):
        with pytest.raises(sa.exc.OperationalError):
            desk.sender.send_due()
    desk.sender.send_due()
    assert desk.states() == ["submitted"]
    assert desk.doubts() == 0


def test_what_the_carrier_said_is_written_down_when_the_database_is_back(
    make: Make, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsgw.dispatch.sender.TROUBLE_PAUSE", 0)
    desk = make(Carrier())
    add(database, message())
    database.boundary = broken(("settle", "before"), ("settle", "before"), ("settle", "after"))
    desk.sender.send_due()
    assert desk.states() == ["submitted"]
    assert len(desk.carrier.calls) == 1


@pytest.mark.parametrize("kind", [sa.exc.DataError, sa.exc.IntegrityError])
def test_an_answer_that_can_never_be_written_down_leaves_doubt_and_silences_nobody(
    make: Make, database: Database, kind: type[sa.exc.DBAPIError]
) -> None:
    desk = make(Carrier())
    add(database, message())
    database.boundary = broken(("settle", "before"), error=kind("INSERT", None, Exception("no such text")))
    with pytest.raises(kind):
        desk.sender.send_due()
    add(database, message())
    desk.clock.forward(seconds=40)
    desk.sweeper.deadlines()
    desk.sender.send_due()
    assert (desk.states(), desk.doubts()) == (["submitted", "submitted"], 1)


def test_a_database_that_fails_between_claim_and_call_leaves_no_doubt(make: Make, database: Database) -> None:
    desk = make(Carrier(abilities=replace(BLIND, scheme="zalo")))
    add(database, message())
    _rename(database, "zalo_user", "elsewhere")
    with pytest.raises(sa.exc.SQLAlchemyError):
        desk.sender.send_due()
    assert desk.carrier.calls == []
    _rename(database, "elsewhere", "zalo_user")
    desk.sender.send_due()
    assert desk.states() == ["submitted"]
    assert desk.doubts() == 0


def _rename(database: Database, table: str, to: str) -> None:
    with database.writing("test") as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {to}")


def test_a_sender_that_slept_through_its_lease_hands_nothing_over_that_may_be_anothers(make: Make) -> None:
    pauses = [3 * LIMIT + 1]

    def sleepy(clock: SetClock) -> Vet:
        def vet(lease: str, messages: Sequence[Claimed]) -> Vetted:
            if pauses:
                clock.forward(seconds=pauses.pop())
                desk.sweeper.deadlines()
            return all_go(lease, messages)

        return vet

    desk = make(Carrier(), vet=sleepy)
    first, second = add(desk.database, message(), message())
    desk.sender.send_due()
    assert desk.carrier.calls == [[first, second]]
    assert desk.states() == ["submitted", "submitted"]
    with desk.database.reading() as connection:
        assert [*connection.execute(sa.select(outbound.c.attempts)).scalars()] == [2, 2]


@pytest.mark.parametrize("seconds", [LIMIT + 1, 3 * LIMIT + 1], ids=["within its lease", "longer"])
def test_what_takes_longer_to_vet_than_a_call_may_last_goes_out_and_nobody_else_takes_it_meanwhile(
    make: Make, seconds: float
) -> None:
    vetted = []

    def slow(clock: SetClock) -> Vet:
        def vet(lease: str, messages: Sequence[Claimed]) -> Vetted:
            vetted.append(lease)
            assert len(vetted) == 1
            clock.forward(seconds=seconds)
            return all_go(lease, messages)

        return vet

    def called(batch: Sequence[Outbound]) -> list[Outcome]:
        desk.clock.forward(seconds=2 * LIMIT)  # as long as a call can be on its way
        assert desk.sweeper.deadlines() == 0
        return taken(batch)

    desk = make(Carrier(called), vet=slow)
    add(desk.database, message())
    desk.sender.send_due()
    assert desk.states() == ["submitted"]


def doubtful(batch: Sequence[Outbound]) -> list[Outcome]:
    return [Unknown("the connection broke") for _ in batch]


@pytest.mark.parametrize("late", [taken, doubtful], ids=["taken", "in doubt"])
@pytest.mark.parametrize(
    ("abilities", "lane", "most"), [(REF_ONCE, Lane.NOTICE, 3), (BLIND, Lane.REPLY, 2), (BLIND, Lane.NOTICE, 1)]
)
def test_a_call_that_outlasts_its_lease_sends_no_more_than_any_doubt_does(
    make: Make, abilities: Abilities, lane: Lane, most: int, late: Callable[[Sequence[Outbound]], list[Outcome]]
) -> None:
    def slow(batch: Sequence[Outbound]) -> list[Outcome]:
        if len(desk.carrier.calls) < 3:  # the second call is made while the first one lasts, and so on
            desk.clock.forward(seconds=3 * LIMIT + 30)
            desk.sweeper.deadlines()
            make(desk.carrier, clock=desk.clock).sender.send_due()
        return late(batch)

    desk = make(Carrier(slow, abilities))
    (id,) = add(desk.database, message(lane))
    desk.sender.send_due()
    assert desk.carrier.calls == [[id]] * most
    if late is taken:
        assert desk.states() == ["submitted"]
    desk.clock.forward(hours=1)
    desk.sweeper.deadlines()
    desk.carrier.answer = taken
    desk.sender.send_due()
    again = late is doubtful and abilities is REF_ONCE
    assert desk.carrier.calls == [[id]] * (most + again)
    assert desk.states() == ["submitted" if late is taken or again else "unknown"]


def test_a_clock_that_was_a_day_ahead_and_is_set_right_silences_nobody(make: Make) -> None:
    desk = make(Carrier())
    desk.clock.forward(days=1)
    add(desk.database, *(message()._replace(expires_at=NOON + timedelta(days=3)) for _ in range(75)))
    desk.sender.send_due()
    assert desk.states() == ["submitted"] * 75
    desk.clock.forward(days=-1)
    add(desk.database, *(message() for _ in range(75)))
    desk.sender.send_due()
    assert desk.states().count("queued") == 75  # what is allowed was used up
    desk.clock.forward(seconds=1)
    desk.sender.send_due()
    assert desk.states() == ["submitted"] * 150


def test_a_share_of_the_rate_is_left_for_replies_whatever_else_there_is_to_send(make: Make) -> None:
    others = make(Carrier(), lanes=OTHERS)
    replies = make(Carrier(), lanes=REPLIES, clock=others.clock)
    add(others.database, *(message(Lane.NOTICE) for _ in range(100)))
    others.sender.send_due()
    add(others.database, *(message() for _ in range(100)))
    replies.sender.send_due()
    sent = [sum(map(len, desk.carrier.calls)) for desk in (others, replies)]
    assert sent == [60, 15]  # of the 75 that may go out at a time


@pytest.mark.parametrize(("doubts", "goes_by"), [(0, "spare"), (1, None)])
def test_what_an_earlier_try_may_have_left_with_a_carrier_goes_by_no_other(doubts: int, goes_by: str | None) -> None:
    spare = Channel("spare", "8199", Carrier(), Pace(100, 100), 100)  # type: ignore[arg-type]
    settler = Settler(True, lambda _: spare, lambda _, phone: None, lambda: 0.0)
    tried = Claimed("m", Lane.REPLY, "8188", "84912345678", "Ho so", "gsm7", 1, NOON + timedelta(hours=1), 2, doubts)
    (settled,) = settler.settled([tried], NotTaken("no connection"), {}, NOON)
    assert (settled.state, settled.channel) == ("queued", goes_by)


def test_what_the_carrier_said_is_written_down_also_while_stopping_though_the_database_fails_once(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsgw.dispatch.sender.TROUBLE_PAUSE", 0)

    def stopped_meanwhile(batch: Sequence[Outbound]) -> list[Outcome]:
        desk.sender.finish()
        return taken(batch)

    desk = make(Carrier(stopped_meanwhile))
    add(desk.database, message())
    desk.database.boundary = broken(("settle", "before"))
    desk.sender.send_due()
    assert desk.states() == ["submitted"]


QUIET = Hours(time(12, 1), time(7), ZoneInfo("Asia/Ho_Chi_Minh"))  # from a minute after NOON


def test_what_waits_for_the_morning_is_not_claimed_in_the_quiet_hours(make: Make) -> None:
    def unasked(lease: str, messages: Sequence[Claimed]) -> Vetted:
        raise AssertionError(f"{len(messages)} messages were claimed")

    desk = make(Carrier(), vet=lambda _: unasked, lanes=OTHERS, hours=QUIET)
    add(desk.database, message(Lane.NOTICE), message(Lane.REMINDER))
    desk.clock.forward(minutes=1)
    desk.sender.send_due()
    assert desk.states() == ["queued", "queued"]


def test_what_was_claimed_just_before_the_quiet_hours_is_not_handed_over_in_them(make: Make) -> None:
    def slow(clock: SetClock) -> Vet:
        def vet(lease: str, messages: Sequence[Claimed]) -> Vetted:
            clock.forward(seconds=0.2)
            return all_go(lease, messages)

        return vet

    desk = make(Carrier(), vet=slow, lanes=OTHERS, hours=QUIET)
    add(desk.database, message(Lane.NOTICE))
    desk.clock.forward(seconds=58.9)
    desk.sender.send_due()
    assert desk.carrier.calls == []
    assert desk.states() == ["queued"]


@pytest.mark.parametrize(("lane", "tries", "after"), [(Lane.REPLY, 2, "submitted"), (Lane.NOTICE, 1, "unknown")])
def test_what_waits_until_its_carrier_has_forgotten_it_goes_again_as_to_one_that_knows_no_refs(
    make: Make, lane: Lane, tries: int, after: str
) -> None:
    abilities = replace(REF_ONCE, ref_known_for=timedelta(hours=1))
    desk = make(Carrier(lambda batch: [Unknown("no answer")], abilities))
    (id,) = add(desk.database, message(lane))
    desk.sender.send_due()
    desk.clock.forward(minutes=1)
    desk.sweeper.deadlines()
    assert desk.states() == ["queued"]  # the carrier knows it still
    desk.carrier.answer = taken
    desk.clock.forward(hours=2)  # its channel was closed for so long, or its notice paused
    desk.sender.send_due()
    assert (desk.states(), len(desk.carrier.calls)) == (["queued"], 1)
    assert desk.sweeper.forgotten() == 1
    desk.sweeper.deadlines()
    desk.sender.send_due()
    assert (desk.states(), len(desk.carrier.calls)) == ([after], tries)
    if after == "unknown":
        assert Steering(desk.database, desk.clock).resend([id], "an") == 1
        desk.sender.send_due()
        assert (desk.states(), len(desk.carrier.calls)) == (["submitted"], 2)


@dataclass
class Probed(Carrier):
    """A carrier that counts its probes, none of which finds a fault; during each, something else happens."""

    probes: int = 0
    meanwhile: Callable[[], object] = lambda: None

    def fault(self) -> None:
        self.probes += 1
        self.meanwhile()


def _tripped(desk: Desk) -> Desk:
    """Its channel is tripped, and has rested."""
    now = desk.clock()
    with desk.database.writing("test") as connection:
        row = channels.lock(connection, "sms")
        channels.write(connection, row, replace(row, state="tripped", reason="no answer", resume_at=now), now)
    desk.sweeper._roads.look(desk.database)
    return desk


def test_a_channel_that_is_paused_while_it_is_probed_stays_paused(make: Make) -> None:
    carrier = Probed()
    desk = _tripped(make(carrier))
    carrier.meanwhile = lambda: Steering(desk.database, desk.clock).pause("sms", "it is away", "lan")
    assert desk.sweeper.probes() == 0
    assert (carrier.probes, desk.channel().state) == (1, "paused")
    desk.clock.forward(minutes=5)
    assert desk.sweeper.probes() == 0
    assert (carrier.probes, desk.channel().state) == (1, "paused")


def test_a_channel_is_probed_by_one_node_at_a_time(make: Make) -> None:
    carrier = Probed()
    desk = _tripped(make(carrier))
    other = make(carrier, clock=desk.clock)
    other.sweeper._roads.look(desk.database)

    def looks_too() -> None:
        carrier.meanwhile = lambda: None
        desk.clock.forward(seconds=LIMIT)  # which a probe may take
        assert other.sweeper.probes() == 0

    carrier.meanwhile = looks_too
    assert desk.sweeper.probes() == 1
    assert (carrier.probes, desk.channel().state) == (1, "open")
