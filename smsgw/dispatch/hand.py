"""The hand of a sender that has nothing to do: a reply goes into it as it is stored, and need not be claimed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from smsgw.store import channels
from smsgw.store.outbox import NewMessage, in_hand


class Room(NamedTuple):
    """That a channel's rate has room for a message at a time. `after`: its row once that is taken."""

    before: channels.Channel
    after: channels.Channel
    at: datetime


@dataclass(slots=True)
class Hand:
    """Held out for one transaction. `lasts`: how long its lease does. `look`: whether the channel takes a message now.

    `messages`: what is in it once all is committed; `aside`: what the sender is to do once these are on their way.
    """

    lease: str
    lasts: timedelta
    look: Callable[[sa.Connection], Room | None]
    room: Room | None = None
    messages: Sequence[NewMessage] = ()
    aside: Callable[[], object] | None = None

    def opens(self, connection: sa.Connection) -> bool:
        """Whether a reply that is to be stored next may go this way."""
        self.room = self.look(connection)
        return self.room is not None

    def holding(self, message: NewMessage) -> NewMessage:
        """A message as it is to be stored, once the hand is open."""
        return in_hand(message, lease=self.lease, until=self.room.at + self.lasts) if self.room else message

    def closes(self, connection: sa.Connection, stored: Sequence[NewMessage]) -> None:
        """Keep what is its own of what was stored, and take the room for it; a text that came again had its reply."""
        self.messages = [message for message in stored if message.lease == self.lease]
        if self.room and self.messages:
            channels.write(connection, self.room.before, self.room.after, self.room.at)
