"""The reminders: what is due is found, told once, and each run is written down.

A schedule's run may be worked on by any node, and is taken over if its node does not come back. What it tells goes into
the database page by page, each person's reminder under a key that no other row can have, so that doing a run again
tells nothing twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from smsgw.clock import Clock
from smsgw.dossiers.candidates import Candidates
from smsgw.dossiers.dossier import Dossier
from smsgw.dossiers.source import OneStopUnavailable
from smsgw.officials import audit
from smsgw.reminders.deciding import due
from smsgw.reminders.rules import Rule
from smsgw.reminders.switches import Switches
from smsgw.reminders.telling import Planned, Teller, of_the_past
from smsgw.reminders.timing import Cron, midnight
from smsgw.store import followers, outbox, reminders, schedules
from smsgw.store.database import Database
from smsgw.store.followers import Followers
from smsgw.store.outbox import NewMessage
from smsgw.store.reminders import EVERYWHERE, Switch
from smsgw.store.schedules import LeaseLost, Run
from smsgw.store.tables import Lane
from smsgw.store.wakes import Bell

CHANGES, MISSED = "changes", "missed changes"
SHIPPED = "shipped"
AGAIN_IN = timedelta(seconds=30)  # while the one-stop database is away
SILENT_AFTER = timedelta(minutes=10)

log = logging.getLogger("smsgw.reminders")


@dataclass(frozen=True, slots=True)
class Numbers:
    """Settings: the time zone, how much of the changes is read again, and officials' phones by agency."""

    zone: ZoneInfo
    overlap: timedelta
    officials: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Shown:
    """A message that a rule queued or would queue, and the dossier, or agency, that it is about."""

    dossier: str
    message: NewMessage


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule as it stands. `on`: where agencies did not decide otherwise, which is what `agencies` tells."""

    rule: str
    on: bool
    agencies: Mapping[str, bool]
    when: str
    law: str
    next: datetime
    last: datetime | None


class Reminders:
    """Tells people of their dossiers, by rules."""

    def __init__(
        self,
        database: Database,
        candidates: Candidates,
        rules: Mapping[str, Rule],
        teller: Teller,
        numbers: Numbers,
        *,
        bell: Bell,
        clock: Clock,
    ) -> None:
        self.rules = rules
        self._database = database
        self._candidates = candidates
        self._teller = teller
        self._zone = numbers.zone
        self._overlap = numbers.overlap
        self._officials = numbers.officials
        self._bell = bell
        self._clock = clock
        self.schedules: Mapping[str, Cron] = {
            CHANGES: Cron("* * * * *", self._zone),
            MISSED: Cron("10 6 * * *", self._zone),
            **{name: rule.cron for name, rule in rules.items() if rule.cron is not None},
        }

    def meet(self) -> None:
        """Write down rules and schedules that are not known yet."""
        now = self._clock()
        with self._database.writing("meet rules") as connection:
            reminders.meet(connection, [self._shipped(rule, now) for rule in self.rules.values()])
            # What is so at the first start is taken stock of at once, so that what happens next is told.
            first = {name: cron.after(now) for name, cron in self.schedules.items()} | {CHANGES: now}
            schedules.meet(connection, first.items())

    def tick(self) -> int:
        """Do what is due; how many messages were queued."""
        now = self._clock()
        with self._database.reading() as connection:
            next_due, pending = schedules.next_due(connection), schedules.pending(connection, now)
        self._set_back(next_due, now)
        return sum(self._fire(name) for name in pending if name in self.schedules)

    def preview(self, name: str, agency: str | None = None) -> list[Shown]:
        """What a rule would queue now, on or off, of one agency or all. Raises OneStopUnavailable."""
        rule, now = self.rules[name], self._clock()
        shown: list[Shown] = []
        with self._database.reading() as connection:
            switches = Switches.read(connection)
        for page in self._planned(rule, now, lambda of: _since(switches, rule, of, now, dry=True), agency):
            with self._database.reading() as connection:
                new = [item for item in self._teller.new(connection, page) if item.row.outcome == "told"]
                messages = self._teller.messages(connection, new, now)
            shown += [Shown(item.row.dossier, message) for item, message in zip(new, messages, strict=True)]
        return shown

    def run(self, name: str) -> list[Shown]:
        """Let a rule that is on tell now what is due; what was queued.

        Raises OneStopUnavailable, and IntegrityError if it is at work just now.
        """
        rule, now, told = self.rules[name], self._clock(), list[Shown]()
        with self._database.writing("run") as connection:
            mine = schedules.begin(connection, name if name in self.schedules else CHANGES, now, now)
            switches = Switches.read(connection)
        try:
            for page in self._planned(rule, now, lambda agency: _since(switches, rule, agency, now, dry=False)):
                told += self._tell(mine, page)
        except OneStopUnavailable as error:
            self._end(mine, str(error))
            raise
        self._end(mine)
        return told

    def is_on(self, name: str) -> bool:
        """Whether a rule is on in any agency."""
        with self._database.reading() as connection:
            return Switches.read(connection).anywhere(name)

    def states(self) -> list[RuleState]:
        """Every rule with where it is on, and when it is due next and was last."""
        now = self._clock()
        with self._database.reading() as connection:
            switches = Switches.read(connection)
            next_due, last = schedules.next_due(connection), schedules.last_run(connection)
        return [self._state(rule, switches, next_due, last, now) for rule in self.rules.values()]

    def _state(
        self,
        rule: Rule,
        switches: Switches,
        next_due: Mapping[str, datetime],
        last: Mapping[str, datetime],
        now: datetime,
    ) -> RuleState:
        schedule = rule.name if rule.name in self.schedules else CHANGES
        everywhere = switches.of(rule.name, EVERYWHERE)
        return RuleState(
            rule=rule.name,
            on=everywhere.is_on if everywhere else rule.is_on,
            agencies={item.agency: item.is_on for item in switches.of_rule(rule.name) if item.agency != EVERYWHERE},
            when=rule.notation or "on change",
            law=rule.law,
            next=next_due.get(schedule) or self.schedules[schedule].after(now),
            last=last.get(schedule),
        )

    def latest_runs(self, limit: int, schedule: str | None = None) -> list[Run]:
        """The latest runs, newest first."""
        with self._database.reading() as connection:
            return schedules.latest(connection, limit, schedule)

    def turn(self, rule: str, agency: str, is_on: bool | None, who: str) -> None:
        """Turn a rule on or off, everywhere or in an agency; None: the agency does as everywhere."""
        now = self._clock()
        with self._database.writing("turn") as connection:
            if is_on is None:
                reminders.unturn(connection, rule, agency)
            elif (there := reminders.switches(connection).get((rule, agency))) is None or there.is_on != is_on:
                stock_taken = not is_on or self.rules[rule].kind != "changed"
                reminders.turn(connection, Switch(rule, agency, is_on, now, who, stock_taken))
            audit.record(connection, who, "reminder.turn", rule, {"agency": agency, "on": is_on}, now)

    def begun(self) -> bool:
        """Whether any node has ever had this work."""
        with self._database.reading() as connection:
            return bool(schedules.next_due(connection))

    def silence(self) -> dict[str, str]:
        """Schedules that do not get done, and why; empty if all is well, and before there are any."""
        with self._database.reading() as connection:
            hanging = schedules.hanging(connection, self._clock() - SILENT_AFTER)
        return {name: why for name, why in hanging.items() if name in self.schedules}

    def _set_back(self, next_due: Mapping[str, datetime], now: datetime) -> None:
        """A time that lies too far ahead was written under a clock that has been set back since."""
        right = {name: cron.after(now) for name, cron in self.schedules.items()}
        ahead = [(name, due, right[name]) for name, due in next_due.items() if name in right and due > right[name]]
        if ahead:
            with self._database.writing("run") as connection:
                for name, wrong, due in ahead:
                    schedules.set_back(connection, name, wrong, due)

    def _fire(self, name: str) -> int:
        now = self._clock()
        cron = self.schedules[name]

        def times(due_at: datetime) -> tuple[datetime, datetime]:
            latest = cron.latest(due_at, now)
            return latest, cron.after(now)

        with self._database.writing("run") as connection:
            mine = schedules.claim(connection, name, times, now)
        if mine is None:
            return 0
        try:
            return self._work(mine, now)
        except OneStopUnavailable as error:
            log.warning("%s: the one-stop database can't be asked: %s", name, error)
            with self._database.writing("run") as connection:
                schedules.put_off(connection, mine, self._clock() + AGAIN_IN, str(error))
        except LeaseLost:
            log.warning("%s: another node has taken over", name)
        return 0

    def _work(self, mine: Run, now: datetime) -> int:
        name, changed = mine.schedule, [rule for rule in self.rules.values() if rule.kind == "changed"]
        problem, told = None, 0
        if name == CHANGES:
            told = self._tell_changes(mine, changed, now)
        elif name == MISSED:
            told = self._tell_all(mine, changed, now)
            with self._database.writing("run") as connection:
                schedules.forget(connection, now)
        elif self.rules[name].kind == "officials" and now - mine.due_at > self.rules[name].max_age:
            problem = "was due too long ago"
        else:
            told = self._tell_all(mine, [self.rules[name]], now)
        self._end(mine, problem)
        return told

    def _end(self, mine: Run, problem: str | None = None) -> None:
        with self._database.writing("run") as connection:
            schedules.end(connection, mine, self._clock(), problem)

    def _tell_all(self, mine: Run, rules: Sequence[Rule], now: datetime) -> int:
        """Tell whatever these rules find in all dossiers."""
        with self._database.reading() as connection:
            switches = Switches.read(connection)
        return sum(
            len(self._tell(mine, page))
            for rule in rules
            if switches.anywhere(rule.name)
            for page in self._planned(rule, now, partial(switches.since, rule.name))
        )

    def _tell_changes(self, mine: Run, rules: Sequence[Rule], now: datetime) -> int:
        """Tell whatever these rules find in dossiers that were changed."""
        onestop = self._candidates.name
        with self._database.reading() as connection:
            read_to = reminders.read_to(connection, onestop)
        if read_to is None:
            read_to = min(now, self._candidates.last_change() or now)
            with self._database.writing("run") as connection:
                reminders.set_read_to(connection, onestop, read_to)
        newest = read_to
        with self._database.reading() as connection:
            switches = Switches.read(connection)
        for rule in rules:
            self._take_stock(mine, rule, switches, now)
        with self._database.reading() as connection:
            switches = Switches.read(connection)
        told = 0
        for page in self._candidates.changed(newest - self._overlap):
            newest = max([newest, *(dossier.updated_at for dossier in page)])
            following = self._following(page)
            planned = [
                item
                for rule in rules
                for item in self._teller.people(rule, self._due(rule, page, switches, now), following, now)
            ]
            told += len(self._tell(mine, planned))
        # What bears a time to come is read again until that has passed, since others may still be written before it.
        with self._database.writing("run") as connection:
            schedules.work(connection, mine, self._clock())
            reminders.set_read_to(connection, onestop, min(newest, now))
        return told

    def _due(self, rule: Rule, page: Sequence[Dossier], switches: Switches, now: datetime) -> list[Dossier]:
        found = []
        for dossier in page:
            since = switches.since(rule.name, dossier.agency_code)
            if since is not None and due(rule, dossier, now, since, self._zone):
                found.append(dossier)
        return found

    def _take_stock(self, mine: Run, rule: Rule, switches: Switches, now: datetime) -> None:
        """Write down what is so already, where a rule has been switched on, so that it is never told."""
        own = {item.agency for item in switches.of_rule(rule.name)}
        for switch in switches.of_rule(rule.name):
            if not switch.is_on or switch.stock_taken:
                continue
            for page in self._candidates.among(rule.past, now, agencies=_only(switch)):
                past = [item for item in page if switch.agency != EVERYWHERE or item.agency_code not in own]
                planned = self._teller.people(rule, past, self._following(past), now)
                with self._database.writing("take stock") as connection:
                    schedules.work(connection, mine, self._clock())
                    reminders.add(connection, of_the_past(planned), mine.id, now)
            with self._database.writing("take stock") as connection:
                reminders.stock_is_taken(connection, switch)

    def _planned(
        self, rule: Rule, now: datetime, since: Callable[[str], datetime | None], agency: str | None = None
    ) -> Iterator[list[Planned]]:
        """The reminders that a rule finds due in all dossiers, page by page."""
        if rule.kind == "officials":
            yield [item for item in self._for_officials(rule, now) if agency in (None, item.row.dossier)]
            return
        span = None
        if rule.offset is not None:
            first, last = (now - rule.max_age).astimezone(self._zone).date(), now.astimezone(self._zone).date()
            span = rule.offset.span(first, last, self._zone)
        for page in self._candidates.among(rule.conditions, now, span, None if agency is None else [agency]):
            found = []
            for dossier in page:
                from_then_on = since(dossier.agency_code)
                if from_then_on is not None and due(rule, dossier, now, from_then_on, self._zone):
                    found.append(dossier)
            yield self._teller.people(rule, found, self._following(found), now)

    def _following(self, dossiers: Sequence[Dossier]) -> Mapping[str, Followers]:
        with self._database.reading() as connection:
            return followers.by_dossier(connection, [dossier.code for dossier in dossiers])

    def _for_officials(self, rule: Rule, now: datetime) -> list[Planned]:
        today = now.astimezone(self._zone).date()
        start, end = midnight(today, self._zone), midnight(today + timedelta(days=1), self._zone)
        loads = self._candidates.loads(self._officials.keys(), start, end, now) if self._officials else []
        return [
            planned
            for load in loads
            for planned in self._teller.officials(rule, load, str(today), self._officials[load.agency_code])
        ]

    def _tell(self, mine: Run, planned: Sequence[Planned]) -> list[Shown]:
        """Write reminders down and queue those that are told, in one transaction; what was queued."""
        if not planned:
            return []
        now = self._clock()
        with self._database.writing("tell") as connection:
            # First the lease, whose row another node would wait for: then nobody else writes these.
            schedules.work(connection, mine, now)
            new = self._teller.new(connection, planned)
            told, withheld = reminders.add(connection, [item.row for item in new], mine.id, now)
            queued = [item for item in new if item.row.message in told]
            messages = self._teller.messages(connection, queued, now)
            outbox.add(connection, messages)
            ringing = {message.channel for message in messages}
            for channel in ringing:
                self._bell.tell(connection, channel, Lane.REMINDER)
            schedules.work(connection, mine, now, len(messages), withheld)
        for channel in ringing:
            self._bell.ring(channel, Lane.REMINDER)
        return [Shown(item.row.dossier, message) for item, message in zip(queued, messages, strict=True)]

    def _shipped(self, rule: Rule, now: datetime) -> Switch:
        return Switch(rule.name, EVERYWHERE, rule.is_on, now, SHIPPED, rule.kind != "changed" or not rule.is_on)


def _since(switches: Switches, rule: Rule, agency: str, now: datetime, *, dry: bool) -> datetime | None:
    """Since when a rule tells if a person lets it; in a dry run also where it is off, as if it were not."""
    switch = switches.of(rule.name, agency)
    if switch is not None and switch.is_on:
        return switch.changed_at
    return now - rule.max_age if dry else None


def _only(switch: Switch) -> list[str] | None:
    return None if switch.agency == EVERYWHERE else [switch.agency]
