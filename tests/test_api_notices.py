"""Notices that another system drafts and follows, and a person approves."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from smsgw.notices.drafting import Draft, Loader
from smsgw.store.tables import notice
from tests.console import at_work
from tests.console import official as browser_of
from tests.systems import system
from tests.world import World


def test_a_notice_is_drafted_and_submitted_by_a_system_and_approved_by_a_person(here: World) -> None:
    one = system(here)
    made = one.draft(2)
    assert (made["recipients"], made["segments"], made["state"], made["errors"]) == (2, 2, "draft", [])
    id = made["id"]
    samples = one.get(f"/notices/{id}/preview")["samples"]
    assert {sample["plain"]["text"] for sample in samples} == {"Moi Ong 0 den.", "Moi Ong 1 den."}
    assert one.call("POST", f"/notices/{id}/submit")["state"] == "submitted"
    here.settle()
    assert not here.heard("84912000001")
    browser_of(here, "binh", "approver")
    with here.gateway.database.reading() as connection:
        binh = next(official for official in here.gateway.accounts.every() if official.name == "binh")
        assert connection.scalar(sa.select(notice.c.author)) == "key:kiosk"
    here.gateway.notices.approve(id, binh)
    here.settle()
    assert [bubble.text for bubble in here.heard("84912000001")] == ["Moi Ong 1 den."]
    after = one.get(f"/notices/{id}")
    assert (after["state"], after["delivered"], after["approver"]) == ("done", 2, "binh")
    rows = one.raw("GET", f"/notices/{id}/report").get_data(as_text=True).splitlines()
    assert len(rows) == 3
    assert "delivered" in rows[1]


def test_no_key_approves(here: World) -> None:
    one = system(here)
    id = one.draft()["id"]
    one.call("POST", f"/notices/{id}/submit")
    one.call("POST", f"/notices/{id}/approve", 404)
    assert one.get(f"/notices/{id}")["state"] == "submitted"


def test_the_page_of_a_systems_notice_is_shown_to_officials(here: World) -> None:
    id = system(here).draft()["id"]
    binh = browser_of(here, "binh", "approver")
    shown = binh.get(f"/notices/{id}")
    assert shown.count("phần mềm kiosk") == 2  # as its author, and in its history
    assert "phần mềm kiosk" in binh.get("/notices/")
    assert "key:kiosk" not in shown + binh.get("/notices/")


def test_what_is_wrong_with_recipients_is_said_row_by_row(here: World) -> None:
    people = [
        {"phone": "abc"},
        {"phone": "0912000001"},
        {"phone": "0912000002", "values": {"TEN": "C"}},
    ]
    made = system(here).draft(recipients=people + people[2:] + [{"phone": "02963852288", "values": {"ten": "D"}}])
    assert made["recipients"] == 1
    assert made["errors"] == [
        {"row": 1, "column": "phone", "problem": "this is no phone number: abc"},
        {"row": 1, "column": "tên", "problem": "empty, and the text needs it"},
        {"row": 2, "column": "tên", "problem": "empty, and the text needs it"},
    ]
    assert made["left_out"] == {"duplicates": 1, "opted_out": 0, "unreachable": 1, "errors": 2}


def test_a_notice_to_the_dossiers_of_a_filter(here: World) -> None:
    one = system(here)
    made = one.post("/notices", {"name": "Kết quả", "text": "Ho so ((code)) da xong.", "filter": "status=9"})
    assert made["audience"] == "status=9"
    assert made["recipients"] + sum(made["left_out"].values()) > 0
    refused = one.post("/notices", {"name": "a", "text": "b", "filter": "colour=red"}, 422)
    assert (refused["reason"], refused["errors"][0]["field"]) == ("filter", "filter")
    one.post("/notices", {"name": "a", "text": "((nothing))", "filter": "status=9"}, 422)


def test_a_system_submits_only_what_it_has_looked_at_where_it_says_so(here: World) -> None:
    one = system(here)
    id = one.draft()["id"]
    seen = {"seen": one.get(f"/notices/{id}/preview")["fingerprint"]}
    lan = here.gateway.accounts.add("lan", "sender", None, None, None, "test")
    here.gateway.notices.edit(id, lan, Draft("Mời", "Mời ((tên)) đến lúc 9 giờ.", "API"))
    assert one.call("POST", f"/notices/{id}/submit", 409, json=seen)["reason"] == "changed"
    assert one.get(f"/notices/{id}")["state"] == "draft"
    one.call("POST", f"/notices/{id}/submit", 422, json={"reason": "submitting has none"})
    again = {"seen": one.get(f"/notices/{id}/preview")["fingerprint"]}
    assert one.call("POST", f"/notices/{id}/submit", json=again)["state"] == "submitted"


@pytest.mark.parametrize("field", ["name", "text"])
def test_a_notice_that_is_too_long_for_the_console_is_too_long_for_a_system(here: World, field: str) -> None:
    order = {"name": "a", "text": "b", "filter": "all"}
    refused = system(here).post("/notices", order | {field: "x" * 1001}, 422)
    assert [error["field"] for error in refused["errors"]] == [field]


def test_a_notice_whose_filter_says_nothing_goes_to_nobody(here: World) -> None:
    one = system(here)
    refused = one.post("/notices", {"name": "a", "text": "b", "filter": " "}, 422)
    assert "all for every dossier" in refused["errors"][0]["problem"]
    one.post("/notices", {"name": "a", "text": "b", "filter": ""}, 422)
    assert one.get("/notices")["notices"] == []
    assert one.post("/notices", {"name": "a", "text": "b", "filter": "all"})["recipients"] > 0


@pytest.mark.parametrize(
    "change",
    [
        {"recipients": []}, {"filter": "status=9"}, {"recipients": None}, {"name": ""}, {"text": ""},
        {"send_at": "soon"}, {"send_at": 0}, {"send_at": "0"},
        {"recipients": [{"tel": "1"}]}, {"recipients": [{"phone": "0912", "values": {"a": 1}}]},
        {"send_at": "1899-01-01T00:00:00"}, {"name": "  "},
    ],
)  # fmt: skip
def test_an_order_for_a_notice_that_is_not_as_it_must_be_leaves_nothing(here: World, change: dict[str, Any]) -> None:
    one = system(here)
    order = {"name": "Mời", "text": "Mời.", "recipients": [{"phone": "0912000001"}]}
    one.post("/notices", order | change, 422)
    assert one.get("/notices")["notices"] == []


def test_a_notice_is_drafted_once_under_a_name(here: World) -> None:
    one = system(here)
    order = {"name": "Mời", "text": "Mời.", "recipients": [{"phone": "0912000001"}]}
    first = one.post("/notices", order, once="a")
    assert one.post("/notices", order, once="a") == first
    assert len(one.get("/notices")["notices"]) == 1


def test_a_draft_that_is_asked_for_again_while_it_comes_in_is_made_once(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, order = system(here), {"name": "Mời", "text": "Mời.", "recipients": [{"phone": "0912000001"}]}
    load = Loader.load
    began: list[Loader] = []

    def slowly(loader: Loader, *given: Any) -> None:
        load(loader, *given)
        if not began:
            began.append(loader)
            one.post("/notices", order, once="a")  # who asked has lost patience

    monkeypatch.setattr(Loader, "load", slowly)
    answer = one.raw("POST", "/notices", once="a", json=order)
    assert (answer.status_code, answer.headers["Idempotency-Replayed"]) == (201, "true")
    (shown,) = one.get("/notices")["notices"]
    assert shown["id"] == answer.get_json()["id"]


def test_a_time_without_a_zone_is_the_provinces(here: World) -> None:
    assert system(here).draft(send_at="2018-08-16T08:00:00")["send_at"] == "2018-08-16T01:00:00Z"


def test_what_can_be_done_instead_is_what_systems_can_do_and_officials_on_the_console(here: World) -> None:
    one = system(here)
    id = one.draft()["id"]
    one.call("POST", f"/notices/{id}/submit")
    said = one.call("POST", f"/notices/{id}/resume", 409)["detail"]
    assert said.endswith("what can be done with it now: cancel; on the console: change, approve, send back")


def test_paused_resumed_and_cancelled_by_a_system(here: World) -> None:
    one = system(here)
    id = one.draft()["id"]
    one.call("POST", f"/notices/{id}/submit")
    browser_of(here, "binh", "approver")
    binh = next(official for official in here.gateway.accounts.every() if official.name == "binh")
    here.gateway.notices.approve(id, binh)
    assert one.call("POST", f"/notices/{id}/pause", json={"reason": "sai giờ"})["state"] == "paused"
    assert one.call("POST", f"/notices/{id}/resume")["state"] == "sending"
    assert one.call("POST", f"/notices/{id}/cancel")["cancelled"] == 3
    assert one.call("POST", f"/notices/{id}/pause", 409)["reason"] == "state"
    one.call("POST", f"/notices/{id}/cancel", 422, json={"why": "x"})
    assert "sai giờ" in at_work(here, "binh").get(f"/notices/{id}")
