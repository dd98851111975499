"""The runs of the rules: what is due is found and told.

What a run tells goes into the database page by page, each person's reminder under a key that no other row can have, so
that doing a run again tells nothing twice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from smsgw.clock import Clock
from smsgw.dossiers.candidates import Candidates, Held
from smsgw.dossiers.source import OneStopUnavailable
from smsgw.reminders.finding import Finder
from smsgw.reminders.rules import Rule
from smsgw.reminders.switches import Switches
from smsgw.reminders.telling import Planned, Teller, of_the_past
from smsgw.schedules.cron import Cron
from smsgw.schedules.timetable import Timetable
from smsgw.store import outbox, owners, reminders, schedules
from smsgw.store.database import Database
from smsgw.store.outbox import NewMessage
from smsgw.store.reminders import EVERYWHERE, Switch
from smsgw.store.schedules import Run, Stopped
from smsgw.store.tables import Lane
from smsgw.store.wakes import Bell
from smsgw.text.phones import mobile

CHANGES, MISSED, OWNERS = "changes", "missed changes", "owners"
SHIPPED = "shipped"
AGAIN_IN = timedelta(seconds=30)  # while the one-stop database is away
SILENT_AFTER = timedelta(minutes=10)
FORGOTTEN = 500  # dossiers, in one transaction
NOBODYS = "no dossier bears a phone just now; those of before are kept"
LATELY = timedelta(days=30)  # for which a dossier that has ended is still its owner's to list and to rate

log = logging.getLogger("smsgw.reminders")


@dataclass(frozen=True, slots=True)
class Shown:
    """A message that a rule queued or would queue, and the dossier, or agency, that it is about."""

    dossier: str
    message: NewMessage


class Runs:
    """Does what is due. `overlap`: how much of the changes is read again."""

    def __init__(
        self,
        database: Database,
        candidates: Candidates,
        rules: Mapping[str, Rule],
        finder: Finder,
        teller: Teller,
        *,
        zone: ZoneInfo,
        overlap: timedelta,
        bell: Bell,
        clock: Clock,
    ) -> None:
        self._database = database
        self._candidates = candidates
        self._rules = rules
        self._finder = finder
        self._teller = teller
        self._overlap = overlap
        self._bell = bell
        self._clock = clock
        self._stopping = threading.Event()
        crons = {
            CHANGES: Cron("* * * * *", zone),
            MISSED: Cron("10 6 * * *", zone),
            OWNERS: Cron("40 3 * * *", zone),
            **{name: rule.cron for name, rule in rules.items() if rule.cron is not None},
        }
        self.timetable = Timetable(database, crons, clock)

    def stop(self) -> None:
        """Let go after the page in hand: whoever is at work then raises Stopped."""
        self._stopping.set()

    def meet(self) -> None:
        """Write down rules and schedules that are not known yet."""
        now = self._clock()
        with self._database.writing("meet rules") as connection:
            reminders.meet(connection, [self._shipped(rule, now) for rule in self._rules.values()])
            # What is so at the first start is taken stock of at once, so that what happens next is told.
            self.timetable.meet(connection, at_once=(CHANGES, OWNERS))

    def tick(self) -> int:
        """Do what is due; how many messages were queued. Raises Stopped."""
        return sum(self.timetable.do(name, self._work_or_put_off) or 0 for name in self.timetable.due())

    def run(self, name: str) -> list[Shown]:
        """Let a rule that is on tell now what is due; what was queued.

        Raises OneStopUnavailable, and IntegrityError if it is at work just now.
        """
        rule, now, told = self._rules[name], self._clock(), list[Shown]()
        with self._database.writing("run") as connection:
            mine = schedules.begin(connection, name if name in self.timetable.crons else CHANGES, now, now)
            switches = Switches.read(connection)
        try:
            for page in self._finder.everywhere(rule, now, partial(_since_switched, switches, rule)):
                told += self._tell(mine, page)
        except OneStopUnavailable as error:
            self.timetable.end(mine, str(error))
            raise
        self.timetable.end(mine)
        return told

    def latest(self, limit: int, schedule: str | None = None) -> list[Run]:
        """The latest runs, newest first."""
        with self._database.reading() as connection:
            return schedules.latest(connection, limit, schedule)

    def busy(self, limit: int) -> list[Run]:
        """The latest ones that found something to do, went wrong or are not over, newest first."""
        with self._database.reading() as connection:
            return schedules.busy(connection, limit)

    def begun(self) -> bool:
        """Whether any node has ever had this work."""
        with self._database.reading() as connection:
            return bool(schedules.next_due(connection))

    def silence(self) -> dict[str, str]:
        """Schedules that do not get done, and why; empty if all is well, and before there are any."""
        return self.timetable.hanging(SILENT_AFTER)

    def _work_or_put_off(self, mine: Run, now: datetime) -> int:
        try:
            return self._work(mine, now)
        except OneStopUnavailable as error:
            log.warning("%s: the one-stop database can't be asked: %s", mine.schedule, error)
            with self._database.writing("run") as connection:
                schedules.put_off(connection, mine, self._clock() + AGAIN_IN, str(error))
            return 0

    def _work(self, mine: Run, now: datetime) -> int:
        name, changed = mine.schedule, [rule for rule in self._rules.values() if rule.kind == "changed"]
        problem, told = None, 0
        if name == CHANGES:
            told = self._tell_changes(mine, changed, now)
        elif name == MISSED:
            told = self._tell_all(mine, changed, now)
        elif name == OWNERS:
            problem = self._note_all(mine, now)
        elif self._rules[name].kind == "officials" and now - mine.due_at > self._rules[name].max_age:
            problem = "was due too long ago"
        else:
            told = self._tell_all(mine, [self._rules[name]], now)
        self.timetable.end(mine, problem)
        return told

    def _tell_all(self, mine: Run, rules: Sequence[Rule], now: datetime) -> int:
        """Tell whatever these rules find in all dossiers."""
        with self._database.reading() as connection:
            switches = Switches.read(connection)
        return sum(
            len(self._tell(mine, page))
            for rule in rules
            if switches.anywhere(rule.name)
            for page in self._finder.everywhere(rule, now, partial(switches.since, rule.name))
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
            told += len(self._tell(mine, self._finder.among(rules, page, switches, now)))
            self._note(mine, (Held(item.code, item.applicant_phone, item.updated_at) for item in page), self._clock())
        # What bears a time to come is read again until that has passed, since others may still be written before it.
        with self._working("run", mine) as connection:
            reminders.set_read_to(connection, onestop, min(newest, now))
        return told

    def _take_stock(self, mine: Run, rule: Rule, switches: Switches, now: datetime) -> None:
        """Write down what is so already, where a rule has been switched on, so that it is never told."""
        own = {item.agency for item in switches.of_rule(rule.name)}
        for switch in switches.of_rule(rule.name):
            if not switch.is_on or switch.stock_taken:
                continue
            for planned in self._finder.past(rule, switch, own, now):
                with self._working("take stock", mine) as connection:
                    reminders.add(connection, of_the_past(planned), mine.id, now)
            with self._database.writing("take stock") as connection:
                reminders.stock_is_taken(connection, switch)

    def _note_all(self, mine: Run, now: datetime) -> str | None:
        """Write down whose each dossier is, and forget those that are not there any more or ended long ago.

        The problem if there is none at all: a view that is just being filled says nothing of what is gone.
        """
        # One time for all of it, whenever the run was begun: the clock may be set back since, or meanwhile.
        if not sum(self._note(mine, page, now) for page in self._candidates.held(now - LATELY)):
            return NOBODYS
        last: str | None = ""
        while last is not None:
            with self._working("run", mine) as connection:
                last = owners.forget(connection, now, last, FORGOTTEN)
        return None

    def _note(self, mine: Run, page: Iterable[Held], now: datetime) -> int:
        """Write down whose these dossiers are; how many are anybody's."""
        found = [(item.code, phone, item.changed_at) for item in page if (phone := mobile(item.phone))]
        if found:
            with self._working("note owners", mine) as connection:
                owners.note(connection, found, now)
        return len(found)

    def _tell(self, mine: Run, planned: Sequence[Planned]) -> list[Shown]:
        """Write reminders down and queue those that are told, in one transaction; what was queued."""
        if not planned:
            with self._working("run", mine):  # for a long while there may be nobody to tell, and the lease runs on
                pass
            return []
        now = self._clock()
        with self._working("tell", mine) as connection:
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

    @contextmanager
    def _working(self, name: str, mine: Run) -> Iterator[sa.Connection]:
        """A transaction of a run. Raises LeaseLost and Stopped."""
        self._check_on()
        with self._database.writing(name) as connection:
            # First the lease, whose row another node would wait for: then nobody else writes the same.
            schedules.work(connection, mine, self._clock())
            yield connection

    def _check_on(self) -> None:
        """Raises Stopped once nobody is to go on."""
        if self._stopping.is_set():
            raise Stopped

    def _shipped(self, rule: Rule, now: datetime) -> Switch:
        return Switch(rule.name, EVERYWHERE, rule.is_on, now, SHIPPED, rule.kind != "changed" or not rule.is_on)


def _since_switched(switches: Switches, rule: Rule, agency: str) -> datetime | None:
    """Since when a rule is on, also before it is known what was so already: a person lets it tell of that."""
    switch = switches.of(rule.name, agency)
    return switch.changed_at if switch is not None and switch.is_on else None
