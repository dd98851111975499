"""The last look at a notice's messages before they are handed over: may they still go out?

They may have waited for a morning, for a channel, or under a pause, and somebody may have opted out meanwhile. And what
came back to the queue of a notice that was stopped may be claimed before `tend` has held or ended it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from smsgw.clock import Clock
from smsgw.dispatch.vetting import Vetted, put_off, withdrawn
from smsgw.store import notice_sending, opt_outs
from smsgw.store.database import Database
from smsgw.store.outbox import Claimed
from smsgw.store.tables import Lane

OPTED_OUT = "opted_out"
AGAIN_IN = timedelta(minutes=1)  # should nobody tend to notices for so long


class NoticeVet:
    """Vets what the senders are about to hand over."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def __call__(self, lease: str, messages: Sequence[Claimed]) -> Vetted:
        """What goes out of a batch. Raises the database's error; nothing was handed over then."""
        ours = [message for message in messages if message.lane is Lane.NOTICE]
        if not ours:
            return Vetted(messages, ())
        with self._database.reading() as connection:
            refusing = opt_outs.among(connection, "notice", {message.recipient for message in ours})
            strays = notice_sending.stopped_among(connection, [item.id for item in ours if item.attempts > 1])
        if not (refusing or strays):
            return Vetted(messages, ())
        now = self._clock()
        stopped = [
            withdrawn(item, OPTED_OUT, "the person wants no notices any more", now)
            if item.recipient in refusing
            else put_off(item, now + AGAIN_IN)
            for item in ours
            if item.recipient in refusing or item.id in strays
        ]
        gone = {item.message.id for item in stopped}
        return Vetted([item for item in messages if item.id not in gone], stopped)
