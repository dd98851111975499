"""What happens to a notice while its messages are on their way: stopped, resumed, counted, done."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from smsgw.notices import report
from smsgw.notices.drafting import Draft
from smsgw.notices.office import HELD_FOR
from smsgw.notices.preview import preview
from smsgw.notices.progress import Failure, progress
from smsgw.notices.refusals import NoticeRefused
from smsgw.notices.sheets import LONGEST
from smsgw.store import channels, notice_sending, outbox
from smsgw.store.ids import new_id
from smsgw.store.notices import Notice
from smsgw.store.officials import Official
from smsgw.store.outbox import Settled
from smsgw.store.states import LIVE_FOR, State
from smsgw.store.tables import Lane, notice_recipient, outbound
from tests.bulletin import Cast, approved, drafted, seen, table
from tests.plans import effort, writing_steps
from tests.world import World, world


def test_the_figures_add_up_while_messages_become_history(cast: Cast) -> None:
    made = approved(cast.notices, cast.an, cast.binh, 5)
    cast.world.settle()
    cast.world.clock.forward(seconds=LIVE_FOR.total_seconds() + 60)
    with cast.world.gateway.database.reading() as connection:
        # Between the first statement and the next one, if there is a next one.
        sa.event.listen(connection, "after_cursor_execute", lambda *_: cast.world.gateway.sweeper.history(), once=True)
        assert notice_sending.outcomes(connection, made.id) == Counter({("delivered", ""): 5})
    with cast.world.gateway.database.reading() as connection:
        assert notice_sending.outcomes(connection, made.id) == Counter({("delivered", ""): 5})
        assert notice_sending.spent(connection, made.id) == 5
    assert cast.world.states() == {}


@pytest.mark.parametrize(("stop", "state"), [("pause", "held"), ("cancel", "cancelled")])
def test_what_comes_back_to_the_queue_of_a_stopped_notice_does_not_go_out(cast: Cast, stop: str, state: str) -> None:
    made = approved(cast.notices, cast.an, cast.binh)
    cast.world.tick()
    now, lease = cast.world.clock(), new_id()
    with cast.world.gateway.database.writing("test") as connection:
        outbox.claim(connection, "sms", (Lane.NOTICE,), 3, lease=lease, until=now + timedelta(minutes=1), now=now)
    getattr(cast.notices, stop)(made.id, cast.an)
    assert cast.world.states() == {"sending": 3}
    with cast.world.gateway.database.writing("test") as connection:
        outbox.give_back(connection, [lease])
    cast.world.settle()
    assert cast.world.states() == {state: 3}


@pytest.mark.parametrize(("stop", "state"), [("pause", "held"), ("cancel", "cancelled")])
def test_what_comes_back_is_not_sent_either_by_who_claims_it_before_it_is_tended_to(
    cast: Cast, stop: str, state: str
) -> None:
    made = approved(cast.notices, cast.an, cast.binh)
    cast.world.tick()
    _handed_back(cast, made, getattr(cast.notices, stop))
    cast.world.clock.forward(seconds=1)  # in which the channel's rate is saved up
    cast.world.send()
    with cast.world.gateway.database.reading() as connection:
        assert [*connection.scalars(sa.select(outbound.c.attempts))] == [2, 2, 2]
    assert cast.world.states() == {"queued": 3}
    cast.world.settle()
    assert cast.world.states() == {state: 3}


def test_what_comes_back_to_a_notice_that_is_just_resumed_is_not_held_for_good(cast: Cast) -> None:
    made = approved(cast.notices, cast.an, cast.binh)
    cast.world.tick()
    _handed_back(cast, made, cast.notices.pause)
    resuming = threading.Thread(target=cast.notices.resume, args=(made.id, cast.an))

    def resume_first(name: str, side: str) -> None:
        if (name, side) == ("tend notices", "before"):
            resuming.start()
            resuming.join(1)  # it may have to wait for what is being committed here

    cast.world.gateway.database.boundary = resume_first
    cast.world.gateway.feeder.tend()
    cast.world.gateway.database.boundary = None
    resuming.join()
    cast.world.settle()
    assert cast.world.states() == {"delivered": 3}
    assert cast.state(made.id) == "done"


def test_the_budget_gets_back_also_what_senders_had_when_a_notice_was_cancelled(cast: Cast) -> None:
    made = approved(cast.notices, cast.an, cast.binh)
    cast.world.tick()
    _handed_back(cast, made, cast.notices.cancel)
    cast.world.settle()
    assert cast.counts(made.id) == {"cancelled": 3}
    assert preview(cast.notices.means, cast.notices.find(made.id, cast.an)).budget.used == 0


@pytest.mark.parametrize("stop", ["edit", "replace"])
def test_the_budget_gets_back_what_is_no_longer_approved(cast: Cast, stop: str) -> None:
    made = approved(cast.notices, cast.an, cast.binh)
    assert preview(cast.notices.means, made).budget.used == 3
    if stop == "edit":
        cast.notices.edit(made.id, cast.an, Draft(made.name, "Moi den.", made.audience))
    else:
        cast.notices.replace(made.id, cast.an)
    assert preview(cast.notices.means, cast.notices.find(made.id, cast.an)).budget.used == 0


def _handed_back(cast: Cast, made: Notice, stop: Callable[[str, Official], object]) -> None:
    """Messages of a notice that is stopped while a sender has them, who hands them back."""
    now, lease = cast.world.clock(), new_id()
    with cast.world.gateway.database.writing("test") as connection:
        outbox.claim(connection, "sms", (Lane.NOTICE,), 3, lease=lease, until=now + timedelta(minutes=1), now=now)
    stop(made.id, cast.an)
    with cast.world.gateway.database.writing("test") as connection:
        outbox.give_back(connection, [lease])


def test_a_notice_is_not_done_while_a_sender_hands_a_message_back(cast: Cast) -> None:
    made = approved(cast.notices, cast.an, cast.binh)
    cast.world.tick()
    now, lease, database = cast.world.clock(), new_id(), cast.world.gateway.database
    with database.writing("test") as connection:
        outbox.claim(connection, "sms", (Lane.NOTICE,), 3, lease=lease, until=now + timedelta(minutes=1), now=now)

    def hand_back(*_: object) -> None:
        with database.writing("test") as connection:
            outbox.give_back(connection, [lease])

    with database.reading() as connection:
        sa.event.listen(connection, "after_cursor_execute", hand_back, once=True)
        assert notice_sending.unsent(connection, made.id) == "sending"


def test_what_failed_is_told_of_as_many_as_are_counted(cast: Cast) -> None:
    made = approved(cast.notices, cast.an, cast.binh)
    cast.world.tick()
    now, lease, database = cast.world.clock(), new_id(), cast.world.gateway.database
    with database.writing("test") as connection:
        claimed = outbox.claim(
            connection, "sms", (Lane.NOTICE,), 3, lease=lease, until=now + timedelta(minutes=1), now=now
        )

    def fail(*_: object) -> None:
        with database.writing("test") as connection:
            ended = [Settled(one, State.REJECTED, now, outcome="rejected", code="7") for one in claimed]
            outbox.settle(connection, "sms", lease, ended, now)

    found = cast.notices.find(made.id, cast.an)
    sa.event.listen(database._reader, "after_cursor_execute", fail, once=True)
    there = progress(cast.notices.means, found)
    assert there.counts.undelivered == sum(failure.messages for failure in there.failures)
    there = seen(cast.notices, made.id, cast.an)
    assert there.counts.undelivered == 3
    assert there.failures == [Failure("rejected", "7", 3)]


def test_whether_a_notice_is_done_is_not_looked_for_among_all_that_wait_for_receipts(cast: Cast) -> None:
    costs = []
    for others in (20, 400):
        for people in (others, 2):
            made = approved(cast.notices, cast.an, cast.binh, people)
            _handed_over(cast)
        costs.append(effort(cast.world.gateway.database, partial(cast.world.gateway.feeder._is_done, id=made.id)))
    assert cast.world.states() == {"submitted": 424}
    assert costs[1] < 2 * costs[0]


def test_whether_the_last_receipts_have_come_is_not_looked_for_anew_among_all_each_second(cast: Cast) -> None:
    costs = []
    for people in (20, 400):
        made = approved(cast.notices, cast.an, cast.binh, people)
        _handed_over(cast)
        _reported(cast, made.id, but=1)
        cast.world.gateway.feeder.tend()
        costs.append(effort(cast.world.gateway.database, partial(cast.world.gateway.feeder._is_done, id=made.id)))
        assert cast.state(made.id) == "sending"
        _reported(cast, made.id)
        cast.world.gateway.feeder.tend()
        assert cast.state(made.id) == "done"
    assert costs[1] < 2 * costs[0]


def test_who_texts_does_not_wait_for_a_look_at_all_recipients_when_a_notice_ends(tmp_path: Path) -> None:
    costs = []
    with world(tmp_path, dossiers=0) as here:
        cast = Cast(here)
        for people in (20, 400):
            made = approved(cast.notices, cast.an, cast.binh, people)
            _handed_over(cast)
            _reported(cast, made.id)
            with writing_steps(here.gateway.database) as steps:
                here.gateway.feeder.tend()
            assert cast.state(made.id) == "done"
            costs.append(len(steps))
    assert costs[1] < 2 * costs[0]


def _reported(cast: Cast, id: str, but: int = 0) -> None:
    """All messages of a notice arrived, but so many of those that were sent first."""
    of_it = sa.select(notice_recipient.c.message_id).where(notice_recipient.c.notice_id == id)
    of_it = of_it.order_by(notice_recipient.c.line).offset(but)
    with cast.world.gateway.database.writing("test") as connection:
        ids = connection.scalars(of_it).all()
        values = {"state": "delivered", "finished_at": cast.world.clock()}
        connection.execute(sa.update(outbound).where(outbound.c.id.in_(ids)).values(values))


def _handed_over(cast: Cast) -> None:
    """All goes out, and no receipt comes."""
    cast.world.tick()
    while not cast.world.states().keys() <= {"submitted", "delivered"}:
        cast.world.clock.forward(seconds=1)
        cast.world.send()


def test_who_takes_a_report_slowly_keeps_nothing_of_the_database(cast: Cast) -> None:
    made = approved(cast.notices, cast.an, cast.binh)
    cast.world.settle()
    pool = cast.world.gateway.database._engine.pool
    assert isinstance(pool, sa.QueuePool)
    lines = report.records(cast.notices.means, cast.notices.find(made.id, cast.an), "en")
    assert [next(lines)[0], next(lines)[0]] == ["row", "2"]
    assert pool.checkedout() == 0
    assert len([*lines]) == 2


OTHERS = 3000
OTHER_CHANNEL = """reply_share = 0

