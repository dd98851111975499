"""Reminders: told once, to whom they are for, caught up after a silence, and never at night."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from smsgw.store import opt_outs, voices
from smsgw.store.opt_outs import OptOut
from smsgw.store.reminders import EVERYWHERE
from smsgw.store.tables import outbound
from smsgw.text.phones import msisdn
from tests.agency import Agency
from tests.world import NOON, World, world

IN_PROGRESS = "status = 4 AND step_name = 'in hand'"


@pytest.fixture
def agency(anywhere: World) -> Agency:
    """Whoever works on the dossiers of a world in which the reminders have been on for a minute."""
    return begun(anywhere)


def begun(made: World) -> Agency:
    agency = Agency(made.folder)
    for code in agency.codes("status = 10", 8):
        nothing = dict.fromkeys(("finished_at", "returned_at", "post_tracking", "fee_due", "fee_paid_at"))
        agency.change(code, at(14, 9), status=4, step_name="in hand", due_at=at(31, 16, 30), **nothing)
    made.gateway.reminders.runs.meet()
    minutes(made, 1)
    return agency


def minutes(made: World, count: int) -> None:
    """Let so many minutes pass, with what happens in them."""
    for _ in range(count):
        made.clock.forward(seconds=60)
        made.gateway.reminders.runs.tick()
        made.settle(3)


def until(made: World, moment: datetime) -> None:
    """Let the time come, without anything happening before."""
    made.clock.now = moment
    minutes(made, 1)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A time of August 2018 as people there have it."""
    return datetime(2018, 8, 1, hour, minute, tzinfo=UTC) + timedelta(days=day - 1, hours=-7)


def owner(agency: Agency, code: str) -> str:
    phone = msisdn(agency.get(code, "applicant_phone"))
    assert phone
    return phone


def told(made: World, agency: Agency, code: str) -> list[str]:
    """What the applicant of a dossier got."""
    return [bubble.text for bubble in made.heard(owner(agency, code))]


def sent(made: World) -> int:
    with made.gateway.database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(outbound)) or 0


def test_a_first_start_tells_nothing_of_the_past(anywhere: World, agency: Agency) -> None:
    minutes(anywhere, 3)
    until(anywhere, at(16, 6, 30))
    assert sent(anywhere) == 0


def test_who_applied_hears_once_that_the_result_is_ready(anywhere: World, agency: Agency) -> None:
    (code,) = agency.codes(IN_PROGRESS)
    agency.finish(code, anywhere.clock())
    minutes(anywhere, 3)
    assert len(told(anywhere, agency, code)) == 1
    assert f"Ho so {code} da co ket qua. Moi den nhan tai" in told(anywhere, agency, code)[0]
    agency.change(code, anywhere.clock(), step_name="Tra ket qua")
    minutes(anywhere, 2)
    assert sent(anywhere) == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"status": 2, "received_at": NOON}, "tiep nhan"),
        (
            {"status": 5, "supplement_note": "Ban ve", "supplement_due_at": at(22, 17)},
            "can bo sung giay to, han 22/08/2018: Ban ve.",
        ),
        ({"status": 6, "fee_due": 70_000, "fee_paid_at": None}, "can nop phi, le phi 70.000 dong"),
        ({"status": 9, "finished_at": NOON, "delivery": "post", "post_tracking": "EK1VN"}, "ma buu gui EK1VN"),
        ({"status": 9, "finished_at": NOON, "delivery": "online"}, "cong dich vu cong"),
        (
            {"due_at": at(28, 16), "new_due_at": at(30, 16), "delay_reason": "Cho xac minh"},
            "khong kip hen ngay 28/08/2018 (ly do: Cho xac minh), hen lai ngay 30/08/2018",
        ),
        ({"status": 3}, "khong duoc tiep nhan"),
        ({"status": 8}, "da ngung giai quyet"),
    ],
)
def test_each_change_is_told_in_one_message(here: World, values: dict[str, object], said: str) -> None:
    agency = begun(here)
    (code,) = agency.codes("status = 1" if values.get("status") == 2 else IN_PROGRESS)
    agency.change(code, here.clock(), **values)
    minutes(here, 1)
    (text,) = told(here, agency, code)
    assert said in text
    assert text.isascii()
    assert len(text) <= 160


