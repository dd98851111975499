"""The console without a session: who is refused at the door, what becomes of a form that lay open, and of a script."""

from __future__ import annotations

import pytest

from tests.console import PASSWORD, at_work, official, stranger, text
from tests.world import World


def test_of_who_is_refused_the_log_has_the_name_of_an_account_and_nothing_else_that_was_typed(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    here.gateway.accounts.add("lan", "viewer", None, None, PASSWORD, "test")
    desk = stranger(here)
    desk.post("/sign-in", 401, name=PASSWORD, password="")
    desk.post("/sign-in", 401, name=" LAN ", password="wrong")
    logged = [record.getMessage() for record in caplog.records if record.name == "smsgw.officials"]
    refused = "signing in as {} from 127.0.0.1 was refused"
    assert logged == [refused.format("nobody we know"), refused.format("lan")]
    assert PASSWORD not in caplog.text


def test_who_sends_a_form_when_their_session_is_over_is_told_that_it_is_lost_and_comes_back_to_it(here: World) -> None:
    here.gateway.accounts.add("lan", "sender", None, None, PASSWORD, "test")
    desk = at_work(here, "lan")
    here.clock.forward(hours=1)
    came = {"Referer": "http://localhost/console/notices/new?by=file"}
    answer = desk.client.post("/console/notices/new", data={"name": "A"}, headers=came, follow_redirects=True)
    assert "chưa được lưu" in text(answer)
    assert "chưa được lưu" not in desk.get("/sign-in")
    form = {"csrf_token": desk.token("/sign-in"), "name": "lan", "password": PASSWORD}
    landed = desk.client.post("/console/sign-in", data=form)
    assert landed.location == "/console/notices/new?by=file"


def test_a_script_of_a_page_is_not_sent_to_the_door_nor_anybody_after_it(here: World) -> None:
    here.gateway.accounts.add("lan", "sender", None, None, PASSWORD, "test")
    desk, script = stranger(here), {"X-Script": "1"}
    for path in ("/notices/count", "/notices/reading/x", "/notices/x/progress", "/token"):
        assert desk.client.get(f"/console{path}", headers=script).status_code == 401
    assert "Tổng quan" in desk.post("/sign-in", name="lan", password=PASSWORD)


def test_a_page_that_lay_open_is_told_who_is_signed_in_by_now_and_what_a_form_of_theirs_carries(here: World) -> None:
    desk = official(here, "lan", "viewer")
    now = desk.client.get("/console/token", headers={"X-Script": "1"}).get_json()
    assert now["name"] == "lan"
    assert desk.client.post("/console/language", data={"csrf_token": now["token"]}).status_code == 303
