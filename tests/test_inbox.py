"""Messages that are taken in with their replies: each that is new has its one reply, and none else costs anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from smsgw.dispatch.pace import Pace
from smsgw.store import channels, inbox, outbox
from smsgw.store.channels import Channel
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.inbox import Arrival
from smsgw.store.tables import inbound, outbound
from tests.test_outbox import message
from tests.world import NOON

LEASE = "the sender's"
PACE = Pace(10.0, 4)
PASSING = PACE.passing("sms", NOON, theirs=False)

Came = list[tuple[str, str | None, str]]


def arrival(name: str, text: str | None, channel: str = "sms") -> Arrival:
    """A message by its carrier's id. `text`: of its reply; None: it gets none."""
    id = new_id()
    reply = message()._replace(in_reply_to=id, text=text, channel=channel) if text else None
    return Arrival(id, channel, name, "84912345678", "8188", "HS", None, NOON, state="answered", reply=reply)


def held(arrival: Arrival) -> Arrival:
    """The same with its reply in a sender's hand."""
    reply = arrival.reply and outbox.in_hand(arrival.reply, lease=LEASE, until=NOON + timedelta(seconds=30))
    return arrival._replace(reply=reply)


def take(database: Database, arrivals: Sequence[Arrival]) -> set[str]:
    with database.writing("test") as connection:
        return {one.id for one in inbox.accept(connection, arrivals)}


def take_alone(database: Database, arrival: Arrival) -> Arrival | None:
    """Who comes alone, and would pass by the queue; as it was stored."""
    with database.writing("test") as connection:
        return next(iter(inbox.accept(connection, [held(arrival)], PASSING)), None)


def replies(database: Database, ids: Sequence[str]) -> dict[tuple[str, str], str | None]:
    """What is stored: by channel and carrier's id the reply's text."""
    with database.reading() as connection:
        stored = inbound.outerjoin(outbound, outbound.c.in_reply_to == inbound.c.id)
        columns = (inbound.c.channel, inbound.c.carrier_message_id, outbound.c.text)
        rows = connection.execute(sa.select(*columns).select_from(stored).where(inbound.c.id.in_(ids)))
        return {(channel, name): text for channel, name, text in rows}


def row(database: Database) -> Channel:
    with database.reading() as connection:
        return channels.every(connection)["sms"]


def with_room_for(database: Database, messages: float) -> None:
    with database.writing("test") as connection:
        before = channels.lock(connection, "sms")
        channels.write(connection, before, replace(before, allowance=messages, allowed_at=NOON), NOON)


came = some.lists(
    some.tuples(
        some.sampled_from("abcd"), some.sampled_from(["Ho so", "Hồ sơ", None]), some.sampled_from(["sms", "spare"])
    ),
    max_size=6,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=came, then=came)
def test_each_new_message_has_its_reply_and_one_that_comes_again_gets_no_other(
    database: Database, first: Came, then: Came
) -> None:
    run = new_id()  # the database is one for all examples
    before, after = ([arrival(run + name, text, by) for name, text, by in some_] for some_ in (first, then))
    firsts: dict[tuple[str, str], Arrival] = {}
    for one in [*before, *after]:
        firsts.setdefault((one.channel, one.carrier_message_id), one)
    kept = {one.id for one in firsts.values()}
    assert take(database, before) == kept & {one.id for one in before}
    assert take(database, after) == kept & {one.id for one in after}
    expected = {name: one.reply and one.reply.text for name, one in firsts.items()}
    assert replies(database, [one.id for one in [*before, *after]]) == expected


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=some.lists(some.sampled_from("abcdef"), max_size=8), room=some.integers(0, 3))
def test_who_comes_alone_passes_by_the_queue_while_there_is_room_and_takes_none_by_coming_again(
    database: Database, names: list[str], room: int
) -> None:
    run = new_id()
    with_room_for(database, room)
    came = [arrival(run + name, f"Ho so {number}") for number, name in enumerate(names)]
    taken = [take_alone(database, one) for one in came]
    new = [names.index(name) == number for number, name in enumerate(names)]
    assert [one is not None for one in taken] == new
    kept = [one.reply for one in taken if one and one.reply]
    passed = min(room, len(kept))
    assert [reply.lease for reply in kept] == [LEASE] * passed + [None] * (len(kept) - passed)
    assert row(database).allowance == room - passed
    with database.writing("test") as connection:
        stored = {one.id: one for one in connection.execute(sa.select(outbound))}
        connection.execute(sa.delete(outbound))  # nobody is to wait for the next example
    for reply in kept:
        found = stored.pop(reply.id)
        expected = reply._asdict() | {"deadline": reply.deadline or reply.expires_at}
        assert {name: found._mapping[name] for name in reply._fields} == expected
        assert (found.attempts, found.tried_at) == ((1, NOON) if reply.lease else (0, None))
    assert stored == {}


@pytest.mark.parametrize("tables_url", ["postgresql"], indirect=True)
def test_what_stores_who_comes_alone_is_no_longer_than_the_driver_keeps_taken_apart(database: Database) -> None:
    lengths = []
    sa.event.listen(database._engine, "before_cursor_execute", lambda *given: lengths.append(len(given[2])))
    take_alone(database, arrival("a", "Ho so"))
    assert 2000 < max(lengths) <= MAX_CACHED_STATEMENT_LENGTH


def test_of_a_message_that_gets_no_reply_the_channel_keeps_its_room(database: Database) -> None:
    with_room_for(database, 1)
    assert take(database, [arrival("a", None)])
    assert row(database).allowance == 1
