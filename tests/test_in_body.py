"""Replies in the body of our answer: one a message, the same again for a carrier that calls again, and never two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from smsgw.store import outbox
from smsgw.store.states import RECEIPT_WAIT, State
from smsgw.store.tables import Lane, inbound
from tests.world import World, world

KANNEL = """
[channels.kannel]
provider = "kannel"
url = "http://127.0.0.1:9/cgi-bin/sendsms"
callback_url = "http://127.0.0.1:8080/carrier/kannel"
username = "smsgw"
password = "pass-1"
key = "key-660144"
sender = "8188"
tps = 10
[channels.onepay]
provider = "onepay"
access_key = "demo-access"
secret = "demo-secret"
sender = "8088"
tps = 10
[[routes]]
channels = ["sms"]
"""
ASKS = "/carrier/kannel/inbound?key=key-660144&id=mo-1&from=84912345678&to=8188&charset=UTF-8&text=HELP"
REPORTS = "/carrier/kannel/receipts?key=key-660144&status={}&ref={}"
ONE_PAY = (
    "/carrier/onepay/inbound?access_key=demo-access&command=AG&mo_message=AG+H01.12-210802-0012&msisdn=84912345678"
    "&request_id=r-1&request_time=2026-09-01T01%3A30%3A00Z&short_code=8088"
    "&signature=0fa1f91474b4bbfc87b041f58e930dfb19fc7424a8b52372320912acf758cd74"
)


@pytest.fixture
def made(tmp_path: Path, tables_url: str) -> Iterator[World]:
    with world(tmp_path, tables_url, more=KANNEL) as it:
        yield it


def ref(made: World) -> str:
    headers = made.client.get(ASKS).headers
    return headers["X-Kannel-DLR-Url"].partition("ref=")[2].partition("&")[0] if "X-Kannel-DLR-Url" in headers else ""


def test_who_calls_again_gets_the_same_body_and_there_is_one_message(made: World) -> None:
    first, again = made.client.get(ASKS), made.client.get(ASKS)
    assert first.text.startswith("Xin nhan HS")
    assert (again.text, again.headers) == (first.text, first.headers)
    with made.gateway.database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(inbound)) == 1
    assert made.states() == {"unknown": 1}


def test_a_reply_is_in_doubt_until_the_first_receipt(made: World) -> None:
    assert made.client.get(REPORTS.format(8, ref(made))).status_code == 200
    assert made.states() == {"submitted": 1}
    made.client.get(REPORTS.format(1, ref(made)))
    assert made.states() == {"delivered": 1}
    assert made.client.get(ASKS).text  # still the same


def test_one_that_nobody_reports_on_goes_the_usual_way_and_then_in_no_body_any_more(made: World) -> None:
    assert ref(made)
    made.clock.forward(minutes=4)
    assert ref(made)  # it called again, so there are five more minutes
    made.clock.forward(minutes=4)
    made.sweep()
    assert made.states() == {"unknown": 1}
    made.clock.forward(minutes=2)
    made.sweep()
    assert made.states() == {"queued": 1}
    assert made.client.get(ASKS).text == ""
    now, until = made.clock(), made.clock() + RECEIPT_WAIT
    with made.gateway.database.writing("test") as connection:
        (one,) = outbox.claim(connection, "kannel", (Lane.REPLY,), 1, lease="test", until=until, now=now)
    assert made.client.get(ASKS).text == ""
    with made.gateway.database.writing("test") as connection:
        outbox.settle(connection, "kannel", "test", [outbox.Settled(one, State.SUBMITTED, until)], now)
    assert made.client.get(ASKS).text == ""


def test_a_carrier_that_reports_nothing_has_it_when_it_is_committed(made: World) -> None:
    first, again = made.client.get(ONE_PAY), made.client.get(ONE_PAY)
    assert first.json == again.json
    assert first.json is not None
    assert first.json["status"] == 1
    assert made.states() == {"submitted": 1}


def test_what_comes_late_for_a_carrier_that_takes_nothing_goes_by_the_route(made: World) -> None:
    onestop = made.folder / "onestop.db"
    onestop.rename(made.folder / "away.db")
    answer = made.client.get(ONE_PAY).json
    assert answer is not None
    assert answer["status"] == 0
    (made.folder / "away.db").rename(onestop)
    made.clock.forward(seconds=2)
    made.gateway.intake.answer_waiting()
    made.settle()
    assert len(made.heard("84912345678")) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", ASKS, 405),
        ("GET", ASKS.replace("key-660144", "key-660145"), 401),
        ("GET", "/carrier/onepay/receipts", 404),
        ("GET", ASKS.replace("&id=mo-1", ""), 400),
        ("HEAD", ASKS, 405),
    ],
)
def test_what_the_carrier_does_not_do_is_refused(made: World, method: str, path: str, status: int) -> None:
    assert made.client.open(path, method=method).status_code == status
    assert made.states() == {}
