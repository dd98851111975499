"""A sender of one channel with a carrier of its own, for tests that take its turns one by one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from providers.contract import Abilities, Accepted, Outbound, Outcome
from smsgw.dispatch.channel import Channel, Roads
from smsgw.dispatch.hours import ALWAYS, Hours
from smsgw.dispatch.pace import Pace
from smsgw.dispatch.routes import Routes
from smsgw.dispatch.sender import Sender
from smsgw.dispatch.sweep import Sweeper
from smsgw.dispatch.vetting import Vet, all_go
from smsgw.store import channels
from smsgw.store.database import Database
from smsgw.store.tables import Lane, outbound
from tests.world import NOON, SetClock

LIMIT = 5.0  # seconds of a call
REF_ONCE = Abilities(idempotent_by_ref=True, largest_batch=100)
PACE = Pace(100, 100)
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


def rests(sender: Sender) -> bool:
    """Whether a running sender has done all there is to do."""
    with sender._free:
        return not (sender._work.is_set() or sender._handed or sender._unsent)


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


@contextmanager
def senders(database: Database) -> Iterator[Make]:
    """Makes senders; their channel has had a second in which its rate could be saved up."""

    def new(
        carrier: Carrier,
        *,
        vet: Callable[[SetClock], Vet] = lambda _: all_go,
        clock: SetClock | None = None,
        lanes: Collection[Lane] = tuple(Lane),
        hours: Hours = ALWAYS,
        pace: Pace = PACE,
    ) -> Desk:
        clock = clock or SetClock(NOON + timedelta(seconds=1))
        channel = Channel("sms", "8188", carrier, pace, pace.batch)  # type: ignore[arg-type]
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
