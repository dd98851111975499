"""The last look at a reminder before it goes out: is it still true, still wanted, and not one too many for today?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from smsgw.clock import Clock, midnight
from smsgw.dispatch.vetting import Vetted, put_off, withdrawn
from smsgw.dossiers.dossier import Dossier
from smsgw.dossiers.source import OneStop, OneStopUnavailable
from smsgw.reminders.deciding import Texts, occasion
from smsgw.reminders.rules import OFFICIALS, Rule
from smsgw.reminders.switches import Switches
from smsgw.store import followers, opt_outs, outbox, people, reminders
from smsgw.store.database import Database
from smsgw.store.followers import Followers
from smsgw.store.outbox import Claimed, Settled
from smsgw.store.people import Preference
from smsgw.store.reminders import OWNER, UNTRUE, Outgoing
from smsgw.store.tables import Lane
from smsgw.text.segments import measure

AGAIN_IN = timedelta(minutes=1)  # while the one-stop database is away
TRIES = 5  # at a place of the day that other nodes want too

log = logging.getLogger("smsgw.reminders")


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a batch when it is looked at."""

    rows: Mapping[str, Outgoing]
    refused: frozenset[str]
    wishes: Mapping[str, Preference]
    switches: Switches
    following: Mapping[str, Followers]


