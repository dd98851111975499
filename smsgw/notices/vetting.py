"""The last look at a notice's messages before they are handed over: does the person still want notices?

They may have waited for a morning, for a channel, or under a pause, and somebody may have opted out meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence

from smsgw.clock import Clock
from smsgw.dispatch.vetting import Vetted, withdrawn
from smsgw.store import opt_outs
from smsgw.store.database import Database
from smsgw.store.outbox import Claimed
from smsgw.store.tables import Lane

OPTED_OUT = "opted_out"


class LastLook:
    """Vets what the senders are about to hand over."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def __call__(self, lease: str, messages: Sequence[Claimed]) -> Vetted:
        """What goes out of a batch. Raises the database's error; nothing was handed over then."""
        people = {message.recipient for message in messages if message.lane is Lane.NOTICE}
        if not people:
            return Vetted(messages, ())
        with self._database.reading() as connection:
            refusing = opt_outs.among(connection, "notice", people)
        if not refusing:
            return Vetted(messages, ())
        now = self._clock()
        refused = [item for item in messages if item.lane is Lane.NOTICE and item.recipient in refusing]
        stopped = [withdrawn(item, OPTED_OUT, "the person wants no notices any more", now) for item in refused]
        unwanted = {item.id for item in refused}
        return Vetted([item for item in messages if item.id not in unwanted], stopped)
