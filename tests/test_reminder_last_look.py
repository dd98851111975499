"""The last look at a reminder that waited: it goes out in the morning if it is still true and still wanted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from smsgw.officials.steering import Steering
from smsgw.store import outbox, overdue
from smsgw.store.tables import Lane, outbound
from tests.agency import Agency
from tests.systems import ORDER, PHONE, system
from tests.test_reminders import IN_PROGRESS, at, begun, minutes, owner, refuse, told, until
from tests.world import World, world


@pytest.fixture
def agency(anywhere: World) -> Agency:
    """Whoever works on the dossiers of a world in which the reminders have been on for a minute."""
    return begun(anywhere)


def ready_in_the_night(world: World, agency: Agency) -> str:
    """The result of a dossier is ready at a time when nobody is told; its code."""
    (code,) = agency.codes(IN_PROGRESS)
    until(world, at(15, 22))
    agency.finish(code, world.clock())
    minutes(world, 2)
    return code


def test_what_is_not_true_any_more_when_it_goes_out_is_dropped_with_the_reason(anywhere: World, agency: Agency) -> None:
    (code,) = agency.codes(IN_PROGRESS)
    until(anywhere, at(15, 22))
    agency.change(code, anywhere.clock(), status=5, supplement_note="Ban ve", supplement_due_at=at(22, 17))
    minutes(anywhere, 2)
    assert anywhere.states() == {"queued": 1}
    agency.change(code, anywhere.clock(), status=4)
    until(anywhere, at(16, 7))
    assert told(anywhere, agency, code) == []
    with anywhere.gateway.database.reading() as connection:
        assert connection.execute(sa.select(outbound.c.state, outbound.c.error_code)).all() == [("cancelled", "untrue")]
    agency.change(code, anywhere.clock(), status=5)
    minutes(anywhere, 2)
    assert len(told(anywhere, agency, code)) == 1


def test_what_was_asked_for_anew_in_the_night_is_told_once_as_it_is_in_the_morning(
    anywhere: World, agency: Agency
) -> None:
    (code,) = agency.codes(IN_PROGRESS)
    until(anywhere, at(15, 22))
    for note in ("Ban ve", "Ban ve va don"):
        agency.change(code, anywhere.clock(), status=5, supplement_note=note, supplement_due_at=at(22, 17))
        minutes(anywhere, 2)
    until(anywhere, at(16, 7))
    (text,) = told(anywhere, agency, code)
    assert "Ban ve va don" in text


def test_a_dossier_that_got_another_phone_in_the_night_is_told_to_that_one_only(
    anywhere: World, agency: Agency
) -> None:
    (code,) = agency.codes(IN_PROGRESS)
    before = owner(agency, code)
    until(anywhere, at(15, 22))
    agency.change(code, anywhere.clock(), status=5, supplement_note="Ban ve", supplement_due_at=at(22, 17))
    minutes(anywhere, 2)
    agency.change(code, anywhere.clock(), applicant_phone="0987000111")
    minutes(anywhere, 2)
    for moment in (at(16, 7), at(17, 6, 10), at(17, 7)):
        until(anywhere, moment)
    assert anywhere.heard(before) == []
    assert len(told(anywhere, agency, code)) == 1


def test_what_changed_in_the_night_is_told_as_it_is_in_the_morning(anywhere: World, agency: Agency) -> None:
    (code,) = agency.codes(IN_PROGRESS)
    until(anywhere, at(15, 22))
    agency.finish(code, anywhere.clock(), delivery="online")
    minutes(anywhere, 1)
    anywhere.text(owner(agency, code), "ENGLISH")
    until(anywhere, at(16, 7))
    assert told(anywhere, agency, code)[1:] == [
        f"The result of dossier {code} is ready on the public service portal. Questions: 1022."
    ]


def test_who_opted_out_is_not_reminded_and_still_gets_answers(anywhere: World, agency: Agency) -> None:
    before, after = agency.codes(IN_PROGRESS, 2)
    refuse(anywhere, owner(agency, before))
    until(anywhere, at(15, 22))
    for code in (before, after):
        agency.finish(code, anywhere.clock())
    minutes(anywhere, 2)
    refuse(anywhere, owner(agency, after))
    until(anywhere, at(16, 7))
    assert told(anywhere, agency, before) == told(anywhere, agency, after) == []
    assert "da co ket qua" in anywhere.text(owner(agency, before), f"HS {before}")


def test_who_ceases_to_follow_in_the_night_hears_nothing_in_the_morning(anywhere: World, agency: Agency) -> None:
    (code,) = agency.codes(IN_PROGRESS)
    both = owner(agency, code), "84900000007"
    anywhere.text(both[1], f"DK {code}")
    until(anywhere, at(15, 22))
    agency.change(code, anywhere.clock(), status=5, supplement_note="Ban ve", supplement_due_at=at(22, 17))
    minutes(anywhere, 2)
    assert anywhere.states()["queued"] == 2
    for phone in both:
        anywhere.text(phone, f"HUY {code}")
    before = [len(anywhere.heard(phone)) for phone in both]
    until(anywhere, at(16, 7))
    assert [len(anywhere.heard(phone)) for phone in both] == before


def test_a_rule_that_is_switched_off_in_the_night_tells_nothing_in_the_morning(anywhere: World, agency: Agency) -> None:
    code = ready_in_the_night(anywhere, agency)
    anywhere.gateway.reminders.turn("ready_counter", "", False, "test")
    until(anywhere, at(16, 7))
    assert told(anywhere, agency, code) == []
    assert anywhere.states() == {"cancelled": 1}


def test_a_reminder_waits_while_the_dossier_can_not_be_read_again(here: World) -> None:
    agency = begun(here)
    code = ready_in_the_night(here, agency)
    agency.go_away()
    until(here, at(16, 7))
    minutes(here, 3)
    assert here.states() == {"queued": 1}
    agency.come_back()
    minutes(here, 2)
    assert here.states() == {"delivered": 1}
    assert told(here, agency, code)


def test_while_dossiers_can_not_be_read_who_opted_out_hears_nothing_from_other_systems_either(here: World) -> None:
    agency = begun(here)
    ready_in_the_night(here, agency)
    other = system(here)
    waiting = other.post("/messages", ORDER)["id"]
    refuse(here, PHONE)
    agency.go_away()
    until(here, at(16, 7))
    assert not here.heard(PHONE)
    assert here.states() == {"queued": 1, "cancelled": 1}
    assert other.get(f"/messages/{waiting}")["error_code"] == "opted_out"


def test_the_morning_digest_is_not_told_on_another_day(tmp_path: Path) -> None:
    with world(tmp_path, more='[reminders.digest]\n"H01.21.01" = ["0912345678"]\n') as made:
        (code,) = begun(made).codes(IN_PROGRESS)
        Agency(tmp_path).change(code, at(14, 9), due_at=at(16, 16, 30), agency_code="H01.21.01")
        steering = Steering(made.gateway.database, made.clock)
        steering.pause("sms", "trying", "test")
        until(made, at(16, 7, 30))
        assert made.states() == {"queued": 1}
        steering.release("sms", "tried", "test")
        until(made, at(17, 7))
        assert made.heard("84912345678") == []
        assert made.states()["cancelled"] == 1


def test_what_a_carrier_may_have_already_is_sent_again_as_it_was(here: World) -> None:
    agency = begun(here)
    code = ready_in_the_night(here, agency)
    here.text(owner(agency, code), "ENGLISH")
    here.clock.now = at(16, 7, 1)
    with here.gateway.database.writing("test") as connection:
        until_then, now = at(16, 8), here.clock()
        (one,) = outbox.claim(connection, "sms", [Lane.REMINDER], 1, lease="me", until=until_then, now=now)
    for doubts, as_it_was in ((1, True), (0, False)):
        (going,) = here.gateway.office.vet("me", [one._replace(doubts=doubts)]).going
        assert (going.text == one.text) is as_it_was


def dies(world: World, *, looking: bool, left: int = 1) -> None:
    """A node claims what waits, looks at it for the last time or not even that, and never comes back."""
    now = world.clock()
    with world.gateway.database.writing("test") as connection:
        claimed = outbox.claim(
            connection, "sms", [Lane.REMINDER], 9, lease="dead", until=now + timedelta(seconds=15), now=now
        )
    assert len(claimed) == left
    if looking:
        assert len(world.gateway.office.vet("dead", claimed).going) == left
    world.clock.forward(seconds=16)


@pytest.mark.parametrize(("looking", "state"), [(False, "queued"), (True, "unknown")])
def test_only_what_was_looked_at_for_the_last_time_can_be_in_doubt_when_a_node_dies(
    anywhere: World, agency: Agency, looking: bool, state: str
) -> None:
    code = ready_in_the_night(anywhere, agency)
    anywhere.clock.now = at(16, 7, 1)
    dies(anywhere, looking=looking)
    with anywhere.gateway.database.writing("test") as connection:
        assert overdue.rescue(connection, anywhere.clock()) == 1
    assert anywhere.states() == {state: 1}
    minutes(anywhere, 2)
    assert len(told(anywhere, agency, code)) == 1


def test_of_more_that_a_node_left_than_a_sweep_takes_at_a_time_none_is_in_doubt_either(
    anywhere: World, agency: Agency
) -> None:
    codes = agency.codes(IN_PROGRESS, 2)
    until(anywhere, at(15, 22))
    for code in codes:
        agency.finish(code, anywhere.clock())
    minutes(anywhere, 2)
    anywhere.clock.now = at(16, 7, 1)
    dies(anywhere, looking=False, left=len(codes))
    for states in ({"queued": 1, "sending": 1}, {"queued": 2}):
        with anywhere.gateway.database.writing("test") as connection:
            assert overdue.rescue(connection, anywhere.clock(), limit=1) == 1
        assert anywhere.states() == states


@pytest.mark.parametrize(("looking", "state"), [(False, "queued"), (True, "unknown")])
def test_what_is_for_officials_is_in_doubt_likewise(tmp_path: Path, looking: bool, state: str) -> None:
    with world(tmp_path, more='[reminders.digest]\n"H01.21.01" = ["0912345678"]\n') as made:
        (code,) = begun(made).codes(IN_PROGRESS)
        Agency(tmp_path).change(code, at(14, 9), due_at=at(16, 16, 30), agency_code="H01.21.01")
        made.clock.now = at(16, 7, 30)
        made.gateway.reminders.runs.tick()
        dies(made, looking=looking)
        with made.gateway.database.writing("test") as connection:
            assert overdue.rescue(connection, made.clock()) == 1
        assert made.states() == {state: 1}
        minutes(made, 2)
        assert len(made.heard("84912345678")) == 1
