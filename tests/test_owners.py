"""A phone's own dossiers: known without asking about each, without a search for each text, and to nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from smsgw.reminders import running
from smsgw.reminders.running import NOBODYS, OWNERS
from smsgw.store import owners, schedules
from smsgw.store.tables import owner
from smsgw.web.console.reasons import reason
from tests.agency import Agency
from tests.world import World

PHONE = "84775556677"
OTHER = "84900000007"


@pytest.fixture
def agency(anywhere: World) -> Agency:
    """Whoever works on the dossiers of a world in which nothing was read yet."""
    return Agency(anywhere.folder)


def in_hand(agency: Agency, made: World, count: int) -> Sequence[str]:
    """Dossiers that are being worked on."""
    codes = agency.codes("status = 10", count)
    for code in codes:
        agency.change(code, made.clock(), status=4, returned_at=None)
    return codes


def started(made: World) -> None:
    made.gateway.reminders.runs.meet()
    made.gateway.reminders.runs.tick()


def minute(made: World) -> None:
    made.clock.forward(minutes=1)
    made.gateway.reminders.runs.tick()


def night(made: World) -> None:
    made.clock.forward(days=1)
    made.gateway.reminders.runs.tick()


def own(made: World, phone: str) -> tuple[str, ...]:
    """What is written down as that phone's."""
    with made.gateway.database.reading() as connection:
        return owners.of(connection, phone, 100)


def hand_over(agency: Agency, code: str, phone: str, made: World, **values: object) -> None:
    """The agency writes another phone on a dossier."""
    agency.change(code, made.clock(), applicant_phone=phone, **values)


@pytest.mark.parametrize("written", ["0775556677", "+84 77 555.66.77", "0122 555 6677", "84775556677", "(0122)5556677"])
def test_the_owner_lists_a_dossier_that_was_never_asked_about(here: World, written: str) -> None:
    agency = Agency(here.folder)
    (code,) = in_hand(agency, here, 1)
    hand_over(agency, code, written, here)
    started(here)
    assert here.text(PHONE, "DS").startswith(f"Ho so {code} ")


def test_what_changed_is_listed_after_a_minute_and_only_to_who_is_on_the_dossier_now(
    anywhere: World, agency: Agency
) -> None:
    (code,) = in_hand(agency, anywhere, 1)
    hand_over(agency, code, PHONE, anywhere)
    started(anywhere)
    hand_over(agency, code, OTHER, anywhere)
    # The copy still has it under the first phone, and it is not shown there.
    assert own(anywhere, PHONE) == (code,)
    assert "Chua thay ho so nao" in anywhere.text(PHONE, "DS")
    minute(anywhere)
    assert own(anywhere, PHONE) == ()
    assert anywhere.text(OTHER, "DS").startswith(f"Ho so {code} ")


def test_what_is_gone_or_ended_long_ago_is_forgotten_in_the_night_and_what_is_open_is_not(
    anywhere: World, agency: Agency
) -> None:
    long_ago = anywhere.clock() - timedelta(days=200)
    open_, ended, gone = in_hand(agency, anywhere, 3)
    for code, values in ((open_, {}), (ended, {"status": 10, "returned_at": long_ago}), (gone, {})):
        agency.change(code, long_ago, applicant_phone=PHONE, **values)
    agency.change(ended, anywhere.clock())
    started(anywhere)
    assert {*own(anywhere, PHONE)} == {open_, ended, gone}
    agency.change(ended, long_ago)
    agency.remove(gone)
    night(anywhere)
    assert own(anywhere, PHONE) == (open_,)


def test_a_night_in_which_the_view_is_empty_takes_nobodys_dossiers(anywhere: World, agency: Agency) -> None:
    (code,) = in_hand(agency, anywhere, 1)
    hand_over(agency, code, PHONE, anywhere)
    started(anywhere)
    agency.fill_anew()
    night(anywhere)
    assert own(anywhere, PHONE) == (code,)
    assert anywhere.gateway.reminders.runs.latest(1, OWNERS)[0].problem == NOBODYS
    assert reason("vi", NOBODYS).startswith("không thấy hồ sơ nào")
    agency.filled()
    night(anywhere)
    assert own(anywhere, PHONE) == (code,)
    assert anywhere.gateway.reminders.runs.latest(1, OWNERS)[0].problem is None