class ReminderVet:
    """Vets what the senders are about to hand over. `most_a_day`: reminders that a person gets on one day."""

    def __init__(
        self,
        database: Database,
        onestop: OneStop,
        rules: Mapping[str, Rule],
        texts: Texts,
        *,
        zone: ZoneInfo,
        opening: Callable[[datetime], datetime],
        most_a_day: int,
        clock: Clock,
    ) -> None:
        self._database = database
        self._onestop = onestop
        self._rules = rules
        self._texts = texts
        self._zone = zone
        self._opening = opening
        self._most_a_day = most_a_day
        self._clock = clock

    def __call__(self, lease: str, messages: Sequence[Claimed]) -> Vetted:
        """What goes out of a batch. Raises the database's error; nothing was handed over then."""
        ours = [message for message in messages if message.lane is Lane.REMINDER]
        if not ours:
            return Vetted(messages, ())
        now = self._clock()
        known = self._known(ours)
        stopped = [_refused(message, now) for message in ours if message.recipient in known.refused]
        ours = [message for message in ours if message.recipient not in known.refused]
        codes = {row.dossier for row in known.rows.values() if row.rule != OFFICIALS}
        try:
            found = self._onestop.find(codes)
        except OneStopUnavailable as error:
            log.warning("reminders wait: %s", error)
            stopped += [put_off(message, now + AGAIN_IN) for message in ours if message.id in known.rows]
            return _split(messages, {}, stopped)
        looked = {message.id: self._looked_at(message, known, found, now) for message in ours}
        stopped += [item for item in looked.values() if isinstance(item, Settled)]
        going = {id: item for id, item in looked.items() if isinstance(item, Claimed)}
        stopped += self._written_down(lease, [message for message in ours if message.id in going], going, known, now)
        return _split(messages, going, stopped)

    def _known(self, messages: Sequence[Claimed]) -> _Known:
        numbers = {message.recipient for message in messages}
        with self._database.reading() as connection:
            rows = reminders.outgoing(connection, [message.id for message in messages])
            return _Known(
                rows,
                opt_outs.among(connection, "reminder", numbers),
                people.wishes(connection, numbers),
                Switches.read(connection),
                followers.by_dossier(connection, {row.dossier for row in rows.values()}),
            )

    def _looked_at(
        self, message: Claimed, known: _Known, found: Mapping[str, Dossier], now: datetime
    ) -> Claimed | Settled:
        """The message as it goes out, or what becomes of it."""
        row = known.rows.get(message.id)
        if row is None:
            return message  # another system's
        rule = self._rules.get(row.rule)
        if rule is None:
            return withdrawn(message, "rule_off", "there is no such rule any more", now)
        if rule.kind == "officials":
            yesterday = row.occasion != str(now.astimezone(self._zone).date())
            return withdrawn(message, "too_late", "it is about another day", now) if yesterday else message
        dossier = found.get(row.dossier)
        if dossier is None:
            return withdrawn(message, UNTRUE, "the dossier is not in the one-stop database any more", now)
        if not known.switches.on(rule.name, dossier.agency_code):
            return withdrawn(message, "rule_off", "the rule was switched off", now)
        return self._as_it_is(message, row, rule, dossier, known, now)

    def _as_it_is(
        self, message: Claimed, row: Outgoing, rule: Rule, dossier: Dossier, known: _Known, now: datetime
    ) -> Claimed | Settled:
        owner = row.told_to == OWNER
        if owner and message.recipient != dossier.owner:
            return withdrawn(message, UNTRUE, "the dossier has another phone now", now)
        followed = known.following[dossier.code]
        if message.recipient in followed.refused or not (owner or message.recipient in followed.wanted):
            return withdrawn(message, "opted_out", "the person does not follow the dossier any more", now)
        if not rule.conditions.hold(dossier, now) or occasion(rule, dossier, owner=owner) != row.occasion:
            return withdrawn(message, UNTRUE, f"the dossier is in state {int(dossier.status)} or has other dates", now)
        text = self._texts.of_dossier(rule, dossier, known.wishes[message.recipient], owner=owner)
        if text == message.text or message.doubts:
            return message
        size = measure(text)
        return message._replace(text=text, encoding=size.encoding, segments=size.segments)

    def _written_down(
        self,
        lease: str,
        before: Sequence[Claimed],
        going: dict[str, Claimed],
        known: _Known,
        now: datetime,
    ) -> list[Settled]:
        """Write down what goes out today, and with which text; what has to wait for another day."""
        for attempt in range(TRIES):
            try:
                with self._database.writing("vet") as connection:
                    places, full = self._places(connection, before, known, now)
                    reminders.place(connection, places, self._day(now))
                    outbox.reword(connection, lease, [going[item.id] for item in before if going[item.id] != item])
                break
            except sa.exc.IntegrityError:
                if attempt == TRIES - 1:
                    raise
        for message in full:
            del going[message.id]
        tomorrow = self._opening(midnight(now.astimezone(self._zone).date() + timedelta(days=1), self._zone))
        return [self._until(tomorrow, message, known) for message in full]

    def _until(self, when: datetime, message: Claimed, known: _Known) -> Settled:
        """Later, and of those that wait for the same time the most urgent first."""
        return put_off(message, when + timedelta(milliseconds=self._urgency(message, known)))

    def _places(
        self, connection: sa.Connection, messages: Sequence[Claimed], known: _Known, now: datetime
    ) -> tuple[dict[str, int | None], list[Claimed]]:
        """The day's places that these messages take, and those for which there is none, the least urgent first."""
        today = self._day(now)
        wanting = [item for item in messages if self._wants_place(item, known, today)]
        taken = reminders.sent_on(connection, {message.recipient for message in wanting}, today)
        # Officials' take none, but whoever finds them in the hands of a dead node has to know that they went out.
        places: dict[str, int | None] = {item.id: None for item in messages if self._is_officials(item, known)}
        full = []
        for message in sorted(wanting, key=lambda message: self._urgency(message, known)):
            if taken[message.recipient] >= self._most_a_day:
                full.append(message)
                continue
            taken[message.recipient] += 1
            places[message.id] = taken[message.recipient]
        return places, full

    def _wants_place(self, message: Claimed, known: _Known, today: str) -> bool:
        row = known.rows.get(message.id)
        # What the carrier may have already keeps the place that it has.
        return (
            row is not None and row.rule != OFFICIALS and row.sent_on != today and not (message.doubts and row.sent_on)
        )

    def _is_officials(self, message: Claimed, known: _Known) -> bool:
        row = known.rows.get(message.id)
        return row is not None and row.rule == OFFICIALS

    def _urgency(self, message: Claimed, known: _Known) -> int:
        row = known.rows.get(message.id)
        rule = self._rules.get(row.rule) if row else None
        return rule.urgency if rule else 0

    def _day(self, now: datetime) -> str:
        return str(now.astimezone(self._zone).date())


def _refused(message: Claimed, now: datetime) -> Settled:
    return withdrawn(message, "opted_out", "the person wants no reminders any more", now)


def _split(messages: Sequence[Claimed], going: Mapping[str, Claimed], stopped: Sequence[Settled]) -> Vetted:
    gone = {item.message.id for item in stopped}
    return Vetted([going.get(message.id, message) for message in messages if message.id not in gone], stopped)
