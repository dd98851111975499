"""A reply that goes straight into the hand of a sender which has nothing to do: sooner, and with every promise kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

import pytest
import sqlalchemy as sa

from providers.contract import Inbound
from smsgw.dispatch.hand import ReplyHand
from smsgw.dispatch.sender import Sender
from smsgw.store import channels
from smsgw.store.channels import Channel
from smsgw.store.tables import outbound
from tests.chaos import until
from tests.sending import BREAK, broken, rests
from tests.test_exchanges import called, sent_to
from tests.test_outbox import add, message
from tests.world import World

PHONES = [f"849123450{number:02}" for number in range(100)]


@dataclass
class Counter:
    """A world in which one sender of replies runs, looks at nothing unless it is woken, and waits."""

    world: World
    sender: Sender

    def text(self, phone: str = PHONES[0], text: str = "", id: str = "") -> str:
        """Somebody texts, and the carrier hands it over; what the carrier is told."""
        channel = self.world.gateway.channels["sms"]
        given = Inbound(id or f"mo-{next(_numbers)}", phone, "8188", text or self.world.examples[0].code)
        (taken,) = self.world.gateway.intake.take(channel, [given]).result()
        return taken.status

    def calls(self, phone: str) -> None:
        """The carrier calls with a text, and all is done that there is to do."""
        self.world.carrier.text(phone, self.world.examples[0].code)
        self.world.carrier.run_due()
        self.rests()

    def stored(self, text: str = "", before: Callable[[], object] = lambda: None) -> list[str]:
        """The states in which replies are when a text has just been taken in. `before`: done before it commits."""
        found: list[str] = []

        def boundary(transaction: str, side: str) -> None:
            if transaction == "accept" and side == "before":
                before()
            elif transaction == "accept":
                found.extend(self.states())

        self.world.gateway.database.boundary = boundary
        assert self.text(text=text) == "accepted"
        self.world.gateway.database.boundary = None
        return found

    def states(self) -> list[str]:
        with self.world.gateway.database.reading() as connection:
            return [*connection.scalars(sa.select(outbound.c.state).order_by(outbound.c.id))]

    def rests(self) -> None:
        """Until the sender has done all there is to do."""
        until(lambda: rests(self.sender), "the sender rests")

    def wake(self) -> None:
        self.sender.wake()
        self.rests()

    def heard(self) -> int:
        """How many replies reached phones."""
        return sum(len(self.world.heard(phone)) for phone in PHONES)

    def channel(self) -> Channel:
        with self.world.gateway.database.reading() as connection:
            return channels.every(connection)["sms"]

    def elsewhere(self, change: Callable[[Channel], Channel]) -> None:
        """Another node writes the channel's row."""
        with self.world.gateway.database.writing("test") as connection:
            before = channels.lock(connection, "sms")
            channels.write(connection, before, change(before), self.world.clock())


_numbers = count(1)