def test_who_answers_a_reminder_without_a_code_speaks_of_its_dossier(anywhere: World, agency: Agency) -> None:
    code, other = agency.codes(IN_PROGRESS, 2)
    anywhere.text(owner(agency, code), other)
    agency.change(code, anywhere.clock(), status=8)
    minutes(anywhere, 2)
    assert len(told(anywhere, agency, code)) == 2
    anywhere.text(owner(agency, code), "PA sao vậy")
    with anywhere.gateway.database.reading() as connection:
        (voice,) = voices.page(connection, "new")
    assert voice.code == code


def test_a_tracking_number_that_comes_later_is_told_too(here: World) -> None:
    agency = begun(here)
    (code,) = agency.codes(IN_PROGRESS)
    agency.finish(code, here.clock(), delivery="post", post_tracking=None)
    minutes(here, 1)
    agency.change(code, here.clock(), post_tracking="EK123456789VN")
    minutes(here, 2)
    first, second = told(here, agency, code)
    assert "ma buu gui" not in first
    assert "ma buu gui EK123456789VN" in second


def test_a_change_that_is_committed_late_or_by_another_clock_is_not_missed(anywhere: World, agency: Agency) -> None:
    same, late, ahead = agency.codes(IN_PROGRESS, 3)
    agency.finish(same, anywhere.clock())
    minutes(anywhere, 2)
    agency.finish(late, anywhere.clock() - timedelta(minutes=10))
    agency.finish(ahead, anywhere.clock() + timedelta(hours=2))
    minutes(anywhere, 1)
    assert [len(told(anywhere, agency, code)) for code in (same, late, ahead)] == [1, 1, 1]
    # What is written by a clock that is far ahead must not hide what comes after it.
    anywhere.clock.forward(minutes=20)
    minutes(anywhere, 1)
    (next_one,) = agency.codes(IN_PROGRESS)
    agency.finish(next_one, anywhere.clock())
    minutes(anywhere, 2)
    assert len(told(anywhere, agency, next_one)) == 1
    assert sent(anywhere) == 4


def test_a_change_of_the_same_moment_as_one_that_was_read_is_not_missed(anywhere: World, agency: Agency) -> None:
    first, second = agency.codes(IN_PROGRESS, 2)
    moment = anywhere.clock()
    for code in (first, second):
        agency.finish(code, moment)
        minutes(anywhere, 2)
    assert [len(told(anywhere, agency, code)) for code in (first, second)] == [1, 1]
    assert sent(anywhere) == 2


def test_each_run_is_written_down_with_its_start_its_end_and_what_it_did(anywhere: World, agency: Agency) -> None:
    told_of, refused = agency.codes(IN_PROGRESS, 2)
    refuse(anywhere, owner(agency, refused))
    for code in (told_of, refused):
        agency.finish(code, anywhere.clock())
    before = anywhere.clock()
    minutes(anywhere, 1)
    (run,) = anywhere.gateway.reminders.runs.busy(5)
    assert (run.schedule, run.told, run.withheld, run.problem) == ("changes", 1, 1, None)
    assert before < run.due_at <= run.started_at <= (run.ended_at or before)
    agency.go_away()
    minutes(anywhere, 1)
    (failed, _) = anywhere.gateway.reminders.runs.busy(5)
    assert failed.ended_at is None
    assert "can't be" in str(failed.problem) or "refuses" in str(failed.problem)
    agency.come_back()


def test_a_change_outside_of_the_overlap_is_found_by_the_next_morning(here: World) -> None:
    agency = begun(here)
    (code,) = agency.codes(IN_PROGRESS)
    minutes(here, 1)
    agency.finish(code, here.clock() - timedelta(hours=5))
    minutes(here, 2)
    assert told(here, agency, code) == []
    until(here, at(16, 7, 10))
    assert len(told(here, agency, code)) == 1


def test_nobody_is_woken_at_night(here: World) -> None:
    agency = begun(here)
    codes = agency.codes(IN_PROGRESS, 3)
    for number, code in enumerate(codes):
        here.clock.now = at(15, 20 + number, 55)
        agency.finish(code, here.clock())
        minutes(here, 2)
    assert [len(told(here, agency, code)) for code in codes] == [1, 0, 0]
    until(here, at(16, 7))
    assert [len(told(here, agency, code)) for code in codes] == [1, 1, 1]


