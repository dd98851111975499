"""What is known of a notice before it goes out: texts, size, cost, course, budget, and who was told the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from smsgw.notices.forecast import Budget, Course
from smsgw.notices.preview import preview
from smsgw.notices.refusals import NoticeRefused
from smsgw.store.officials import Official
from tests.bulletin import Cast, approved, drafted, seen, table
from tests.world import NOON, world


def test_a_budget_is_warned_of_and_held(tmp_path: Path) -> None:
    with world(tmp_path, more='[notices]\nmonthly_segments = 100\nbudgets = { "" = 10 }') as made:
        cast = Cast(made)
        approved(cast.notices, cast.an, cast.binh, 5)
        next_one = drafted(cast.notices, cast.an, 4).notice
        shown = preview(cast.notices.means, next_one).budget
        assert (shown.used, shown.with_this, shown.limit, shown.near, shown.refused) == (5, 9, 10, True, False)
        too_much = drafted(cast.notices, cast.an, 6).notice
        cast.notices.submit(too_much.id, cast.an)
        with pytest.raises(NoticeRefused, match="takes 6 segments, and of the 10 of 2018-08 5 are used"):
            cast.notices.approve(too_much.id, cast.binh)
        assert cast.state(too_much.id) == "submitted"


@pytest.mark.parametrize(
    ("with_this", "near", "refused"), [(79, False, False), (80, True, False), (100, True, False), (101, True, True)]
)
def test_a_budget_warns_from_eighty_percent_on_and_is_full_at_a_hundred(
    with_this: int, near: bool, refused: bool
) -> None:
    budget = Budget("2018-08", 10, with_this, 100)
    assert (budget.near, budget.refused) == (near, refused)


def test_the_preview_shows_real_texts_sizes_cost_course_and_who_was_told_before(tmp_path: Path) -> None:
    with world(tmp_path, more="tariff = 300\n") as made:
        cast = Cast(made)
        approved(cast.notices, cast.an, cast.binh, 2)
        made.settle()
        shown = preview(cast.notices.means, drafted(cast.notices, cast.an, 12).notice, Random(3))
        assert [sample.why for sample in shown.samples] == ["first", "longest", "random", "random", "random"]
        assert shown.samples[1].plain.text == "Kinh moi Ong 10 den nhan ket qua tai bo phan mot cua."
        assert (shown.samples[0].plain.size.encoding, shown.samples[0].accented.size.encoding) == ("gsm7", "ucs2")
        assert (shown.reckoning.plain.segments, shown.reckoning.plain.cost) == (12, 3600)
        assert (shown.reckoning.accented.segments, shown.reckoning.accented.by_encoding) == (12, {"ucs2": 12})
        assert shown.course.ends > shown.course.starts == made.clock()
        assert [other.people for other in shown.told_before] == [2]


def test_of_what_another_agency_told_the_same_people_only_the_province_hears(cast: Cast) -> None:
    def told(who: Official) -> list[str]:
        return [other.id for other in preview(cast.notices.means, drafted(cast.notices, who).notice).told_before]

    author, approver = (cast.official(name, "approver", agency="H01.12") for name in ("em", "oanh"))
    sent = approved(cast.notices, author, approver)
    cast.world.settle()
    assert told(author) == told(cast.an) == [sent.id]
    assert told(cast.official("giang", "sender", agency="H01.13")) == []


def test_the_same_text_to_the_same_people_is_pointed_out_for_a_day_and_only_that(cast: Cast) -> None:
    def told(**given: Any) -> list[int]:
        made = drafted(cast.notices, cast.an, **given).notice
        return [other.people for other in preview(cast.notices.means, made).told_before]

    approved(cast.notices, cast.an, cast.binh, 4)
    cast.world.settle()
    assert told(count=2) == [2]
    assert told(file=table(4, first=3)) == [1]
    assert told(file=table(4, first=4)) == []
    assert told(text="Mời ((tên)).") == []
    cast.world.clock.forward(hours=23, minutes=59)
    assert told() == [3]
    cast.world.clock.forward(minutes=1)
    assert told() == []


def test_the_expected_end_is_by_the_channels_rate_within_the_allowed_hours(slow: Cast) -> None:
    def course(send_at: datetime | None = None) -> Course:
        made = drafted(slow.notices, slow.an, 300, send_at=send_at).notice
        return preview(slow.notices.means, made).course

    half_a_minute = timedelta(seconds=30)
    assert course() == Course(NOON, NOON + half_a_minute, half_a_minute)
    evening = NOON + timedelta(hours=9, seconds=-10)  # ten seconds before the night
    assert course(evening).ends == evening + timedelta(hours=10) + half_a_minute
    holiday = datetime.fromisoformat("2018-09-02T10:00+07:00")
    assert course(holiday).starts == datetime.fromisoformat("2018-09-04T07:00+07:00")
    made = approved(slow.notices, slow.an, slow.binh, 300)
    slow.world.settle(10)
    shown = seen(slow.notices, made.id, slow.an)
    assert 150 < shown.counts.queued < 250
    assert shown.ends == slow.world.clock() + timedelta(seconds=shown.counts.queued / 10)
    slow.notices.pause(made.id, slow.an)
    assert seen(slow.notices, made.id, slow.an).ends is None
