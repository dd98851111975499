"""The pure decisions of dispatch: how fast, by which channel, and whether a channel is worth calling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsgw.dispatch import breaker
from smsgw.dispatch.pace import SET_BACK, Pace, at_this_time, slowed
from smsgw.dispatch.routes import Route, Routes
from smsgw.store.channels import Channel
from smsgw.store.tables import Lane
from tests.world import NOON

NEW = Channel("sms", "open", None, NOON, None, 0, 0, 0.0, 0.0, NOON, 0.0, NOON)


def seconds(count: float) -> datetime:
    return NOON + timedelta(seconds=count)


# How fast


PACES = st.builds(Pace, st.floats(0.1, 5000), st.integers(1, 500), st.floats(0, 1))


@dataclass(frozen=True)
class Turn:
    """A node that finds something to send: how long after the one before, and how much of what it may.

    `clock`: how far the node's clock is off; `trip`: how long its call is on its way; both as shares of what there is
    room for.
    """

    pause: float
    share: float
    reply: bool
    clock: float
    trip: float


# Half of the turns are as eager as can be: at once, and with all that there is room for.
EAGER = st.builds(Turn, st.just(0.001), st.just(1.0), st.booleans(), st.floats(-1, 1), st.floats(0, 1))
TURNS = EAGER | st.builds(Turn, st.floats(0, 1.5), st.floats(0, 1), st.booleans(), st.floats(-1, 1), st.floats(0, 1))


@given(PACES, st.lists(TURNS, max_size=200))
@settings(max_examples=300)
def test_in_no_second_more_reaches_the_carrier_than_the_rate_and_one_batch(pace: Pace, turns: list[Turn]) -> None:
    """Whatever nodes claim, although their clocks differ and their calls are not equally long on their way."""
    channel, at = NEW, 1.0
    uneven = max(0.0, pace.batch - pace.full) / pace.tps
    arrived: list[tuple[float, int]] = []
    for turn in turns:
        at += turn.pause
        now = seconds(at + turn.clock * uneven / 4)
        allowance = pace.allowance(channel, now)
        most = min(pace.batch, int(allowance if turn.reply else pace.for_others(allowance)))
        count = round(most * turn.share)
        channel = pace.spent(channel, count, now) if count else channel
        arrived.append((at + turn.trip * uneven / 2, count))
    for start, _ in arrived:
        within = sum(count for when, count in arrived if start <= when < start + 1)
        assert within <= pace.tps + max(1, pace.batch, pace.full) + 1e-6


@given(PACES)
def test_every_channel_has_room_for_a_notice_now_and_then_and_says_when(pace: Pace) -> None:
    assert pace.for_others(pace.full) >= 1 - 1e-9
    channel = pace.spent(NEW, 0, NOON)
    for _ in range(3):
        wait = pace.until_worth_a_call(pace.for_others(pace.allowance(channel, NOON)))
        assert (
            pace.for_others(pace.allowance(channel, NOON + timedelta(seconds=wait + pace.full / pace.tps))) >= 1 - 1e-9
        )
        assert wait <= max(0.001, 2 * pace.full / pace.tps)


@pytest.mark.parametrize(
    ("tps", "batch", "full"),
    [
        (1, 1, 1.0),
        (1, 100, 1.0),
        (10, 1, 1.0),
        (200, 100, 75.0),
        (2500, 500, 375.0),
        (5000, 500, 250.0),
        (5000, 100, 25.0),
    ],
)
def test_what_can_be_saved_up_leaves_room_for_calls_that_are_on_their_way_longer(
    tps: float, batch: int, full: float
) -> None:
    assert Pace(tps, batch).full == full


@pytest.mark.parametrize(
    ("tps", "batch", "seconds"),
    [(10, 10, 0.25), (200, 100, 0.125), (500, 100, 0.05), (5000, 500, 0.05), (50, 1, 0.05), (1_000_000, 500, 0.25)],
)
def test_a_batch_is_late_as_soon_as_those_claimed_since_would_make_it_more_than_the_contract_allows(
    tps: float, batch: int, seconds: float
) -> None:
    assert Pace(tps, batch).late == timedelta(seconds=seconds)


def test_notices_leave_a_share_that_replies_find_free() -> None:
    pace = Pace(tps=200, batch=100, reply_share=0.2)
    allowance = pace.allowance(NEW, seconds(60))
    assert (allowance, pace.for_others(allowance)) == (75, 60)
    assert pace.for_others(15) == 0
    assert Pace(tps=1, batch=100).for_others(1.0) == 1.0  # one message at a time: nothing can be kept back


def test_a_clock_that_is_set_back_gives_nothing_and_takes_nothing() -> None:
    pace = Pace(tps=10, batch=10)
    channel = pace.spent(replace(NEW, allowance=5.0), 2, seconds(3600))
    assert pace.allowance(channel, seconds(0)) == channel.allowance
    assert pace.spent(channel, 1, seconds(0)).allowed_at == seconds(3600)


@given(PACES, st.floats(0, 5000), st.floats(-100_000, 100_000))
def test_setting_the_clock_back_gains_nothing_and_the_rate_goes_on_from_there(
    pace: Pace, left: float, back: float
) -> None:
    channel, now = pace.spent(replace(NEW, allowance=left), 0, NOON), seconds(-back)
    counted = at_this_time(channel, now)
    assert pace.allowance(counted, now) == pace.allowance(channel, now)
    late = pace.full / pace.tps + 2 * SET_BACK.total_seconds()
    assert pace.allowance(counted, now + timedelta(seconds=late)) == pace.full


def test_a_pause_that_was_asked_for_is_as_long_as_it_was_when_the_clock_is_set_back() -> None:
    channel = slowed(replace(NEW, allowed_at=NOON), 30, NOON)
    assert at_this_time(channel, seconds(-3600)).resume_at == seconds(-3600 + 30)
    assert at_this_time(channel, seconds(-1)) == channel


def test_a_carrier_that_asks_for_a_pause_gets_the_longest_it_asked_for() -> None:
    assert slowed(slowed(NEW, 30, NOON), 1, NOON).resume_at == seconds(30)


# Whether a channel is worth calling


def after(channel: Channel, *calls: tuple[float, str | None]) -> Channel:
    for at, failure in calls:
        channel = breaker.called(channel, failure, seconds(at))
    return channel


def test_a_channel_trips_when_calls_fail_in_a_row_and_says_why() -> None:
    nearly = after(NEW, *((number, "timed out") for number in range(breaker.FAILURES_IN_A_ROW - 1)))
    assert nearly.state == "open"
    tripped = after(nearly, (9, "timed out"))
    assert (tripped.state, tripped.changed_at, tripped.resume_at) == ("tripped", seconds(9), seconds(14))
    assert tripped.reason == "5 calls in a row failed, the last one: timed out"
    assert after(nearly, (9, None), (10, "timed out")).state == "open"


def test_a_share_of_failures_trips_a_channel_that_has_ten_messages_a_minute() -> None:
    channel, minute = NEW, 0
    calls = [(6.0 * number, "cut" if number % 3 else None) for number in range(40)]  # never five in a row
    for at, failure in calls:
        channel = breaker.called(channel, failure, seconds(at))
        if channel.state != "open":
            minute = int(at // 60) + 1
            break
    assert channel.state == "tripped"
    assert minute <= 2
    assert "% of the latest calls failed, the last one: cut" in (channel.reason or "")


def test_a_channel_on_which_a_call_fails_now_and_then_stays_open() -> None:
    calls = [(float(number), "cut" if number % 4 == 0 else None) for number in range(400)]
    assert after(NEW, *calls).state == "open"


def test_a_probe_brings_a_channel_back_and_one_failure_after_it_is_enough() -> None:
    tripped = after(NEW, *((float(number), "cut") for number in range(5)))
    opened = breaker.probed(tripped, None, seconds(20))
    assert (opened.state, opened.resume_at, opened.reason) == ("open", None, "a probe went well")
    again = after(opened, (21, "cut"))
    assert again.state == "tripped"
    assert again.resume_at == seconds(21 + 10)  # twice as long as the first time
    well = after(opened, (21, None))
    assert (well.trips, after(well, (22, "cut")).state) == (0, "open")


def test_probes_that_fail_come_ever_more_rarely() -> None:
    channel = after(NEW, *((0.0, "cut") for _ in range(5)))
    pauses = []
    for _ in range(8):
        channel = breaker.probed(channel, "no connection", NOON)
        pauses.append(((channel.resume_at or NOON) - NOON).total_seconds())
    assert pauses == [10, 20, 40, 80, 120, 120, 120, 120]


def test_the_trips_of_a_channel_that_is_away_for_months_fit_into_its_row() -> None:
    channel = after(NEW, *((0.0, "cut") for _ in range(5)))
    for _ in range(2**15):  # of which there are seven hundred a day
        channel = breaker.probed(channel, "no connection", NOON)
    assert channel.trips < 2**15
    assert channel.resume_at == seconds(120)


def test_a_channel_that_is_held_waits_for_a_person() -> None:
    held = breaker.refused(NEW, "the carrier answered 401", seconds(1))
    assert (held.state, held.reason) == ("held", "the carrier answered 401")
    assert after(held, (2, None)) == held
    assert breaker.released(held, "released by hand", seconds(3)).state == "open"
    assert breaker.released(NEW, "released by hand", seconds(3)) == NEW


def test_what_an_official_paused_stays_paused_over_a_refusal_and_a_restart() -> None:
    paused = breaker.paused(NEW, "paused by lan: it is away", seconds(1))
    assert breaker.refused(paused, "the carrier answered 401", seconds(2)) == paused
    assert breaker.restarted(paused, seconds(3)) == paused
    assert after(paused, (4, None)) == paused


def test_a_worker_that_is_started_ends_no_pause_that_the_carrier_asked_for() -> None:
    asked = slowed(NEW, 3600, NOON)
    assert breaker.restarted(asked, seconds(1)).resume_at == seconds(3600)
    assert breaker.restarted(breaker.refused(asked, "the carrier answered 401", NOON), seconds(1)).state == "open"


def test_what_another_node_closed_stays_closed_whatever_our_call_said() -> None:
    tripped = replace(NEW, state="tripped", resume_at=seconds(5))
    assert after(tripped, (1, None), (1, "cut")) == tripped


# By which channel

ROUTES = Routes(
    [
        Route(frozenset({Lane.NOTICE}), ("bulk", "sms"), ("8491", "8494")),
        Route(frozenset({Lane.REPLY, Lane.NOTICE}), ("sms", "spare")),
    ],
    default="sms",
)
ALL = {"sms", "bulk", "spare"}


@pytest.mark.parametrize(
    ("lane", "recipient", "usable", "first"),
    [
        (Lane.NOTICE, "84912345678", ALL, "bulk"),
        (Lane.NOTICE, "84912345678", {"sms", "spare"}, "sms"),
        (Lane.NOTICE, "84932345678", ALL, "sms"),
        (Lane.NOTICE, "84932345678", set(), "sms"),
        (Lane.REMINDER, "84912345678", ALL, "sms"),
    ],
)
def test_a_message_takes_the_first_open_channel_of_the_first_route_that_serves_it(
    lane: Lane, recipient: str, usable: set[str], first: str
) -> None:
    assert ROUTES.first(lane, recipient, usable) == first


def test_the_channels_that_a_lane_takes_are_those_that_its_messages_take() -> None:
    for lane in Lane:
        for usable in (ALL, {"sms", "spare"}, {"spare"}, set[str]()):
            taken = {ROUTES.first(lane, phone, usable) for phone in ("84912345678", "84932345678")}
            assert {*ROUTES.firsts(lane, usable)} == taken


@pytest.mark.parametrize(
    ("lane", "names", "behind"),
    [
        (Lane.NOTICE, {"bulk"}, {"bulk", "sms"}),
        (Lane.NOTICE, {"sms"}, {"sms", "spare"}),
        (Lane.NOTICE, {"bulk", "sms"}, ALL),
        (Lane.REMINDER, {"sms"}, {"sms"}),
        (Lane.NOTICE, set[str](), set[str]()),
    ],
)
def test_what_begins_at_a_channel_can_take_those_behind_it_and_no_other(
    lane: Lane, names: set[str], behind: set[str]
) -> None:
    assert ROUTES.within_reach(lane, names) == behind


def test_a_reply_goes_back_the_way_that_its_question_came_as_long_as_that_is_open() -> None:
    assert ROUTES.first(Lane.REPLY, "84912345678", ALL, at="spare") == "spare"
    assert ROUTES.first(Lane.REPLY, "84912345678", {"sms"}, at="spare") == "sms"
    assert ROUTES.first(Lane.REPLY, "84912345678", set(), at="spare") == "spare"


def test_the_channel_that_just_failed_is_left_out_of_the_retry() -> None:
    assert ROUTES.instead(Lane.REPLY, "84912345678", ALL, "sms") == "spare"
    assert ROUTES.instead(Lane.REPLY, "84912345678", {"sms"}, "sms") is None
    assert ROUTES.instead(Lane.REMINDER, "84912345678", ALL, "sms") is None


CHATS = Routes([Route(frozenset({Lane.REMINDER}), ("bulk", "sms"), ("8491",))], "sms", {"zalo": ["zalo", "other"]})


@pytest.mark.parametrize("routes", [ROUTES, CHATS])
@pytest.mark.parametrize("usable", [ALL, {"sms"}, {"spare"}, {"bulk", "other"}, {"zalo", "other"}, set[str]()])
def test_the_lanes_that_have_a_detour_are_those_of_which_some_message_has_one(routes: Routes, usable: set[str]) -> None:
    people = {name: ["84912345678", "84932345678"] for name in ("sms", "bulk", "spare", "zalo", "other")}
    for name in ("zalo", "other"):
        people[name] += ["zalo:7"] if routes is CHATS else []
    for name, those in people.items():
        able = {lane for lane in Lane for one in those if routes.instead(lane, one, usable, name)}
        assert routes.detours(name, usable) == able
    assert not Routes([], "sms", {"zalo": ["zalo"]}).detours("sms", usable)


def test_a_route_that_names_a_channel_twice_leads_nobody_back_to_it() -> None:
    route = Route(frozenset({Lane.REPLY}), ("sms", "sms"))
    assert Routes([route], "sms").after(Lane.REPLY, "84912345678", {"sms"}, "sms") is None
