"""The reminders as officials have them: the rules, where they are on, and what each would tell now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from smsgw.clock import Clock
from smsgw.officials import audit
from smsgw.reminders.finding import Finder
from smsgw.reminders.rules import Rule
from smsgw.reminders.running import CHANGES, SHIPPED, Runs, Shown
from smsgw.reminders.switches import Switches
from smsgw.reminders.telling import Teller
from smsgw.store import reminders, schedules
from smsgw.store.database import Database
from smsgw.store.reminders import EVERYWHERE, Switch


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule as it stands. `on`: where agencies did not decide otherwise, which is what `agencies` tells.

    `turned`: the switches that somebody turned, by agency or EVERYWHERE.
    """

    rule: str
    on: bool
    agencies: Mapping[str, bool]
    turned: Mapping[str, Switch]
    when: str
    law: str
    next: datetime
    last: datetime | None

    def told_to(self, agency: str) -> bool:
        """Whether anybody is told by it: of the dossiers of an agency, or of any (EVERYWHERE)."""
        if agency == EVERYWHERE:
            return self.on or any(self.agencies.values())
        return self.agencies.get(agency, self.on)


class Reminders:
    """Tells people of their dossiers, by rules. `runs` does it."""

    def __init__(
        self,
        database: Database,
        rules: Mapping[str, Rule],
        finder: Finder,
        teller: Teller,
        runs: Runs,
        clock: Clock,
    ) -> None:
        self.rules = rules
        self.runs = runs
        self._database = database
        self._finder = finder
        self._teller = teller
        self._clock = clock

    def preview(self, name: str, agency: str | None = None) -> list[Shown]:
        """What a rule would queue now, on or off, of one agency or all. Raises OneStopUnavailable."""
        rule, now = self.rules[name], self._clock()
        shown: list[Shown] = []
        with self._database.reading() as connection:
            switches = Switches.read(connection)

        def since(of: str) -> datetime | None:
            switch = switches.of(rule.name, of)
            return switch.changed_at if switch is not None and switch.is_on else now - rule.max_age

        for page in self._finder.everywhere(rule, now, since, agency):
            with self._database.reading() as connection:
                new = [item for item in self._teller.new(connection, page) if item.row.outcome == "told"]
                messages = self._teller.messages(connection, new, now)
            shown += [Shown(item.row.dossier, message) for item, message in zip(new, messages, strict=True)]
        return shown

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
        schedule = rule.name if rule.name in self.runs.timetable.crons else CHANGES
        everywhere, every = switches.of(rule.name, EVERYWHERE), switches.of_rule(rule.name)
        return RuleState(
            rule=rule.name,
            on=everywhere.is_on if everywhere else rule.is_on,
            agencies={item.agency: item.is_on for item in every if item.agency != EVERYWHERE},
            turned={item.agency: item for item in every if item.changed_by != SHIPPED},
            when=", ".join(map(str, filter(None, (rule.notation, rule.offset)))) or "on change",
            law=rule.law,
            next=next_due.get(schedule) or self.runs.timetable.crons[schedule].after(now),
            last=last.get(schedule),
        )

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
