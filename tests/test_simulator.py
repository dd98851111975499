"""The simulated carrier is one that can be trusted, and fails only as it is told to."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from providers.simulator import Carrier, Sample, SimulatorConfig, create_app
from smsgw.web.server import WebServer

TOKEN, SECRET = "tok", "sec"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PHONE = "84912345678"


class Gateway:
    """What hears the callbacks: it checks their signatures itself, and answers as it is told."""

    def __init__(self) -> None:
        self.status = 200
        self.heard: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        stamp, digest = (part.partition("=")[2] for part in headers["X-Signature"].split(","))
        expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(digest, expected)
        kind = url.rpartition("/")[2]
        for item in json.loads(body)["messages" if kind == "inbound" else "receipts"]:
            self.heard.append((kind, item))
        return self.status

    def receipts(self) -> list[str]:
        return [item["status"] for kind, item in self.heard if kind == "receipts"]


class Clock:
    now = 1_534_309_200.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def carrier(gateway: Gateway, clock: Clock) -> Carrier:
    config = SimulatorConfig(gateway_url="http://gateway", token=TOKEN, secret=SECRET, receipt_delay=2)
    carrier = Carrier(config, clock=clock, post=gateway)
    carrier.faults.chance.seed(1)
    return carrier


@pytest.fixture
def client(carrier: Carrier) -> FlaskClient:
    return create_app(carrier, [Sample(PHONE, "HS <b>H01</b>", {"vi": "Mẫu", "en": "Try this"})]).test_client()


def mt(ref: str = "r-1", **changes: Any) -> dict[str, Any]:
    return {"ref": ref, "from": "8188", "to": PHONE, "text": "Ho so", "encoding": "gsm7", "segments": 1} | changes


def submit(client: FlaskClient, *messages: Any) -> Any:
    answer = client.post("/messages", json={"messages": list(messages)}, headers=BEARER)
    assert answer.status_code == 200
    return json.loads(answer.data)["results"]


def texts(carrier: Carrier) -> list[str]:
    return [bubble.text for bubble in carrier.conversation(PHONE)]


def test_the_same_ref_is_delivered_once_and_answered_as_at_first_for_a_day(
    client: FlaskClient, carrier: Carrier, clock: Clock
) -> None:
    first = submit(client, mt())
    assert first[0]["status"] == "accepted"
    assert submit(client, mt(), mt("r-2")) == [*first, {"ref": "r-2", "id": "mt-5", "status": "accepted"}]
    assert texts(carrier) == ["Ho so", "Ho so"]
    clock.now += 25 * 3600
    assert submit(client, mt()) != first


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": "123"}, "invalid_number"),
        ({"to": None}, "invalid_number"),
        ({"text": ""}, "invalid_text"),
        ({"encoding": "utf8"}, "invalid_encoding"),
        ({"text": "Hồ sơ"}, "invalid_encoding"),
        ({"ref": ""}, "invalid_message"),
    ],
)
def test_what_cannot_be_delivered_is_rejected(client: FlaskClient, changes: dict[str, Any], code: str) -> None:
    bad, good = submit(client, mt(**changes), mt("r-9"))
    assert (bad["status"], bad["error"]["code"]) == ("rejected", code)
    assert good["status"] == "accepted"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "é"}])
def test_without_the_token_nothing_is_taken(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/messages", json={"messages": [mt()]}, headers=headers).status_code == 401


@pytest.mark.parametrize("body", [b"", b"[]", b'{"messages": 1}', b"[" * 100_000])
def test_a_body_that_cannot_be_read_is_refused(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/messages", data=body, headers=BEARER | {"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert json.loads(answer.data)["errors"][0]["field"] == "messages"


def test_receipts_come_after_a_delay_buffered_first(
    client: FlaskClient, carrier: Carrier, gateway: Gateway, clock: Clock
) -> None:
    submit(client, mt())
    carrier.run_due()
    assert gateway.receipts() == []
    clock.now += 2
    carrier.run_due()
    assert gateway.receipts() == ["buffered", "delivered"]


def test_a_callback_that_is_not_taken_is_made_again_with_the_same_id_until_it_is(
    carrier: Carrier, gateway: Gateway, clock: Clock
) -> None:
    gateway.status = 503
    id = carrier.text(PHONE, "HELP")
    for _ in range(3):
        carrier.run_due()
        clock.now += 60
    assert carrier.conversation(PHONE)[0].state == "sending"
    gateway.status = 200
    carrier.run_due()
    assert [item["id"] for _, item in gateway.heard] == [id] * 4
    assert carrier.conversation(PHONE)[0].state == "sent"
    gateway.status = 500
    carrier.text(PHONE, "HELP")
    for _ in range(20):
        carrier.run_due()
        clock.now += 100
    assert carrier.conversation(PHONE)[-1].state == "failed"
    assert carrier.counters()["given_up"] == 1


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ("lost_receipts", []),
        ("doubled_receipts", ["buffered", "buffered", "delivered", "delivered"]),
        ("disordered_receipts", ["delivered", "buffered"]),
        ("undelivered", ["buffered", "undelivered"]),
    ],
)
def test_receipts_go_wrong_on_demand(
    client: FlaskClient, carrier: Carrier, gateway: Gateway, clock: Clock, fault: str, statuses: list[str]
) -> None:
    assert client.put("/handset/faults", json={fault: 1}).status_code == 200
    submit(client, mt())
    carrier.run_due()
    clock.now += 5
    carrier.run_due()
    assert gateway.receipts() == statuses
    assert texts(carrier) == ([] if fault == "undelivered" else ["Ho so"])


def test_a_citizens_message_is_handed_over_twice_on_demand(carrier: Carrier, gateway: Gateway) -> None:
    carrier.faults.change({"doubled_inbound": 1})
    id = carrier.text(PHONE, "HELP")
    carrier.run_due()
    assert [item["id"] for _, item in gateway.heard] == [id, id]


@pytest.fixture
def listening(carrier: Carrier) -> Iterator[str]:
    server = WebServer(create_app(carrier), "127.0.0.1:0")
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


def call(url: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.post(f"{url}/messages", json={"messages": [mt()]}, headers=BEARER, timeout=5)


@pytest.mark.parametrize(("fault", "taken"), [("cut_before", []), ("cut_after", ["Ho so"])])
def test_the_connection_is_really_cut_and_nothing_is_logged_of_it(
    carrier: Carrier, listening: str, fault: str, taken: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    carrier.faults.change({fault: 1})
    with pytest.raises(requests.RequestException):
        call(listening)
    assert texts(carrier) == taken
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


def test_errors_and_limits_are_answered_on_demand(carrier: Carrier, listening: str) -> None:
    carrier.faults.change({"error_500": 1})
    assert call(listening).status_code == 500
    carrier.faults.change({"error_500": 0, "throttle_429": 1, "retry_after": 3})
    limited = call(listening)
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "3")
    assert texts(carrier) == []
    carrier.faults.change({"throttle_429": 0, "latency": 0.01})
    assert call(listening).status_code == 200


@pytest.mark.parametrize(
    "faults", [{"none": 1}, {"latency": -1}, {"cut_after": 2}, {"cut_after": "x"}, {"cut_after": True}]
)
def test_a_wrong_fault_is_refused_and_changes_nothing(
    client: FlaskClient, carrier: Carrier, faults: dict[str, Any]
) -> None:
    before = carrier.faults.as_dict()
    answer = client.put("/handset/faults", json=faults)
    assert answer.status_code == 400
    assert json.loads(answer.data)["errors"][0]["field"] in faults
    assert carrier.faults.as_dict() == before


def test_the_handset_sends_and_hears(client: FlaskClient, carrier: Carrier) -> None:
    assert client.post("/handset/texts", json={"from": PHONE, "text": "HELP"}).status_code == 200
    submit(client, mt())
    bubbles = json.loads(client.get(f"/handset/conversations/{PHONE}?wait=1").data)["bubbles"]
    assert [(bubble["direction"], bubble["text"]) for bubble in bubbles] == [("out", "HELP"), ("in", "Ho so")]
    after = bubbles[-1]["seq"]
    assert json.loads(client.get(f"/handset/conversations/{PHONE}?after={after}").data) == {"bubbles": []}
    assert client.get(f"/handset/conversations/{PHONE}?after={after}&wait=nan").get_json() == {"bubbles": []}
    for wrong in ({}, {"from": PHONE}, {"from": 7, "text": "x"}, {"from": PHONE, "text": "x" * 5001}):
        assert client.post("/handset/texts", json=wrong).status_code == 400


def test_the_handset_page_asks_no_other_host_and_shows_markup_as_text(client: FlaskClient) -> None:
    for path, language, label in (("/", "vi", "Mẫu"), ("/?lang=en", "en", "Try this")):
        answer = client.get(path)
        page = answer.get_data(as_text=True)
        assert f'<html lang="{language}">' in page
        assert f"HS &lt;b&gt;H01&lt;/b&gt;</span><small>{label}</small>" in page
        assert "://" not in page
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_it_remembers_only_so_much(monkeypatch: pytest.MonkeyPatch, carrier: Carrier) -> None:
    import providers.simulator.carrier as module

    monkeypatch.setattr(module, "MOST_PHONES", 3)
    monkeypatch.setattr(module, "MOST_REFS", 4)
    for number in range(10):
        carrier.text(f"8491234500{number}", "HELP")
        carrier.submit([mt(f"r-{number}", to=PHONE)])
    assert carrier.conversation("84912345000") == []
    assert carrier.counters()["accepted"] == 10
    assert carrier.submit([mt("r-0")])[0]["id"] != carrier.submit([mt("r-9")])[0]["id"]


@pytest.mark.parametrize("written", ["0912345678", "+84912345678", "84 912 345 678"])
def test_an_answer_comes_to_the_phone_however_its_owner_writes_the_number(
    written: str, carrier: Carrier, gateway: Gateway
) -> None:
    handset = create_app(carrier).test_client()
    handset.post("/handset/texts", json={"from": written, "text": "HS"})
    carrier.run_due()
    assert gateway.heard[0][1]["from"] == PHONE
    assert handset.get(f"/handset/conversations/{written}").get_json()["bubbles"]


def test_a_sender_that_is_no_phone_stays_what_it_is(carrier: Carrier, gateway: Gateway) -> None:
    create_app(carrier).test_client().post("/handset/texts", json={"from": "VIETTEL", "text": "HS"})
    carrier.run_due()
    assert gateway.heard[0][1]["from"] == "VIETTEL"
