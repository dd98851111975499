"""A node killed in the middle of a notice: whoever takes over sends to each of the rest, and to nobody twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from smsgw.gateway import Gateway
from smsgw.settings import load
from tests.bulletin import approved, official, phone
from tests.chaos import Chaos, until


@pytest.fixture
def chaos(tmp_path: Path, database_url: str) -> Iterator[Chaos]:
    made = Chaos(tmp_path, database_url, tps=500)
    yield made
    made.close()


def _told(chaos: Chaos) -> Counter[str]:
    """How many different messages each phone got."""
    return Counter(phone for _, phone in [*chaos.carrier.delivered.values()])


def _killed_in_the_middle(chaos: Chaos, people: int, others: int = 0) -> None:
    """`others`: nodes that stay, and take part from the beginning."""
    chaos.database.create()
    with chaos.database.writing("test") as connection:
        an, binh = official(connection, "an", "sender"), official(connection, "binh", "approver")
    gateway = Gateway(load(chaos.settings))
    gateway.database.create()
    notice = approved(gateway.notices, an, binh, people)
    for _ in range(others):
        chaos.up()
    _killed_after(chaos, people // 4)
    _killed_after(chaos, people // 2)
    assert len(_told(chaos)) < people
    chaos.up()
    until(
        lambda: gateway.notices.find(notice.id, an).state == "done",
        "the end of the notice",
        reached=lambda: len(_told(chaos)) + chaos.states()["delivered"],
    )
    assert _told(chaos) == Counter({phone(number): 1 for number in range(people)})
    assert chaos.states() == {"delivered": people}
    gateway.close()


@pytest.mark.long
def test_killed_twice_in_the_middle_of_a_notice_everybody_gets_it_exactly_once(chaos: Chaos) -> None:
    _killed_in_the_middle(chaos, 800)


@pytest.mark.long
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_nor_is_anybody_left_out_or_told_twice_by_those_who_feed_beside_the_killed(chaos: Chaos) -> None:
    _killed_in_the_middle(chaos, 2_600, others=1)


def _killed_after(chaos: Chaos, told: int) -> None:
    node = chaos.up()
    until(lambda: len(_told(chaos)) > told, "a part of the notice to be sent", reached=lambda: len(_told(chaos)))
    chaos.kill(node)


@pytest.mark.soak
def test_the_same_for_twenty_thousand(chaos: Chaos) -> None:
    _killed_in_the_middle(chaos, 20_000)
