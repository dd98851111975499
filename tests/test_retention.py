"""What is old is removed, what is needed stays however old, and nobody is held up or told twice by it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from smsgw.dossiers.dossier import Status
from smsgw.settings import SettingsError, load
from smsgw.store import opt_outs, outbox, owners, people, receipts, reminders, voices
from smsgw.store.ids import new_id
from smsgw.store.outbox import Settled
from smsgw.store.people import Preference
from smsgw.store.receipts import Report
from smsgw.store.reminders import OWNER
from smsgw.store.states import State
from smsgw.store.tables import Lane, metadata, zalo_user
from tests.agency import Agency
from tests.test_conversations import LAN, code_of, owner_of
from tests.test_outbox import CLAIMED, claim, message
from tests.test_reminders import IN_PROGRESS, begun, minutes, told
from tests.world import World, settings_text, world

MAI = "84987654321"

# Tables of which no rule removes anything, and why. A new table needs a rule or a reason, also in docs/operating.md.
STAYS = {
    "outbound": "what is finished becomes history after three days; what is not is never removed",
    "outbound_part": "goes when its message becomes history",
    "opt_out": "a refusal holds until it is taken back",
    "owner": "forgotten by the nightly run that notes it, 30 days after the dossier ended",
    "channel": "no person in it",
    "quota": "no person in it",
    "official": "an account, which the log and notices name",
    "api_key": "a system, which the log and notices name",
    "audit_head": "no person in it",
    "access_key": "no person in it",
    "notice_budget": "no person in it",
    "reminder_switch": "how the gateway is set",
    "schedule": "no person in it",
    "onestop_mark": "no person in it",
    "daily": "figures",
    "daily_reply": "figures",
}


def rows(world: World) -> dict[str, int]:
    """How many rows there are in each table that has any."""
    with world.gateway.database.reading() as connection:
        found = {
            name: connection.scalars(sa.select(sa.func.count()).select_from(table)).one()
            for name, table in metadata.tables.items()
        }
    return {name: count for name, count in found.items() if count}


def look(world: World) -> dict[str, int]:
    """What a purge would remove."""
    return {one.what: one.rows for one in world.gateway.purge.look() if one.rows}


def purge(world: World) -> dict[str, int]:
    """Remove what is old, as it was said before; what that was."""
    expected = look(world)
    done = {one.what: one.rows for one in world.gateway.purge.remove() if one.rows}
    assert done == expected
    return done


def retire(world: World) -> None:
    """What is finished becomes history."""
    world.clock.forward(days=3.1)
    world.gateway.sweep()
    world.gateway.sweeper.history()


def answered(world: World, phone: str = LAN, id: str = "mo-1") -> None:
    """Somebody texts, is answered, and both become history."""
    assert world.text(phone, "HELP", id=id)
    retire(world)


def test_a_message_its_answer_and_all_about_them_go_after_a_year_and_not_before(anywhere: World) -> None:
    anywhere.carrier.faults.change({"throttle_429": 1.0, "retry_after": 2.0})
    anywhere.carrier.text(LAN, "HELP")
    anywhere.settle()
    anywhere.carrier.faults.change({"throttle_429": 0.0})
    anywhere.clock.forward(minutes=1)
    anywhere.settle()
    retire(anywhere)
    assert {"inbound", "outbound_history", "attempt", "receipt", "exchange", "callback_group"} <= rows(anywhere).keys()
    anywhere.clock.forward(days=361)
    assert purge(anywhere).keys() == {"calls to carriers", "calls of carriers"}
    anywhere.clock.forward(days=2)
    assert purge(anywhere) == {"messages to citizens": 1, "messages from citizens": 1}
    assert rows(anywhere).keys() == {"channel"}
    assert purge(anywhere) == {}


def test_what_the_carrier_brings_again_is_known_as_long_as_the_message_is_kept(anywhere: World) -> None:
    answered(anywhere)
    anywhere.clock.forward(days=361)
    purge(anywhere)
    assert anywhere.text(LAN, "HELP", id="mo-1") == ""
    assert len(anywhere.heard(LAN)) == 1


def test_a_message_in_doubt_is_kept_however_old_and_so_is_what_it_answers(anywhere: World) -> None:
    anywhere.carrier.faults.change({"cut_after": 1.0})
    assert anywhere.text(LAN, "HELP")  # it came, and we never heard of that
    with anywhere.gateway.database.writing("test") as connection:
        held = sa.update(metadata.tables["outbound"]).values(
            state="unknown", lease=None, finished_at=None, deadline=anywhere.clock() + timedelta(days=9000)
        )
        connection.execute(held)
    anywhere.clock.forward(days=4000)
    purge(anywhere)
    assert {"inbound", "outbound"} <= rows(anywhere).keys()


def test_a_message_that_waits_for_its_answer_is_kept_however_old(here: World) -> None:
    Agency(here.folder).go_away()
    here.carrier.text(LAN, f"HS {here.examples[0].code}")
    here.settle()
    here.clock.forward(days=4000)
    assert "messages from citizens" not in purge(here)
    Agency(here.folder).come_back()
    here.clock.forward(seconds=60)
    here.gateway.intake.answer_waiting()
    here.settle()
    assert len(here.heard(LAN)) == 1


def test_a_receipt_of_a_message_that_is_gone_does_no_harm_and_is_forgotten_too(anywhere: World) -> None:
    answered(anywhere)
    with anywhere.gateway.database.reading() as connection:
        id = connection.scalars(sa.select(metadata.tables["outbound_history"].c.id)).one()
    anywhere.clock.forward(days=363)
    purge(anywhere)
    late = Report(id, None, "delivered", None, anywhere.clock())
    with anywhere.gateway.database.writing("test") as connection:
        receipts.record(connection, "sms", [late], anywhere.clock())
    assert anywhere.gateway.sweeper.late_receipts() == 0
    anywhere.clock.forward(days=366)
    assert purge(anywhere) == {"receipts of messages that are gone": 1}


def test_a_complaint_that_is_open_is_kept_with_its_message_and_a_closed_one_goes(anywhere: World) -> None:
    for phone in (LAN, MAI):
        assert anywhere.text(phone, "PA cham qua")
    retire(anywhere)
    with anywhere.gateway.database.writing("test") as connection:
        closed, still_open = voices.page(connection, "new")
        voices.close(connection, closed.id, "an", anywhere.clock())
    anywhere.clock.forward(days=400)
    assert purge(anywhere)["messages to citizens"] == 2
    assert rows(anywhere)["inbound"] == 2
    anywhere.clock.forward(days=335)
    assert purge(anywhere) == {"complaints that are closed": 1, "messages from citizens": 1}
    anywhere.clock.forward(days=4000)
    assert purge(anywhere) == {}
    with anywhere.gateway.database.reading() as connection:
        assert [one.id for one in voices.page(connection, "new")] == [still_open.id]


def owners_noted(world: World) -> Agency:
    """Whoever works on the dossiers, in a gateway that noted their owners last night."""
    with world.gateway.database.writing("test") as connection:
        owners.note(connection, [(world.examples[0].code, MAI, world.clock())], world.clock())
    return Agency(world.folder)


def test_a_reminder_is_not_sent_again_because_it_was_purged_and_its_phone_is_gone(anywhere: World) -> None:
    agency = begun(anywhere)
    (code,) = agency.codes(IN_PROGRESS)
    then = anywhere.clock()
    agency.finish(code, then)
    minutes(anywhere, 2)
    assert len(told(anywhere, agency, code)) == 1
    retire(anywhere)
    anywhere.clock.forward(days=400)
    done = purge(anywhere)
    assert done["phones in reminders to owners"] == done["messages to citizens"] + rows(anywhere)["reminder"] - 1
    assert "reminders of dossiers that are gone" not in done
    with anywhere.gateway.database.reading() as connection:
        assert connection.scalars(sa.select(metadata.tables["reminder"].c.recipient).distinct()).all() == [None]
    agency.change(code, anywhere.clock(), step_name="Tra ket qua")
    minutes(anywhere, 2)
    assert len(told(anywhere, agency, code)) == 1


def test_a_reminder_goes_when_its_dossier_has_left_the_one_stop_database(anywhere: World) -> None:
    agency = owners_noted(anywhere)
    old = [reminder(anywhere, code, OWNER) for code in (anywhere.examples[0].code, "H01.99-180802-0012")]
    anywhere.clock.forward(days=366)
    assert purge(anywhere) == {"phones in reminders to owners": 2, "reminders of dossiers that are gone": 1}
    agency.go_away()
    reminder(anywhere, "H01.99-180802-0013", OWNER)
    anywhere.clock.forward(days=366)
    done = {one.what: one for one in anywhere.gateway.purge.remove()}
    assert "one-stop database" in done["reminders of dossiers that are gone"].problem
    assert rows(anywhere)["reminder"] == len(old)


def reminder(world: World, code: str, told_to: str, message: str | None = None) -> reminders.Reminder:
    """Somebody was told of a dossier."""
    phone = LAN if told_to == OWNER else told_to
    row = reminders.Reminder("ready_online", code, "x", told_to, phone, "told", message or new_id())
    with world.gateway.database.writing("test") as connection:
        reminders.add(connection, [row], "test", world.clock())
    return row


def test_a_one_stop_database_that_knows_nothing_of_last_night_is_not_believed(here: World) -> None:
    agency = owners_noted(here)
    reminder(here, "H01.99-180802-0012", OWNER)
    here.text(LAN, f"DK {code_of(here, Status.IN_PROGRESS)}")
    agency.remove(here.examples[0].code)
    here.clock.forward(days=400)
    done = {one.what: one for one in here.gateway.purge.remove()}
    for what in ("reminders of dossiers that are gone", "followers of dossiers that have ended"):
        assert (done[what].rows, "none of the dossiers" in done[what].problem) == (0, True)


def test_who_was_told_as_a_follower_is_forgotten_when_they_follow_no_more(anywhere: World) -> None:
    owners_noted(anywhere)
    code = code_of(anywhere, Status.IN_PROGRESS)
    assert anywhere.text(LAN, f"DK {code}")
    reminder(anywhere, code, LAN)
    reminder(anywhere, code, MAI)
    reminder(anywhere, "H01", "84912000001")  # an official's digest
    anywhere.clock.forward(days=366)
    assert purge(anywhere)["reminders to followers and officials"] == 2
    assert rows(anywhere)["reminder"] == 1


def test_a_reminder_whose_message_is_not_final_is_kept(anywhere: World) -> None:
    waiting = message(Lane.REMINDER)
    with anywhere.gateway.database.writing("test") as connection:
        outbox.add(connection, [waiting])
    reminder(anywhere, "H01.99-180802-0012", LAN, waiting.id)
    anywhere.clock.forward(days=4000)
    assert purge(anywhere) == {}


def test_what_was_never_told_may_be_told_again_after_its_message_is_gone(anywhere: World) -> None:
    dropped = message(Lane.REMINDER)
    with anywhere.gateway.database.writing("test") as connection:
        outbox.add(connection, [dropped])
    row = reminder(anywhere, "H01.99-180802-0012", OWNER, dropped.id)
    database = anywhere.gateway.database
    assert claim(database) == [dropped.id]
    now = anywhere.clock()
    untrue = Settled(CLAIMED[dropped.id], State.CANCELLED, now, outcome="withdrawn", code=reminders.UNTRUE)
    with database.writing("test") as connection:
        assert outbox.settle(connection, "sms", "me", [untrue], now) == 1
        assert reminders.known(connection, [row]) == frozenset()
    retire(anywhere)
    anywhere.clock.forward(days=366)
    assert anywhere.gateway.purge.remove()
    with database.reading() as connection:
        assert reminders.known(connection, [row]) == frozenset()


def test_a_follower_stays_as_long_as_the_dossier_is_open_and_a_refusal_as_long_as_it_is_there(anywhere: World) -> None:
    agency = owners_noted(anywhere)
    running, over = (code_of(anywhere, status) for status in (Status.IN_PROGRESS, Status.RETURNED))
    refusing = owner_of(anywhere, Status.RETURNED)
    with anywhere.gateway.database.writing("test") as connection:
        wishes = {(LAN, running): True, (LAN, over): True, (refusing, over): False}
        table = metadata.tables["follower"]
        for (phone, code), wanted in wishes.items():
            connection.execute(sa.insert(table).values(phone=phone, code=code, wanted=wanted, since=anywhere.clock()))
    anywhere.clock.forward(days=89)
    assert purge(anywhere) == {}
    anywhere.clock.forward(days=40)
    assert purge(anywhere) == {"followers of dossiers that have ended": 1}
    agency.remove(over)
    agency.remove(running)
    assert purge(anywhere) == {"followers of dossiers that have ended": 2}


def test_a_refusal_to_be_written_to_holds_for_ever(anywhere: World) -> None:
    assert anywhere.text(LAN, "TC")
    retire(anywhere)
    anywhere.clock.forward(days=9000)
    purge(anywhere)
    with anywhere.gateway.database.reading() as connection:
        assert opt_outs.among(connection, "notice", [LAN]) == {LAN}
    assert rows(anywhere).keys() == {"channel", "opt_out"}


def test_how_somebody_wants_to_be_written_to_is_known_as_long_as_they_are(anywhere: World) -> None:
    with anywhere.gateway.database.writing("test") as connection:
        wish = (Preference("en", accents=False), anywhere.clock())
        people.prefer(connection, {LAN: wish, MAI: wish})
    anywhere.clock.forward(days=300)
    answered(anywhere, MAI)
    anywhere.clock.forward(days=66)
    assert purge(anywhere) == {"wishes of people who are silent": 1, "calls to carriers": 1, "calls of carriers": 2}
    with anywhere.gateway.database.reading() as connection:
        there = people.wishes(connection, [LAN, MAI])
    assert (there[LAN].language, there[MAI].language) == ("vi", "en")


def test_who_has_left_a_chat_is_forgotten_and_who_still_follows_is_not(anywhere: World) -> None:
    with anywhere.gateway.database.writing("test") as connection:
        for name, follows in (("a", True), ("b", False)):
            row = {"address": f"zalo:{name}", "follows": follows, "seen_at": anywhere.clock()}
            connection.execute(sa.insert(zalo_user).values(**row))
    anywhere.clock.forward(days=366)
    assert purge(anywhere) == {"people in a chat who have left": 1}


def test_only_counting_removes_nothing(anywhere: World) -> None:
    answered(anywhere)
    anywhere.clock.forward(days=400)
    before = rows(anywhere)
    assert look(anywhere) == look(anywhere)
    assert look(anywhere)["messages from citizens"] == 1
    assert rows(anywhere) == before


def test_every_table_has_a_rule_or_a_reason_and_the_papers_tell_of_each(here: World) -> None:
    ruled = {table for rule in here.gateway.purge.rules for table in rule.tables}
    assert not ruled & STAYS.keys()
    assert ruled | STAYS.keys() == metadata.tables.keys()
    paper = (Path(__file__).parent.parent / "docs/operating.md").read_text(encoding="utf-8")
    section = paper.partition("## What is kept, and for how long")[2].partition("\n## ")[0]
    assert not [table for table in metadata.tables if f"`{table}`" not in section]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("messages = 30", "retention.messages: expected at least 31 days, or 0 for what is never removed"),
        ("audit = 31", "retention.audit: expected at least 365 days, or 0"),
        ("ratings = -1", "retention.ratings: expected at least 31 days"),
        ("notices = true", "retention.notices: expected a number"),
        ('complaints = "many"', "retention.complaints: expected a whole number"),
        ("mesages = 90", "retention.mesages: no such key"),
    ],
)
def test_a_wrong_time_is_refused_at_start(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load(Path("settings.toml"), settings_text(tmp_path, more=f"[retention]\n{line}"))


def test_what_is_never_removed_is_said_to_be_kept_for_ever(tmp_path: Path) -> None:
    more = "[retention]\nmessages = 0\nnotices = 0\ncomplaints = 0\nratings = 0\naudit = 0"
    with world(tmp_path, more=more) as here:
        answered(here)
        here.clock.forward(days=9000)
        assert purge(here).keys() == {"calls to carriers", "calls of carriers"}
        kept = [one.what for one in here.gateway.purge.look() if one.before is None]
        assert {"messages to citizens", "recipients of notices", "entries of the audit log", "ratings"} <= {*kept}
