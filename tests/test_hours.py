"""When reminders and notices may go out, by the clock of the province."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw import checkup
from smsgw.dispatch.hours import ALWAYS, Hours
from smsgw.dossiers.calendar import is_holiday
from tests.bulletin import Cast, approved
from tests.world import World

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
NIGHT = Hours(time(21), time(7), HERE, is_holiday)
NOON_REST = Hours(time(11, 30), time(13, 30), HERE)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HERE)


# The first day of the lunar year and the 10th of its 3rd month, as the lunar calendar of Viet Nam has them.
LUNAR = {
    2027: ("2027-02-06", "2027-04-16"),
    2028: ("2028-01-26", "2028-04-04"),
    2029: ("2029-02-13", "2029-04-23"),
    2030: ("2030-02-02", "2030-04-12"),
    2031: ("2031-01-23", "2031-04-01"),
    2032: ("2032-02-11", "2032-04-19"),
    2033: ("2033-01-31", "2033-04-09"),
    2034: ("2034-02-19", "2034-04-28"),
    2035: ("2035-02-08", "2035-04-17"),
}


@pytest.mark.parametrize(("tet", "hung_kings"), LUNAR.values(), ids=LUNAR)
def test_at_tet_of_the_years_to_come_offices_are_closed_for_five_working_days_or_days_in_their_place(
    tet: str, hung_kings: str
) -> None:
    first = date.fromisoformat(tet)
    around = [first + timedelta(days=days) for days in range(-7, 15)]
    closed = [day for day in around if is_holiday(day)]
    assert closed[0] == first - timedelta(days=1)
    assert closed == [closed[0] + timedelta(days=days) for days in range(len(closed))]
    assert sum(day.weekday() < 5 for day in closed) == 5
    assert is_holiday(date.fromisoformat(hung_kings))


@pytest.mark.parametrize(
    ("hours", "when", "allowed"),
    [
        (NIGHT, "2018-08-15 06:59:59", False),
        (NIGHT, "2018-08-15 07:00", True),
        (NIGHT, "2018-08-15 20:59:59", True),
        (NIGHT, "2018-08-15 21:00", False),
        (NIGHT, "2018-09-02 10:00", False),  # National Day
        (NIGHT, "2018-02-16 10:00", False),  # Tet
        (NOON_REST, "2018-08-15 00:00", True),
        (NOON_REST, "2018-08-15 11:30", False),
        (NOON_REST, "2018-08-15 13:30", True),
        (ALWAYS, "2018-09-02 03:00", True),
    ],
)
def test_the_night_noon_and_holidays_are_quiet(hours: Hours, when: str, allowed: bool) -> None:
    assert hours.allow(at(when)) is allowed


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        ("2018-08-15 12:00", "2018-08-15 12:00"),
        ("2018-08-15 22:00", "2018-08-16 07:00"),
        ("2018-08-15 03:00", "2018-08-15 07:00"),
        ("2018-09-01 21:00", "2018-09-04 07:00"),
    ],
)
def test_the_quiet_ends_in_the_morning_of_the_next_day_that_is_no_holiday(when: str, opens: str) -> None:
    assert NIGHT.next_allowed(at(when)) == at(opens)


def test_work_of_more_than_a_day_rests_at_night_and_on_holidays() -> None:
    assert NIGHT.after(at("2018-08-15 20:00"), timedelta(hours=2)) == at("2018-08-16 08:00")
    assert NIGHT.after(at("2018-09-01 20:00"), timedelta(hours=2)) == at("2018-09-04 08:00")
    assert NIGHT.after(at("2018-08-15 08:00"), timedelta(hours=27)) == at("2018-08-16 21:00")


@pytest.mark.parametrize(
    ("queued", "hours", "until"),
    [
        ("2018-08-15 08:00", 72, "2018-08-18 08:00"),
        ("2018-08-15 20:59", 24, "2018-08-16 20:59"),
        ("2018-08-15 20:59", 1, "2018-08-16 07:19"),
        ("2019-02-01 20:00", 72, "2019-02-12 16:00"),  # over Tet, which is over on the 11th
        ("2019-02-04 10:00", 72, "2019-02-12 17:00"),
    ],
)
def test_no_message_ends_before_it_could_go_out(queued: str, hours: int, until: str) -> None:
    assert NIGHT.worth_until(at(queued), timedelta(hours=hours)) == at(until)
    assert ALWAYS.worth_until(at(queued), timedelta(hours=hours)) == at(queued) + timedelta(hours=hours)


def test_since_when_it_is_allowed_goes_over_midnight_and_begins_anew_after_each_rest() -> None:
    assert NIGHT.opened(at("2018-08-15 06:59")) is None
    assert NIGHT.opened(at("2018-08-15 20:59")) == at("2018-08-15 07:00")
    assert NIGHT.opened(at("2018-09-02 12:00")) is None  # a holiday
    assert NOON_REST.opened(at("2018-08-15 11:30")) is None
    assert NOON_REST.opened(at("2018-08-15 01:00")) == at("2018-08-14 13:30")
    assert NOON_REST.opened(at("2018-08-15 13:30")) == at("2018-08-15 13:30")
    assert ALWAYS.opened(at("2018-08-15 01:00")) is not None


def waited(made: World) -> float:
    """How long the oldest due message has waited, as whoever watches over the gateway is told."""
    told = made.client.get("/metrics").get_data(as_text=True)
    return float(told.partition("\nsmsgw_oldest_queued_seconds ")[2].partition("\n")[0])


def test_that_a_notice_waits_for_the_morning_wakes_nobody_and_that_a_reply_waits_does(cast: Cast) -> None:
    here = cast.world
    here.clock.now = at("2018-08-15 20:59").astimezone(UTC)
    approved(cast.notices, cast.an, cast.binh)
    here.tick()
    assert here.states() == {"queued": 3}
    here.clock.forward(minutes=30)
    here.send()
    assert (waited(here), checkup._queue(here.gateway).ok) == (0, True)
    here.carrier.text("84900000001", "HD")
    here.carrier.run_due()
    here.clock.forward(minutes=10)
    assert (waited(here), checkup._queue(here.gateway).ok) == (600, False)
    here.send()
    here.clock.now = at("2018-08-16 07:01").astimezone(UTC)
    assert (waited(here), checkup._queue(here.gateway).ok) == (60, True)
    here.clock.forward(minutes=9)
    assert (waited(here), checkup._queue(here.gateway).ok) == (600, False), "now somebody is missing"


times = st.times().map(lambda moment: moment.replace(microsecond=0))
moments = st.datetimes(datetime(2018, 1, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001


def _odd(day: date) -> bool:
    return day.day % 3 == 0


@given(times, times, moments, st.timedeltas(timedelta(), timedelta(days=3)))
def test_what_is_allowed_agrees_with_when_it_is_allowed_next_and_with_the_end(
    start: time, end: time, now: datetime, work: timedelta
) -> None:
    hours = Hours(start, end, HERE, _odd)
    opens = hours.next_allowed(now)
    assert hours.allow(opens)
    assert (opens == now) is hours.allow(now) is (hours.opened(now) is not None)
    if start != end and _spell(hours) < timedelta(hours=1):
        return
    ends = hours.after(now, work)
    assert ends >= max(opens if work else now, now) + work - timedelta(microseconds=1)


def _spell(hours: Hours) -> timedelta:
    """How long a day's allowed time is."""
    quiet = (hours.end.hour - hours.start.hour) * 60 + hours.end.minute - hours.start.minute
    return timedelta(minutes=24 * 60 - quiet % (24 * 60))
