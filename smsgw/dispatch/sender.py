"""One channel's sender: claims what is due, hands it to the carrier, settles what became of it.

Whatever waits goes out in one call, up to the batch. No transaction is open while the carrier is being called: a
lease says who is sending, and runs out if the sender does not come back.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from providers.contract import Accepted, ChannelRefused, Outbound, Outcome, Rejected, Throttled, Unknown
from smsgw import metrics
from smsgw.clock import Clock, utc_now
from smsgw.dispatch import retry
from smsgw.dispatch.channel import Channel
from smsgw.store import channels, outbox
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.states import State

POLL = 1.0  # seconds; the safety net under `wake`
BREATH = 0.05  # seconds between batches of a channel whose rate is used up, so that batches are worth a call
TROUBLE_PAUSE = 2.0  # seconds before the database is tried again
LEASES = 3  # a lease lasts so many times the call's time limit

log = logging.getLogger("smsgw.dispatch")


class Sender:
    """Sends for one channel, in a thread of its own once started."""

    def __init__(
        self,
        database: Database,
        channel: Channel,
        *,
        clock: Clock = utc_now,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._channel = channel
        self._clock = clock
        self._chance = chance
        self._work = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"send-{channel.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something to send."""
        self._work.set()

    def stop(self, timeout: float) -> None:
        """Let the call in hand end, settle it, and send no more."""
        self._stopping.set()
        self._work.set()
        self._thread.join(timeout)

    def send_due(self) -> float:
        """Send one batch of what is due; the seconds until it is worth trying again, unless woken before."""
        batch, lease, pause = self._claim()
        if not batch:
            return pause
        try:
            outcomes = self._submit(batch)
        except ChannelRefused as refusal:
            self._hold(batch, lease, str(refusal))
            return POLL
        self._settle(batch, lease, outcomes)
        return pause

    def _run(self) -> None:
        while not self._stopping.is_set():
            # Cleared before looking: what is committed after the look sets it again.
            self._work.clear()
            try:
                pause = self.send_due()
            except sa.exc.SQLAlchemyError as error:
                log.warning("channel %s: the database failed: %s", self._channel.name, type(error).__name__)
                pause = TROUBLE_PAUSE
            except Exception:
                # A sender that dies leaves its channel silent for good.
                log.exception("channel %s: sending failed", self._channel.name)
                pause = TROUBLE_PAUSE
            if pause > 0:
                self._work.wait(pause)

    def _claim(self) -> tuple[list[outbox.Claimed], str, float]:
        now = self._clock()
        pace, name = self._channel.pace, self._channel.name
        lease = new_id()
        until = now + timedelta(seconds=LEASES * self._channel.provider.time_limit)
        with self._database.writing() as connection:
            row = channels.lock(connection, name)
            if row.held_at is not None:
                return [], lease, POLL
            if row.resume_at is not None and row.resume_at > now:
                return [], lease, min(POLL, (row.resume_at - now).total_seconds())
            allowance = pace.allowance(row.allowance, row.allowed_at, now)
            most = min(self._channel.batch, int(allowance))
            if most == 0:
                return [], lease, BREATH
            claimed = outbox.claim(
                connection, name, replies=most, others=pace.for_others(allowance), lease=lease, until=until, now=now
            )
            if claimed:
                channels.spend(connection, name, allowance - len(claimed), now)
        return claimed, lease, 0.0 if claimed else POLL

    def _submit(self, batch: Sequence[outbox.Claimed]) -> list[Outcome]:
        outcomes = self._channel.provider.submit(
            [
                Outbound(
                    ref=message.id,
                    sender=message.sender,
                    recipient=message.recipient,
                    text=message.text,
                    encoding=message.encoding,
                    segments=message.segments,
                    expires_at=message.expires_at,
                )
                for message in batch
            ]
        )
        for outcome in outcomes:
            metrics.messages_out.labels(self._channel.name, type(outcome).__name__.lower()).inc()
        return outcomes

    def _settle(self, batch: Sequence[outbox.Claimed], lease: str, outcomes: Sequence[Outcome]) -> None:
        now = self._clock()
        settled = [self._settled(message, outcome, now) for message, outcome in zip(batch, outcomes, strict=True)]
        pauses = [outcome.retry_after for outcome in outcomes if isinstance(outcome, Throttled)]
        self._write_down(lease, settled, now, max((pause for pause in pauses if pause), default=None))
        if kept := [item for item in settled if item.outcome != "accepted"]:
            log.info("channel %s: %d of %d not accepted: %s", self._channel.name, len(kept), len(batch), kept[0].detail)

    def _write_down(
        self, lease: str, settled: Sequence[outbox.Settled], now: datetime, slow_down: float | None
    ) -> None:
        """Settle, however long the database is away: forgetting what the carrier said would leave it in doubt."""
        while True:
            try:
                with self._database.writing() as connection:
                    ours = outbox.settle(connection, self._channel.name, lease, settled, now)
                    if slow_down is not None:
                        channels.slow_down(connection, self._channel.name, now + timedelta(seconds=slow_down))
            except sa.exc.SQLAlchemyError:
                if self._stopping.wait(TROUBLE_PAUSE):
                    raise
                continue
            if ours < len(settled):
                log.warning("channel %s: %d leases had run out", self._channel.name, len(settled) - ours)
            return

    def _settled(self, message: outbox.Claimed, outcome: Outcome, now: datetime) -> outbox.Settled:
        match outcome:
            case Accepted(carrier_id):
                deadline = now + outbox.RECEIPT_WAIT
                return outbox.Settled(message.id, State.SUBMITTED, deadline, carrier_message_id=carrier_id)
            case Rejected(code, detail):
                return outbox.Settled(message.id, State.REJECTED, None, code=code, outcome="rejected", detail=detail)
            case Throttled(retry_after, detail):
                later = now + retry.pause(message.attempts, self._chance(), retry_after)
                return outbox.Settled(
                    message.id, State.QUEUED, message.expires_at, later, outcome="throttled", detail=detail
                )
            case Unknown(detail):
                later = now + retry.pause(message.attempts, self._chance())
                return outbox.Settled(message.id, State.UNKNOWN, later, outcome="unknown", detail=detail)

    def _hold(self, batch: Sequence[outbox.Claimed], lease: str, reason: str) -> None:
        now = self._clock()
        log.error("channel %s is held: %s", self._channel.name, reason)
        settled = [
            outbox.Settled(message.id, State.QUEUED, message.expires_at, outcome="refused", detail=reason)
            for message in batch
        ]
        self._write_down(lease, settled, now, None)
        with self._database.writing() as connection:
            channels.hold(connection, self._channel.name, reason, now)
