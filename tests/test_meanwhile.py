"""What another node does between the moment in which something was read and that in which it is acted upon."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from smsgw.dossiers.dossier import Status
from smsgw.gateway import Gateway
from smsgw.notices.personal import Order
from smsgw.notices.refusals import MessageRefused
from smsgw.store import reminders
from smsgw.store.reminders import EVERYWHERE, Switch
from tests.test_conversations import LAN, code_of
from tests.world import NOON, World


def test_of_two_nodes_that_answer_what_has_waited_one_does(anywhere: World) -> None:
    code, file = code_of(anywhere, Status.IN_PROGRESS), anywhere.folder / "onestop.db"
    file.rename(anywhere.folder / "away.db")
    assert anywhere.text(LAN, code) == ""
    (anywhere.folder / "away.db").rename(file)
    other, answered = Gateway(anywhere.gateway.settings, anywhere.clock), list[int]()
    reader = anywhere.gateway.database._reader
    # As soon as this node has seen that there is one.
    sa.event.listen(
        reader, "after_cursor_execute", lambda *_: answered.append(other.intake.answer_waiting()), once=True
    )
    answered.append(anywhere.gateway.intake.answer_waiting())
    other.close()
    assert answered == [1, 0]
    anywhere.settle()
    assert len(anywhere.heard(LAN)) == 1


def test_what_was_so_is_not_taken_as_known_for_a_rule_that_was_switched_again_meanwhile(anywhere: World) -> None:
    first = Switch("result_ready", EVERYWHERE, True, NOON, "lan", stock_taken=False)
    again = Switch("result_ready", EVERYWHERE, True, NOON + timedelta(minutes=1), "lan", stock_taken=False)
    with anywhere.gateway.database.writing("test") as connection:
        reminders.turn(connection, first)
        reminders.turn(connection, again)
        assert not reminders.stock_is_taken(connection, first)
        assert not reminders.switches(connection)["result_ready", EVERYWHERE].stock_taken
        assert reminders.stock_is_taken(connection, again)


def test_a_key_that_is_revoked_while_it_is_used_sends_nothing_any_more(anywhere: World) -> None:
    key, _ = anywhere.gateway.systems.add("kiosk", "sender", None, 10, "lan")
    assert anywhere.gateway.systems.end(key, "lan")
    with pytest.raises(MessageRefused, match="revoked"):
        anywhere.gateway.personal.send(Order("0912345678", "Xin chao"), key, lambda *_: None)
    assert anywhere.states() == {}
