"""What a sender makes of answers that nobody thought of: they are written down, and nobody else waits for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
import sqlalchemy as sa

from providers.contract import Accepted, ChannelRefused, Outbound, Outcome, Rejected, Throttled, Unknown
from smsgw.store.database import Database
from smsgw.store.tables import attempt, outbound, outbound_part
from tests.sending import Carrier, Make, senders, taken
from tests.test_outbox import add, message


@pytest.fixture
def make(database: Database) -> Iterator[Make]:
    with senders(database) as made:
        yield made


def keeps_failing(_: Sequence[Outbound]) -> list[Outcome]:
    raise KeyError("what nobody thought of")


def test_a_provider_that_fails_as_nobody_thought_leaves_doubt_at_once_and_trips_its_channel(make: Make) -> None:
    desk = make(Carrier(keeps_failing))
    for _ in range(5):
        add(desk.database, message())
        desk.sender.send_due()
    assert desk.states() == ["unknown"] * 5
    assert desk.channel().state == "tripped"
    assert "KeyError" in (desk.channel().reason or "")
    desk.clock.forward(minutes=1)
    assert desk.sweeper.probes() == 0  # nor does it keep the channels behind it from being probed
    assert desk.channel().reason == "a probe failed: the provider failed: AttributeError"


def test_an_answer_of_another_length_than_the_batch_leaves_all_of_it_in_doubt(make: Make) -> None:
    desk = make(Carrier(lambda batch: taken(batch)[1:]))
    add(desk.database, message(), message())
    desk.sender.send_due()
    assert desk.states() == ["unknown", "unknown"]


@pytest.mark.parametrize("asked", [1e9, 1e300, float("inf")])
def test_a_carrier_that_asks_for_an_absurd_pause_is_asked_again_after_an_hour(make: Make, asked: float) -> None:
    desk = make(Carrier(lambda batch: [Throttled(asked, "later") for _ in batch]))
    add(desk.database, message())
    desk.sender.send_due()
    assert desk.states() == ["queued"]
    desk.carrier.answer = taken
    desk.clock.forward(hours=1)
    desk.sender.send_due()
    assert desk.states() == ["submitted"]


@pytest.mark.parametrize("id", ["".join(map(str, range(5000))), "a\0b", "\ud800"], ids=["long", "NUL", "half a pair"])
def test_an_id_that_no_database_keeps_does_not_silence_the_channel(make: Make, id: str) -> None:
    desk = make(Carrier(lambda batch: [Accepted(id), Accepted(None, (id, "2"))]))
    desk.sender._given_up.set()  # else it would try for ever to write it down
    add(desk.database, message(), message())
    desk.sender.send_due()
    assert desk.states() == ["submitted", "submitted"]
    with desk.database.reading() as connection:
        assert connection.scalars(sa.select(outbound_part.c.carrier_message_id)).all() == ["2"]


ODD = "no such 84912345678 \0\x1b\ud800" + "x" * 100_000


def refusing(_: Sequence[Outbound]) -> list[Outcome]:
    raise ChannelRefused(ODD)


@pytest.mark.parametrize(
    ("answer", "ends", "channel"),
    [
        (lambda batch: [Rejected(ODD, ODD) for _ in batch], "rejected", "open"),
        (lambda batch: [Throttled(None, ODD) for _ in batch], "queued", "open"),
        (lambda batch: [Unknown(ODD) for _ in batch], "unknown", "tripped"),
        (refusing, "queued", "held"),
    ],
    ids=["rejected", "throttled", "in doubt", "refused"],
)
def test_whatever_a_carrier_says_why_it_is_written_down_in_a_few_words_and_names_nobody(
    make: Make,
    caplog: pytest.LogCaptureFixture,
    answer: Callable[[Sequence[Outbound]], list[Outcome]],
    ends: str,
    channel: str,
) -> None:
    desk = make(Carrier(answer))
    desk.sender._given_up.set()  # else it would try for ever to write it down
    with caplog.at_level("INFO"):
        for _ in range(5):
            add(desk.database, message())
            desk.sender.send_due()
            desk.clock.forward(seconds=1)
    assert ({*desk.states()}, desk.channel().state) == ({ends}, channel)
    with desk.database.reading() as connection:
        words = [*connection.scalars(sa.select(outbound.c.error_code)), desk.channel().reason]
        words += [word for row in connection.execute(sa.select(attempt.c.code, attempt.c.detail)) for word in row]
    said = [word for word in (*words, *caplog.messages) if word and "no such" in word]
    assert said
    for word in said:
        assert "84912***678" in word
        assert "84912345678" not in word
        assert "\x1b" not in word
        assert len(word) < 700
