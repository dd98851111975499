"""Turns of a notice: given once, by whichever node; into the hand of a sender that has nothing to do, or queued."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from smsgw.notices.feeding import Feeder
from smsgw.notices.turns import Turn
from smsgw.store import opt_outs, outbox
from smsgw.store.notices import Notice, Sheet
from smsgw.store.opt_outs import OptOut
from smsgw.store.outbox import NewMessage
from smsgw.store.tables import Lane, channel, notice, notice_recipient, notice_sheet, outbound
from tests.agency import Agency
from tests.bulletin import Cast, approved, approved_by_filter, phone
from tests.chaos import until
from tests.sending import broken, rests
from tests.test_outbox import add, message
from tests.world import World, world


def rest(cast: Cast, pause: float = 0.0) -> None:
    """Until the senders have done all there is to do. `pause`: seconds that pass at each look, until there is room."""

    def all_rest() -> bool:
        cast.world.clock.forward(seconds=pause)
        return all(rests(sender) for sender in cast.world.gateway.senders if sender.works())

    until(all_rest, "the senders rest")


def stored(cast: Cast) -> list[Counter[str]]:
    """From now on: in which states a notice's messages are at the end of each turn, and of each claim."""
    found: list[Counter[str]] = []

    def boundary(name: str, side: str) -> None:
        if (name, side) == ("feed notice", "after"):
            with cast.world.gateway.database.reading() as connection:
                found.append(Counter(connection.scalars(sa.select(outbound.c.state))))

    cast.world.gateway.database.boundary = boundary
    return found


def heard(cast: Cast, count: int) -> list[int]:
    """How many messages each of so many people got."""
    return [len(cast.world.heard(phone(number))) for number in range(count)]


@pytest.fixture
def fast(
    tmp_path: Path, tables_url: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Cast]:
    """A channel without a limit, of which the two senders of notices run and look at nothing unless they are woken."""
    monkeypatch.setattr("smsgw.dispatch.sender.POLL", 3600.0)
    monkeypatch.setattr("smsgw.notices.feeding.PATIENCE", 10.0)  # so that a busy machine changes nothing
    with world(tmp_path, tables_url, tps=getattr(request, "param", 1_000_000)) as made:
        made.clock.forward(seconds=1)  # in which the rate could be saved up
        made.gateway.roads.look(made.gateway.database)
        _, *others = made.gateway.senders
        for sender in others:
            sender.start()
        cast = Cast(made)
        rest(cast)
        yield cast
        made.gateway.database.boundary = None
        for sender in others:
            sender.stop(10)


def test_what_senders_can_take_goes_into_their_hands_and_is_not_queued(fast: Cast) -> None:
    found = stored(fast)
    made = approved(fast.notices, fast.an, fast.binh, 250)
    assert fast.world.gateway.feeder.feed() == 250
    rest(fast)
    assert [sum(states.values()) for states in found] == [100, 200, 250]
    assert not any(states["queued"] for states in found)
    assert found[0]["sending"] == 100
    fast.world.gateway.database.boundary = None
    fast.world.settle()
    assert heard(fast, 250) == [1] * 250
    assert fast.counts(made.id) == {"delivered": 250}
    with fast.world.gateway.database.reading() as connection:
        assert {*connection.scalars(sa.select(outbound.c.attempts))} == {1}


@pytest.mark.parametrize("fast", [600, 1_000, 20_000], indirect=True)
def test_what_a_channel_has_no_room_for_at_once_is_queued_behind_what_is_in_hands(fast: Cast) -> None:
    made = approved(fast.notices, fast.an, fast.binh, 250)
    assert fast.world.gateway.feeder.feed() == 250
    for _ in range(2):  # the senders have a time of their own, and may be behind the world's
        rest(fast, 0.01)
        fast.world.settle(10)
    assert heard(fast, 250) == [1] * 250
    assert fast.counts(made.id) == {"delivered": 250}


def test_no_notice_passes_by_what_waits(fast: Cast) -> None:
    add(fast.world.gateway.database, message(Lane.NOTICE, fast.world.clock()))
    found = stored(fast)
    approved(fast.notices, fast.an, fast.binh, 20)
    fast.world.gateway.feeder.feed()
    assert found == [Counter(queued=21)]


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_turn_whose_commit_fails_or_is_not_heard_of_reaches_everybody_once(fast: Cast, side: str) -> None:
    made = approved(fast.notices, fast.an, fast.binh, 250)
    fast.world.gateway.database.boundary = broken(("feed notice", side))
    with pytest.raises(sa.exc.OperationalError):
        fast.world.gateway.feeder.feed()
    fast.world.gateway.feeder.feed()
    rest(fast)
    fast.world.settle()
    assert heard(fast, 250) == [1] * 250
    assert fast.counts(made.id) == {"delivered": 250}