@pytest.mark.parametrize("moment", ["since", "meanwhile"])
def test_a_clock_that_is_set_back_takes_nobodys_dossiers(anywhere: World, agency: Agency, moment: str) -> None:
    (code,) = in_hand(agency, anywhere, 1)
    hand_over(agency, code, PHONE, anywhere)
    started(anywhere)
    anywhere.clock.forward(days=1)
    runs, database = anywhere.gateway.reminders.runs, anywhere.gateway.database
    if moment == "since":  # a node began, and died
        now = anywhere.clock()
        with database.writing("test") as connection:
            assert schedules.claim(connection, OWNERS, runs.timetable.crons[OWNERS].firing(now), now)
        anywhere.clock.forward(hours=-1)

    def set_back(name: str, side: str) -> None:
        if (name, side) == ("run", "after") and runs.latest(1)[0].schedule == OWNERS:
            database.boundary = None
            anywhere.clock.forward(hours=-1)

    database.boundary = set_back if moment == "meanwhile" else None
    runs.tick()
    assert all(run.ended_at for run in runs.latest(1, OWNERS))
    assert own(anywhere, PHONE) == (code,)


def test_what_is_forgotten_in_pages_is_all_that_is_gone(
    anywhere: World, agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "FORGOTTEN", 2)
    codes = in_hand(agency, anywhere, 6)
    for code in codes:
        hand_over(agency, code, PHONE, anywhere)
    started(anywhere)
    for code in codes[:5]:
        agency.remove(code)
    night(anywhere)
    assert own(anywhere, PHONE) == (codes[5],)


def test_who_has_many_lists_the_latest_of_them_in_one_message(here: World) -> None:
    agency = Agency(here.folder)
    codes = agency.codes("status <> 8", 30)
    for number, code in enumerate(codes):
        agency.change(code, here.clock() - timedelta(hours=30 - number), applicant_phone=PHONE)
    started(here)
    listed = here.text(PHONE, "DS")
    assert len(listed) <= 160
    assert listed.startswith(codes[-1])
    assert "ho so khac" in listed


def test_a_rating_without_a_code_is_for_the_result_that_came_last(here: World) -> None:
    agency = Agency(here.folder)
    first, last = in_hand(agency, here, 2)
    for days, code in ((3, first), (1, last)):
        agency.finish(code, here.clock() - timedelta(days=days), applicant_phone=PHONE)
    started(here)
    assert f"ho so {last}" in here.text(PHONE, "danh gia 5 sao")
    assert f"da danh gia ho so {last} roi" in here.text(PHONE, "DG 4")  # a second score is for no other one
    assert f"giai quyet ho so {first}" in here.text(PHONE, f"DG {first} 4")


def test_stars_alone_rate_the_only_dossier_that_they_can_be_for(here: World) -> None:
    agency = Agency(here.folder)
    first, last = in_hand(agency, here, 2)
    agency.finish(first, here.clock() - timedelta(days=3), applicant_phone=PHONE)
    agency.change(last, here.clock() - timedelta(days=1), applicant_phone=PHONE)
    started(here)
    assert f"cham 5/5 diem cho viec giai quyet ho so {first}" in here.text(PHONE, "5 sao")
    assert f"da danh gia ho so {first} roi" in here.text(PHONE, "5 sao")
    assert "vi du: DG" in here.text("84987654321", "5 sao")


def test_stars_alone_are_not_guessed_to_be_for_one_of_two_but_are_for_the_one_just_told_of(here: World) -> None:
    agency = Agency(here.folder)
    first, last = in_hand(agency, here, 2)
    for days, code in ((3, first), (1, last)):
        agency.finish(code, here.clock() - timedelta(days=days), applicant_phone=PHONE)
    started(here)
    assert here.text(PHONE, "5 sao").startswith("De danh gia, xin nhan ma ho so va diem")
    here.text(PHONE, first)
    assert f"cham 4/5 diem cho viec giai quyet ho so {first}" in here.text(PHONE, "4 sao ạ")
    assert f"da danh gia ho so {first} roi" in here.text(PHONE, "4 sao ạ")  # sent twice: not for the other one


def test_a_phone_that_nobody_can_read_is_nobodys(here: World) -> None:
    agency = Agency(here.folder)
    codes = in_hand(agency, here, 3)
    for code, written in zip(codes, ("", "khong co", "0296 3852 999"), strict=True):
        hand_over(agency, code, written, here)
    started(here)
    with here.gateway.database.reading() as connection:
        assert not {*codes} & {*connection.scalars(sa.select(owner.c.code))}