@pytest.fixture
def counter(anywhere: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    monkeypatch.setattr("smsgw.dispatch.sender.POLL", 3600.0)
    anywhere.clock.forward(seconds=1)  # in which the rate could be saved up
    anywhere.gateway.roads.look(anywhere.gateway.database)
    made = Counter(anywhere, anywhere.gateway.senders[0])
    made.sender.start()
    made.wake()
    yield made
    anywhere.gateway.database.boundary = None
    made.sender.stop(10)


def test_a_reply_is_in_the_hand_of_a_sender_that_waits_as_it_is_stored(counter: Counter) -> None:
    assert counter.stored() == ["sending"]
    counter.rests()
    assert counter.states() == ["submitted"]
    assert counter.heard() == 1
    assert counter.channel().allowance == counter.sender._channel.pace.full - 1


def test_the_wait_for_the_database_is_not_taken_for_lateness_and_costs_the_rate_nothing(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_out = counter.sender.hand_for_reply

    @contextmanager
    def held_out() -> Iterator[ReplyHand | None]:
        with hold_out() as hand:
            counter.world.clock.forward(seconds=1)
            yield hand

    monkeypatch.setattr(counter.sender, "hand_for_reply", held_out)
    assert counter.stored() == ["sending"]
    counter.rests()
    assert counter.heard() == 1
    assert counter.channel().allowance == counter.sender._channel.pace.full - 1


def test_a_message_that_the_carrier_brings_again_gets_no_second_reply(counter: Counter) -> None:
    assert [counter.text(id="mo"), counter.text(id="mo")] == ["accepted", "duplicate"]
    counter.rests()
    assert counter.text(id="mo") == "duplicate"
    counter.rests()
    assert counter.heard() == 1


def test_a_message_that_the_carrier_brings_again_takes_nothing_from_the_rate(counter: Counter) -> None:
    counter.text(id="mo")
    counter.rests()
    left = counter.channel().allowance
    assert counter.text(id="mo") == "duplicate"
    assert counter.channel().allowance == left


def test_who_comes_while_the_sender_is_busy_waits_for_it_in_the_queue(counter: Counter) -> None:
    with counter.sender.hand_for_reply():
        assert counter.stored() == ["queued"]
    counter.wake()
    assert counter.heard() == 1


def test_a_reply_in_the_hand_does_not_wait_for_the_next_text_to_be_stored(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def awakes() -> None:
        counter.sender.wake()
        until(lambda: counter.heard() == 1, "the first reply to go out", seconds=10)

    with monkeypatch.context() as asleep:
        asleep.setattr(counter.sender._work, "set", lambda: None)
        assert counter.stored() == ["sending"]
    counter.stored(before=awakes)
    counter.wake()
    assert counter.heard() == 2


def test_nobody_passes_by_those_who_wait(counter: Counter) -> None:
    waiting = message()
    add(counter.world.gateway.database, waiting)
    assert counter.stored() == ["queued", "queued"]
    counter.wake()
    (first,), (second,) = map(counter.world.heard, (waiting.recipient, PHONES[0]))
    assert first.seq < second.seq


@pytest.mark.parametrize("tables_url", ["postgresql"], indirect=True)
def test_nobody_who_texts_waits_for_another_node_that_has_the_channel(counter: Counter) -> None:
    with counter.world.gateway.database.writing("test") as connection:
        channels.lock(connection, "sms")
        assert counter.stored() == ["queued"]
    counter.wake()
    assert counter.heard() == 1


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda row: replace(row, state="paused", reason="by an official"),
        lambda row: replace(row, state="held", reason="401"),
        lambda row: replace(row, resume_at=row.allowed_at + timedelta(minutes=1)),
        lambda row: replace(row, allowance=0.0, allowed_at=row.allowed_at + timedelta(seconds=2)),
    ],
    ids=["paused", "held", "asked to wait", "at the end of its rate"],
)
def test_a_channel_that_another_node_found_closed_gets_nothing(
    counter: Counter, meanwhile: Callable[[Channel], Channel]
) -> None:
    counter.elsewhere(meanwhile)
    assert counter.stored() == ["queued"]
    counter.wake()
    assert counter.heard() == 0


def test_the_rate_holds_on_the_short_way_too(counter: Counter) -> None:
    room = int(counter.sender._channel.pace.full)
    for phone in PHONES:
        counter.text(phone)
        counter.rests()
    assert counter.heard() == room < len(PHONES)
    assert counter.states().count("queued") == len(PHONES) - room
    counter.world.clock.forward(seconds=1)
    counter.wake()
    assert counter.heard() == len(PHONES)


def test_what_is_to_go_out_later_is_queued(counter: Counter) -> None:
    found = []
    for number in range(8):  # guesses, the last of which are slowed
        found += counter.stored(f"H01.12-180802-{9000 + number}")[-1:]
        counter.rests()
    assert (found[0], found[-1]) == ("sending", "queued")
    assert counter.heard() == found.count("sending")


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_commit_that_fails_or_is_not_heard_of_loses_nothing_and_sends_nothing_twice(
    counter: Counter, side: str
) -> None:
    database = counter.world.gateway.database
    database.boundary = broken(("accept", side))
    with pytest.raises(sa.exc.OperationalError):
        counter.text(id="mo")
    counter.rests()
    assert counter.heard() == (side == "after")
    assert counter.text(id="mo") == ("accepted" if side == "before" else "duplicate")
    counter.rests()
    assert counter.heard() == 1
    assert counter.states() == ["submitted"]
    with database.reading() as connection:
        assert connection.scalar(sa.select(outbound.c.doubts)) == 0


def test_a_sender_that_is_stopped_while_a_commit_is_not_heard_of_leaves_the_reply_queued(counter: Counter) -> None:
    def boundary(transaction: str, side: str) -> None:
        if (transaction, side) == ("accept", "after"):
            counter.sender.finish()
            raise sa.exc.OperationalError("COMMIT", None, ConnectionError("the connection broke"))

    counter.world.gateway.database.boundary = boundary
    with pytest.raises(sa.exc.OperationalError):
        counter.text()
    counter.sender.stop(10)
    assert counter.states() == ["queued"]


def test_a_sender_that_is_stopped_sends_what_is_put_into_its_hand_at_that_moment(counter: Counter) -> None:
    assert counter.stored(before=counter.sender.finish) == ["sending"]
    counter.sender.stop(10)
    assert counter.states() == ["submitted"]
    assert counter.stored() == ["submitted", "queued"]


def test_what_the_carrier_said_is_kept_once_the_reply_is_on_its_way(counter: Counter) -> None:
    found: list[tuple[str, str, list[str]]] = []
    counter.world.gateway.database.boundary = lambda name, side: found.append((name, side, counter.states()))
    counter.calls(PHONES[0])
    assert ("trace", "before", ["submitted"]) in found
    text = called(counter.world, sent_to(counter.world, PHONES[0]))[0]
    assert "/carrier/sms/inbound\n" in text.request
    assert '"accepted"' in text.answer


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_trace_that_can_not_be_kept_holds_nobody_up(counter: Counter, side: str) -> None:
    counter.world.gateway.database.boundary = broken(("trace", side))
    for phone in PHONES[:2]:
        counter.calls(phone)
    assert counter.heard() == 2
    assert counter.states() == ["submitted", "submitted"]
    assert len(called(counter.world, sent_to(counter.world, PHONES[1]))) > 0


@pytest.mark.parametrize("error", [BREAK, ValueError("a fault of ours")])
def test_what_was_claimed_next_goes_out_though_the_trace_can_not_be_kept(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    call, waiting = counter.sender._call, [message()]

    def called(batch: object) -> object:
        made = call(batch)  # type: ignore[arg-type]
        while waiting:
            add(counter.world.gateway.database, waiting.pop())
        return made

    def boundary(name: str, side: str) -> None:
        if (name, side) == ("trace", "before"):
            raise error

    monkeypatch.setattr(counter.sender, "_call", called)
    counter.world.gateway.database.boundary = boundary
    counter.calls(PHONES[0])
    assert counter.states() == ["submitted", "submitted"]
    assert len(counter.world.heard(message().recipient)) == 1


def test_those_who_come_together_are_answered_together(counter: Counter) -> None:
    channel, found = counter.world.gateway.channels["sms"], []
    counter.world.gateway.database.boundary = lambda name, _: found.append((name, counter.states()))
    code = counter.world.examples[0].code
    given = [Inbound(f"mo-{number}", phone, "8188", code) for number, phone in enumerate(PHONES[:3])]
    assert len(counter.world.gateway.intake.take(channel, given).result()) == 3
    counter.rests()
    assert ("accept", ["queued"] * 3) in found
    counter.wake()
    assert counter.heard() == 3


def test_where_no_sender_runs_replies_are_queued(anywhere: World) -> None:
    anywhere.gateway.roads.look(anywhere.gateway.database)
    assert Counter(anywhere, anywhere.gateway.senders[0]).stored() == ["queued"]


def test_a_reply_whose_node_died_with_it_in_its_hand_goes_out_when_its_lease_is_over(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter.sender, "_take", lambda hand: counter.sender._unsent.clear())
    assert counter.stored() == ["sending"]
    counter.rests()
    assert counter.heard() == 0
    counter.world.clock.forward(minutes=1)
    counter.world.sweep()
    counter.world.clock.forward(minutes=1)
    counter.wake()
    assert counter.heard() == 1
