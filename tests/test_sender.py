"""A sender's turns, whatever goes wrong in them: nothing stays leased, nothing is in doubt that nobody was handed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from providers.contract import Abilities, Accepted, ChannelRefused, Outbound, Outcome, Rejected, Throttled, Unknown
from smsgw.dispatch.channel import Channel, Roads
from smsgw.dispatch.hours import ALWAYS, Hours
from smsgw.dispatch.pace import Pace
from smsgw.dispatch.routes import Routes
from smsgw.dispatch.sender import OTHERS, REPLIES, Sender
from smsgw.dispatch.settling import NotTaken, Settler
from smsgw.dispatch.sweep import Sweeper
from smsgw.dispatch.vetting import Vet, Vetted, all_go
from smsgw.officials.steering import Steering
from smsgw.store import channels
from smsgw.store.database import Database
from smsgw.store.outbox import Claimed
from smsgw.store.tables import Lane, attempt, outbound, outbound_part
from tests.test_outbox import add, message
from tests.world import NOON, SetClock

LIMIT = 5.0  # seconds of a call
REF_ONCE = Abilities(idempotent_by_ref=True, largest_batch=100)
BLIND = Abilities(idempotent_by_ref=False, largest_batch=100)


def taken(batch: Sequence[Outbound]) -> list[Outcome]:
    return [Accepted(f"mt-{message.ref}") for message in batch]


@dataclass
class Carrier:
    """A provider that answers what it is told to, and keeps what it was handed. Only what a sender asks is there."""

    answer: Callable[[Sequence[Outbound]], list[Outcome]] = taken
    abilities: Abilities = REF_ONCE
    time_limit: float = LIMIT
    calls: list[list[str]] = field(default_factory=list)

    def submit(self, batch: Sequence[Outbound]) -> list[Outcome]:
        self.calls.append([message.ref for message in batch])
        return self.answer(batch)


@dataclass
class Desk:
    """A sender of one channel, its carrier, and a clock that is set."""

    database: Database
    carrier: Carrier
    sender: Sender
    sweeper: Sweeper
    clock: SetClock

    def states(self) -> list[str]:
        with self.database.reading() as connection:
            return [*connection.execute(sa.select(outbound.c.state).order_by(outbound.c.id)).scalars()]

    def doubts(self) -> int:
        with self.database.reading() as connection:
            return connection.scalar(sa.select(sa.func.sum(outbound.c.doubts))) or 0

    def channel(self) -> channels.Channel:
        with self.database.reading() as connection:
            return channels.every(connection)["sms"]


Make = Callable[..., Desk]


@pytest.fixture
def make(database: Database) -> Iterator[Make]:
    """Makes a sender; its channel has had a second in which its rate could be saved up."""

    def new(
        carrier: Carrier,
        *,
        vet: Callable[[SetClock], Vet] = lambda _: all_go,
        clock: SetClock | None = None,
        lanes: Collection[Lane] = tuple(Lane),
        hours: Hours = ALWAYS,
    ) -> Desk:
        clock = clock or SetClock(NOON + timedelta(seconds=1))
        channel = Channel("sms", "8188", carrier, Pace(100, 100), 100)  # type: ignore[arg-type]
        roads = Roads([channel], Routes([], "sms"))
        sender = Sender(database, channel, roads, lanes, clock=clock, hours=hours, chance=lambda: 0.0, vet=vet(clock))
        return Desk(database, carrier, sender, Sweeper(database, roads, clock), clock)

    yield new
    database.boundary = None


BREAK = sa.exc.OperationalError("COMMIT", None, ConnectionError("the connection broke"))


def broken(*places: tuple[str, str], error: sa.exc.DBAPIError = BREAK) -> Callable[[str, str], None]:
    """The connection breaks at these places, each time that one of them comes up next; or fails by another error."""
    left = list(places)

    def boundary(transaction: str, side: str) -> None:
        if left and (transaction, side) == left[0]:
            left.pop(0)
            raise error

    return boundary


def keeps_failing(_: Sequence[Outbound]) -> list[Outcome]:
    raise KeyError("what nobody thought of")


def test_a_provider_that_fails_as_nobody_thought_leaves_doubt_at_once_and_trips_its_channel(make: Make) -> None:
    desk = make(Carrier(keeps_failing))
    for _ in range(5):
        add(desk.database, message())
        desk.sender.send_due()
    assert desk.states() == ["unknown"] * 5
    assert desk.channel().state == "tripped"
    assert "KeyError" in (desk.channel().reason or "")
    desk.clock.forward(minutes=1)
    assert desk.sweeper.probes() == 0  # nor does it keep the channels behind it from being probed
    assert desk.channel().reason == "a probe failed: the provider failed: AttributeError"


def test_an_answer_of_another_length_than_the_batch_leaves_all_of_it_in_doubt(make: Make) -> None:
    desk = make(Carrier(lambda batch: taken(batch)[1:]))
    add(desk.database, message(), message())
    desk.sender.send_due()
    assert desk.states() == ["unknown", "unknown"]


@pytest.mark.parametrize("asked", [1e9, 1e300, float("inf")])
def test_a_carrier_that_asks_for_an_absurd_pause_is_asked_again_after_an_hour(make: Make, asked: float) -> None:
    desk = make(Carrier(lambda batch: [Throttled(asked, "later") for _ in batch]))
    add(desk.database, message())
    desk.sender.send_due()
    assert desk.states() == ["queued"]
    desk.carrier.answer = taken
    desk.clock.forward(hours=1)
    desk.sender.send_due()
    assert desk.states() == ["submitted"]


@pytest.mark.parametrize("id", ["".join(map(str, range(5000))), "a\0b", "\ud800"], ids=["long", "NUL", "half a pair"])
def test_an_id_that_no_database_keeps_does_not_silence_the_channel(make: Make, id: str) -> None:
    desk = make(Carrier(lambda batch: [Accepted(id), Accepted(None, (id, "2"))]))
    desk.sender._given_up.set()  # else it would try for ever to write it down
    add(desk.database, message(), message())
    desk.sender.send_due()
    assert desk.states() == ["submitted", "submitted"]
    with desk.database.reading() as connection:
        assert connection.scalars(sa.select(outbound_part.c.carrier_message_id)).all() == ["2"]


ODD = "no such 84912345678 \0\ud800" + "x" * 100_000


def refusing(_: Sequence[Outbound]) -> list[Outcome]:
    raise ChannelRefused(ODD)


@pytest.mark.parametrize(
    ("answer", "ends", "channel"),
    [
        (lambda batch: [Rejected(ODD, ODD) for _ in batch], "rejected", "open"),
        (lambda batch: [Throttled(None, ODD) for _ in batch], "queued", "open"),
        (lambda batch: [Unknown(ODD) for _ in batch], "unknown", "tripped"),
        (refusing, "queued", "held"),
    ],
    ids=["rejected", "throttled", "in doubt", "refused"],
)
def test_whatever_a_carrier_says_why_it_is_written_down_in_a_few_words_and_names_nobody(
    make: Make,
    caplog: pytest.LogCaptureFixture,
    answer: Callable[[Sequence[Outbound]], list[Outcome]],
    ends: str,
    channel: str,
) -> None:
    desk = make(Carrier(answer))
    desk.sender._given_up.set()  # else it would try for ever to write it down
    with caplog.at_level("INFO"):
        for _ in range(5):
            add(desk.database, message())
            desk.sender.send_due()
            desk.clock.forward(seconds=1)
    assert ({*desk.states()}, desk.channel().state) == ({ends}, channel)
    with desk.database.reading() as connection:
        words = [*connection.scalars(sa.select(outbound.c.error_code)), desk.channel().reason]
        words += [word for row in connection.execute(sa.select(attempt.c.code, attempt.c.detail)) for word in row]
    said = [word for word in (*words, *caplog.messages) if word and "no such" in word]
    assert said
    for word in said:
        assert "84912***678" in word
        assert "84912345678" not in word
        assert len(word) < 700


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
    pauses = [6.0]  # of a lease of 15 seconds, of which a call may take 10

    def sleepy(clock: SetClock) -> Vet:
        def vet(lease: str, messages: Sequence[Claimed]) -> Vetted:
            clock.forward(seconds=pauses.pop() if pauses else 0)
            return all_go(lease, messages)

        return vet

    desk = make(Carrier(), vet=sleepy)
    first, second = add(desk.database, message(), message())
    desk.sender.send_due()
    assert desk.carrier.calls == [[first, second]]
    assert desk.states() == ["submitted", "submitted"]
    with desk.database.reading() as connection:
        assert [*connection.execute(sa.select(outbound.c.attempts)).scalars()] == [2, 2]


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


class Ticking(SetClock):
    """A clock that goes on by 10 ms whenever somebody looks at it."""

    def __call__(self) -> datetime:
        self.forward(seconds=0.01)
        return self.now


def test_what_was_claimed_long_before_its_call_takes_room_from_the_rate_as_it_is_then(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsgw.dispatch.sender.BREATH", 0)
    clock, arrived = Ticking(NOON + timedelta(seconds=1)), []

    def counted(batch: Sequence[Outbound]) -> list[Outcome]:
        arrived.append((clock.now, len(batch)))
        return taken(batch)

    def late(_: SetClock) -> Vet:
        def vet(lease: str, messages: Sequence[Claimed]) -> Vetted:
            if not arrived:
                clock.forward(seconds=2)
                other.sender.send_due()  # the rest, for which the rate has room by now
                add(desk.database, *(message() for _ in range(150)))
            return all_go(lease, messages)

        return vet

    desk, other = (make(Carrier(counted), clock=clock, vet=vet) for vet in (late, lambda _: all_go))
    add(desk.database, *(message() for _ in range(150)))
    desk.sender.send_due()
    assert sum(count for _, count in arrived) == 300
    for start, _ in arrived:
        within = sum(count for at, count in arrived if start <= at < start + timedelta(seconds=1))
        assert within <= 100 + 100


@pytest.mark.parametrize("state", ["paused", "held", "tripped", "open"])
def test_what_was_claimed_long_before_its_call_stays_if_its_channel_was_closed_meanwhile(
    make: Make, state: channels.State
) -> None:
    def closing(clock: SetClock) -> Vet:
        def vet(lease: str, messages: Sequence[Claimed]) -> Vetted:
            clock.forward(seconds=1)
            with desk.database.writing("test") as connection:
                before = channels.lock(connection, "sms")
                after = replace(before, state=state, reason="", resume_at=clock.now + timedelta(seconds=60))
                channels.write(connection, before, after, clock.now)
            return all_go(lease, messages)

        return vet

    desk = make(Carrier(), vet=closing)
    add(desk.database, message())
    desk.sender.send_due()
    assert desk.carrier.calls == []
    assert desk.states() == ["queued"]
    assert desk.channel().state == state


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
