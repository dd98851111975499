"""The hand of a sender that has nothing to do: messages go into it as they are stored, and need not be claimed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from smsgw.store import channels
from smsgw.store.channels import Channel
from smsgw.store.outbox import NewMessage, in_hand
from smsgw.store.passing import Passing


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
    """Held out for one transaction. `lasts`: how long its lease does.

    `at`: since when, once it is open, which is no later than the rate has room for what comes into it. `messages`: what
    is in it once all is committed; `aside`: what the sender is to do once these are on their way.
    """

    lease: str
    lasts: timedelta
    at: datetime = field(init=False)
    messages: Sequence[NewMessage] = field(init=False, default=())
    aside: Callable[[], object] | None = field(init=False, default=None)

    def holding(self, message: NewMessage) -> NewMessage:
        """A message as it is to be stored, once the hand is open."""
        return in_hand(message, lease=self.lease, until=self.at + self.lasts)

    def closes(self, stored: Sequence[NewMessage]) -> None:
        """Keep what is its own of what was stored; a text that came again had its reply."""
        self.messages = [message for message in stored if message.lease == self.lease]


@dataclass(slots=True)
class ReplyHand(Hand):
    """For one reply, which takes its room as it is stored. `look`: by what it passes, from now on."""

    look: Callable[[], Passing]

    def opens(self) -> Passing:
        """By what a reply passes that is to be stored next."""
        passing = self.look()
        self.at = passing.now
        return passing


@dataclass(slots=True)
class NoticeHand(Hand):
    """For many messages of one channel. `look`: whether that takes any now.

    `lock`: the same for good, once they are stored, as many take long and others would wait for the channel's row.
    `spent`: the channel after so many at a time.
    """

    look: Look
    lock: Look
    spent: Callable[[Channel, int, datetime], Channel]

    def opens(self, connection: sa.Connection) -> int:
        """How many messages that are to be stored next may go this way."""
        room = self.look(connection)
        if room is None:
            return 0
        self.at = room.at
        return room.messages

    def takes_room(self, connection: sa.Connection) -> None:
        """Take the room for what is in it. Raises NoRoom."""
        if self.messages:
            room = self.lock(connection)
            if room is None or room.messages < len(self.messages):
                raise NoRoom
            before, now, _, self.at = room
            channels.write(connection, before, self.spent(now, len(self.messages), self.at), self.at)
