"""Other systems at /api: whose key it is, one message to one person, notices, dossiers and figures."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from smsgw.app import create_app, create_most
from smsgw.notices.drafting import Loader
from smsgw.store import opt_outs, systems
from smsgw.store.history import message
from smsgw.store.officials import Role
from smsgw.store.opt_outs import OptOut
from smsgw.store.systems import Key
from smsgw.store.tables import api_message, api_request, notice
from smsgw.web.server import WebServer
from tests.agency import Agency
from tests.console import at_work
from tests.console import official as browser_of
from tests.world import NOON, World, world

PHONE = "84912345678"
ORDER = {"to": "0912 345 678", "text": "Mời bà đến lấy kết quả."}


@dataclass
class System:
    """Another system with its key."""

    world: World
    client: FlaskClient
    key: Key
    secret: str

    def call(self, method: str, path: str, status: int = 200, *, once: str | None = None, **more: Any) -> Any:
        """A request; what is answered, read."""
        answer = self.raw(method, path, once=once, **more)
        assert answer.status_code == status, answer.get_data(as_text=True)
        wanted = "application/problem+json" if status >= 400 else "application/json"
        assert answer.content_type == wanted
        return json.loads(answer.get_data())

    def raw(self, method: str, path: str, *, once: str | None = None, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.secret}"} | ({"Idempotency-Key": once} if once else {})
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)

    def get(self, path: str, status: int = 200) -> Any:
        return self.call("GET", path, status)

    def post(self, path: str, body: object, status: int = 201, once: str | None = None) -> Any:
        return self.call("POST", path, status, once=once, json=body)

    def draft(self, count: int = 3, **more: Any) -> Any:
        people = [{"phone": f"09120000{number:02}", "values": {"Tên": f"Ông {number}"}} for number in range(count)]
        return self.post("/notices", {"name": "Mời", "text": "Mời ((tên)) đến.", "recipients": people} | more)


def system(
    there: World, name: str = "kiosk", role: Role = "sender", agency: str | None = None, daily: int = 100
) -> System:
    key, secret = there.gateway.systems.add(name, role, agency, daily, "test")
    return System(there, create_app(there.gateway).test_client(), key, secret)


def sent(there: World) -> int:
    """How many messages there are, to whomever."""
    with there.gateway.database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(message)) or 0


# --- whose key it is


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer smsgw_wrong", "Basic {}", "{}"])
def test_without_a_key_that_opens_nothing_is_said(here: World, header: str) -> None:
    one = system(here)
    for path in ("/api/v1/", "/api/v1/messages", "/api/v1/notices", "/api/v1/reports", "/api/v1/dossiers/x"):
        answer = here.client.get(path, headers={"Authorization": header.format(one.secret)})
        assert answer.status_code == 401
        assert answer.content_type == "application/problem+json"
        assert answer.headers["WWW-Authenticate"] == "Bearer"


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


# --- one message to one person


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
    here.gateway.sweeper.exchanges()
    one.post("/messages", ORDER, once="a")
    assert sent(here) == 1
    here.clock.forward(hours=2)
    here.gateway.sweeper.exchanges()
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


def test_of_many_who_ask_for_the_same_at_once_one_is_served(anywhere: World) -> None:
    one = system(anywhere)
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


def test_a_refusal_repeats_nobodys_number(here: World) -> None:
    one = system(here)
    refused = one.post("/messages", {"to": [PHONE], "text": PHONE * 1000}, 422)
    assert PHONE not in json.dumps(refused)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("{", "application/json", 400),
        ("to=1", "application/x-www-form-urlencoded", 415),
        ("[]", "application/json", 422),
    ],
)
def test_a_body_that_is_no_order_is_refused(here: World, body: str, kind: str, status: int) -> None:
    system(here).call("POST", "/messages", status, data=body, content_type=kind)


def test_a_system_that_only_reads_sends_nothing(here: World) -> None:
    one = system(here, role="viewer")
    assert one.post("/messages", ORDER, 403)["reason"] == "role"
    assert one.post("/notices", {"name": "a", "text": "b", "filter": "status=9"}, 403)["reason"] == "role"
    assert sent(here) == 0


def test_a_key_sends_so_many_messages_a_day_and_more_on_the_next(here: World) -> None:
    one = system(here, daily=2)
    for _ in range(2):
        one.post("/messages", ORDER)
    assert one.post("/messages", ORDER, 429)["reason"] == "daily"
    here.clock.forward(hours=12)  # past midnight of the province's clock
    one.post("/messages", ORDER)
    assert sent(here) == 3


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
    browser_of(here, "hoa", "viewer", "H01.13").get(f"/conversations/{id}", 404)


# --- notices


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
    assert "key:kiosk" in browser_of(here, "binh", "approver").get(f"/notices/{id}")


def test_what_is_wrong_with_recipients_is_said_row_by_row(here: World) -> None:
    people = [
        {"phone": "abc", "values": {"tên": "A"}},
        {"phone": "0912000001"},
        {"phone": "0912000002", "values": {"TEN": "C"}},
    ]
    made = system(here).draft(recipients=people + people[2:] + [{"phone": "02963852288", "values": {"ten": "D"}}])
    assert made["recipients"] == 1
    assert made["errors"] == [
        {"row": 1, "column": "phone", "problem": "this is no phone number: abc"},
        {"row": 2, "column": "tên", "problem": "empty, and the text needs it"},
    ]
    assert made["left_out"] == {"duplicates": 1, "opted_out": 0, "unreachable": 1, "errors": 2}


def test_a_notice_to_the_dossiers_of_a_filter(here: World) -> None:
    one = system(here)
    made = one.post("/notices", {"name": "Kết quả", "text": "Ho so ((code)) da xong.", "filter": "status=9"})
    assert made["audience"] == "status=9"
    assert made["recipients"] + sum(made["left_out"].values()) > 0
    one.post("/notices", {"name": "a", "text": "b", "filter": "colour=red"}, 422)
    one.post("/notices", {"name": "a", "text": "((nothing))", "filter": "status=9"}, 422)


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


# --- dossiers and figures


def test_a_dossier_says_what_anybody_may_know(here: World) -> None:
    example = here.examples[0]
    shown = system(here, role="viewer").get(f"/dossiers/{example.code.replace('.', ' ').lower()}")
    assert shown["code"] == example.code
    assert example.code in shown["text"]
    assert not {"applicant_name", "applicant_phone", "fee_due", "supplement_note", "post_tracking"} & set(shown)


def test_what_is_the_applicants_alone_is_in_no_answer(here: World) -> None:
    one = system(here)
    with here.gateway.onestop._engine.connect() as connection:
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
    for wrong in ("from=2018-02-30", "to=0", "from=0001-01-01", "from=2018-02-01&to=2018-01-01", "since=2018-01-01"):
        system(here, wrong.translate(str.maketrans("=&", "--"))).get(f"/reports?{wrong}", 422)


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
    refs = set(_refs(description))
    assert refs <= {f"#/components/schemas/{name}" for name in description["components"]["schemas"]}
    assert not [link for link in ("http://", "https://") if f'src="{link}' in page]


def _refs(of: Any) -> Iterator[str]:
    if isinstance(of, dict):
        yield from (value for key, value in of.items() if key == "$ref")
        of = list(of.values())
    if isinstance(of, list):
        for value in of:
            yield from _refs(value)


@pytest.mark.parametrize(("path", "status"), [("/api/x", 404), ("/api/v1/x", 404), ("/api/v2/", 404)])
def test_errors_under_api_are_problems_for_programs(here: World, path: str, status: int) -> None:
    one = system(here)
    answer = here.client.get(path, headers={"Authorization": f"Bearer {one.secret}"})
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


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


@pytest.fixture
def served(here: World) -> Iterator[tuple[System, WebServer]]:
    app = create_app(here.gateway)
    server = WebServer(app, "127.0.0.1:0", most=create_most(app, here.gateway))
    server.start()
    try:
        yield system(here), server
    finally:
        server.stop()


def test_many_recipients_come_in_one_body_and_only_from_who_has_a_key(served: tuple[System, WebServer]) -> None:
    import requests

    one, server = served
    people = [{"phone": f"0912{number:06}"} for number in range(20_000)]  # more than is kept in memory
    body = json.dumps({"name": "Nhiều", "text": "Xin chao.", "recipients": people})
    address = f"http://127.0.0.1:{server.port}/api/v1"
    headers = {"Authorization": f"Bearer {one.secret}", "Content-Type": "application/json"}
    made = requests.post(f"{address}/notices", body, headers=headers, timeout=30)
    assert (made.status_code, made.json()["recipients"]) == (201, 20_000)
    for path, who, status in (("notices", "Bearer x", 401), ("messages", headers["Authorization"], 413)):
        refused = requests.post(f"{address}/{path}", body, headers=headers | {"Authorization": who}, timeout=30)
        assert refused.status_code == status
        assert refused.headers["Content-Type"] == "application/problem+json"
