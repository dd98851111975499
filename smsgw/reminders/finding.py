"""Finding what is due: which dossiers give occasion to which reminders, page by page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from smsgw.clock import midnight
from smsgw.dossiers.candidates import Candidates
from smsgw.dossiers.dossier import Dossier
from smsgw.reminders.deciding import due
from smsgw.reminders.rules import Rule
from smsgw.reminders.switches import Switches
from smsgw.reminders.telling import Planned, Teller
from smsgw.store import followers
from smsgw.store.database import Database
from smsgw.store.followers import Followers
from smsgw.store.reminders import EVERYWHERE, Switch

Since = Callable[[str], datetime | None]  # since when a rule tells an agency's citizens; None: it does not


class Finder:
    """Looks through the one-stop database. Every call raises OneStopUnavailable if it can't be asked.

    `zone`: the province's; `officials`: their phones by agency.
    """

    def __init__(
        self,
        database: Database,
        candidates: Candidates,
        teller: Teller,
        zone: ZoneInfo,
        officials: Mapping[str, Sequence[str]],
    ) -> None:
        self._database = database
        self._candidates = candidates
        self._teller = teller
        self._zone = zone
        self._officials = officials

    def everywhere(self, rule: Rule, now: datetime, since: Since, agency: str | None = None) -> Iterator[list[Planned]]:
        """What a rule finds due in all dossiers, or in those of one agency."""
        if rule.kind == "officials":
            yield [item for item in self._for_officials(rule, now) if agency in (None, item.row.dossier)]
            return
        span = None
        if rule.offset is not None:
            first, last = (now - rule.max_age).astimezone(self._zone).date(), now.astimezone(self._zone).date()
            span = rule.offset.span(first, last, self._zone)
        for page in self._candidates.among(rule.conditions, now, span, None if agency is None else [agency]):
            found = self._due(rule, page, now, since)
            yield self._teller.people(rule, found, self._following(found), now)

    def among(self, rules: Sequence[Rule], page: Sequence[Dossier], switches: Switches, now: datetime) -> list[Planned]:
        """What these rules find due in these dossiers."""
        following = self._following(page)
        return [
            item
            for rule in rules
            for item in self._teller.people(
                rule, self._due(rule, page, now, partial(switches.since, rule.name)), following, now
            )
        ]

    def past(self, rule: Rule, switch: Switch, own: Collection[str], now: datetime) -> Iterator[list[Planned]]:
        """What was so already where a rule is switched on. `own`: the agencies that have a switch of their own."""
        only = None if switch.agency == EVERYWHERE else [switch.agency]
        for page in self._candidates.among(rule.past, now, agencies=only):
            past = [item for item in page if switch.agency != EVERYWHERE or item.agency_code not in own]
            yield self._teller.people(rule, past, self._following(past), now)

    def _due(self, rule: Rule, page: Sequence[Dossier], now: datetime, since: Since) -> list[Dossier]:
        found = []
        for dossier in page:
            from_then_on = since(dossier.agency_code)
            if from_then_on is not None and due(rule, dossier, now, from_then_on, self._zone):
                found.append(dossier)
        return found

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
