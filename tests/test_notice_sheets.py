"""A notice's list is divided into sheets: what they are made of, who feeds which, and that no changed one is sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from smsgw.notices.drafting import Loader
from smsgw.notices.feeding import LOADING_FOR, Feeder
from smsgw.notices.refusals import NoticeRefused
from smsgw.notices.sheets import LONGEST, Sheets, fingerprint
from smsgw.store import notices
from smsgw.store.notices import Addressee, Sheet
from smsgw.store.removing import Hands
from smsgw.store.schedules import Stopped
from smsgw.store.tables import notice_recipient, notice_sheet, outbound
from tests.bulletin import Cast, approved, drafted, phone
from tests.test_notices_meanwhile import OTHER_CHANNEL, OTHERS
from tests.world import world

SHORT = 10  # recipients on a sheet of these tests
postgresql = pytest.mark.parametrize("tables_url", ["postgresql"], indirect=True)

people = st.lists(st.tuples(st.text("0123456789", min_size=1), st.text()), max_size=3 * LONGEST).map(
    lambda given: [Addressee(line, *one) for line, one in enumerate(given, start=2)]
)


def divided(some: list[Addressee]) -> list[Sheet]:
    sheets = Sheets()
    for one in some:
        sheets.add(one)
    return sheets.all()


def of(sheets: list[Sheet], text: str = "Moi den.", at: datetime | None = None, *, accents: bool = False) -> str:
    return fingerprint(text, at, sheets, accents=accents)


@given(people)
def test_everybody_stands_on_one_sheet_and_nobody_has_had_a_turn(some: list[Addressee]) -> None:
    sheets = divided(some)
    on_them = [[one.line for one in some if sheet.after < one.line <= sheet.last] for sheet in sheets]
    assert [*chain(*on_them)] == [one.line for one in some]
    assert all(len(lines) == LONGEST for lines in on_them[:-1])
    assert all(sheet.fed_to == sheet.after for sheet in sheets)


@given(people.filter(bool), st.data())
def test_whoever_is_put_in_taken_out_or_changed_changes_the_fingerprint(
    some: list[Addressee], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(some) - 1))
    one = some[at]
    other = data.draw(
        st.sampled_from([[], [one, one._replace(line=one.line + 1)], [one._replace(fields=one.fields + " ")]])
    )
    assert of(divided([*some[:at], *other, *some[at + 1 :]])) != of(divided(some))


def test_text_time_and_accents_are_in_the_fingerprint() -> None:
    noon = datetime(2018, 8, 2, 12, tzinfo=UTC)
    prints = [of([]), of([], "Moi den"), of([], at=noon), of([], accents=True)]
    assert len({*prints}) == 4


@pytest.fixture
def short(tmp_path: Path, tables_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cast]:
    """A channel that is fast enough for all, and short sheets."""
    monkeypatch.setattr("smsgw.notices.sheets.LONGEST", SHORT)
    with world(tmp_path, tables_url, tps=1000) as made:
        yield Cast(made)


def another(there: Cast) -> Feeder:
    """That of another node."""
    return Feeder(there.notices.means, there.world.gateway.bell, {})


def in_the_middle_of(cast: Cast, turn: int, do: Callable[[], object]) -> None:
    """Do that when this turn, counted from 1, is written and not committed; no turn that it gives is counted."""
    database, turns = cast.world.gateway.database, []

    def boundary(name: str, side: str) -> None:
        if (name, side) == ("feed notice", "before"):
            turns.append(name)
            if len(turns) == turn:
                database.boundary = None
                do()

    database.boundary = boundary


def queued(cast: Cast) -> list[str]:
    """The phones of those for whom there is a message, by its number."""
    with cast.world.gateway.database.reading() as connection:
        return sorted(connection.scalars(sa.select(outbound.c.recipient)))


def fed_to(cast: Cast) -> list[bool]:
    """Of each sheet, whether all had their turn."""
    with cast.world.gateway.database.reading() as connection:
        done = sa.select(notice_sheet.c.fed_to == notice_sheet.c.last_line).order_by(notice_sheet.c.last_line)
        return [*connection.scalars(done)]


def test_one_node_goes_by_the_list(short: Cast) -> None:
    approved(short.notices, short.an, short.binh, 35)
    seen: list[list[bool]] = []
    short.world.gateway.database.boundary = lambda *at: seen.append(fed_to(short)) if at[1] == "after" else None
    assert short.world.gateway.feeder.feed() == 35
    assert [states.count(True) for states in seen] == [1, 2, 3, 4]
    assert all(states == sorted(states, reverse=True) for states in seen)
    short.world.gateway.database.boundary = None
    short.world.settle()
    assert short.world.states() == {"delivered": 35}


@postgresql
def test_nodes_feed_sheets_of_their_own_and_do_not_wait_for_each_other(short: Cast) -> None:
    made = approved(short.notices, short.an, short.binh, 55)
    feeder, other, fed = short.world.gateway.feeder, another(short), []
    in_the_middle_of(short, 2, lambda: fed.append(other.feed()))
    assert feeder.feed() == 20
    assert fed == [35]
    assert queued(short) == [phone(number) for number in range(55)]
    short.world.settle()
    assert short.counts(made.id) == {"delivered": 55}
    assert short.state(made.id) == "done"


def test_who_was_overtaken_goes_on_in_the_middle_of_what_is_left(short: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    approved(short.notices, short.an, short.binh, 60)
    feeder, other = short.world.gateway.feeder, another(short)
    give = feeder._give

    def overtaken(turn: object) -> None:
        monkeypatch.setattr(feeder, "_give", give)
        monkeypatch.setattr(other, "_feed", lambda id, room: bool(other._give(turn)))  # type: ignore[arg-type]
        other.feed()
        give(turn)  # type: ignore[arg-type]

    monkeypatch.setattr(feeder, "_give", overtaken)
    seen: list[list[bool]] = []
    short.world.gateway.database.boundary = lambda *at: seen.append(fed_to(short)) if at[1] == "after" else None
    assert feeder.feed() == 50
    order = [
        next(at for at, now in enumerate(after) if now and not seen[number][at])
        for number, after in enumerate(seen[1:])
    ]
    assert order == [3, 4, 5, 1, 2]


@postgresql
def test_a_pause_waits_for_the_turns_that_are_being_given_and_holds_them(short: Cast) -> None:
    made = approved(short.notices, short.an, short.binh, 55)
    pausing = threading.Thread(target=short.notices.pause, args=(made.id, short.an))

    def pause() -> None:
        pausing.start()
        pausing.join(0.3)
        assert pausing.is_alive()

    in_the_middle_of(short, 2, pause)
    assert short.world.gateway.feeder.feed() < 55
    pausing.join()
    assert short.state(made.id) == "paused"
    assert short.world.states().keys() == {"held"}
    short.world.gateway.feeder.feed()
    assert short.world.states().keys() == {"held"}


@pytest.mark.parametrize("change", ["digest", "reach", "gone", "moved"])
def test_a_sheet_that_was_changed_in_the_database_stops_the_notice(short: Cast, change: str) -> None:
    made = approved(short.notices, short.an, short.binh, 35)
    third = notice_sheet.c.after_line == 2 * SHORT + 1
    changes: dict[str, sa.Executable] = {
        "digest": sa.update(notice_sheet).where(third).values(digest="0"),
        "reach": sa.update(notice_sheet).where(third).values(after_line=2 * SHORT),
        "gone": sa.delete(notice_sheet).where(third),
        "moved": sa.update(notice_recipient).where(notice_recipient.c.line == 36).values(line=99),
    }
    with short.world.gateway.database.writing("test") as connection:
        connection.execute(changes[change])
    short.world.settle()
    assert short.state(made.id) == "paused"
    assert short.notices.events(made.id, short.an)[-1].move == "void"
    assert queued(short) == ([] if change != "moved" else [phone(number) for number in range(30)])


@postgresql
def test_who_is_overtaken_everywhere_gives_up_until_the_next_tick(short: Cast) -> None:
    approved(short.notices, short.an, short.binh, 35)
    database, feeder = short.world.gateway.database, short.world.gateway.feeder
    with database.writing("test") as connection:  # as another node that stands still with all sheets in its hands
        connection.execute(sa.select(notice_sheet).with_for_update())
        assert feeder.feed() == 0
    assert feeder.feed() == 35


def test_a_node_that_gave_no_turns_does_not_look_for_those_who_wait_at_each_tick(
    tmp_path: Path, tables_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsgw.notices.sheets.LONGEST", SHORT)
    asked: list[str] = []
    with world(tmp_path, tables_url, more=OTHER_CHANNEL, tps=1000) as made:
        cast = Cast(made)
        everybody = [phone(number if number % 2 else OTHERS + number) for number in range(1_000)]
        file = "\n".join(["phone;tên", *(f"0{one[2:]};Ông" for one in everybody)])
        id = drafted(cast.notices, cast.an, file=file).notice.id
        cast.notices.submit(id, cast.an)
        cast.notices.approve(id, cast.binh)
        other = another(cast)
        assert made.gateway.feeder.feed() == 500 + 300  # the other channel takes no more in half a minute
        given: list[str] = []
        made.gateway.database.boundary = lambda name, side: given.append(name)
        assert other.feed() == 0
        assert not given, "nobody had a turn"
        sa.event.listen(made.gateway.database._engine, "before_cursor_execute", lambda *at: asked.append(at[2]))
        assert (made.gateway.feeder.feed(), other.feed()) == (0, 0)
        assert len(asked) < 30
        with made.gateway.database.writing("test") as connection:
            connection.execute(sa.update(outbound).values(state="cancelled", finished_at=made.clock()))
        assert other.feed() == 200


def test_a_notice_that_was_given_up_while_it_came_in_says_so(short: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    load = Loader.load

    def too_slowly(loader: Loader, *given: Any) -> None:
        load(loader, *given)
        notices.forget(Hands(short.world.gateway.database), loader.notice.id)

    monkeypatch.setattr(Loader, "load", too_slowly)
    with pytest.raises(NoticeRefused):
        drafted(short.notices, short.an, 3)


def test_what_was_given_up_is_removed_page_by_page_by_whoever_is_left_and_never_becomes_a_notice(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsgw.store.notices.PAGE", 3)
    gateway, left, loaders = cast.world.gateway, list[int](), list[Loader]()
    database, load = gateway.database, Loader.load

    def breaks_off(loader: Loader, *given: Any) -> None:
        load(loader, *given)
        loaders.append(loader)
        raise ConnectionError("the browser is gone")

    def count(name: str, side: str) -> None:
        if (name, side) == ("forget", "after"):
            with database.reading() as connection:
                left.append(connection.scalar(sa.select(sa.func.count()).select_from(notice_recipient)) or 0)
            if len(left) == 2:
                raise InterruptedError("the node dies")

    monkeypatch.setattr(Loader, "load", breaks_off)
    database.boundary = count
    with pytest.raises(InterruptedError):
        drafted(cast.notices, cast.an, 8)
    (loader,) = loaders
    with database.writing("test") as connection:
        assert not notices.touch(connection, loader.notice.id, cast.world.clock())
    with pytest.raises(NoticeRefused):
        cast.notices._loaded(loader, cast.an, None, lambda *_: None)
    cast.world.clock.forward(seconds=LOADING_FOR.total_seconds() + 1)
    gateway.feeder.stop()
    with pytest.raises(Stopped):
        gateway.feeder.tend()
    assert left == [8, 5]
    another(cast).tend()
    assert left == [8, 5, 5, 2, 0, 0]
    with database.reading() as connection:
        assert notices.by_id(connection, loader.notice.id) is None