def test_a_turn_whose_room_others_took_while_it_was_stored_is_given_again(
    fast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = approved(fast.notices, fast.an, fast.binh, 250)
    add = outbox.add

    def taken(connection: sa.Connection, messages: Sequence[NewMessage]) -> None:
        add(connection, messages)
        connection.execute(sa.update(channel).values(allowance=-1000.0, allowed_at=fast.world.clock()))

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(outbox, "add", taken)
        assert fast.world.gateway.feeder.feed() == 0
    assert fast.world.states() == {}
    assert fast.world.gateway.feeder.feed() == 250
    rest(fast)
    fast.world.settle()
    assert heard(fast, 250) == [1] * 250
    assert fast.counts(made.id) == {"delivered": 250}


def test_of_a_notice_that_is_paused_nothing_goes_out_but_what_is_in_hands(
    fast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = approved(fast.notices, fast.an, fast.binh, 250)
    feeder = fast.world.gateway.feeder
    with monkeypatch.context() as between:
        between.setattr(feeder._turns, "given", lambda turn: fast.notices.pause(made.id, fast.an))
        feeder.feed()
    rest(fast)
    fast.world.settle()
    assert heard(fast, 250) == [1] * 100 + [0] * 150
    fast.notices.resume(made.id, fast.an)
    feeder.feed()
    rest(fast)
    fast.world.settle()
    assert heard(fast, 250) == [1] * 250


def test_who_has_opted_out_gets_nothing_by_the_short_way_either(fast: Cast) -> None:
    made = approved(fast.notices, fast.an, fast.binh, 250)
    wish = OptOut(phone(7), "notice", fast.world.clock(), "sms")
    with fast.world.gateway.database.writing("test") as connection:
        opt_outs.add(connection, [wish])
    fast.world.gateway.feeder.feed()
    rest(fast)
    fast.world.settle()
    assert heard(fast, 250) == [number != 7 for number in range(250)]
    assert fast.counts(made.id) == {"delivered": 249, "cancelled": 1}


def test_what_is_for_a_dossiers_phone_only_does_not_go_the_short_way(fast: Cast) -> None:
    made, (first, *others) = approved_by_filter(fast)
    Agency(fast.world.folder).change(first.dossier, fast.world.clock(), applicant_phone="0987000111")
    fast.world.gateway.feeder.feed()
    rest(fast)
    fast.world.settle()
    assert fast.world.heard(first.phone) == []
    assert fast.counts(made.id) == {"delivered": len(others), "cancelled": 1}


def another(there: World) -> Feeder:
    """That of another node, whose senders don't run."""
    return Feeder(there.gateway.notices.means, there.gateway.bell, {})


def test_a_turn_that_another_node_gave_meanwhile_is_not_given_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = approved(cast.notices, cast.an, cast.binh, 50)
    feeder, other = cast.world.gateway.feeder, another(cast.world)
    give, rounds = feeder._give, []

    def overtaken(turn: Turn) -> tuple[Notice, Sheet] | None:
        rounds.append(other.feed())
        return give(turn)

    monkeypatch.setattr(feeder, "_give", overtaken)
    assert feeder.feed() == 0
    assert rounds == [50]
    cast.world.settle()
    assert cast.counts(made.id) == {"delivered": 50}
    assert heard(cast, 50) == [1] * 50


@pytest.mark.parametrize("waits", ["sms", None])
def test_who_was_passed_over_gets_one_turn_of_several_nodes(
    slow: Cast, monkeypatch: pytest.MonkeyPatch, waits: str | None
) -> None:
    made = approved(slow.notices, slow.an, slow.binh, 20)
    feeder, other = slow.world.gateway.feeder, another(slow.world)
    with slow.world.gateway.database.writing("test") as connection:  # as it is when another channel had room
        connection.execute(sa.update(notice).where(notice.c.id == made.id).values(state="sending"))
        connection.execute(sa.update(notice_sheet).values(fed_to=notice_sheet.c.last_line))
        connection.execute(sa.update(notice_recipient).values(waits_for=waits))
    if waits is None:
        assert (feeder.feed(), other.feed()) == (0, 0)
        return
    give = feeder._give

    def overtaken(turn: Turn) -> tuple[Notice, Sheet] | None:
        assert other.feed() == 20
        return give(turn)

    monkeypatch.setattr(feeder, "_give", overtaken)
    assert feeder.feed() == 0
    assert slow.world.states() == {"queued": 20}
    slow.world.settle(10)
    assert heard(slow, 20) == [1] * 20


def test_a_notice_that_lost_a_recipient_after_their_turn_is_not_done_but_stopped(cast: Cast) -> None:
    made = approved(cast.notices, cast.an, cast.binh, 5)
    cast.world.gateway.feeder.feed()
    with cast.world.gateway.database.writing("test") as connection:
        connection.execute(sa.delete(notice_recipient).where(notice_recipient.c.phone == phone(3)))
    cast.world.settle()
    assert cast.state(made.id) == "paused"
    assert cast.notices.events(made.id, cast.an)[-1].move == "void"
