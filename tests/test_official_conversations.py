"""What of a conversation an official may see, and that it is known who looked."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from smsgw.dossiers.dossier import Dossier
from smsgw.officials.conversations import Conversations
from smsgw.store import audit
from smsgw.store.conversations import Thread
from smsgw.store.officials import Official
from tests.world import NOON, World

PHONE, OTHER = "84900000001", "84900000002"
PROVINCE = Official("1", "minh", "viewer", None, None, NOON, None, second_factor=False)


@dataclass
class Cast:
    """A phone asked about dossiers of two agencies, another about the second one's. `lan` is of the first one."""

    world: World
    room: Conversations
    ours: Dossier
    theirs: Dossier
    lan: Official

    def viewed(self) -> list[tuple[str, str]]:
        """Who looked into whose conversation, as the audit log has it."""
        with self.world.gateway.database.reading() as connection:
            entries = audit.latest(connection)
        return [(entry.who, entry.subject) for entry in entries if entry.action == "conversation.view"]


@pytest.fixture
def cast(here: World) -> Cast:
    gateway = here.gateway
    dossiers = gateway.onestop.find([example.code for example in here.examples])
    ours = next(iter(dossiers.values()))
    theirs = next(dossier for dossier in dossiers.values() if dossier.agency_code != ours.agency_code)
    for text in (f"HS {ours.code}", f"HS {theirs.code}", f"HS {ours.code} {theirs.code}", "HELP"):
        here.text(PHONE, text)
    here.text(OTHER, f"HS {theirs.code}")
    lan = Official("2", "lan", "viewer", ours.agency_code, None, NOON, None, second_factor=False)
    return Cast(here, Conversations(gateway.database, gateway.onestop, gateway.clock), ours, theirs, lan)


def came(thread: Thread | None) -> list[str]:
    assert thread is not None
    assert {sent.row.in_reply_to for sent in thread.went} == {row.id for row in thread.came}
    return sorted(row.text for row in thread.came)


def test_who_is_bound_to_an_agency_sees_what_is_about_its_dossiers_alone_and_the_replies(cast: Cast) -> None:
    assert came(cast.room.seen(PHONE, cast.lan)) == [f"HS {cast.ours.code}"]
    assert len(came(cast.room.seen(PHONE, PROVINCE))) == 4
    assert cast.room.seen(OTHER, cast.lan) is None
    assert len(came(cast.room.seen(OTHER, PROVINCE))) == 1
    assert cast.room.seen("84900000003", PROVINCE) is None


def test_a_search_finds_those_of_whom_one_may_see_anything(cast: Cast) -> None:
    asked = [PHONE, OTHER, cast.ours.code, cast.theirs.code, "xyz"]
    found = [{talk.phone for talk in cast.room.found(query, cast.lan)} - {cast.ours.owner} for query in asked]
    assert found == [{PHONE}, set(), {PHONE}, set(), set()]
    found = [{talk.phone for talk in cast.room.found(query, PROVINCE)} for query in asked[:4]]
    assert found[:2] == [{PHONE}, {OTHER}]
    assert found[3] >= {PHONE, OTHER}


def test_who_looks_into_a_conversation_is_in_the_audit_log_and_who_may_not_has_seen_nothing(cast: Cast) -> None:
    (one,), (other,) = (cast.room.found(phone, PROVINCE) for phone in (PHONE, OTHER))
    assert cast.viewed() == []
    assert cast.room.opened(other.id, cast.lan) is None
    assert cast.room.opened("none", PROVINCE) is None
    assert cast.viewed() == []
    opened = cast.room.opened(one.id, cast.lan)
    assert opened is not None
    assert (opened.phone, came(opened.thread)) == (PHONE, [f"HS {cast.ours.code}"])
    assert cast.viewed() == [("lan", "84900***001")]


def test_the_trace_of_a_message_is_for_who_may_see_the_message_and_each_look_is_in_the_audit_log(cast: Cast) -> None:
    thread = cast.room.seen(PHONE, PROVINCE)
    assert thread is not None
    seen = {row.text for row in thread.came if cast.room.trace(row.id, cast.lan)}
    assert seen == {f"HS {cast.ours.code}"}
    assert cast.viewed() == [("lan", "84900***001")]
    assert all(cast.room.trace(sent.row.id, PROVINCE) for sent in thread.went)
    assert cast.room.trace("none", PROVINCE) is None
