"""The hand of a sender that has nothing to do: messages go into it as they are stored, and need not be claimed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from smsgw.store import channels
from smsgw.store.channels import Channel
from smsgw.store.outbox import NewMessage, in_hand


class Room(NamedTuple):
    """For how many messages a channel's rate has room at a time. `before`: its row as found; `now`: as it is then."""

    before: Channel
    now: Channel
    messages: int
    at: datetime


Look = Callable[[sa.Connection], Room | None]


class NoRoom(Exception):
    """Others were faster to take the channel's room: the transaction has to be undone."""


@dataclass(slots=True)
class Hand:
    """Held out for one transaction. `lasts`: how long its lease does. `look`: whether the channel takes messages now.

    `lock`: the same for good, once they are stored, as many take long and others would wait for the channel's row; None
    for a reply, where the first look has locked it. `spent`: the channel after so many at a time. `messages`: what is
    in it once all is committed; `aside`: what the sender is to do once these are on their way.
    """

    lease: str
    lasts: timedelta
    look: Look
    lock: Look | None
    spent: Callable[[Channel, int, datetime], Channel]
    room: Room | None = None
    messages: Sequence[NewMessage] = ()
    aside: Callable[[], object] | None = None

    def opens(self, connection: sa.Connection) -> int:
        """How many messages that are to be stored next may go this way."""
        self.room = self.look(connection)
        return self.room.messages if self.room else 0

    def holding(self, message: NewMessage) -> NewMessage:
        """A message as it is to be stored, once the hand is open."""
        return in_hand(message, lease=self.lease, until=self.room.at + self.lasts) if self.room else message

    def channel_after(self, messages: int) -> Channel | None:
        """A channel that the look has locked, as so many leave it, to be written with them; None if it has no room."""
        return self.spent(self.room.now, messages, self.room.at) if self.room and self.lock is None else None

    def closes(self, stored: Sequence[NewMessage]) -> None:
        """Keep what is its own of what was stored; a text that came again had its reply."""
        self.messages = [message for message in stored if message.lease == self.lease]

    def takes_room(self, connection: sa.Connection) -> None:
        """Take the room for what is in it, if the look has locked nothing. Raises NoRoom."""
        if self.lock and self.room and self.messages:
            room = self.lock(connection)
            if room is None or room.messages < len(self.messages):
                raise NoRoom
            self.room = room
            before, now, _, at = room
            channels.write(connection, before, self.spent(now, len(self.messages), at), at)
