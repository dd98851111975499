"""Rules as data: what a file may change, what is refused, and when a rule with a date is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.dossiers.calendar import is_working_day, working_days
from smsgw.dossiers.candidates import Candidates
from smsgw.dossiers.conditions import Conditions
from smsgw.dossiers.dossier import Status
from smsgw.reminders.rules import RulesError, load
from smsgw.reminders.timing import Offset
from smsgw.schedules.cron import Cron
from tests.world import NOON, World

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
days = st.dates(date(2018, 1, 1), date(2026, 12, 1))
offsets = st.builds(Offset, st.just("due_at"), st.integers(0, 40), working=st.booleans(), before=st.booleans())


def loaded(folder: Path, text: str) -> str:
    """What is said of a file of rules; empty: nothing is wrong with it."""
    file = folder / "rules.toml"
    file.write_text(text, encoding="utf-8")
    try:
        load(file, HERE)
    except RulesError as error:
        return str(error)
    return ""


def test_a_file_changes_the_keys_it_names_and_adds_rules(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[overdue]\ncron = "0 9 * * *"\n', encoding="utf-8")
    shipped, mine = load(None, HERE), load(file, HERE)
    assert mine["overdue"].notation == "0 9 * * *"
    assert replace(mine["overdue"], notation="", cron=None) == replace(shipped["overdue"], notation="", cron=None)
    assert mine.keys() == shipped.keys()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[overdue]\ncron = "soon"', "overdue.cron: expected minute, hour"),
        ('[overdue]\ncron = "0 8 30 2 *"', "and day of week, of a time that comes"),
        ("[overdue]\nstatus = [11]", "overdue.status: 11 is no status"),
        ('[overdue]\nwhere = { colour = "set" }', "colour is no column"),
        ('[overdue]\noccasion = ["colour"]', "overdue.occasion: colour is no column"),
        ('[due_tomorrow]\nbefore = { date = "due_at" }', "due_tomorrow.before: expected days or working_days"),
        ("[changes]\non = true", "changes: is a name that the gateway uses itself"),
        ('["a/b"]\non = true', "a/b: can't be a rule's name"),
        ('[overdue]\nwhere = { agency_code = "past" }', "overdue.where.agency_code: is no time"),
        (
            '[ready_counter]\nwhere = { delivery = "boat" }',
            "where.delivery: can't be boat; expected one of: counter, post",
        ),
        ('[overdue]\nwhere = { service_level = "4" }', "where.service_level: can't be 4; expected one of: set, unset"),
        ('[overdue]\nwhere = { due_at = "2018-08-02" }', "where.due_at: can't be 2018-08-02; expected one of: set"),
        ('[overdue]\nvi = "Xin lỗi."', "{code} must be in it"),
        ('[overdue]\nvi = "{code} {name}"', "{name} can't be filled in"),
        ("[overdue]\nshout = true", "overdue.shout"),
        ("[received]\nmax_age_days = 0", "received.max_age_days: expected greater than or equal to 1"),
        ("[received]\nstatus = 2", "received.status: expected a valid list"),
        ('[received]\ncron = "0 8 * * *"', "received.cron: expected in [digest]"),
        ("received = 1", "received: expected a table"),
        ("[received", "is no TOML"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_rule_and_key(tmp_path: Path, text: str, said: str) -> None:
    assert said in loaded(tmp_path, text)


def test_a_file_of_rules_in_another_encoding_is_to_be_saved_anew(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("[overdue]\non = true\n", encoding="utf-16")
    with pytest.raises(RulesError, match=r"rules.toml: expected UTF-8; save it as that$"):
        load(file, HERE)


@given(days, offsets)
def test_a_rule_falls_on_working_days_and_its_span_holds_every_date_for_them(anchor: date, offset: Offset) -> None:
    day = offset.day(anchor)
    assert is_working_day(day)
    assert day <= anchor if offset.before else day >= anchor
    span = offset.span(day, day, HERE)
    moment = datetime(anchor.year, anchor.month, anchor.day, 16, 30, tzinfo=HERE)
    assert span.first <= moment <= span.last


@given(days, st.integers(0, 20))
def test_working_days_before_are_counted_without_days_off(anchor: date, count: int) -> None:
    day = Offset("due_at", count, working=True, before=True).day(anchor)
    between = [one for one in working_days(day, anchor) if one not in (day, anchor)]
    assert len(between) == max(0, count - 1) if is_working_day(anchor) else len(between) == count


@given(st.sampled_from(("*/30 * * * *", "30 7 * * *", "0 8 * * 1-5")), st.integers(0, 4_000_000), st.integers(0, 10**6))
def test_the_latest_time_is_the_last_one_up_to_now(notation: str, minutes: int, later: int) -> None:
    cron = Cron(notation, HERE)
    first = cron.at_or_after(NOON + timedelta(minutes=minutes))
    now = first + timedelta(seconds=later)
    assert cron.latest(first, now) <= now < cron.after(cron.latest(first, now))


@pytest.mark.parametrize(
    ("days", "named"),
    [("1-5", "mon-fri"), ("0", "sun"), ("7", "sun"), ("0-4,6", "sun,mon-thu,sat"), ("sun-tue", "sun,mon,tue")],
)
def test_days_of_the_week_have_the_numbers_that_cron_gives_them(days: str, named: str) -> None:
    numbered, spelled = Cron(f"30 7 * * {days}", HERE), Cron(f"30 7 * * {named}", HERE)
    for day in range(7):
        assert numbered.after(NOON + timedelta(days=day)) == spelled.after(NOON + timedelta(days=day))


def test_the_database_finds_what_the_conditions_say(here: World) -> None:
    candidates = Candidates(f"sqlite:///{here.folder}/onestop.db")
    everything = Conditions(frozenset(Status))
    dossiers = [dossier for page in candidates.among(everything, NOON) for dossier in page]
    assert len(dossiers) == 60
    for rule in load(None, HERE).values():
        for now in (NOON, NOON + timedelta(days=3)):
            found = [dossier.code for page in candidates.among(rule.conditions, now) for dossier in page]
            assert found == [dossier.code for dossier in dossiers if rule.conditions.hold(dossier, now)]
    candidates.close()
