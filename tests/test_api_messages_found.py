"""Messages that other systems sent: found again, by whom they are to be seen, and gone when they are old."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from smsgw.store.history import message
from smsgw.store.tables import api_message, api_request
from tests.console import official as browser_of
from tests.systems import ORDER, PHONE, system
from tests.world import World


def test_messages_are_listed_newest_first_page_by_page_also_when_they_are_history(here: World) -> None:
    one = system(here)
    ids = [one.post("/messages", ORDER)["id"] for _ in range(3)]
    here.settle()
    here.clock.forward(days=30)
    here.gateway.sweeper.history()
    first = one.get("/messages?limit=2")
    assert [shown["id"] for shown in first["messages"]] == [ids[2], ids[1]]
    second = one.get(f"/messages?limit=2&before={first['next']}")
    assert [shown["id"] for shown in second["messages"]] == [ids[0]]
    assert second["next"] is None


def test_a_system_finds_its_messages_by_what_it_asks_for(anywhere: World) -> None:
    one = system(anywhere)
    old = one.post("/messages", ORDER | {"reference": "appointment-1"})["id"]
    anywhere.settle()
    anywhere.clock.forward(days=4)
    anywhere.gateway.sweeper.history()
    other = one.post("/messages", ORDER | {"to": "0912000002"})["id"]
    new = one.post("/messages", ORDER | {"reference": "appointment-1"})["id"]
    for query, found in (
        ("reference=appointment-1", [new, old]),
        ("reference=appointment", []),
        ("state=delivered", [old]),
        ("state=queued", [new, other]),
        ("state=undelivered", []),
        ("to=%2B84 912 345 678", [new, old]),
        ("to=0912000002&state=delivered", []),
        ("since=2018-08-16", [new, other]),
        ("until=2018-08-15T12:00", []),  # by the province's clock, when the first was sent
        ("until=2018-08-15T12:01", [old]),
        ("since=2018-08-15T05:00Z&until=2018-08-15T05:00:01Z", [old]),
        ("reference=appointment-1&state=queued&to=0912345678&since=2018-08-16&until=2018-08-30", [new]),
        (f"to=0912345678&before={new}", [old]),
        (f"before={old}", []),
    ):
        assert [shown["id"] for shown in one.get(f"/messages?{query}")["messages"]] == found, query
    assert one.get(f"/messages/{new}")["reference"] == "appointment-1"
    assert one.get(f"/messages/{other}")["reference"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=lost", "state"), ("state=", "state"), ("to=abc", "to"), ("to=02963852288", "to"),
        ("since=today", "since"), ("since=0001-01-01", "since"), ("until=9999-12-31T23:59", "until"),
        (f"reference={'x' * 65}", "reference"), ("reference=", "reference"), ("key=x", "key"),
        ("before=x", "before"), ("before=", "before"), ("before=%00", "before"),
    ],
)  # fmt: skip
def test_a_filter_that_can_not_be_meant_is_refused_by_name(here: World, query: str, field: str) -> None:
    refused = system(here).get(f"/messages?{query}", 422)
    assert [error["field"] for error in refused["errors"]] == [field]


@pytest.mark.parametrize("query", [f"reference={'x' * 65}", "reference="])
def test_the_length_of_what_is_looked_for_is_said_in_characters(here: World, query: str) -> None:
    refused = system(here).get(f"/messages?{query}", 422)
    assert "character" in refused["errors"][0]["problem"]


def test_a_reference_finds_nothing_of_another_agencys(here: World) -> None:
    ours, other = (system(here, name, agency=agency) for name, agency in (("p1", "H01.12"), ("p2", "H01.13")))
    ours.post("/messages", ORDER | {"reference": "a"})
    for query in ("reference=a", "to=0912345678", "state=queued", "since=2018-08-01"):
        assert [len(one.get(f"/messages?{query}")["messages"]) for one in (ours, other)] == [1, 0]


def test_no_list_of_messages_reads_a_table_whole(here: World) -> None:
    plans: list[str] = []

    @sa.event.listens_for(here.gateway.database._engine, "before_cursor_execute")
    def explain(_: object, cursor: Any, statement: str, parameters: Any, *rest: object) -> None:
        if statement.startswith("SELECT"):
            plans.extend(row[-1] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    one = system(here, agency="H01.12")
    made = one.post("/messages", ORDER)["id"]
    for query, index in (
        ("limit=9", "ix_api_message_at"),
        (f"before={made}", "ix_api_message_at (at<?)"),
        ("since=2018-08-01&until=2018-09-01", "ix_api_message_at (at>? AND at<?)"),
        ("state=queued", "sqlite_autoindex_outbound_history_1 (id=?)"),
        ("to=0912345678", "ix_outbound_history_recipient (recipient=?)"),
        ("reference=a", "ix_api_message_reference (reference=?)"),
    ):
        plans.clear()
        one.get(f"/messages?{query}")
        assert [plan for plan in plans if f"USING INDEX {index}" in plan], plans
        assert not [plan for plan in plans if plan.startswith("SCAN") and " USING " not in plan], plans


def test_an_old_message_of_a_system_goes_with_all_that_is_known_of_it_and_its_key_stays(anywhere: World) -> None:
    one = system(anywhere)
    id = one.post("/messages", ORDER, once="a")["id"]
    anywhere.settle()
    anywhere.clock.forward(days=4)
    anywhere.gateway.sweeper.history()
    anywhere.gateway.purge.remove()
    assert one.get(f"/messages/{id}")["state"] == "delivered"
    anywhere.clock.forward(days=366)
    anywhere.gateway.purge.remove()
    one.get(f"/messages/{id}", 404)
    with anywhere.gateway.database.reading() as connection:
        for table in (api_message, api_request):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0
    assert one.get("/")["name"] == "kiosk"


def test_an_agencys_system_sees_what_its_agency_sent_and_nothing_else(here: World) -> None:
    ours, other, province = (
        system(here, name, agency=agency) for name, agency in (("p1", "H01.12"), ("p2", "H01.13"), ("p3", None))
    )
    id = ours.post("/messages", ORDER)["id"]
    draft = ours.draft()["id"]
    for one, status in ((ours, 200), (other, 404), (province, 200)):
        one.get(f"/messages/{id}", status)
        one.get(f"/notices/{draft}", status)
    assert [len(one.get("/messages")["messages"]) for one in (ours, other, province)] == [1, 0, 1]
    assert [len(one.get("/notices")["notices"]) for one in (ours, other, province)] == [1, 0, 1]


def test_what_a_citizen_was_answered_is_no_systems_to_see(here: World) -> None:
    here.text(PHONE, "HELP")
    with here.gateway.database.reading() as connection:
        id = connection.scalars(sa.select(message.c.id)).one()
    one = system(here)
    one.get(f"/messages/{id}", 404)
    assert one.get("/messages")["messages"] == []


def test_officials_of_the_agency_see_its_systems_messages_in_the_conversation(here: World) -> None:
    system(here, agency="H01.12").post("/messages", ORDER)
    with here.gateway.database.reading() as connection:
        id = connection.scalars(sa.select(message.c.id)).one()
    shown = browser_of(here, "lan", "viewer", "H01.12").get(f"/conversations/{id}")
    assert "Moi ba den lay ket qua." in shown
    assert "Phần mềm kiosk · " in shown
    assert "Nhắc hẹn · " not in shown
    browser_of(here, "hoa", "viewer", "H01.13").get(f"/conversations/{id}", 404)
