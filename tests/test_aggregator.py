"""What is the aggregator's alone: batches. The rest is in its table, tests/conformance/tables/aggregator.toml."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import responses

from providers import NoSuchProvider, load
from providers.aggregator import Aggregator, Config
from providers.contract import Accepted, Outbound, Throttled

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


@pytest.mark.parametrize("token", ["", "a b", "line\n", "tok\u1ebf"])
def test_a_token_that_no_header_carries_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        Config.model_validate({"url": URL, "token": token, "secret": "s"})


def test_a_batch_has_one_outcome_a_message_whatever_order_the_answer_has(carrier: responses.RequestsMock) -> None:
    answer = {"results": [{"ref": "r-2", "status": "throttled"}, {"ref": "r-1", "id": "mt-1", "status": "accepted"}]}
    carrier.post(f"{URL}/messages", json=answer)
    assert connected().submit([MESSAGE, OTHER]) == [Accepted("mt-1"), Throttled(None, "throttled")]


@pytest.mark.parametrize("name", ["none", "os", "contract", "", "../x"])
def test_a_provider_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(NoSuchProvider, match="aggregator"):
        load(name)
