"""The reminders put together: rules, wording, runs, and the last look at what is about to go out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from smsgw.answers.wording import Wording
from smsgw.clock import Clock
from smsgw.dispatch.channel import Roads
from smsgw.dispatch.hours import Hours
from smsgw.dossiers.candidates import Candidates
from smsgw.dossiers.source import OneStop
from smsgw.reminders.deciding import Texts
from smsgw.reminders.finding import Finder
from smsgw.reminders.reminders import Reminders
from smsgw.reminders.rules import load
from smsgw.reminders.running import Runs
from smsgw.reminders.telling import Teller
from smsgw.reminders.vetting import ReminderVet
from smsgw.store.database import Database
from smsgw.store.wakes import Bell


@dataclass(frozen=True, slots=True)
class Plan:
    """What the settings say of reminders. `overlap`: how much of the changes is read again."""

    rules: Path | None
    timezone: str
    hotline: str
    hours: Hours
    overlap: timedelta
    most_a_day: int
    digest: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Office:
    """Everything that reminders are made of."""

    reminders: Reminders
    texts: Texts
    finder: Finder
    vet: ReminderVet
    candidates: Candidates


def open_office(
    plan: Plan, wording: Wording, database: Database, onestop: OneStop, url: str, roads: Roads, bell: Bell, clock: Clock
) -> Office:
    """Put the reminders together over a one-stop database's `url`. Raises RulesError."""
    zone = ZoneInfo(plan.timezone)
    rules = load(plan.rules, zone)
    texts = Texts(rules, wording, timezone=plan.timezone, hotline=plan.hotline)
    candidates = Candidates(url)
    teller = Teller(texts, roads, plan.hours)
    finder = Finder(database, candidates, teller, zone, plan.digest)
    vet = ReminderVet(
        database,
        onestop,
        rules,
        texts,
        zone=zone,
        opening=plan.hours.next_allowed,
        most_a_day=plan.most_a_day,
        clock=clock,
    )
    runs = Runs(database, candidates, rules, finder, teller, zone=zone, overlap=plan.overlap, bell=bell, clock=clock)
    return Office(Reminders(database, rules, finder, teller, runs, clock), texts, finder, vet, candidates)
