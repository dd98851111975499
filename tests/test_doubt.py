"""A carrier that can't be asked whether it has a message: a reply goes out twice at the most, a notice once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import Chaos, until

CUT = {"cut_after": 1.0, "lost_receipts": 1.0}
WELL = dict.fromkeys(CUT, 0.0)


@pytest.fixture
def chaos(tmp_path: Path, database_url: str) -> Iterator[Chaos]:
    made = Chaos(tmp_path, database_url, provider="unsure", time_limit=1.0, seed=2018)
    made.database.create()
    yield made
    made.close()


def times(chaos: Chaos) -> Counter[str]:
    """How often the carrier took each message, by our id."""
    return Counter(ref for ref, _ in chaos.carrier.delivered.values())


def test_with_every_answer_cut_off_a_reply_goes_out_twice_and_a_notice_once(chaos: Chaos) -> None:
    chaos.carrier.faults.change(CUT)
    notices = chaos.notices(5)
    chaos.up()
    chaos.text(5)
    until(lambda: sum(times(chaos).values()) == 15, "every try")
    until(lambda: chaos.states() == {"unknown": 10}, "doubt")
    chaos.carrier.faults.change(WELL)
    received, resent, dropped, *_ = notices
    chaos.carrier.report(received)
    for verb, id in (("resend", resent), ("drop", dropped)):
        chaos.ended(chaos.node(command=("doubtful", verb, id)), 0)
    until(lambda: chaos.states() == {"unknown": 7, "delivered": 2, "cancelled": 1}, "the decisions")
    again = {resent: 2}
    assert {id: times(chaos)[id] for id in notices} == dict.fromkeys(notices, 1) | again
    assert max(times(chaos).values()) == 2


def test_a_node_killed_in_the_middle_of_its_calls_does_no_more_than_that(chaos: Chaos) -> None:
    chaos.carrier.faults.change({"latency": 0.3, "lost_receipts": 1.0})
    notices = chaos.notices(5)
    node = chaos.up()
    chaos.text(5)
    until(lambda: chaos.carrier.counters()["accepted"] >= 1 or chaos.states()["sending"] >= 6, "calls")
    chaos.kill(node)
    chaos.carrier.faults.change({"latency": 0.0})
    chaos.up()
    until(lambda: set(chaos.states()) <= {"unknown", "submitted"} and chaos.texts_taken() == 5, "all to be tried")
    until(lambda: chaos.states()["submitted"] >= 5, "the replies to be sent again")
    assert all(times(chaos)[id] <= 1 for id in notices)
    assert max(times(chaos).values()) <= 2
    assert len(times(chaos)) >= 5
    listed = chaos.states()["unknown"]
    chaos.ended(chaos.node(command=("doubtful", "--json")), 0)
    shown = [line for line in chaos.log.read_text().splitlines() if line.startswith("[")]
    assert len(json.loads(shown[-1])) == listed
