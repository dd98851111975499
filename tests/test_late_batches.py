"""Batches that are handed over long after they were claimed: what they take of the rate, and what may stop them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from providers.contract import Outbound, Outcome
from smsgw.dispatch.pace import Pace
from smsgw.dispatch.vetting import Vet, Vetted, all_go
from smsgw.store import channels
from smsgw.store.database import Database
from smsgw.store.outbox import Claimed
from tests.sending import Carrier, Make, senders, taken
from tests.test_outbox import add, message
from tests.world import NOON, SetClock


@pytest.fixture
def make(database: Database) -> Iterator[Make]:
    with senders(database) as made:
        yield made


@dataclass
class Ticking(SetClock):
    """A clock that goes on by so much whenever somebody looks at it."""

    seconds: float = 0.01

    def __call__(self) -> datetime:
        self.forward(seconds=self.seconds)
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


@pytest.mark.parametrize("pace", [Pace(50, 10), Pace(500, 100)], ids=str)
def test_a_batch_that_was_vetted_for_a_quarter_of_a_second_does_not_meet_too_many_of_those_behind_it(
    make: Make, monkeypatch: pytest.MonkeyPatch, pace: Pace
) -> None:
    monkeypatch.setattr("smsgw.dispatch.sender.BREATH", 0)
    clock, arrived = Ticking(NOON + timedelta(seconds=1), seconds=0.001), []

    def counted(batch: Sequence[Outbound]) -> list[Outcome]:
        arrived.append((clock.now, len(batch)))
        return taken(batch)

    def once_late(_: SetClock) -> Vet:
        def vet(lease: str, messages: Sequence[Claimed]) -> Vetted:
            clock.forward(seconds=0 if arrived else 0.24)
            return all_go(lease, messages)

        return vet

    desk = make(Carrier(counted), clock=clock, vet=once_late, pace=pace)
    add(desk.database, *(message() for _ in range(int(1.5 * pace.tps))))
    while clock.now < NOON + timedelta(seconds=2.5):
        desk.sender.send_due()
    begun = arrived[0][0]
    assert sum(count for at, count in arrived if at < begun + timedelta(seconds=1)) <= pace.tps + pace.batch


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