[channels.other]
provider = "aggregator"
url = "http://127.0.0.1:9"
token = "t"
secret = "s"
sender = "8188"
tps = 10
batch = 10
reply_share = 0

[[routes]]
purposes = ["notice"]
prefixes = ["84910003"]
channels = ["other", "sms"]
"""


def waiting(there: World) -> dict[Any, int]:
    """How many messages wait, by channel."""
    waits = sa.select(outbound.c.channel, sa.func.count()).where(outbound.c.state == "queued")
    with there.gateway.database.reading() as connection:
        return dict(connection.execute(waits.group_by(outbound.c.channel)).all())


@pytest.fixture
def two_channels(tmp_path: Path, tables_url: str) -> Iterator[Cast]:
    """Two channels of ten messages a second. From phone OTHERS on, people have the other one."""
    with world(tmp_path, tables_url, more=OTHER_CHANNEL, tps=10) as made:
        yield Cast(made)


def test_who_has_a_channel_with_room_waits_for_nobody_whose_channel_is_full(two_channels: Cast) -> None:
    there = two_channels.world
    assert LONGEST + 300 < OTHERS
    approved(two_channels.notices, two_channels.an, two_channels.binh, OTHERS + 350)
    assert there.gateway.feeder.feed() == 600
    assert waiting(there) == {"sms": 300, "other": 300}
    assert there.gateway.feeder.feed() == 0
    with there.gateway.database.writing("test") as connection:
        connection.execute(sa.update(outbound).values(state="cancelled", finished_at=there.clock()))
    assert there.gateway.feeder.feed() == 350
    assert waiting(there) == {"sms": 300, "other": 50}


def test_who_was_passed_over_goes_by_another_channel_once_their_own_one_is_closed(two_channels: Cast) -> None:
    there = two_channels.world
    made = drafted(two_channels.notices, two_channels.an, file=table(350, first=OTHERS)).notice
    two_channels.notices.submit(made.id, two_channels.an)
    two_channels.notices.approve(made.id, two_channels.binh)
    assert there.gateway.feeder.feed() == 300
    with there.gateway.database.reading() as connection:
        other = channels.every(connection)["other"]
    there.gateway.roads.note(replace(other, state="held"))
    assert there.gateway.feeder.feed() == 50
    assert waiting(there) == {"other": 300, "sms": 50}


def test_who_is_put_into_the_database_behind_the_place_is_found_and_stops_the_notice(slow: Cast) -> None:
    made = approved(slow.notices, slow.an, slow.binh, 350)
    slow.world.tick()
    with slow.world.gateway.database.writing("test") as connection:
        stranger = {"notice_id": made.id, "line": 1, "phone": "84999999999", "fields": "{}", "message_id": new_id()}
        connection.execute(sa.insert(notice_recipient).values(stranger))
    slow.world.settle(60)
    assert slow.state(made.id) == "paused"
    assert slow.world.heard("84999999999") == []


def test_what_was_paused_for_ninety_days_is_cancelled_and_reaches_nobody_any_more(slow: Cast) -> None:
    made = approved(slow.notices, slow.an, slow.binh, 350)
    slow.world.tick()
    slow.notices.pause(made.id, slow.an)
    slow.world.clock.forward(seconds=HELD_FOR.total_seconds())
    slow.world.tick()
    assert slow.state(made.id) == "paused"
    slow.world.clock.forward(seconds=1)
    slow.world.tick()
    assert slow.state(made.id) == "cancelled"
    assert slow.counts(made.id)["cancelled"] >= 50
    assert slow.counts(made.id).get("queued", 0) == 0
    last = slow.notices.events(made.id, slow.an)[-1]
    assert (last.who, last.move) == ("gateway", "cancel")
    with pytest.raises(NoticeRefused):
        slow.notices.resume(made.id, slow.an)
    slow.world.settle()
    assert [number for number in range(350) if slow.heard(number)] == []
