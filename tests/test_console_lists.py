"""The console's lists that are longer than what a page shows: that there is more is said."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from smsgw.store.tables import outbound
from tests.console import official
from tests.world import NOON, World


def _in_doubt(number: int) -> dict[str, object]:
    later = NOON + timedelta(days=1)
    return {
        "id": f"m{number:03}", "channel": "sms", "lane": 2, "sender": "8188", "recipient": "84900000001",
        "text": f"Tin {number}.", "encoding": "gsm7", "segments": 1, "state": "unknown", "attempts": 1, "doubts": 1,
        "created_at": NOON + timedelta(seconds=number), "not_before": NOON, "expires_at": later, "deadline": later,
    }  # fmt: skip


def _add(here: World, first: int, end: int) -> None:
    with here.gateway.database.writing("test") as connection:
        connection.execute(sa.insert(outbound), [_in_doubt(number) for number in range(first, end)])


def test_of_too_many_messages_in_doubt_it_is_said_that_there_are_more(here: World) -> None:
    desk = official(here, "lan", "sender")
    _add(here, 0, 200)
    assert "Chỉ hiện" not in desk.get("/doubtful/")
    _add(here, 200, 201)
    shown = desk.get("/doubtful/")
    assert shown.count('name="id"') == 200
    assert "Chỉ hiện 200 tin; những tin khác hiện ra khi số này đã có kết quả." in shown


def test_of_a_long_conversation_the_latest_messages_are_shown_and_that_there_were_more(here: World) -> None:
    desk = official(here, "lan", "viewer")
    _add(here, 0, 100)
    assert "Chỉ hiện" not in desk.get("/conversations/m000")
    _add(here, 100, 101)
    shown = desk.get("/conversations/m100")
    assert "Tin 100." in shown
    assert "Tin 0." not in shown
    assert "Chỉ hiện 100 tin gần nhất của mỗi bên." in shown