def test_what_changes_in_the_holidays_of_tet_is_told_when_they_are_over(here: World) -> None:
    agency = begun(here)
    (code,) = agency.codes(IN_PROGRESS, 1)
    here.clock.now = datetime(2019, 2, 2, 3, tzinfo=UTC)
    until_then = datetime(2019, 2, 20, 9, tzinfo=UTC)
    agency.change(code, here.clock(), status=5, supplement_note="ban sao so ho khau", supplement_due_at=until_then)
    minutes(here, 2)
    assert told(here, agency, code) == []
    for day in range(3, 12):
        until(here, datetime(2019, 2, day, tzinfo=UTC))  # 7:00 there
    assert [text for text in told(here, agency, code) if "ban sao so ho khau" in text]


@pytest.mark.parametrize("turned", [False, True])
def test_after_a_restore_nobody_is_told_again_if_the_rules_are_turned_off_and_on(here: World, turned: bool) -> None:
    agency = begun(here)
    (code,) = agency.codes(IN_PROGRESS, 1)
    file = str(here.gateway.database.file)
    with closing(sqlite3.connect(":memory:")) as backup:
        with closing(sqlite3.connect(file)) as live:
            live.backup(backup)
        agency.finish(code, here.clock())
        minutes(here, 2)
        assert len(told(here, agency, code)) == 1
        with closing(sqlite3.connect(file)) as live:
            backup.backup(live)
    for is_on in (False, True) if turned else ():
        for rule in here.gateway.reminders.rules:
            here.gateway.reminders.turn(rule, EVERYWHERE, is_on, "cli:root")
    minutes(here, 3)
    assert len(told(here, agency, code)) == (1 if turned else 2)
    agency.change(code, here.clock(), status=10, returned_at=here.clock())
    (other,) = agency.codes(IN_PROGRESS, 1)
    agency.finish(other, here.clock())
    minutes(here, 2)
    assert len(told(here, agency, other)) == 1  # what happens from then on is told


def test_a_person_gets_three_a_day_and_the_most_urgent_first(anywhere: World, agency: Agency) -> None:
    codes = agency.codes(IN_PROGRESS, 5)
    phone = agency.get(codes[0], "applicant_phone")
    until(anywhere, at(15, 22))
    for code in codes[:4]:
        agency.finish(code, anywhere.clock(), applicant_phone=phone)
    agency.change(codes[4], anywhere.clock(), applicant_phone=phone, due_at=at(28, 16), new_due_at=at(30, 16))
    minutes(anywhere, 2)
    until(anywhere, at(16, 7))
    first_day = told(anywhere, agency, codes[0])
    assert len(first_day) == 3
    assert "hen lai ngay 30/08/2018" in first_day[0]
    until(anywhere, at(17, 7))
    assert len(told(anywhere, agency, codes[0])) == 5


def test_who_wants_to_hear_no_more_of_the_own_dossier_does_not(here: World) -> None:
    agency = begun(here)
    (code,) = agency.codes(IN_PROGRESS)
    here.text(owner(agency, code), f"HUY {code}")
    before = told(here, agency, code)
    agency.finish(code, here.clock())
    minutes(here, 2)
    assert told(here, agency, code) == before


def refuse(made: World, phone: str) -> None:
    with made.gateway.database.writing("test") as connection:
        opt_outs.add(connection, [OptOut(phone, "reminder", made.clock(), "sms")])


def test_what_came_up_while_the_one_stop_database_was_away_is_told_when_it_is_back(
    anywhere: World, agency: Agency
) -> None:
    code, other = agency.codes(IN_PROGRESS, 2)
    agency.finish(code, anywhere.clock())
    agency.finish(other, anywhere.clock() - timedelta(days=9), updated_at=anywhere.clock() - timedelta(days=9))
    agency.go_away()
    minutes(anywhere, 1)
    anywhere.clock.forward(minutes=20)
    minutes(anywhere, 1)
    assert anywhere.client.get("/readyz/reminders").status_code == 503
    assert "no such table" not in anywhere.client.get("/readyz").text
    anywhere.clock.forward(hours=20)
    agency.come_back()
    minutes(anywhere, 2)
    assert len(told(anywhere, agency, code)) == 1
    assert anywhere.client.get("/readyz/reminders").status_code == 200
    until(anywhere, at(17, 6, 30))
    assert told(anywhere, agency, other) == []  # it is older than the rule lets it be


