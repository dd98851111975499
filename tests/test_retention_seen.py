"""What officials and operators see of what was removed: figures stay true, and where there is less it is said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from smsgw.cli.main import commands
from smsgw.gateway import Gateway
from smsgw.notices import report
from smsgw.notices.refusals import NoticeRefused
from smsgw.officials import audit
from smsgw.store import audit as audit_rows
from smsgw.store import notices, ratings
from smsgw.store.batch import Batch
from smsgw.store.notices import Notice
from smsgw.store.ratings import Rating
from smsgw.store.removing import Hands, Removal
from smsgw.store.tables import audit as audit_table
from smsgw.store.tables.base import UtcTime
from tests.bulletin import Cast, approved, drafted, phone
from tests.console import at_work, official
from tests.plans import effort
from tests.test_conversations import LAN
from tests.test_retention import answered, look, purge, retire, rows
from tests.world import NOON, World, settings_text, world


def sent(cast: Cast, people: int = 3) -> Notice:
    """A notice that is done, whose messages are history; one of them did not arrive, and one recipient was skipped."""
    made = approved(cast.notices, cast.an, cast.binh, people)
    cast.world.text(phone(0), "TC")
    cast.world.settle(10)
    cast.world.clock.forward(hours=1.1)
    cast.world.tick()
    retire(cast.world)
    found = cast.notices.find(made.id, cast.an)
    assert found.state == "done"
    return found


def test_of_a_notice_the_figures_stay_when_its_recipients_go_and_its_report_says_so(cast: Cast) -> None:
    made, world = sent(cast), cast.world
    before = cast.counts(made.id)
    assert before == {"delivered": 2, "cancelled": 1}
    world.clock.forward(days=361)
    assert "recipients of notices" not in purge(world)
    world.clock.forward(days=5)
    done = purge(world)
    assert (done["recipients of notices"], done["messages to citizens"]) == (3, 3)
    assert not {"notice_recipient", "outbound_history"} & rows(world).keys()
    assert cast.counts(made.id) == before
    found = cast.notices.find(made.id, cast.an)
    assert (found.recipients, found.state) == (3, "done")
    assert not [number for number in range(3) if phone(number) in found.reckoning]
    with pytest.raises(NoticeRefused, match="were removed on 2019-"):
        report.records(cast.notices.means, found, "en")
    shown = at_work(world, "dung").get(f"/notices/{made.id}/")
    assert "Danh sách người nhận đã được xóa lúc" in shown
    assert "report.csv" not in shown
    for name in ("report.csv", "report.xlsx"):
        assert "đã được xóa" in at_work(world, "dung").get(f"/notices/{made.id}/{name}", 410)


def test_of_a_notice_that_is_not_over_everything_stays_however_old(cast: Cast) -> None:
    draft = drafted(cast.notices, cast.an).notice
    paused = approved(cast.notices, cast.an, cast.binh)
    cast.world.tick()
    cast.world.clock.forward(seconds=1)  # in which the channel's rate is saved up
    cast.world.send()
    assert cast.world.states() == {"submitted": 3}
    cast.notices.pause(paused.id, cast.an)
    cast.world.settle(10)
    retire(cast.world)
    cast.world.clock.forward(days=4000)
    cast.world.gateway.sweep()
    assert "recipients of notices" not in purge(cast.world)
    assert rows(cast.world)["notice_recipient"] == 6
    assert sum(cast.counts(paused.id).values()) == 3
    assert cast.notices.find(draft.id, cast.an).state == "draft"


def test_messages_of_a_notice_are_kept_as_long_as_its_recipients(tmp_path: Path) -> None:

    with world(tmp_path, more="[retention]\nmessages = 31\nnotices = 90") as here:
        cast = Cast(here)
        made = sent(cast)
        before = cast.counts(made.id)
        here.clock.forward(days=60)
        assert purge(here)["messages to citizens"] == 1  # the answer to who opted out
        assert cast.counts(made.id) == before
        assert len([*report.records(cast.notices.means, made, "en")]) == 4


def test_a_purge_that_dies_between_a_notices_recipients_leaves_its_figures_true(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsgw.store.retention.PAGE", 1)
    made = sent(cast)
    before = cast.counts(made.id)
    cast.world.clock.forward(days=400)
    database, deaths = cast.world.gateway.database, 0
    while "notice_recipient" in rows(cast.world):
        passed = iter(range(100))

        def dies(name: str, side: str, passed: Iterator[int] = passed) -> None:
            if side == "after" and next(passed) == 1:
                raise KeyboardInterrupt

        database.boundary = dies
        with pytest.raises(KeyboardInterrupt):
            cast.world.gateway.purge.remove()
        database.boundary, deaths = None, deaths + 1
        assert cast.counts(made.id) == before
    assert deaths > 1


def test_a_notice_goes_whole_with_the_log_that_names_it(cast: Cast) -> None:
    made = sent(cast)
    cast.world.clock.forward(days=400)
    purge(cast.world)
    cast.world.clock.forward(days=1430)
    assert purge(cast.world)["notices"] == 1
    with cast.world.gateway.database.reading() as connection:
        assert notices.by_id(connection, made.id) is None
    assert "notice_event" not in rows(cast.world)


def entries(world: World, count: int) -> None:
    """So many acts of officials."""
    with world.gateway.database.writing("test") as connection:
        for number in range(count):
            audit.record(connection, "an", "channel.pause", f"sms {number}", {}, world.clock())


def verdict(world: World, noted: str | None = None) -> audit.Verdict:
    with world.gateway.database.reading() as connection:
        return audit.verify(connection, noted)


def test_the_log_still_holds_when_its_oldest_entries_are_removed_and_says_so(
    anywhere: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsgw.retention.rules.PAGE", 3)
    entries(anywhere, 7)
    old = verdict(anywhere).head
    anywhere.clock.forward(days=1000)
    entries(anywhere, 2)
    anywhere.clock.forward(days=830)
    assert purge(anywhere) == {"entries of the audit log": 7}
    held = verdict(anywhere)
    assert (held.broken, held.entries) == (None, 5)  # two that stay, and three that say what was removed
    assert "or that entry is one of the 7 that were removed" in verdict(anywhere, old).problem
    assert purge(anywhere) == {}
    shown = official(anywhere, "quan", "admin").get("/audit/")
    assert "Các dòng đến số 7 đã được xóa" in shown
    assert "Xóa các dòng nhật ký cũ nhất" in shown


def test_a_page_of_the_log_costs_as_much_however_many_old_entries_there_are(anywhere: World) -> None:
    costs = []
    for count in (20, 200):
        entries(anywhere, count)
        later = anywhere.clock() + timedelta(days=1)
        costs.append(effort(anywhere.gateway.database, partial(audit_rows.old, before=later, most=10)))
    assert costs[1] < 2 * costs[0]


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6])
def test_an_entry_that_somebody_takes_out_is_missed_also_after_a_removal(here: World, number: int) -> None:
    entries(here, 2)
    here.clock.forward(days=1000)
    entries(here, 3)
    here.clock.forward(days=830)
    purge(here)
    assert verdict(here).broken is None
    with here.gateway.database.writing("test") as connection:
        connection.execute(sa.delete(audit_table).where(audit_table.c.number == number))
    # Without the one that says what was removed, nothing tells that the first ones may be missing.
    assert verdict(here).broken == {1: None, 2: None, 6: 1}.get(number, number)


def test_what_says_of_a_removal_can_not_be_changed_unnoticed(here: World) -> None:
    entries(here, 2)
    here.clock.forward(days=1000)
    entries(here, 3)
    here.clock.forward(days=830)
    purge(here)
    with here.gateway.database.writing("test") as connection:
        more = sa.update(audit_table).where(audit_table.c.action == audit.REMOVE)
        connection.execute(more.values(detail=json.dumps({"number": "3", "hash": "x"})))
        connection.execute(sa.delete(audit_table).where(audit_table.c.number == 3))
    assert verdict(here).broken is not None


def test_pages_say_from_when_on_there_is_something(anywhere: World) -> None:
    answered(anywhere)
    desk = official(anywhere, "lan", "viewer")
    said = "không còn được lưu, theo thời hạn lưu trữ"
    assert re.search(rf"kết thúc trước ngày \d\d/\d\d/2017 {said}", desk.get("/conversations/"))
    assert said in desk.post("/conversations/", query=LAN)
    assert said in desk.post("/conversations/", 404, query="0987 654 321")
    assert said in desk.get("/voices/?state=closed")
    assert said not in desk.get("/voices/")
    assert said not in desk.get("/ratings/?days=365")


def test_figures_of_a_time_of_which_something_was_removed_say_so(tmp_path: Path) -> None:

    with world(tmp_path, more="[retention]\nratings = 60") as here:
        with here.gateway.database.writing("test") as connection:
            ratings.add(connection, [Rating("H01.31.10-180423-0001", LAN, 5, "H01", "UBND", NOON)])
        here.clock.forward(days=61)
        assert purge(here) == {"ratings": 1}
        desk = official(here, "lan", "viewer")
        assert "Đánh giá trước ngày 16/08/2018 không còn được lưu" in desk.get("/ratings/?days=90")
        assert "không còn được lưu" not in desk.get("/ratings/?days=30")


def run(world: World, *words: str) -> Any:
    file = world.folder / "settings.toml"
    database = world.gateway.database.url.render_as_string(hide_password=False)
    file.write_text(settings_text(world.folder, database), encoding="utf-8")
    done = CliRunner().invoke(commands, ["--config", str(file), *words])
    assert done.exit_code == 0, done.output or done.exception
    return done.stdout


def test_the_command_says_what_it_would_remove_and_then_that_it_did(anywhere: World) -> None:
    answered(anywhere)  # in 2018, and the command goes by the machine's clock
    expected = {one["what"]: one for one in json.loads(run(anywhere, "purge", "--dry-run", "--json"))["rules"]}
    assert expected["messages from citizens"]["rows"] == 1
    assert expected["messages to citizens"]["tables"] == ["api_message", "attempt", "outbound_history", "receipt"]
    assert rows(anywhere)["inbound"] == 1
    shown = run(anywhere, "purge", "--dry-run")
    assert "5 would be removed" in shown.splitlines()[-1]
    assert len(shown.splitlines()) == len(anywhere.gateway.purge.rules) + 1
    assert "5 removed" in run(anywhere, "purge").splitlines()[-1]
    assert rows(anywhere).keys() == {"channel"}
    assert json.loads(run(anywhere, "purge", "--json"))["dry_run"] is False


def test_the_report_says_what_it_does_not_count(here: World) -> None:
    assert "ratings of before 20" in run(here, "report")
    assert "removed" not in run(here, "report", "--from", "2199-01-01")
    assert json.loads(run(here, "report", "--json"))["removed_before"].keys() == {"closed complaints", "ratings"}


def test_two_purges_at_once_remove_everything_once(anywhere: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsgw.store.removing.PAGE", 3)
    for number in range(30):
        anywhere.carrier.text(f"8491234{number:04}", "HELP")
    anywhere.settle()
    retire(anywhere)
    anywhere.clock.forward(days=400)
    there = look(anywhere)
    other, gone = Gateway(anywhere.gateway.settings, anywhere.clock), list[int]()

    def remove(node: Gateway) -> None:
        gone.append(sum(one.rows for one in node.purge.remove()))

    threads = [Thread(target=remove, args=(node,)) for node in (anywhere.gateway, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert len(gone) == 2
    # One may leave a text whose answer the other has just in hand; the next one finds it.
    assert sum(gone) + sum(purge(anywhere).values()) == sum(there.values())
    assert rows(anywhere).keys() == {"channel"}


def test_no_statement_reads_a_large_table_whole(here: World) -> None:
    plans: list[str] = []
    here.clock.forward(days=9000)

    @sa.event.listens_for(here.gateway.database._engine, "before_cursor_execute")
    def explain(_: object, cursor: Any, statement: str, parameters: Any, *rest: object) -> None:
        if statement.split(maxsplit=1)[0] in ("SELECT", "DELETE", "UPDATE"):
            plans.extend(row[-1] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    here.gateway.purge.remove()
    hands = Hands(here.gateway.database)
    for rule in here.gateway.purge.rules:
        if isinstance(rule, Removal):
            _apply(hands, rule, here)
    # What is scanned is the page that was handed over, and what is always small.
    whole = {plan.split()[1] for plan in plans if plan.startswith("SCAN") and " USING " not in plan}
    assert whole <= {"each", "audit_head"}, [plan for plan in plans if plan.startswith("SCAN")]
    assert [plan for plan in plans if "ix_inbound_received" in plan]


def _apply(hands: Hands, rule: Removal, world: World) -> None:
    """All statements of a rule, with a page of one key that is nobody's."""
    key = tuple(NOON if isinstance(column.type, UtcTime) else 0 for column in rule._key)
    one = replace(rule, pages=lambda hands, before: iter([[key]]))
    bounds = world.gateway.purge.limits.bounds(world.clock())
    assert one.count(hands, bounds) == one.remove(hands, bounds) == 0
    with hands.writing() as connection:
        for build in rule._steps():
            Batch(rule._key, build).run(connection, [key])
