"""Messages that are taken in with their replies: each that is new has its one reply, and none else costs anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from smsgw.store import channels, inbox
from smsgw.store.channels import Channel
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.inbox import Arrival
from smsgw.store.tables import inbound, outbound
from tests.test_outbox import message
from tests.world import NOON

LATER = NOON + timedelta(seconds=3)


def arrival(name: str, text: str | None, channel: str = "sms") -> Arrival:
    """A message by its carrier's id. `text`: of its reply; None: it gets none."""
    id = new_id()
    reply = message()._replace(in_reply_to=id, text=text, channel=channel) if text else None
    return Arrival(id, channel, name, "84912345678", "8188", "HS", None, NOON, state="answered", reply=reply)


def take(database: Database, arrivals: Sequence[Arrival], spent: Channel | None = None) -> set[str]:
    with database.writing("test") as connection:
        return inbox.accept(connection, arrivals, spent)


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


came = some.lists(
    some.tuples(
        some.sampled_from("abcd"), some.sampled_from(["Ho so", "Hồ sơ", None]), some.sampled_from(["sms", "spare"])
    ),
    max_size=6,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=came, then=came, told=some.booleans())
def test_each_new_message_has_its_reply_and_one_that_comes_again_gets_no_other(
    database: Database, first: list[tuple[str, str | None, str]], then: list[tuple[str, str | None, str]], told: bool
) -> None:
    run = new_id()  # the database is one for all examples
    before, after = ([arrival(run + name, text, by) for name, text, by in some_] for some_ in (first, then))
    firsts: dict[tuple[str, str], Arrival] = {}
    for one in [*before, *after]:
        firsts.setdefault((one.channel, one.carrier_message_id), one)
    kept = {one.id for one in firsts.values()}
    channel = row(database) if told else None
    assert take(database, before, channel) == kept & {one.id for one in before}
    assert take(database, after, channel) == kept & {one.id for one in after}
    expected = {name: one.reply and one.reply.text for name, one in firsts.items()}
    assert replies(database, [one.id for one in [*before, *after]]) == expected


def test_a_reply_leaves_the_channel_as_it_is_told_and_one_that_is_not_stored_as_it_was(database: Database) -> None:
    channel = row(database)
    first, second, third = (
        replace(channel, allowance=left, allowed_at=LATER, resume_at=LATER) for left in (7.0, 6.0, 5.0)
    )
    take(database, [arrival("a", "Ho so")], first)
    assert row(database) == first
    take(database, [arrival("a", "Ho so")], second)
    take(database, [arrival("a", "Ho so"), arrival("b", None)], second)
    assert row(database) == first
    take(database, [arrival("c", "Ho so")], third)
    assert row(database) == third
