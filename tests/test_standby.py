"""PostgreSQL dies for good and its standby takes over: one URL names both, and nothing is lost or needs a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.chaos import NOTHING, Chaos, until

FAULTS = {"cut_after": 0.1, "doubled_inbound": 0.2, "disordered_receipts": 0.5, "latency": 0.02}


@pytest.fixture
def two() -> Iterator[tuple[postgres.Server, postgres.Server]]:
    """A server, and a standby without which it commits nothing."""
    with postgres.running() as first, postgres.following(first) as second:
        yield first, second


@pytest.mark.soak
def test_a_standby_that_takes_over_loses_and_doubles_nothing(
    tmp_path: Path, two: tuple[postgres.Server, postgres.Server]
) -> None:
    first, second = two
    url = f"{first.url}&host={second.folder}&target_session_attrs=read-write"
    chaos = Chaos(tmp_path, url)
    chaos.carrier.faults.change(FAULTS)
    chaos.up(roles=("web", "scheduler"))
    chaos.up(roles=("worker",))
    chaos.text(200)
    until(lambda: chaos.texts_taken() > 50, "some texts to be taken")
    first.kill()
    chaos.text(50)
    until(lambda: chaos.carrier.answers[503] > 0, "a 503")
    second.promote()
    chaos.text(50)
    chaos.settle()
    assert chaos.count() == NOTHING
    assert chaos.texts_taken() == len(chaos.senders)
    chaos.close()