def test_a_dossier_that_was_changed_in_the_year_9999_keeps_nobody_else_waiting(anywhere: World, agency: Agency) -> None:
    never, code = agency.codes(IN_PROGRESS, 2)
    agency.finish(never, anywhere.clock(), updated_at="9999-12-31 23:59:59")
    agency.finish(code, anywhere.clock())
    minutes(anywhere, 1)
    assert len(told(anywhere, agency, code)) == 1


def test_a_rule_is_on_where_agencies_want_it(here: World) -> None:
    agency = begun(here)
    first, second = agency.codes(IN_PROGRESS, 2)
    agency.change(first, at(14, 9), agency_code="H01.01")
    agency.change(second, at(14, 9), agency_code="H01.02")
    here.gateway.reminders.turn("ready_counter", "H01.02", False, "test")
    for code in (first, second):
        agency.finish(code, here.clock())
    minutes(here, 1)
    assert [len(told(here, agency, code)) for code in (first, second)] == [1, 0]
    # When the agency joins, what was ready before is not told, and what comes after is.
    here.gateway.reminders.turn("ready_counter", "H01.02", True, "test")
    minutes(here, 2)
    (third,) = agency.codes(IN_PROGRESS)
    agency.change(third, here.clock(), agency_code="H01.02")
    agency.finish(third, here.clock())
    minutes(here, 1)
    assert [len(told(here, agency, code)) for code in (second, third)] == [0, 1]


def test_officials_hear_each_morning_what_is_due_and_what_is_late(tmp_path: Path) -> None:
    with world(tmp_path, more='[reminders.digest]\n"H01.21.01" = ["0912345678"]\n') as made:
        agency = begun(made)
        for code in agency.codes("agency_code = 'H01.21.01'", 60):
            agency.change(code, at(14, 9), status=10)
        due, late, other = agency.codes(IN_PROGRESS, 3)
        for code, day, office in ((due, 16, "H01.21.01"), (late, 10, "H01.21.01"), (other, 10, "H01.21.02")):
            agency.change(code, at(14, 9), due_at=at(day, 16, 30), agency_code=office)
        until(made, at(16, 7, 30))
        minutes(made, 2)
        (bubble,) = made.heard("84912345678")
        assert "hom nay den hen 1 ho so, dang tre hen 1." in bubble.text
        assert f"Tre lau nhat: {late}" in bubble.text


def turn_all_on(made: World) -> None:
    for name in made.gateway.reminders.rules:
        made.gateway.reminders.turn(name, "", True, "test")


def test_who_follows_a_dossier_is_told_of_it_without_what_is_the_owners(anywhere: World, agency: Agency) -> None:
    (code,) = agency.codes(IN_PROGRESS)
    follower = "84900000007"
    anywhere.text(follower, f"DK {code}")
    before = len(anywhere.heard(follower))
    note = "ban sao so ho khau"
    agency.change(code, anywhere.clock(), status=5, supplement_note=note, supplement_due_at=at(24, 17))
    minutes(anywhere, 2)
    (heard,) = [bubble.text for bubble in anywhere.heard(follower)[before:]]
    assert code in heard
    assert note not in heard
    assert any(note in bubble.text for bubble in anywhere.heard(owner(agency, code)))


def test_who_no_longer_follows_a_dossier_is_told_nothing_more_of_it(anywhere: World, agency: Agency) -> None:
    (code,) = agency.codes(IN_PROGRESS)
    applicant, follower = owner(agency, code), "84900000007"
    anywhere.text(follower, f"DK {code}")
    for phone in (applicant, follower):
        anywhere.text(phone, f"HUY {code}")
    before = [len(anywhere.heard(phone)) for phone in (applicant, follower)]
    agency.finish(code, anywhere.clock())
    minutes(anywhere, 2)
    assert [len(anywhere.heard(phone)) for phone in (applicant, follower)] == before
