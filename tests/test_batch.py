"""Rows that travel as one document arrive as they were given, whatever is in them."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from smsgw.store import outbox
from smsgw.store.database import Database
from smsgw.store.outbox import NewMessage
from smsgw.store.tables import Lane, outbound
from tests.test_outbox import message
from tests.world import NOON

LATER = [NOON + timedelta(microseconds=number) for number in range(3)]
_c = outbound.c

messages = some.lists(
    some.fixed_dictionaries(
        {
            "channel": some.sampled_from(["sms", "spare"]),
            "lane": some.sampled_from(Lane),
            "text": some.sampled_from(["Ho so", "Hồ sơ", '"\\', "👍 \u2028"]),
            "not_before": some.sampled_from(LATER),
            "sender": some.sampled_from(["8188", "UBND"]),
        }
    ).map(lambda values: message()._replace(**values)),
    max_size=4,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages)
def test_what_is_queued_together_is_what_was_given(database: Database, given: list[NewMessage]) -> None:
    with database.writing("test") as connection:
        outbox.add(connection, given)
        named = sa.select(*(_c[name] for name in NewMessage._fields)).where(_c.id.in_([one.id for one in given]))
        found = [NewMessage(*row) for row in connection.execute(named.order_by(_c.id))]
    expected = [one._replace(deadline=one.expires_at) for one in sorted(given, key=lambda one: one.id)]
    assert found == expected
