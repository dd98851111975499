"""Other systems at /api: whose key it is, dossiers and figures, and what it says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from smsgw.app import create_app, create_most
from smsgw.store import systems
from smsgw.web.server import WebServer
from tests.agency import Agency
from tests.systems import ORDER, PHONE, System, sent, system
from tests.world import NOON, World

# --- whose key it is


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer smsgw_wrong", "Basic {}", "{}"])
def test_without_a_key_that_opens_nothing_is_said(here: World, header: str) -> None:
    one = system(here)
    for path in ("/api/v1/", "/api/v1/messages", "/api/v1/notices", "/api/v1/reports", "/api/v1/dossiers/x"):
        answer = here.client.get(path, headers={"Authorization": header.format(one.secret)})
        assert answer.status_code == 401
        assert answer.content_type == "application/problem+json"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert json.loads(answer.get_data())["reason"] == "key"


def test_a_key_says_what_it_may_do(here: World) -> None:
    assert system(here, agency="H01.12", daily=7).get("/") == {
        "name": "kiosk", "role": "sender", "agency": "H01.12", "daily": 7, "sent_today": 0,
    }  # fmt: skip


def test_a_revoked_key_opens_nothing_and_its_name_can_be_given_again(here: World) -> None:
    one = system(here)
    here.gateway.systems.revoke("kiosk", "test")
    one.get("/", 401)
    assert system(here).get("/")["name"] == "kiosk"
    one.get("/", 401)


def test_of_a_secret_only_its_hash_is_kept(here: World) -> None:
    one = system(here)
    one.get("/")
    here.gateway.close()
    files = [path for path in here.folder.iterdir() if path.name.startswith("gateway.db")]
    assert files
    assert not [path for path in files if one.secret.encode() in path.read_bytes()]


def test_when_a_key_was_used_is_known_to_the_hour(here: World) -> None:
    one = system(here)
    one.get("/")
    here.clock.forward(minutes=59)
    one.get("/")
    assert here.gateway.systems.every()[0].used_at == NOON
    here.clock.forward(minutes=1)
    one.get("/")
    assert here.gateway.systems.every()[0].used_at == NOON + timedelta(hours=1)


# --- dossiers and figures


def test_a_dossier_says_what_anybody_may_know(here: World) -> None:
    example = here.examples[0]
    shown = system(here, role="viewer").get(f"/dossiers/{example.code.replace('.', ' ').lower()}")
    assert shown["code"] == example.code
    assert example.code in shown["text"]
    assert not {"applicant_name", "applicant_phone", "fee_due", "supplement_note", "post_tracking"} & set(shown)


def test_what_is_the_applicants_alone_is_in_no_answer(here: World) -> None:
    one = system(here)
    with here.gateway.onestop._reader._engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT code, applicant_name, supplement_note, post_tracking FROM dossier_status")
        )
        dossiers = rows.all()
    for row in dossiers:
        said = json.dumps(one.get(f"/dossiers/{row.code}"), ensure_ascii=False)
        assert not [secret for secret in row[1:] if secret and secret in said]


@pytest.mark.parametrize("code", ["H01.12-180802-9999", "abc", "1", "x" * 150])
def test_a_code_of_nobodys_is_404(here: World, code: str) -> None:
    system(here).get(f"/dossiers/{code}", 404)


def test_a_dossier_in_english(here: World) -> None:
    assert "dossier" in system(here).get(f"/dossiers/{here.examples[0].code}?language=en")["text"].lower()


def test_while_the_one_stop_database_is_away_it_is_said(here: World) -> None:
    one = system(here)
    Agency(here.folder).go_away()
    for path in ("/dossiers/H01.12-180802-0012", "/reports"):
        answer = one.raw("GET", path)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]


def test_the_figures_are_those_of_the_report(here: World) -> None:
    shown = system(here, role="viewer").get("/reports?from=2018-01-01&to=2018-12-31")
    assert shown["received"] == 60
    assert sum(shown["by_status"].values()) == 60
    assert shown["voices"] == {"new": 0, "answered": 0, "closed": 0}
    assert shown["removed_before"] == {}
    assert system(here, "page").get("/reports")["removed_before"]["ratings"] == "2016-08-15"
    for wrong in ("from=2018-02-30", "to=0", "from=0001-01-01", "from=2018-02-01&to=2018-01-01", "since=2018-01-01"):
        system(here, wrong.translate(str.maketrans("=&", "--"))).get(f"/reports?{wrong}", 422)


def test_days_the_wrong_way_round_are_said_of_the_address_and_not_of_a_body(here: World) -> None:
    refused = system(here, role="viewer").get("/reports?from=2018-02-01&to=2018-01-01", 422)
    assert refused["errors"] == [{"field": "query", "problem": "to lies before from"}]


# --- what it says of itself, and its edges


def test_the_description_names_every_view_and_the_page_beside_it_too(here: World) -> None:
    description = json.loads(here.client.get("/api/openapi.json").get_data())
    page = here.client.get("/api/").get_data(as_text=True)
    rules = {
        (method, str(rule).replace("<", "{").replace(">", "}"))
        for rule in create_app(here.gateway).url_map.iter_rules()
        if str(rule).startswith("/api/v1") and rule.methods
        for method in rule.methods & {"GET", "POST"}
    }
    told = {(method.upper(), path) for path, item in description["paths"].items() for method in item}
    assert told == rules
    assert not [path for _, path in rules if path not in page]
    assert description["openapi"] == "3.1.0"
    assert "<br" not in json.dumps(description)
    schemas, seen = description["components"]["schemas"], ("<h4>Body", 'id="Problem"', "Why; it is recorded.")
    assert "Problem" in schemas
    assert not [name for name in schemas if name.startswith("Validation")]  # we answer otherwise than the library
    assert not [there for there in seen if there not in page]
    refs = set(_refs(description))
    assert refs <= {f"#/components/schemas/{name}" for name in description["components"]["schemas"]}
    assert not [link for link in ("http://", "https://") if f'src="{link}' in page]


def test_the_page_for_people_says_how_long_and_how_large_a_field_may_be(here: World) -> None:
    page = here.client.get("/api/").get_data(as_text=True)
    assert "string of at most 1000 characters</span>" in page  # a notice's text
    assert "integer from 1 to 200</span>" in page  # of a page of a list
    assert "string of at most 64 characters or null</span>" in page  # a reference


def test_each_operation_has_a_name_that_a_program_can_call_it_by(here: World) -> None:
    description = json.loads(here.client.get("/api/openapi.json").get_data())
    names = [operation["operationId"] for item in description["paths"].values() for operation in item.values()]
    assert sorted(names) == sorted({*names})
    assert {*names} == {
        "show_key", "look_up_dossier", "send_message", "list_messages", "show_message", "draft_notice", "list_notices",
        "show_notice", "preview_notice", "report_notice", "submit_notice", "pause_notice", "resume_notice",
        "cancel_notice", "report_figures",
    }  # fmt: skip


def test_the_description_says_which_headers_come_with_which_answers(here: World) -> None:
    description = json.loads(here.client.get("/api/openapi.json").get_data())
    answers = description["paths"]["/api/v1/messages"]["post"]["responses"]
    assert {status: {*answer["headers"]} for status, answer in answers.items() if "headers" in answer} == {
        "201": {"Location", "Idempotency-Replayed"},
        "401": {"WWW-Authenticate"},
        "429": {"Retry-After"},
        "503": {"Retry-After"},
    }
    for item in description["paths"].values():
        for operation in item.values():
            assert {"401", "500", "503"} <= {*operation["responses"]}
    assert {"429", "415"}.isdisjoint(description["paths"]["/api/v1/dossiers/{code}"]["get"]["responses"])
    assert "Idempotency-Replayed</code>" in here.client.get("/api/").get_data(as_text=True)


def _refs(of: Any) -> Iterator[str]:
    if isinstance(of, dict):
        yield from (value for key, value in of.items() if key == "$ref")
        of = list(of.values())
    if isinstance(of, list):
        for value in of:
            yield from _refs(value)


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/api/x", 404, "address"),
        ("GET", "/api/v1/x", 404, "address"),
        ("GET", "/api/v2/", 404, "address"),
        ("POST", "/api", 404, "address"),
        ("POST", "/api/", 405, "method"),
        ("DELETE", "/api/v1/messages", 405, "method"),
        ("GET", "/api/v1/messages/1", 404, "unknown"),
        ("GET", "/api/v1/notices/1", 404, "unknown"),
        ("GET", f"/api/v1/messages/{'1' * 65}", 404, "unknown"),
        ("GET", f"/api/v1/notices/{'1' * 5000}/preview", 404, "unknown"),
        ("GET", "/api/v1/dossiers/1", 404, "unknown"),
        ("GET", f"/api/v1/dossiers/{'1' * 201}", 404, "unknown"),
        ("GET", "/api/v1/messages?page=2", 422, "fields"),
    ],
)
def test_errors_under_api_are_problems_for_programs(
    anywhere: World, method: str, path: str, status: int, reason: str
) -> None:
    headers = {"Authorization": f"Bearer {system(anywhere).secret}"}
    answer = anywhere.client.open(path, method=method, headers=headers)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert json.loads(answer.get_data())["reason"] == reason


def test_an_address_that_only_begins_alike_is_the_citizens(here: World) -> None:
    assert here.client.get("/apis").content_type.startswith("text/html")
    assert here.client.get("/api", follow_redirects=True).status_code == 200


def test_an_address_that_is_asked_in_a_wrong_way_says_what_it_takes(here: World) -> None:
    answer = system(here).raw("DELETE", "/messages")
    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_a_database_that_is_away_is_said_and_tells_nothing_of_itself(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = system(here)

    def away(*_: object) -> None:
        raise sa.exc.OperationalError("SELECT secret", None, Exception("no route to 10.0.0.1"))

    monkeypatch.setattr(systems, "by_secret", away)
    refused = one.get("/", 503)
    assert "10.0.0.1" not in json.dumps(refused)


def test_a_fault_of_ours_shows_nothing_of_itself(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    one = system(here)
    broken: Callable[..., Any] = lambda *_: 1 / 0  # noqa: E731
    monkeypatch.setattr(systems, "messages", broken)
    assert "division" not in json.dumps(one.get("/messages", 500))
    # What we would answer does not fit our own model: whoever asked has nothing to mend.
    monkeypatch.setattr(systems, "sent_since", lambda *_: "many")
    assert "errors" not in one.get("/", 500)


def test_a_fault_of_ours_is_logged_with_its_place_and_without_what_was_asked(
    here: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = system(here)
    found: Callable[..., Any] = systems.one

    def misfit(*asked: Any) -> Any:
        row = found(*asked)
        return SimpleNamespace(**{**row._asdict(), "segments": f"{row.text} {row.recipient}"})

    def failing(*_: object) -> None:
        raise ValueError(PHONE) from KeyError(ORDER["text"])

    monkeypatch.setattr(systems, "one", misfit)
    one.post("/messages", ORDER, 500)
    monkeypatch.setattr(systems, "sent", failing)
    one.post("/messages", ORDER, 500)
    assert [record.name for record in caplog.records if record.levelname == "ERROR"] == ["smsgw.web"] * 2
    for kind, place in (("ValidationError", "web/api/messages.py"), ("ValueError", "in failing")):
        assert kind in caplog.text
        assert place in caplog.text
    for told in (ORDER["text"], "Moi ba den", PHONE, "912345678"):
        assert told not in caplog.text


@pytest.fixture
def served(here: World) -> Iterator[tuple[System, WebServer]]:
    app = create_app(here.gateway)
    server = WebServer(app, "127.0.0.1:0", most=create_most(app, here.gateway))
    server.start()
    try:
        yield system(here), server
    finally:
        server.stop()


def test_many_recipients_come_in_one_body_and_only_from_who_may_send(served: tuple[System, WebServer]) -> None:
    one, server = served
    people = [{"phone": f"0912{number:06}"} for number in range(20_000)]  # more than is kept in memory
    body = json.dumps({"name": "Nhiều", "text": "Xin chao.", "recipients": people})
    address = f"http://127.0.0.1:{server.port}/api/v1"
    headers = {"Authorization": f"Bearer {one.secret}", "Content-Type": "application/json"}
    made = requests.post(f"{address}/notices", body, headers=headers, timeout=30)
    assert (made.status_code, made.json()["recipients"]) == (201, 20_000)
    reader = f"Bearer {system(one.world, 'board', 'viewer').secret}"
    refusals = (("notices", "Bearer x", 401), ("notices", reader, 403), ("messages", headers["Authorization"], 413))
    for path, who, status in refusals:
        refused = requests.post(f"{address}/{path}", body, headers=headers | {"Authorization": who}, timeout=30)
        assert refused.status_code == status
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.json()["reason"] == {401: "key", 403: "role", 413: "too_large"}[status]


def test_a_body_in_chunks_is_read_and_one_that_is_too_large_is_refused_alike(served: tuple[System, WebServer]) -> None:
    one, server = served
    address = f"http://127.0.0.1:{server.port}/api/v1/messages"
    headers = {"Authorization": f"Bearer {one.secret}", "Content-Type": "application/json"}
    order = json.dumps(ORDER).encode()
    made = requests.post(address, iter([order[:9], order[9:]]), headers=headers, timeout=30)
    assert (made.status_code, made.json()["text"]) == (201, "Moi ba den lay ket qua.")
    for blanks in (100_000, 400_000):  # more than a message may have, and more than is kept in memory
        refused = requests.post(address, iter([b" " * blanks, order]), headers=headers, timeout=30)
        assert refused.status_code == 413
        assert refused.headers["Content-Type"] == "application/problem+json"
    assert sent(one.world) == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/messages/%00", 404),
        ("/notices/%00", 404),
        ("/notices/%00/report", 404),
        ("/dossiers/%00", 404),
    ],
)
def test_what_no_database_can_look_for_is_nowhere(anywhere: World, path: str, status: int) -> None:
    assert system(anywhere).raw("GET", path).status_code == status
