"""The overview: what happens today, what is kept of the days that are over, and how it is drawn."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from smsgw.officials.activity import FURTHEST
from smsgw.store import receipts
from smsgw.store.receipts import Report
from smsgw.store.tables import daily_reply, outbound
from tests.console import official
from tests.world import NOON, World, world


def test_the_overview_tells_of_today_and_of_days_that_are_over(anywhere: World) -> None:
    for number in range(3):
        assert anywhere.text(f"8490000000{number}", anywhere.examples[0].code)
    today = anywhere.gateway.activity.today()
    assert (today.total.messages_in, today.total.messages_out, today.total.delivered) == (3, 3, 3)
    assert today.reply_p50 is not None
    assert 0 <= today.reply_p50 <= 5
    assert anywhere.gateway.activity.keep_days() == 3
    anywhere.clock.forward(days=1)
    assert anywhere.gateway.activity.keep_days() == 2
    assert anywhere.gateway.activity.keep_days() == 0
    days = anywhere.gateway.activity.days(3)
    assert [traffic.messages_in for _, traffic in days] == [0, 3, 0]
    assert [traffic.delivered for _, traffic in days] == [0, 3, 0]
    page = official(anywhere, "lan", "viewer").get("/")
    assert 'class="bars"' in page


def test_after_midnight_nothing_of_yesterday_is_told_of_as_todays(anywhere: World) -> None:
    anywhere.clock.now = datetime(2018, 8, 15, 23, 59, 50, tzinfo=anywhere.gateway.activity._timezone)
    anywhere.text("84900000001", anywhere.examples[0].code)
    assert anywhere.gateway.activity.today().total.messages_in == 1
    anywhere.clock.now = datetime(2018, 8, 16, 0, 0, 1, tzinfo=anywhere.gateway.activity._timezone)
    assert anywhere.gateway.activity.today().total.messages_in == 0
    assert anywhere.gateway.activity.days(1)[0][1].messages_in == 0


def test_where_clocks_are_set_back_a_message_counts_for_its_own_day(anywhere: World) -> None:
    activity = anywhere.gateway.activity
    activity._timezone = ZoneInfo("Europe/Berlin")
    anywhere.clock.now = datetime(2018, 10, 28, 0, 30, tzinfo=activity._timezone).astimezone(UTC)
    anywhere.text("84900000001", "HD")
    anywhere.clock.forward(hours=26)
    activity.keep_days()
    assert [traffic.delivered for _, traffic in activity.days(3)] == [0, 1, 0]


def test_what_was_spent_is_told_by_the_tariff(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        here.gateway.activity._tariffs = {"sms": 350}
        here.text("84900000001", "HD")
        segments = sum(bubble.text != "" for bubble in here.heard("84900000001"))
        assert here.gateway.activity.today().total.cost == 350 * segments
        assert f"{350 * segments}\N{NO-BREAK SPACE}₫" in official(here, "lan", "viewer").get("/")


def test_what_was_kept_of_a_day_stays_when_its_messages_have_gone_to_history(anywhere: World) -> None:
    for number in range(3):
        anywhere.text(f"8490000000{number}", anywhere.examples[0].code)
    for _ in range(5 * 4):
        anywhere.clock.forward(hours=6)
        anywhere.gateway.sweeper.history()
        anywhere.gateway.activity.keep_days()
    assert anywhere.states() == {}
    assert [traffic.delivered for _, traffic in anywhere.gateway.activity.days(6)] == [3, 0, 0, 0, 0, 0]
    assert anywhere.gateway.activity.reply_times(6)[0].p50 is not None


def test_a_day_with_a_channel_that_is_gone_since_is_not_counted_over_and_over(anywhere: World) -> None:
    activity = anywhere.gateway.activity
    activity._tariffs = {"sms": 0, "zalo": 0}
    anywhere.clock.forward(days=1)
    activity.keep_days()
    activity._tariffs = {"sms": 0}
    anywhere.clock.forward(hours=7)
    assert activity.keep_days() == 2
    assert activity.keep_days() == 0


def days_pass(made: World, days: int) -> None:
    """So many days in the life of a gateway, six hours at a time."""
    for _ in range(days * 4):
        made.clock.forward(hours=6)
        made.gateway.sweep()
        made.gateway.sweeper.history()
        made.gateway.activity.keep_days()


def test_what_a_carrier_never_reports_of_counts_once_on_its_day_and_for_no_failure(anywhere: World) -> None:
    activity = anywhere.gateway.activity
    activity._tariffs = {"sms": 350}
    anywhere.carrier.faults.change({"lost_receipts": 1.0})
    for number in range(3):
        assert anywhere.text(f"8490000000{number}", "HD")
    days_pass(anywhere, 4)
    assert anywhere.states() == {"expired": 3}
    days_pass(anywhere, 4)
    assert anywhere.states() == {}
    days = [traffic for _, traffic in activity.days(9)]
    assert [traffic.messages_out for traffic in days] == [3, *[0] * 8]
    assert [traffic.cost > 0 for traffic in days] == [True, *[False] * 8]
    assert [traffic.failed for traffic in days] == [0] * 9
    assert [times.p50 is not None for times in activity.reply_times(9)] == [True, *[False] * 8]


def test_a_message_whose_receipt_comes_days_later_counts_on_the_day_it_went_out(anywhere: World) -> None:
    anywhere.carrier.faults.change({"lost_receipts": 1.0})
    assert anywhere.text("84900000001", "HD")
    with anywhere.gateway.database.reading() as connection:
        id = connection.scalars(sa.select(outbound.c.id)).one()
    days_pass(anywhere, 1)
    with anywhere.gateway.database.writing("test") as connection:
        receipts.record(connection, "sms", [Report(id, None, "undelivered", None, None)], anywhere.clock())
    days_pass(anywhere, 3)
    days = [traffic for _, traffic in anywhere.gateway.activity.days(5)]
    assert [(traffic.messages_out, traffic.failed) for traffic in days] == [(1, 1), *[(0, 0)] * 4]


def test_what_no_carrier_took_is_a_failure_of_the_day_on_which_it_ended(anywhere: World) -> None:
    anywhere.lose_carrier()
    anywhere.carrier.text("84900000001", "HD")
    anywhere.carrier.run_due()
    days_pass(anywhere, 3)
    days = [traffic for _, traffic in anywhere.gateway.activity.days(4)]
    assert [(traffic.messages_out, traffic.failed) for traffic in days] == [(0, 0), (0, 1), (0, 0), (0, 0)]


def test_the_days_before_an_outage_are_counted_when_it_is_over(anywhere: World) -> None:
    activity = anywhere.gateway.activity
    activity.keep_days()
    for number in range(3):
        assert anywhere.text(f"8490000000{number}", "HD")
    anywhere.clock.forward(days=1)
    assert anywhere.text("84900000003", "HD")
    anywhere.clock.forward(days=5)
    anywhere.gateway.sweep()
    activity.keep_days()
    days = [traffic for _, traffic in activity.days(7)]
    assert [traffic.messages_in for traffic in days] == [3, 1, *[0] * 5]
    assert [traffic.delivered for traffic in days] == [3, 1, *[0] * 5]
    assert [times.p50 is not None for times in activity.reply_times(7)] == [True, True, *[False] * 5]
    assert activity.keep_days() == 0


def test_of_a_long_outage_only_so_many_days_are_counted(here: World) -> None:
    here.gateway.activity.keep_days()
    here.clock.forward(days=400)
    assert here.gateway.activity.keep_days() == FURTHEST
    assert here.gateway.activity.keep_days() == 0


def test_the_time_to_reply_is_kept_for_each_day_and_drawn(anywhere: World) -> None:
    activity = anywhere.gateway.activity
    for seconds in (1, 2, 60):
        anywhere.carrier.text("84900000001", "HD")
        anywhere.carrier.run_due()
        anywhere.clock.forward(seconds=seconds)
        anywhere.send()
    assert (activity.today().reply_p50, activity.today().reply_p95) == (2, 60)
    anywhere.clock.forward(days=1)
    activity.keep_days()
    kept, today = activity.reply_times(2)
    assert (kept.p50, kept.p95) == (2, 60)
    assert (today.p50, today.p95) == (None, None)
    page = official(anywhere, "lan", "viewer").get("/")
    assert "Thời gian trả lời mỗi ngày" in page
    assert re.search(r"<title>14/08: [^<]*60,0</title>", page) is None
    assert re.search(r"<title>15/08: [^<]*60,0</title>", page)


def test_days_of_which_nothing_is_known_are_a_gap_in_the_line(here: World) -> None:
    with here.gateway.database.writing("test") as connection:
        for days, p50 in ((1, 2.0), (2, 3.0), (4, 5.0)):
            day = (NOON - timedelta(days=days)).date().isoformat()
            connection.execute(sa.insert(daily_reply), {"day": day, "p50": p50, "p95": 2 * p50})
    page = official(here, "lan", "viewer").get("/")
    (path,) = re.findall(r'<path class="line-a" d="([^"]+)"', page)
    assert path.count("M") == 2
    assert path.count("L") == 1
