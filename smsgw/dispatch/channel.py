"""A channel as the dispatch room needs it, and what this node knows of all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from providers.contract import Provider
from providers.templates import Templates
from smsgw.dispatch.pace import Pace
from smsgw.dispatch.routes import Routes
from smsgw.store import channels, pending
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.outbox import NewMessage
from smsgw.store.tables import Lane
from smsgw.text.segments import measure


@dataclass(frozen=True, slots=True)
class Channel:
    """A carrier's door: its name in URLs and reports, who we are there, and what the contract allows.

    `secrets`: what is between us and the carrier, and to be read by nobody. `templates`: where it takes only texts that
    are registered with it, or can.
    """

    name: str
    sender: str
    provider: Provider
    pace: Pace
    batch: int
    secrets: tuple[str, ...] = field(default=(), repr=False)
    templates: Templates | None = None

    def takes(self, text: str) -> bool:
        """Whether its carrier takes that text."""
        return not self.templates or self.templates.know(text)

    def forgotten(self, now: datetime) -> datetime | None:
        """Up to when its carrier has forgotten the refs that it was handed; None if it never knows any."""
        abilities = self.provider.abilities
        return now - abilities.ref_known_for if abilities.idempotent_by_ref else None

    def message(
        self,
        lane: Lane,
        recipient: str,
        text: str,
        now: datetime,
        expires_at: datetime,
        *,
        id: str | None = None,
        in_reply_to: str | None = None,
    ) -> NewMessage:
        """A text to somebody by this channel, to go out from now on. `id`: if it has one already."""
        size = measure(text)
        return NewMessage(
            id=id or new_id(),
            channel=self.name,
            lane=lane,
            in_reply_to=in_reply_to,
            sender=self.sender,
            recipient=recipient,
            text=text,
            encoding=size.encoding,
            segments=size.segments,
            created_at=now,
            not_before=now,
            expires_at=expires_at,
        )


class Roads:
    """Every channel, and which of them are open as far as this node knows: what it last read, at most a tick ago.

    Being wrong for that long does no harm: a message queued for a channel that is closed moves on by the sweep. A
    channel whose carrier takes no messages from us is never open.
    """

    def __init__(self, channels: Iterable[Channel], routes: Routes) -> None:
        self.channels: Mapping[str, Channel] = {channel.name: channel for channel in channels}
        self._routes = routes
        self._open = self._sending = frozenset(
            name for name, channel in self.channels.items() if channel.provider.abilities.submits
        )
        self.gone: frozenset[str] = frozenset()  # those that were taken out of the settings, as far as is known

    def look(self, database: Database) -> None:
        """Read which channels are open, and which are gone."""
        with database.reading() as connection:
            rows = channels.every(connection)
        self._open = frozenset(name for name in self._sending if name not in rows or rows[name].state == "open")
        self.gone = frozenset(rows) - self.channels.keys()

    def closed(self) -> list[str]:
        """The channels that may not be sent to now."""
        return [name for name in self.channels if name not in self._open]

    def honours_ref(self, message: pending.Waiting, now: datetime) -> bool:
        """Whether a message's channel can be sent it again without harm: it surely knows the ref still."""
        channel = self.channels.get(message.channel)
        if channel is None:
            return False
        # By when it was first handed over: it may have waited for that over a weekend.
        forgotten = channel.forgotten(now)
        return forgotten is not None and message.tried_at is not None and message.tried_at > forgotten

    def detours(self, name: str) -> frozenset[Lane]:
        """The lanes of which messages that wait at a channel could take another one now."""
        return self._routes.detours(name, self._open)

    def note(self, row: channels.Channel) -> None:
        """One channel's state has just been seen."""
        self._open = self._open | {row.name} if row.state == "open" else self._open - {row.name}

    def first(self, lane: Lane, recipient: str, at: str | None = None) -> Channel:
        """The channel that a new message takes."""
        return self.channels[self._routes.first(lane, recipient, self._open, at)]

    def back(self, recipient: str, came_by: str) -> Channel | None:
        """The channel that a late reply takes; None if what it answers came by a chat that was taken out since."""
        if came_by in self.channels:
            return self.first(Lane.REPLY, recipient, came_by)
        return self._anew(Lane.REPLY, recipient)

    def firsts(self, lane: Lane) -> tuple[str, ...]:
        """The channels that new messages of a lane to phones take now, route by route."""
        return self._routes.firsts(lane, self._open)

    def within_reach(self, lane: Lane, names: Collection[str]) -> frozenset[str]:
        """These channels, and those that messages of a lane may take in their stead."""
        return self._routes.within_reach(lane, names)

    def instead(self, lane: Lane, recipient: str, failed: str) -> Channel | None:
        """The channel that takes a message whose own one failed or is gone, if there is one."""
        if failed not in self.channels:
            return self._anew(lane, recipient)
        name = self._routes.instead(lane, recipient, self._open, failed)
        return self.channels[name] if name is not None else None

    def _anew(self, lane: Lane, recipient: str) -> Channel | None:
        """The channel that takes what was for one that is gone; None if that was a chat, whose addresses go with it."""
        return self.first(lane, recipient) if self._routes.reach(recipient) else None

    def after(self, lane: Lane, recipient: str, failed: str) -> Channel | None:
        """The channel that takes a message whose own one does not reach the person, if there is one."""
        name = self._routes.after(lane, recipient, self._open, failed)
        return self.channels[name] if name is not None else None
