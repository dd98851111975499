"""The last look at a notice to people who were found by their dossiers: what it says is for the dossier's phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from smsgw.notices import report
from smsgw.notices.preview import preview
from smsgw.store.notices import Notice
from smsgw.store.tables import notice, outbound
from tests.agency import Agency
from tests.bulletin import Cast, approved_by_filter
from tests.world import World

STRANGER = "84987000111"


@pytest.fixture
def agency(anywhere: World) -> Agency:
    return Agency(anywhere.folder)


def reasons(cast: Cast, made: Notice) -> dict[str, tuple[object, object]]:
    """What its report says of those whose message did not go out, by phone."""
    lines = [*report.records(cast.notices.means, cast.notices.find(made.id, cast.an), "vi")][1:]
    return {str(phone): (state, reason) for _, phone, state, reason, *_ in lines if state != "đã đến máy"}


def test_who_has_given_the_phone_on_a_dossier_away_is_told_nothing_of_it(cast: Cast, agency: Agency) -> None:
    made, (first, second, third, *others) = approved_by_filter(cast)
    agency.change(first.dossier, cast.world.clock(), applicant_phone=f"0{STRANGER[2:]}")
    agency.change(second.dossier, cast.world.clock(), applicant_phone="")
    agency.remove(third.dossier)
    cast.world.settle(20)
    assert [cast.world.heard(one.phone) for one in (first, second, third)] == [[], [], []]
    assert cast.world.heard(STRANGER) == []  # whom nobody approved
    assert all(len(cast.world.heard(one.phone)) == 1 for one in others)
    assert cast.counts(made.id) == {"delivered": len(others), "cancelled": 3}
    assert cast.state(made.id) == "done"
    assert reasons(cast, made) == {
        first.phone: ("đã hủy", "hồ sơ đã đổi số điện thoại"),
        second.phone: ("đã hủy", "hồ sơ đã đổi số điện thoại"),
        third.phone: ("đã hủy", "hồ sơ không còn trong phần mềm một cửa"),
    }


def test_what_waits_through_the_night_is_looked_at_in_the_morning(cast: Cast, agency: Agency) -> None:
    cast.world.clock.now += timedelta(hours=9, seconds=-1)
    made, (first, *others) = approved_by_filter(cast)
    cast.world.gateway.feeder.feed()
    cast.world.clock.forward(hours=1)
    agency.change(first.dossier, cast.world.clock(), applicant_phone=f"0{STRANGER[2:]}")
    cast.world.clock.forward(hours=9)
    cast.world.settle(20)
    assert cast.world.heard(first.phone) == []
    assert cast.counts(made.id) == {"delivered": len(others), "cancelled": 1}


def test_the_same_phone_in_another_form_is_the_same_phone(cast: Cast, agency: Agency) -> None:
    made, people = approved_by_filter(cast)
    for one, form in zip(people, ("+84 {}", "{}.0", " 0{} ", "'0{}"), strict=False):
        agency.change(one.dossier, cast.world.clock(), applicant_phone=form.format(one.phone[2:]))
    cast.world.settle(20)
    assert cast.counts(made.id) == {"delivered": len(people)}


def test_a_dossier_that_makes_no_sense_otherwise_still_has_its_phone(cast: Cast, agency: Agency) -> None:
    made, (first, *others) = approved_by_filter(cast)
    agency.change(first.dossier, cast.world.clock(), status=77)
    cast.world.settle(20)
    assert len(cast.world.heard(first.phone)) == 1
    assert cast.counts(made.id) == {"delivered": len(others) + 1}


def test_while_dossiers_can_not_be_read_their_notice_waits(cast: Cast) -> None:
    made, people = approved_by_filter(cast)
    file = cast.world.folder / "onestop.db"
    away = file.rename(file.with_suffix(".away"))
    cast.world.settle(20)
    assert cast.counts(made.id) == {"queued": len(people)}
    away.rename(file)
    cast.world.clock.forward(seconds=60)
    cast.world.settle(20)
    assert cast.counts(made.id) == {"delivered": len(people)}


def test_while_the_dossiers_are_being_filled_in_anew_their_notice_waits(cast: Cast, agency: Agency) -> None:
    cast.world.gateway.reminders.runs.meet()
    cast.world.gateway.reminders.runs.tick()  # whose dossiers are whose is noted
    made, (first, *others) = approved_by_filter(cast)
    agency.fill_anew()
    cast.world.settle(20)
    assert cast.counts(made.id) == {"queued": len(others) + 1}
    agency.filled()
    agency.remove(first.dossier)
    cast.world.clock.forward(seconds=60)
    cast.world.settle(20)
    assert cast.counts(made.id) == {"delivered": len(others), "cancelled": 1}


def test_what_is_sent_again_when_the_notice_is_over_is_looked_at_as_well(cast: Cast, agency: Agency) -> None:
    made, (first, *others) = approved_by_filter(cast)
    cast.world.gateway.feeder.feed()
    with cast.world.gateway.database.writing("test") as connection:
        connection.execute(sa.update(outbound).values(attempts=1))
        connection.execute(sa.update(notice).values(state="done"))
    agency.change(first.dossier, cast.world.clock(), applicant_phone=f"0{STRANGER[2:]}")
    cast.world.settle(20)
    assert cast.world.heard(first.phone) == []
    assert cast.counts(made.id) == {"delivered": len(others), "cancelled": 1}


def test_the_budget_gets_back_what_was_withdrawn_when_a_notice_is_done(cast: Cast, agency: Agency) -> None:
    made, (first, *others) = approved_by_filter(cast)
    agency.remove(first.dossier)
    cast.world.settle(20)
    assert cast.state(made.id) == "done"
    assert preview(cast.notices.means, cast.notices.find(made.id, cast.an)).budget.used == len(others)
