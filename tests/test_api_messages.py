"""One message to one person, sent by another system: once, and within bounds."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from smsgw.app import create_app
from smsgw.store import opt_outs
from smsgw.store.opt_outs import OptOut
from smsgw.web.api.kinds import MOST_FIELDS
from smsgw.web.api.refusals import ERRORS_SHOWN
from tests.systems import ORDER, PHONE, System, sent, system
from tests.world import NOON, World, world


def test_a_message_goes_out_once_and_what_became_of_it_can_be_asked(anywhere: World) -> None:
    one = system(anywhere)
    made = one.post("/messages", ORDER)
    assert (made["to"], made["text"], made["state"]) == ("84912***678", "Moi ba den lay ket qua.", "queued")
    anywhere.settle()
    assert [bubble.text for bubble in anywhere.heard(PHONE)] == ["Moi ba den lay ket qua."]
    assert one.get(f"/messages/{made['id']}")["state"] == "delivered"
    assert one.get("/")["sent_today"] == 1


def test_with_its_accents_if_that_is_wanted(here: World) -> None:
    made = system(here).post("/messages", ORDER | {"accents": True})
    assert (made["text"], made["encoding"]) == ("Mời bà đến lấy kết quả.", "ucs2")


@pytest.mark.parametrize("text", ["😀", "😀 🎉!", "您好"])
def test_a_text_of_which_only_question_marks_would_go_out_is_refused(here: World, text: str) -> None:
    one = system(here)
    refused = one.post("/messages", ORDER | {"text": text}, 422)
    assert (refused["reason"], refused["detail"]) == (
        "text",
        "only question marks would be left of this text; send it with its accents",
    )
    assert one.post("/messages", ORDER | {"text": text, "accents": True})["text"] == text
    assert one.post("/messages", ORDER | {"text": "OK 😀"})["text"] == "OK ?"


def test_the_same_request_under_the_same_name_is_done_once(anywhere: World) -> None:
    one = system(anywhere)
    first = one.post("/messages", ORDER, once="hen-4711")
    again = one.raw("POST", "/messages", once="hen-4711", json=ORDER)
    assert (again.status_code, again.json) == (201, first)
    assert again.headers["Idempotency-Replayed"] == "true"
    anywhere.settle()
    assert one.post("/messages", ORDER, once="hen-4711")["state"] == "delivered"  # as it stands by now
    assert sent(anywhere) == 1


def test_another_request_under_a_name_that_was_used_is_refused(here: World) -> None:
    one = system(here)
    one.post("/messages", ORDER, once="a")
    assert one.post("/messages", ORDER | {"text": "khác"}, 422, once="a")["reason"] == "key_used"
    assert sent(here) == 1


def test_two_systems_may_use_the_same_name(here: World) -> None:
    for name in ("one", "two"):
        system(here, name).post("/messages", ORDER, once="a")
    assert sent(here) == 2


def test_a_name_is_free_again_after_a_day(here: World) -> None:
    one = system(here)
    one.post("/messages", ORDER, once="a")
    here.clock.forward(hours=23)
    here.gateway.sweeper.traces()
    one.post("/messages", ORDER, once="a")
    assert sent(here) == 1
    here.clock.forward(hours=2)
    here.gateway.sweeper.traces()
    one.post("/messages", ORDER, once="a")
    assert sent(here) == 2


def test_what_was_refused_can_be_asked_for_again_under_its_name(here: World) -> None:
    one = system(here)
    with here.gateway.database.writing("test") as connection:
        opt_outs.add(connection, [OptOut(PHONE, "reminder", NOON, "sms")])
    assert one.post("/messages", ORDER, 409, once="a")["reason"] == "opted_out"
    with here.gateway.database.writing("test") as connection:
        opt_outs.remove(connection, [(PHONE, "reminder")])
    one.post("/messages", ORDER, once="a")
    assert sent(here) == 1


@pytest.mark.parametrize("daily", [100, 1])
def test_of_many_who_ask_for_the_same_at_once_one_is_served(anywhere: World, daily: int) -> None:
    one = system(anywhere, daily=daily)  # of the others none is told that there are enough for today
    barrier, codes = threading.Barrier(6), []

    def ask() -> None:
        client = create_app(anywhere.gateway).test_client()
        barrier.wait()
        codes.append(
            System(anywhere, client, one.key, one.secret).raw("POST", "/messages", once="a", json=ORDER).status_code
        )

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [201] * 6
    assert sent(anywhere) == 1


def test_what_fails_at_its_commit_leaves_nothing_and_can_be_asked_for_again(here: World) -> None:
    one = system(here)

    def fail(name: str, side: str) -> None:
        if (name, side) == ("send for a system", "before"):
            raise sa.exc.OperationalError("", None, Exception("gone"))

    here.gateway.database.boundary = fail
    assert one.post("/messages", ORDER, 503, once="a")["status"] == 503
    here.gateway.database.boundary = None
    assert sent(here) == 0
    one.post("/messages", ORDER, once="a")
    assert sent(here) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to": "8188"}, "to"),
        ({"to": "0296 3852 288"}, "to"),
        ({"to": "+1 202 555 0123"}, "to"),
        ({"to": "abc"}, "to"),
        ({"to": ""}, "to"),
        ({"text": ""}, "text"),
        ({"text": " \n"}, "text"),
        ({"text": "dài " * 1000}, "text"),
        ({"text": 5}, "text"),
        ({"urgent": True}, "urgent"),
        ({"accents": "maybe"}, "accents"),
        ({"accents": 1}, "accents"),
    ],
)
def test_what_is_wrong_with_an_order_is_said_field_by_field(here: World, change: dict[str, Any], field: str) -> None:
    refused = system(here).post("/messages", ORDER | change, 422)
    assert [error["field"] for error in refused["errors"]] == [field]
    assert sent(here) == 0


@pytest.mark.parametrize("text", ["Moi ((ten)) den.", "Mời (( Tên )) đến."])
@pytest.mark.parametrize("accents", [False, True])
def test_a_text_that_still_has_a_placeholder_goes_to_nobody(here: World, text: str, accents: bool) -> None:
    refused = system(here).post("/messages", ORDER | {"text": text, "accents": accents}, 422)
    assert (refused["reason"], refused["errors"][0]["field"]) == ("placeholder", "text")
    assert sent(here) == 0


def test_brackets_around_nothing_are_no_placeholder(here: World) -> None:
    assert system(here).post("/messages", ORDER | {"text": "Hen gap (()) va (8:00)."})["segments"] == 1


def test_a_refusal_repeats_nobodys_number(here: World) -> None:
    one = system(here)
    refused = one.post("/messages", {"to": [PHONE], "text": PHONE * 1000}, 422)
    assert PHONE not in json.dumps(refused)
    for to in (f"{PHONE}/{PHONE}", f"{PHONE} (Lan)", "8.4912345678E+10"):
        refused = one.post("/messages", ORDER | {"to": to}, 422)
        assert refused["reason"] == "phone"
        assert not re.search(r"345678|row|column", json.dumps(refused).replace("0912 345 678", ""))


@pytest.mark.parametrize(
    ("body", "kind", "status", "reason"),
    [
        ("{", "application/json", 400, "malformed"),
        ("to=1", "application/x-www-form-urlencoded", 415, "media_type"),
        ("[]", "application/json", 422, "fields"),
        ("null", "application/json", 422, "fields"),
        (json.dumps(json.dumps(ORDER)), "application/json", 422, "fields"),
        ("[" * 30_000, "application/json", 400, "malformed"),
        ('{"to": ' + "[" * 20_000 + "]" * 20_000 + "}", "application/json", 400, "malformed"),
        (" " * 65_537, "application/json", 413, "too_large"),
    ],
)
def test_a_body_that_is_no_order_is_refused(here: World, body: str, kind: str, status: int, reason: str) -> None:
    assert system(here).call("POST", "/messages", status, data=body, content_type=kind)["reason"] == reason


def test_of_very_many_fields_that_do_not_fit_some_are_named(here: World) -> None:
    one, people = system(here), [{"tel": "0912000001"}] * 1000
    refused = one.post("/notices", {"name": "a", "text": "b", "recipients": people}, 422)
    assert [error["field"] for error in refused["errors"]] == ["recipients.0.phone", "recipients.0.tel"]
    fields = dict.fromkeys(map(str, range(MOST_FIELDS)))  # and two that are missing
    assert len(one.post("/messages", fields, 422)["errors"]) == ERRORS_SHOWN


def test_a_system_that_only_reads_sends_nothing(here: World) -> None:
    one = system(here, role="viewer")
    assert one.post("/messages", ORDER, 403)["reason"] == "role"
    assert one.post("/notices", {"name": "a", "text": "b", "filter": "status=9"}, 403)["reason"] == "role"
    assert one.post("/notices", {"recipients": [{}]}, 403)["reason"] == "role"  # however much of it is wrong
    assert sent(here) == 0


def test_a_key_sends_so_many_messages_a_day_and_more_on_the_next(here: World) -> None:
    one = system(here, daily=2)
    for _ in range(2):
        one.post("/messages", ORDER)
    assert one.post("/messages", ORDER, 429)["reason"] == "daily"
    here.clock.forward(minutes=1.001)
    wait = int(one.raw("POST", "/messages", json=ORDER).headers["Retry-After"])
    assert wait == 12 * 3600 - 60  # from noon to midnight of the province's clock, rounded up
    here.clock.forward(seconds=wait - 1)
    one.post("/messages", ORDER, 429)
    here.clock.forward(seconds=1)
    one.post("/messages", ORDER)
    assert sent(here) == 3
    assert one.get("/")["sent_today"] == 1


def test_what_was_made_is_found_where_the_answer_says(here: World) -> None:
    one = system(here)
    people = [{"phone": "0912000001"}]
    orders: dict[str, dict[str, Any]] = {
        "/messages": ORDER,
        "/notices": {"name": "Mời", "text": "Mời.", "recipients": people},
    }
    for path, order in orders.items():
        made = one.raw("POST", path, json=order)
        where = made.headers["Location"].removeprefix("/api/v1")
        assert one.get(where)["id"] == json.loads(made.get_data())["id"]


def test_messages_take_from_the_agencys_budget(tmp_path: Path) -> None:
    with world(tmp_path, more="[notices]\nmonthly_segments = 2") as there:
        one = system(there)
        one.post("/messages", ORDER | {"text": "a" * 200})
        assert one.post("/messages", ORDER, 409)["reason"] == "budget"
        assert sent(there) == 1


def test_messages_wait_for_the_end_of_the_quiet_hours(here: World) -> None:
    here.clock.forward(hours=10)  # ten in the evening
    system(here).post("/messages", ORDER)
    here.settle()
    assert not here.heard(PHONE)
    here.clock.forward(hours=10)
    here.settle()
    assert len(here.heard(PHONE)) == 1


def test_who_opts_out_while_a_message_waits_does_not_get_it(here: World) -> None:
    here.clock.forward(hours=10)
    one = system(here)
    made = one.post("/messages", ORDER)
    with here.gateway.database.writing("test") as connection:
        opt_outs.add(connection, [OptOut(PHONE, "reminder", NOON, "sms")])
    here.clock.forward(hours=10)
    here.settle()
    assert not here.heard(PHONE)
    after = one.get(f"/messages/{made['id']}")
    assert (after["state"], after["error_code"]) == ("cancelled", "opted_out")
