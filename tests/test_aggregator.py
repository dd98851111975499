"""What is the aggregator's alone: batches. The rest is in its table, tests/conformance/tables/aggregator.toml."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
import responses
from requests import PreparedRequest

from providers import NoSuchProvider, load
from providers.aggregator import Aggregator, Config
from providers.contract import Accepted, Outbound, Rejected, Throttled, Unknown

URL = "http://carrier.test"
MESSAGE = Outbound("r-1", "8188", "84912345678", "Ho so", "gsm7", 1, datetime(2018, 8, 15, 5, tzinfo=UTC))
OTHER = Outbound("r-2", "8188", "84987654321", "Hồ sơ", "ucs2", 1, datetime(2018, 8, 15, 5, tzinfo=UTC))


def connected(url: str = URL, time_limit: float = 5) -> Aggregator:
    return Aggregator(Config.model_validate({"url": url, "token": "tok", "secret": "sec", "time_limit": time_limit}))


@pytest.fixture
def carrier() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def test_a_batch_goes_out_as_documented(carrier: responses.RequestsMock) -> None:
    carrier.post(f"{URL}/messages", json={"results": []})
    connected().submit([MESSAGE, OTHER])
    request = carrier.calls[0].request
    assert request.headers["Authorization"] == "Bearer tok"
    assert json.loads(request.body or b"") == {
        "messages": [
            {
                "ref": "r-1",
                "from": "8188",
                "to": "84912345678",
                "text": "Ho so",
                "encoding": "gsm7",
                "segments": 1,
                "expires_at": "2018-08-15T05:00:00+00:00",
            },
            {
                "ref": "r-2",
                "from": "8188",
                "to": "84987654321",
                "text": "Hồ sơ",
                "encoding": "ucs2",
                "segments": 1,
                "expires_at": "2018-08-15T05:00:00+00:00",
            },
        ]
    }


def test_a_batch_has_one_outcome_a_message_whatever_order_the_answer_has(carrier: responses.RequestsMock) -> None:
    answer = {"results": [{"ref": "r-2", "status": "throttled"}, {"ref": "r-1", "id": "mt-1", "status": "accepted"}]}
    carrier.post(f"{URL}/messages", json=answer)
    assert connected().submit([MESSAGE, OTHER]) == [Accepted("mt-1"), Throttled(None, "throttled")]


def test_what_is_wrong_with_one_result_costs_its_neighbours_nothing(carrier: responses.RequestsMock) -> None:
    good = {"ref": "R-2", "id": "mt-2", "status": "accepted"}
    carrier.post(f"{URL}/messages", json={"results": [None, {"status": "rejected"}, {"ref": ["r-1"]}, good]})
    unnamed, named = connected().submit([MESSAGE, OTHER])
    assert (type(unnamed), named) == (Unknown, Accepted("mt-2"))


@dataclass
class Strict:
    """A carrier that refuses a call as a whole when one of its messages is to that phone."""

    phone: str
    status: int = 400
    calls: list[list[str]] = field(default_factory=list)

    def __call__(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        messages = json.loads(request.body or b"")["messages"]
        self.calls.append([message["ref"] for message in messages])
        if any(message["to"] == self.phone for message in messages):
            return self.status, {}, ""
        results = [{"ref": ref, "id": f"mt-{ref}", "status": "accepted"} for ref in self.calls[-1]]
        return 200, {}, json.dumps({"results": results})


MANY = [MESSAGE._replace(ref=f"r-{number}", recipient=f"8491234{number:04}") for number in range(100)]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_message_for_which_a_whole_call_is_refused_is_the_only_one_that_ends(
    carrier: responses.RequestsMock, status: int
) -> None:
    strict = Strict("84912340071", status)
    carrier.add_callback("POST", f"{URL}/messages", strict)
    outcomes = connected().submit(MANY)
    refused = Rejected(f"http_{status}", f"the carrier answered {status}")
    assert outcomes == [refused if number == 71 else Accepted(f"mt-r-{number}") for number in range(100)]
    assert len(strict.calls) < 20


def test_what_there_was_no_time_to_try_by_itself_goes_later(carrier: responses.RequestsMock) -> None:
    carrier.add_callback("POST", f"{URL}/messages", Strict("84912340071"))
    outcomes = connected(time_limit=1e-9).submit(MANY)
    assert outcomes == [Throttled(None, "the carrier answered 400")] * 100


def test_a_half_that_is_not_accepted_any_more_does_not_undo_the_other(carrier: responses.RequestsMock) -> None:
    taken = {"results": [{"ref": "r-1", "id": "mt-1", "status": "accepted"}]}
    carrier.post(f"{URL}/messages", status=400)
    carrier.post(f"{URL}/messages", json=taken)
    carrier.post(f"{URL}/messages", status=401)
    first, second = connected().submit([MESSAGE, OTHER])
    assert (first, type(second)) == (Accepted("mt-1"), Throttled)


@pytest.mark.parametrize("name", ["none", "os", "contract", "", "../x"])
def test_a_provider_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(NoSuchProvider, match="aggregator"):
        load(name)
