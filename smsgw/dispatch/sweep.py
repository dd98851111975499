"""The sweeps: what a tick of the clock settles. None has an upper bound of age, so that nothing is too old for them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from smsgw.clock import Clock
from smsgw.dispatch import breaker
from smsgw.dispatch.channel import Channel, Roads
from smsgw.dispatch.handing import fault
from smsgw.dispatch.retry import decided
from smsgw.store import channels, history, overdue, pending, receipts
from smsgw.store.database import Database
from smsgw.store.removing import Bounds, Hands
from smsgw.store.retention import TRACES
from smsgw.store.schedules import Stopped
from smsgw.store.states import State
from smsgw.store.tables import Lane

BATCH = 500  # messages in one transaction
LEFT = timedelta(minutes=10)  # in which a node whose settings have a channel would have seen to what is due there
MATCH_FOR = timedelta(hours=1)  # a parked receipt that found no message by then is somebody else's

log = logging.getLogger("smsgw.dispatch")


class Sweeper:
    """Settles what the senders of any node left behind."""

    def __init__(self, database: Database, roads: Roads, clock: Clock) -> None:
        self._database = database
        self._roads = roads
        self._clock = clock
        self._matched: datetime | None = None  # when receipts were last matched
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Let go after the batch in hand: whoever sweeps then raises Stopped."""
        self._stopping.set()

    def deadlines(self) -> int:
        """Settle what is past its deadline, and move on what waits for a channel that is closed or gone; how many."""
        settled = sum(self._all("sweep", step) for step in (self._rescue, self._decide, self._expire))
        now = self._clock()
        waits = [(name, lane, now) for name in self._roads.closed() for lane in self._roads.detours(name)]
        waits += [(name, lane, now - LEFT) for name in self._roads.gone for lane in Lane]
        return settled + sum(self._move_on(*wait) for wait in waits)

    def forgotten(self) -> int:
        """Put in doubt again what waited to be sent again until its carrier knew the ref no more; how many."""
        now = self._clock()
        ends = {name: end for name, channel in self._roads.channels.items() if (end := channel.forgotten(now))}
        steps = (
            partial(pending.doubt_again, channel=name, forgotten=end, now=now, limit=BATCH)
            for name, end in ends.items()
        )
        return sum(self._all("sweep", step) for step in steps)

    def late_receipts(self) -> int:
        """Apply receipts that came before their message was known; at first all of them, then those that are new."""
        now, since = self._clock(), self._matched and self._matched - MATCH_FOR
        matched = self._all("match receipts", lambda connection: receipts.match_parked(connection, since, now, BATCH))
        self._matched = now
        return matched

    def history(self) -> int:
        """Move what has been finished for long to history."""
        return self._all("retire", lambda connection: history.retire(connection, self._clock(), BATCH))

    def traces(self) -> int:
        """Forget what was said with carriers more than a week ago, and what they will not bring again."""
        hands, bounds = Hands(self._database, self._stopping), Bounds(self._clock())
        return sum(trace.remove(hands, bounds) for trace in TRACES)

    def probes(self) -> int:
        """Probe the channels that are tripped and have rested; how many are open again."""
        return sum(self._probe(self._roads.channels[name]) for name in self._roads.closed())

    def _all(self, name: str, step: Callable[[sa.Connection], int]) -> int:
        """Do a step, batch by batch, until there is nothing left for it."""
        done, moved = 0, BATCH
        while moved >= BATCH:
            self._go_on()
            with self._database.writing(name) as connection:
                moved = step(connection)
            done += moved
        return done

    def _go_on(self) -> None:
        """Raises Stopped once we are told to stop."""
        if self._stopping.is_set():
            raise Stopped

    def _rescue(self, connection: sa.Connection) -> int:
        return overdue.rescue(connection, self._clock(), BATCH)

    def _decide(self, connection: sa.Connection) -> int:
        now = self._clock()
        moves = [
            decided(message, idempotent=self._roads.honours_ref(message, now), now=now)
            for message in pending.doubtful(connection, self._roads.channels.keys(), now, now - LEFT, BATCH)
        ]
        return pending.move(connection, State.UNKNOWN, moves, now)

    def _expire(self, connection: sa.Connection) -> int:
        return overdue.expire(connection, self._clock(), BATCH)

    def _move_on(self, channel: str, lane: Lane, due_at: datetime) -> int:
        """Those of a lane's messages that were due by then at a channel, and that another one can take."""
        moved, last = 0, None
        while True:
            self._go_on()
            with self._database.writing("move on") as connection:
                page = pending.waiting_on(connection, channel, lane, due_at, last, BATCH)
                moves = [move for message in page if (move := self._detour(message))]
                moved += pending.move(connection, State.QUEUED, moves, self._clock())
            if len(page) < BATCH:
                return moved
            last = page[-1]

    def _detour(self, message: pending.Waiting) -> pending.Move | None:
        other = self._roads.instead(message.lane, message.recipient, message.channel)
        if other is None:
            return None
        return pending.Move(message.id, State.QUEUED, message.expires_at, channel=other.name, sender=other.sender)

    def _probe(self, channel: Channel) -> bool:
        if not self._may_probe(channel):
            return False
        failure = fault(channel.provider)
        now = self._clock()
        with self._database.writing("probe") as connection:
            before = channels.lock(connection, channel.name)
            after = breaker.probed(before, failure, now) if before.state == "tripped" else before
            channels.write(connection, before, after, now)
        self._roads.note(after)
        log.warning("channel %s is %s: %s", channel.name, after.state, after.reason)
        return after.state == "open"

    def _may_probe(self, channel: Channel) -> bool:
        """Whether the channel has rested; if so, other nodes leave the probe to us for as long as it may take."""
        now = self._clock()
        with self._database.writing("claim probe") as connection:
            before = channels.lock(connection, channel.name)
            if before.state != "tripped" or before.waits(now):
                return False
            after = replace(before, resume_at=now + timedelta(seconds=2 * channel.provider.time_limit))
            channels.write(connection, before, after, now)
        return True
