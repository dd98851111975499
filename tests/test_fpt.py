"""FPT's tokens: asked for once, however many messages wait for one, and used as long as they last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.contract import Accepted, Unreachable
from tests.conformance.double import Double, Says, response
from tests.conformance.tables import connected, message

TOKEN = "/oauth2/token"
TAKEN = response(200, b'{"MessageId":"m-1"}')


class StoppedClock:
    """In place of the module `time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    made = StoppedClock()
    monkeypatch.setattr("providers.fpt.time", made)
    return made


@pytest.fixture
def carrier() -> Iterator[Double]:
    with Double(TAKEN) as made:
        yield made


def token(lasts: str) -> Says:
    return response(200, b'{"access_token":"token-4411","expires_in":%s}' % lasts.encode())


def asked(carrier: Double) -> int:
    return [heard.path for heard in carrier.heard].count(TOKEN)


def test_messages_of_a_batch_share_the_failure_to_get_a_token(carrier: Double, clock: StoppedClock) -> None:
    """Were each to ask anew, the batch would take longer than its lease lasts, and end in doubt that there is not."""
    carrier.script[TOKEN] = response(503)
    provider = connected("fpt", carrier.url)
    with pytest.raises(Unreachable, match="503"):
        provider.submit([message("fpt")] * 16)
    assert [heard.path for heard in carrier.heard] == [TOKEN]
    clock.now += 1
    carrier.script[TOKEN] = token("3600")
    assert provider.submit([message("fpt")] * 16) == [Accepted("m-1")] * 16
    assert asked(carrier) == 2
    provider.close()


def test_a_token_that_lasts_longer_than_any_clock_can_tell_is_used(carrier: Double, clock: StoppedClock) -> None:
    carrier.script[TOKEN] = token("9" * 400)
    provider = connected("fpt", carrier.url)
    assert provider.submit([message("fpt")]) == [Accepted("m-1")]
    provider.close()


@pytest.mark.parametrize("lasts", ["3600", '"3600"'])
def test_a_token_is_used_until_a_minute_before_its_end(carrier: Double, clock: StoppedClock, lasts: str) -> None:
    carrier.script[TOKEN] = token(lasts)
    provider = connected("fpt", carrier.url)
    for later in (1, 3538, 2):
        provider.submit([message("fpt")])
        clock.now += later
    assert asked(carrier) == 1
    provider.submit([message("fpt")])
    assert asked(carrier) == 2
    provider.close()
