"""Reminders with a date: so many days before or after it, once for each date, and not when they are too old."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from smsgw.reminders.rules import load
from tests.agency import Agency
from tests.test_reminder_rules import HERE
from tests.test_reminders import IN_PROGRESS, at, begun, minutes, told, turn_all_on, until
from tests.world import World, world


@pytest.fixture
def agency(anywhere: World) -> Agency:
    return begun(anywhere)


SHIPPED = {
    "received": True,
    "supplement": True,
    "supplement_ending": True,
    "fee": True,
    "ready_counter": True,
    "ready_post": True,
    "ready_online": True,
    "uncollected_7": False,
    "uncollected_30": False,
    "due_tomorrow": False,
    "postponed": True,
    "overdue": True,
    "overdue_again": True,
    "not_accepted": True,
    "stopped": True,
    "digest": True,
}


def test_every_shipped_rule_is_there_and_what_a_decree_asks_for_is_on() -> None:
    rules = load(None, HERE)
    assert {name: rule.is_on for name, rule in rules.items()} == SHIPPED
    assert all(rule.is_on for rule in rules.values() if rule.law)
    apologies = ("postponed", "overdue", "overdue_again")
    assert all(rules[name].law and "{reason}" in rules[name].texts["vi"] for name in apologies)


def test_a_date_is_reminded_of_so_many_working_days_before_and_after(anywhere: World, agency: Agency) -> None:
    turn_all_on(anywhere)
    ending, tomorrow, late, lying = agency.codes(IN_PROGRESS, 4)
    # 15 August 2018 is a Wednesday.
    agency.change(ending, anywhere.clock(), status=5, supplement_note="Ban ve", supplement_due_at=at(21, 17))
    agency.change(tomorrow, anywhere.clock(), due_at=at(20, 16, 30))
    agency.change(late, anywhere.clock(), due_at=at(16, 16, 30))
    agency.finish(lying, at(10, 9))
    minutes(anywhere, 2)
    assert said_on(anywhere, agency, {15, 16, 17, 18, 19, 20}, (ending, tomorrow, late, lying)) == {
        (15, ending, "can bo sung"),
        (17, ending, "sap het han bo sung: ngay 21/08/2018"),
        (17, tomorrow, "hen tra ket qua ngay 20/08/2018"),
        (16, late, "tre hen ngay 16/08/2018"),
        (16, lying, "da co ket qua. Moi"),
        (17, lying, "da co tu 10/08/2018"),
        (20, tomorrow, "tre hen ngay 20/08/2018"),
    }


def said_on(made: World, agency: Agency, days: set[int], codes: tuple[str, ...]) -> set[tuple[int, str, str]]:
    """Let days go by, hour by hour; what was said of each dossier on which of them, by some known words."""
    known: tuple[str, ...] = (
        "can bo sung",
        "sap het han bo sung: ngay 21/08/2018",
        "hen tra ket qua ngay 20/08/2018",
        "tre hen ngay 20/08/2018",
    )
    known += ("tre hen ngay 16/08/2018", "da co ket qua. Moi", "da co tu 10/08/2018")
    seen: dict[str, int] = {}
    found = set()
    for day in sorted(days):
        for hour in (8, 9, 17, 20):
            if at(day, hour) >= made.clock():
                until(made, at(day, hour))
            for code in codes:
                texts = told(made, agency, code)
                new, seen[code] = texts[seen.get(code, 0) :], len(texts)
                found |= {(day, code, next((words for words in known if words in text), text)) for text in new}
    return found


def test_what_is_not_collected_after_thirty_days_is_told_once_more(here: World) -> None:
    agency = begun(here)
    turn_all_on(here)
    (code,) = agency.codes(IN_PROGRESS)
    agency.change(code, here.clock(), status=9, finished_at=at(-14, 9), delivery="counter")  # 17 July, a Tuesday
    minutes(here, 2)
    until(here, at(16, 8, 30))
    (text,) = [text for text in told(here, agency, code) if "van chua co nguoi nhan" in text]
    assert "da co tu 17/07/2018" in text
    agency.change(code, here.clock(), status=10, returned_at=here.clock())
    before = len(told(here, agency, code))
    until(here, at(17, 8, 30))
    assert len(told(here, agency, code)) == before


def test_an_apology_names_reason_and_new_date_and_is_told_again_when_that_passes_too(
    anywhere: World, agency: Agency
) -> None:
    (code,) = agency.codes(IN_PROGRESS)
    reason = "Chờ xác minh nguồn gốc đất của cơ quan phối hợp"
    agency.change(code, anywhere.clock(), due_at=at(16, 16, 30), delay_reason=reason, agency_code="H01.29.09")
    minutes(anywhere, 1)
    for day in range(16, 24):
        if day == 17:
            agency.change(code, at(17, 9), new_due_at=at(20, 16, 30))
        until(anywhere, at(day, 9))
        until(anywhere, at(day, 17))
    late, postponed, again = told(anywhere, agency, code)
    plain = "Cho xac minh nguon goc dat cua co quan phoi hop"
    start = "UBND xa Hoa Binh Thanh, huyen Chau Thanh xin loi quy ong/ba"
    assert late == f"{start} vi ho so {code} tre hen ngay 16/08/2018 (ly do: {plain}) va se bao ngay hen moi."
    assert (
        postponed == f"{start}: ho so {code} khong kip hen ngay 16/08/2018 (ly do: {plain}), hen lai ngay 20/08/2018."
    )
    assert again == (
        f"{start}: ho so {code} chua xong nhu da hen lai ngay 20/08/2018 (ly do: {plain}), se bao ngay hen moi."
    )


@pytest.mark.parametrize(("days", "count"), [(4, 1), (6, 0)])
def test_what_fell_due_while_nothing_ran_is_caught_up_with_unless_it_is_too_old(
    anywhere: World, agency: Agency, days: int, count: int
) -> None:
    (code,) = agency.codes(IN_PROGRESS)
    agency.change(code, anywhere.clock(), due_at=at(16, 16, 30))
    minutes(anywhere, 1)
    until(anywhere, at(16, 17) + timedelta(days=days))  # overdue may be 5 days old
    minutes(anywhere, 2)
    assert len(told(anywhere, agency, code)) == count


@pytest.mark.parametrize(("moment", "count"), [(at(17, 10), 1), (at(18, 9), 0)])
def test_a_digest_that_nobody_sent_in_the_morning_is_sent_later_that_day_and_not_the_next(
    tmp_path: Path, moment: datetime, count: int
) -> None:
    with world(tmp_path, more='[reminders.digest]\n"H01.21.01" = ["0912345678"]\n') as made:
        agency = begun(made)
        (late,) = agency.codes(IN_PROGRESS)
        agency.change(late, at(14, 9), due_at=at(10, 16, 30), agency_code="H01.21.01")
        made.clock.now = moment  # the last one was due on Friday, the 17th
        made.gateway.reminders.runs.tick()
        made.settle(3)
        assert len(made.heard("84912345678")) == count


def test_a_digest_counts_also_what_bears_another_name_of_the_agency_or_none(tmp_path: Path) -> None:
    with world(tmp_path, more='[reminders.digest]\n"H01.21.01" = ["0912345678"]\n') as made:
        agency = begun(made)
        for code in agency.codes("agency_code = 'H01.21.01'", 60):
            agency.change(code, at(14, 9), status=10)
        before, after, nameless = agency.codes(IN_PROGRESS, 3)
        for code in (before, after, nameless):
            agency.change(code, at(14, 9), due_at=at(10, 16, 30), agency_code="H01.21.01")
        agency.named(before, "Phong cu")
        agency.named(nameless, None)
        until(made, at(16, 7, 30))
        (bubble,) = made.heard("84912345678")
        assert "dang tre hen 3." in bubble.text
        for code in (before, after):
            agency.change(code, at(16, 9), status=10)
        until(made, at(17, 7, 30))
        assert made.heard("84912345678")[-1].text.startswith("H01.21.01: hom nay")
