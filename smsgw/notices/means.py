"""What the notices' room works with, and the rules that the settings give it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from smsgw.clock import Clock
from smsgw.dispatch.channel import Channel, Roads
from smsgw.dispatch.hours import Hours
from smsgw.store.database import Database
from smsgw.store.outbox import NewMessage
from smsgw.store.tables import Lane


@dataclass(frozen=True, slots=True)
class Rules:
    """`approval_from`: recipients from which on a second official has to approve; `most_segments`: of one message.

    `valid`: how long a queued message is worth sending. `monthly`: segments a month of each agency; `budgets`: of those
    that have another one, the empty code being the province's own. None: no limit.
    """

    approval_from: int
    most_segments: int
    valid: timedelta
    monthly: int | None
    budgets: Mapping[str, int]

    def budget(self, agency: str | None) -> int | None:
        return self.budgets.get(agency or "", self.monthly)


@dataclass(frozen=True, slots=True)
class Means:
    """`tariffs`: đồng a segment, by channel."""

    database: Database
    roads: Roads
    hours: Hours
    clock: Clock
    tariffs: Mapping[str, int]
    rules: Rules

    def road(self, phone: str) -> tuple[Channel, int]:
        """The channel that a notice takes to a phone, and its tariff."""
        channel = self.roads.first(Lane.NOTICE, phone)
        return channel, self.tariffs.get(channel.name, 0)

    def refuses(self, phone: str, text: Callable[[], str], lane: Lane = Lane.NOTICE) -> str | None:
        """The channel whose carrier will not take a message to a phone, if no other one behind it on the route may."""
        if not any(channel.templates for channel in self.roads.channels.values()):
            return None
        channel = self.roads.first(lane, phone)
        while channel.templates and not channel.takes(text()):
            behind = self.roads.after(lane, phone, channel.name)
            if behind is None:
                return channel.name
            channel = behind
        return None

    def month(self, at: datetime) -> str:
        """The month of the province's calendar, as 2026-11."""
        return at.astimezone(self.hours.zone).strftime("%Y-%m")

    def message(
        self, channel: Channel, lane: Lane, phone: str, text: str, now: datetime, id: str | None = None
    ) -> NewMessage:
        """A message that is to be queued now. `id`: if it has one already."""
        return channel.message(lane, phone, text, now, self.worth_until(now), id=id)

    def worth_until(self, now: datetime) -> datetime:
        """Until when a message that is queued now is worth sending."""
        return self.hours.worth_until(now, self.rules.valid)
