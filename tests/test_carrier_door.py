"""The carriers' door: what is let in, what is refused and how, and that nothing is acknowledged before it is stored."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from providers.aggregator import sign
from providers.contract import Receipt
from smsgw import app as application
from smsgw import metrics
from smsgw.store.database import trouble
from smsgw.store.tables import inbound, receipt
from tests.world import SECRET, World

INBOUND, RECEIPTS = "/carrier/sms/inbound", "/carrier/sms/receipts"
PHONE = "84912345678"


def message(**changes: Any) -> dict[str, Any]:
    return {
        "id": "mo-1",
        "from": PHONE,
        "to": "8188",
        "text": "HELP",
        "received_at": "2018-08-15T12:00:00+07:00",
    } | changes


def post(world: World, path: str, document: Any, *, secret: str = SECRET, age: int = 0) -> TestResponse:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    signature = sign(secret.encode(), body, int(world.clock().timestamp()) - age)
    return world.client.post(path, data=body, headers={"X-Signature": signature})


def stored(world: World) -> int:
    with world.gateway.database.reading() as connection:
        return connection.scalars(sa.select(sa.func.count()).select_from(inbound)).one()


def test_a_message_is_taken_once_and_a_repetition_is_called_so(anywhere: World) -> None:
    first = post(anywhere, INBOUND, {"messages": [message()]})
    again = post(anywhere, INBOUND, {"messages": [message(), message(id="mo-2")]})
    assert first.json == {"results": [{"id": "mo-1", "status": "accepted"}]}
    assert again.json == {"results": [{"id": "mo-1", "status": "duplicate"}, {"id": "mo-2", "status": "accepted"}]}
    assert stored(anywhere) == 2


def test_a_malformed_message_is_rejected_and_its_neighbours_are_taken(here: World) -> None:
    wrong = [
        message(id="a", text=None),
        message(id="b", **{"from": 84912345678}),
        message(id="c", received_at="yesterday"),
        message(id=""),
        message(id="x" * 300),
        "no object",
    ]
    answer = post(here, INBOUND, {"messages": [*wrong, message()]})
    results = json.loads(answer.data)["results"]
    assert [result["status"] for result in results] == ["rejected"] * 6 + ["accepted"]
    assert results[0] == {"id": "a", "status": "rejected", "error": "text: must be a string"}
    assert results[1]["error"].startswith("from: ")
    assert results[2]["error"].startswith("received_at: ")
    assert stored(here) == 1


@pytest.mark.parametrize(
    ("path", "kind", "items", "told"),
    [
        (
            INBOUND,
            "messages",
            [message(received_at=f"gestern {PHONE}"), message(id=1), message(id=2), message(id="mo-9")],
            "rejected 3 of 4 items: received_at: must be a time such as 2026-11-23T21:00:00+07:00;"
            " id: must be a string",
        ),
        (
            RECEIPTS,
            "receipts",
            [{"id": "mt-1", "status": PHONE}],
            "rejected 1 of 1 items: status: must be one of buffered, delivered, undelivered, expired, rejected",
        ),
    ],
)
def test_what_is_rejected_is_counted_and_its_fields_are_logged_once_a_callback_without_what_they_hold(
    here: World, caplog: pytest.LogCaptureFixture, path: str, kind: str, items: list[Any], told: str
) -> None:
    rejected = metrics.callbacks_refused.labels("sms", "item")
    before = rejected._value.get()
    with caplog.at_level(logging.WARNING):
        assert post(here, path, {kind: items}).status_code == 200
    assert [record.getMessage() for record in caplog.records] == [f"channel sms: {told}"]
    assert rejected._value.get() - before == int(told.split()[1])


@pytest.mark.parametrize("headers", [{}, {"X-Signature": ""}, {"X-Signature": "t=1"}, {"X-Signature": "t=x,v1=é"}])
def test_without_a_signature_nobody_is_let_in(here: World, headers: dict[str, str]) -> None:
    answer = here.client.post(INBOUND, data=b'{"messages":[]}', headers=headers)
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert stored(here) == 0


def test_a_wrong_or_stale_signature_is_refused_and_leaves_a_counter_and_a_log_line(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert post(here, INBOUND, {"messages": [message()]}, secret="other").status_code == 401
        assert post(here, INBOUND, {"messages": [message()]}, age=301).status_code == 401
        assert post(here, INBOUND, {"messages": [message()]}, age=-301).status_code == 401
        assert post(here, INBOUND, {"messages": [message()]}, age=299).status_code == 200
    assert stored(here) == 1
    assert len([record for record in caplog.records if "is not taken" in record.getMessage()]) == 3
    assert b'smsgw_callbacks_refused_total{channel="sms",reason="signature"}' in here.client.get("/metrics").data


@pytest.mark.parametrize("order", [1, -1])
def test_one_right_signature_of_several_is_enough_whichever_stands_first(here: World, order: int) -> None:
    body, now = b'{"messages": []}', int(here.clock().timestamp())
    time, right = sign(SECRET.encode(), body, now).split(",")
    _, old = sign(b"the secret before", body, now).split(",")
    header = ",".join([time, *[right, old][::order]])
    assert here.client.post(INBOUND, data=body, headers={"X-Signature": header}).status_code == 200
    without = here.client.post(INBOUND, data=body, headers={"X-Signature": f"{time},{old},{old}"})
    assert without.status_code == 401


@pytest.mark.parametrize("bit", [0, 3, 11, 40])
def test_a_body_with_one_bit_changed_is_refused(here: World, bit: int) -> None:
    body = bytearray(json.dumps({"messages": [message()]}).encode())
    signature = sign(SECRET.encode(), bytes(body), int(here.clock().timestamp()))
    body[bit // 8] ^= 1 << bit % 8
    assert here.client.post(INBOUND, data=bytes(body), headers={"X-Signature": signature}).status_code == 401


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (b"", "body"),
        (b"<html>", "body"),
        (b'{"messages": [', "body"),
        (b"\xff\xfe", "body"),
        (b"[" * 100_000, "body"),
        ([], "body"),
        ({}, "messages"),
        ({"messages": "none"}, "messages"),
        ({"messages": [message()] * 501}, "messages"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_field_named(here: World, document: Any, field: str) -> None:
    answer = post(here, INBOUND, document)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    problem = json.loads(answer.data)
    assert problem["status"] == 400
    assert [error["field"] for error in problem["errors"]] == [field]
    assert stored(here) == 0


def test_more_than_a_mebibyte_is_refused(here: World) -> None:
    answer = post(here, INBOUND, b"x" * (1024 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["/carrier/other/inbound", "/carrier/other/receipts"])
def test_an_unknown_channel_is_not_found(here: World, path: str) -> None:
    assert post(here, path, {"messages": []}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "size", "channel", "reason"),
    [
        ("POST", "/carrier/mistyped/inbound", 2, "", "address"),
        ("PUT", INBOUND, 2, "sms", "method"),
        ("POST", INBOUND, 1024 * 1024 + 1, "sms", "too_large"),
    ],
)
def test_a_carrier_that_was_told_a_wrong_way_to_us_shows_in_the_log_and_in_the_figures(
    here: World, caplog: pytest.LogCaptureFixture, method: str, path: str, size: int, channel: str, reason: str
) -> None:
    counted = metrics.callbacks_refused.labels(channel, reason)
    before = counted._value.get()
    with caplog.at_level(logging.WARNING):
        here.client.open(path, method=method, data=b"x" * size)
    assert counted._value.get() == before + 1
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"channel {channel or 'unknown'}: a callback from 127.0.0.1 is not taken: ")


def test_a_database_that_cannot_be_written_makes_the_carrier_try_again(anywhere: World) -> None:
    with anywhere.gateway.database.writing("test") as connection:
        connection.execute(sa.text("ALTER TABLE inbound RENAME TO hidden"))
    answer = post(anywhere, INBOUND, {"messages": [message()]})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert anywhere.client.get("/readyz").status_code == 503
    with anywhere.gateway.database.writing("test") as connection:
        connection.execute(sa.text("ALTER TABLE hidden RENAME TO inbound"))
    assert json.loads(post(anywhere, INBOUND, {"messages": [message()]}).data)["results"][0]["status"] == "accepted"
    assert anywhere.client.get("/readyz").status_code == 200


def test_a_disk_that_is_full_is_named_in_the_log_and_room_is_all_that_it_takes(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    def room(pages: int) -> None:
        with here.gateway.database.writing("test") as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    room(1)  # SQLite takes that for as many as there are
    answers = [
        post(here, INBOUND, {"messages": [message(id=f"mo-{number}", text="x" * 5000)]}).status_code
        for number in range(5)
    ]
    assert answers[-1] == 503
    assert "channel sms: the database failed: database or disk is full" in caplog.text
    assert "xxx" not in caplog.text
    room(1_000_000)
    assert post(here, INBOUND, {"messages": [message(id="mo-4")]}).status_code == 200


def test_what_a_constraint_says_of_the_data_is_not_logged() -> None:
    error = sa.exc.IntegrityError("INSERT", None, ValueError("Key (phone)=(84912345678) already exists."))
    assert trouble(error) == "IntegrityError"


def test_receipts_are_taken_each_once_and_malformed_ones_rejected(anywhere: World) -> None:
    arrived = {"ref": "r-1", "id": "mt-1", "status": "delivered", "error_code": None, "at": "2018-08-15T12:00:00+07:00"}
    wrong = [arrived | {"status": "lost"}, {"status": "delivered"}, 7]
    answer = post(anywhere, RECEIPTS, {"receipts": [arrived, arrived, *wrong]})
    assert [result["status"] for result in json.loads(answer.data)["results"]] == [
        "accepted",
        "duplicate",
        *["rejected"] * 3,
    ]
    assert "buffered, delivered" in json.loads(answer.data)["results"][2]["error"]


def test_a_phone_in_the_code_of_a_receipt_is_masked_and_what_no_database_keeps_is_left_out(anywhere: World) -> None:
    odd = {"ref": "r-1", "status": "undelivered", "error_code": f"absent \0\ud800 {PHONE}"}
    assert b'"accepted"' in post(anywhere, RECEIPTS, {"receipts": [odd]}).data
    with anywhere.gateway.database.reading() as connection:
        (code,) = connection.scalars(sa.select(receipt.c.error_code))
    assert code.endswith(" 84912***678")


def test_a_receipt_that_can_not_be_stored_does_no_harm_to_those_that_came_with_it(here: World) -> None:
    gateway = here.gateway
    with gateway.database.writing("test"):  # what comes meanwhile is taken together
        first, bad, good = (
            gateway.reports.take(gateway.channels["sms"], [Receipt(ref, None, "delivered")])
            for ref in ("r-1", "half of a pair: \ud800", "r-2")
        )
    assert [taken.result(10)[0].status for taken in (first, good)] == ["accepted", "accepted"]
    with pytest.raises(TypeError):
        bad.result(10)


def test_a_time_outside_of_the_calendar_is_named_and_its_neighbours_are_taken(here: World) -> None:
    far = message(id="mo-2", received_at="9999-12-31T23:59:59-12:00")
    answer = post(here, INBOUND, {"messages": [message(), far]})
    assert answer.status_code == 200
    results = answer.get_json()["results"]
    assert [result["status"] for result in results] == ["accepted", "rejected"]
    assert "received_at" in results[1]["error"]


def test_no_full_phone_number_is_ever_logged(here: World, caplog: pytest.LogCaptureFixture) -> None:
    from smsgw.logs import JsonLines

    with caplog.at_level(logging.DEBUG):
        here.text(PHONE, f"HS H01.12-180802-0012 goi {PHONE} hoac 0912 345 678")
        here.text("8188", PHONE)
        post(here, INBOUND, {"messages": [message(id=PHONE, received_at=PHONE)]})
        logging.getLogger("other").warning("from %s", PHONE)
    lines = [JsonLines().format(record) for record in caplog.records]
    assert any("84912***678" in line for line in lines)
    assert not [line for line in lines if PHONE in line or "345 678" in line]


def test_the_application_is_plain_wsgi_without_a_debugger(here: World) -> None:
    app = application.create_app(here.gateway)
    client: FlaskClient = app.test_client()
    assert not app.debug
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ok", "database": "ok", "onestop": "ok"}
    assert b"smsgw_outbox_messages" in client.get("/metrics").data


def test_a_gateway_whose_database_lies_where_it_may_not_look_is_not_ready(here: World) -> None:
    database = here.gateway.database
    database.url = database.url.set(database="x" * 300)  # is refused as a closed folder is, which is open to root
    answer = here.client.get("/readyz")
    assert (answer.status_code, answer.get_json()["database"]) == (503, "can't be reached")


def test_a_channel_that_does_not_send_shows_in_the_metrics(here: World) -> None:
    client = application.create_app(here.gateway).test_client()
    assert b'smsgw_channel_open{channel="sms"} 1.0' in client.get("/metrics").data
    here.gateway.steering.pause("sms", "to be seen", "tests")
    assert b'smsgw_channel_open{channel="sms"} 0.0' in client.get("/metrics").data
    here.gateway.steering.release("sms", "seen", "tests")
