"""Who is told what of a page of dossiers: written down and queued in one transaction, each of it once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from smsgw.dispatch.channel import Roads
from smsgw.dispatch.hours import Hours
from smsgw.dossiers.candidates import Load
from smsgw.dossiers.dossier import Dossier
from smsgw.reminders.deciding import Texts, occasion, too_old
from smsgw.reminders.rules import Rule
from smsgw.store import opt_outs, people, reminders
from smsgw.store.followers import Followers
from smsgw.store.ids import new_id
from smsgw.store.outbox import NewMessage
from smsgw.store.people import Preference
from smsgw.store.reminders import OWNER, Reminder
from smsgw.store.tables import Lane
from smsgw.text import phones

SPARE = timedelta(days=1)  # that a message may wait for a channel or a place on a day beyond its rule's age


@dataclass(frozen=True, slots=True)
class Planned:
    """One reminder that is due for one person, if that person has not had it yet. `say` makes its text."""

    rule: Rule
    row: Reminder
    say: Callable[[Preference], str]


class Teller:
    """Plans reminders and queues them, to go out in those hours."""

    def __init__(self, texts: Texts, roads: Roads, hours: Hours) -> None:
        self._texts = texts
        self._roads = roads
        self._hours = hours

    def people(
        self, rule: Rule, dossiers: Iterable[Dossier], following: Mapping[str, Followers], now: datetime
    ) -> list[Planned]:
        """The reminders of a rule to those who applied, and where it is for them too, to those who follow."""
        return [item for dossier in dossiers for item in self._of_dossier(rule, dossier, following[dossier.code], now)]

    def officials(self, rule: Rule, load: Load, day: str, numbers: Iterable[str]) -> list[Planned]:
        """The reminders of an agency's day to its officials."""
        return [
            Planned(
                rule,
                Reminder(rule.name, load.agency_code, day, phone, phone, "told", new_id()),
                lambda wish: self._texts.of_load(rule, load, wish),
            )
            for phone in numbers
        ]

    def new(self, connection: sa.Connection, planned: Sequence[Planned]) -> list[Planned]:
        """Those that are not written down yet, as they would be now."""
        there = reminders.known(connection, [item.row for item in planned])
        fresh = [
            item
            for item in planned
            if (item.row.rule, item.row.dossier, item.row.occasion, item.row.told_to) not in there
        ]
        numbers = {item.row.recipient for item in fresh if item.row.recipient}
        refused = opt_outs.among(connection, "reminder", numbers)
        return [_withheld(item, "opted_out") if item.row.recipient in refused else item for item in fresh]

    def messages(self, connection: sa.Connection, planned: Sequence[Planned], now: datetime) -> list[NewMessage]:
        """The messages of those that are told."""
        wishes = people.wishes(connection, {item.row.recipient for item in planned if item.row.recipient})
        return [self._message(item, wishes, now) for item in planned if item.row.outcome == "told"]

    def _of_dossier(self, rule: Rule, dossier: Dossier, followers: Followers, now: datetime) -> Iterator[Planned]:
        phone = dossier.owner
        owners = self._of_person(rule, dossier, OWNER, phone, now)
        yield _withheld(owners, "opted_out") if phone in followers.refused else owners
        if rule.followers:
            for other in sorted(followers.wanted - {phone}):
                yield self._of_person(rule, dossier, other, other, now)

    def _of_person(self, rule: Rule, dossier: Dossier, told_to: str, phone: str | None, now: datetime) -> Planned:
        owner = told_to == OWNER
        row = Reminder(rule.name, dossier.code, occasion(rule, dossier, owner=owner), told_to, phone, "told", new_id())
        planned = Planned(rule, row, lambda wish: self._texts.of_dossier(rule, dossier, wish, owner=owner))
        if too_old(rule, dossier, now):
            return _withheld(planned, "too_old")
        return planned if phone and phones.takes_texts(phone) else _withheld(planned, "unreachable")

    def _message(self, item: Planned, wishes: dict[str, Preference], now: datetime) -> NewMessage:
        phone, id = item.row.recipient, item.row.message
        if phone is None or id is None:
            raise ValueError("who is told has a phone and a message")
        channel = self._roads.first(Lane.REMINDER, phone)
        opens = self._hours.next_allowed(now)
        # Of those that wait for the morning, the most urgent go first: messages go out in the order of this time.
        not_before = opens + timedelta(milliseconds=item.rule.urgency) if opens > now else now
        until = self._hours.worth_until(now, item.rule.max_age + SPARE)
        message = channel.message(Lane.REMINDER, phone, item.say(wishes[phone]), now, until)
        return message._replace(id=id, not_before=not_before)


def _withheld(item: Planned, outcome: reminders.Outcome) -> Planned:
    return replace(item, row=replace(item.row, outcome=outcome, message=None))


def of_the_past(planned: Iterable[Planned]) -> list[Reminder]:
    """What was so before a rule was switched on, and is not told."""
    return [_withheld(item, "past").row for item in planned]
