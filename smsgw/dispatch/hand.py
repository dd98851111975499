"""The hand of a sender that has nothing to do: a reply goes into it as it is stored, and need not be claimed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from smsgw.store.outbox import NewMessage, in_hand


@dataclass(slots=True)
class Hand:
    """Held out for one transaction.

    `take_room`: called in it, before a reply is stored: whether that may go this way; if so, its room is taken from the
    channel's rate. `messages`: what is in the hand once all is committed.
    """

    lease: str
    at: datetime
    until: datetime
    take_room: Callable[[sa.Connection], bool]
    messages: Sequence[NewMessage] = ()

    def holding(self, message: NewMessage) -> NewMessage:
        """A message as it is to be stored."""
        return in_hand(message, lease=self.lease, until=self.until)
