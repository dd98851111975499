"""The counter for what comes by a carrier's line: taken in like callbacks, and acknowledged by the line after that."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from providers.contract import Inbound, Receipt, Refused, Taken
from smsgw import metrics
from smsgw.clock import Clock
from smsgw.dispatch.channel import Channel
from smsgw.dispatch.retry import next_attempt
from smsgw.intake.intake import Intake
from smsgw.intake.jointly import Jointly
from smsgw.intake.reports import Reports
from smsgw.store import lines, pending
from smsgw.store.database import Database, trouble

MOST_PROOFS = 1000  # in one transaction

log = logging.getLogger("smsgw.intake")


@dataclass(frozen=True, slots=True)
class _Talk:
    """Something that the line brought."""

    said: str

    def asked(self) -> str:
        return self.said

    def answered(self, taken: Sequence[Taken]) -> str:
        return " ".join(item.status for item in taken)


class LineReceiver:
    """Where one channel's line brings what comes by it. Implements `providers.contract.Receiver`."""

    def __init__(self, database: Database, channel: Channel, intake: Intake, reports: Reports, clock: Clock) -> None:
        self._database = database
        self._channel = channel
        self._intake = intake
        self._reports = reports
        self._clock = clock
        self._proofs = Jointly(self._proved, MOST_PROOFS)
        self._put_off = Jointly(self._not_taken, MOST_PROOFS)

    def messages(self, messages: Sequence[Inbound | Refused], said: str) -> Future[list[Taken]]:
        """What became of each, once everything is committed; an error if it was not, and must come again."""
        return self._watched(self._intake.take(self._channel, messages, _Talk(said)))

    def receipts(self, receipts: Sequence[Receipt | Refused], said: str) -> Future[list[Taken]]:
        """The same of delivery reports."""
        return self._watched(self._reports.take(self._channel, receipts, _Talk(said)))

    def heard(self, ids: Sequence[str]) -> Future[None]:
        """The carrier has surely read that we took these messages, so it will not bring them again."""
        return self._proofs.begin(ids)

    def not_taken(self, refs: Sequence[str]) -> Future[None]:
        """The carrier says of messages whose answer was late that it has them not: they are sent again."""
        put_off = self._put_off.begin(refs)
        put_off.add_done_callback(self._noted)
        return put_off

    def note(self, what: str) -> None:
        """Something about the line that an operator wants to read in the log."""
        log.warning("channel %s: %s", self._channel.name, what)

    def _watched(self, taken: Future[list[Taken]]) -> Future[list[Taken]]:
        taken.add_done_callback(self._noted)
        return taken

    def _noted(self, taken: Future[Any]) -> None:
        error = taken.exception()
        if error is None:
            return
        ours = not isinstance(error, sa.exc.SQLAlchemyError)
        metrics.callbacks_refused.labels(self._channel.name, "fault" if ours else "database").inc()
        log.error(
            "channel %s: what the line brought was not stored: %s",
            self._channel.name,
            trouble(error),
            exc_info=error if ours else None,
        )

    def _proved(self, groups: Sequence[Sequence[str]]) -> list[None]:
        with self._database.writing("proved") as connection:
            lines.proved(connection, [id for ids in groups for id in ids])
        return [None] * len(groups)

    def _not_taken(self, groups: Sequence[Sequence[str]]) -> list[None]:
        now = self._clock()
        with self._database.writing("receipts") as connection:
            tried = pending.tried_once(connection, self._channel.name, [ref for refs in groups for ref in refs])
            again = {item.id: next_attempt(item.lane, item.attempts, random.random(), now) for item in tried}  # noqa: S311
            pending.put_back(connection, tried, again)
        return [None] * len(groups)
