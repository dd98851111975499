"""Nodes that write the same rows at the same time, each in another order, do not wait for each other in a circle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
import sqlalchemy as sa

from smsgw.store import inbox, lines, receipts, reminders
from smsgw.store.chats import Overtaken
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.inbox import Arrival
from smsgw.store.lines import Unproved
from smsgw.store.receipts import Report
from smsgw.store.reminders import Reminder
from tests.chaos import until
from tests.world import NOON

Write = Callable[[sa.Connection, Sequence[str]], object]


def messages(connection: sa.Connection, names: Sequence[str]) -> None:
    came = [
        Arrival(new_id(), "sms", name, "84912345678", "8188", "HELP", NOON, NOON, state="ignored") for name in names
    ]
    inbox.accept(connection, came)


def reports(connection: sa.Connection, names: Sequence[str]) -> None:
    receipts.record(connection, "sms", [Report(None, name, "delivered", None, NOON) for name in names], NOON)


def reminded(connection: sa.Connection, names: Sequence[str]) -> None:
    told = [Reminder("received", name, "-", "owner", "84912345678", "told", new_id()) for name in names]
    reminders.add(connection, told, "run", NOON)


def brought(connection: sa.Connection, names: Sequence[str]) -> None:
    lines.expect_again(connection, [Unproved(name, "sms", "", name, NOON) for name in names])


@pytest.mark.parametrize("write", [messages, reports, reminded, brought])
def test_whoever_writes_rows_takes_them_in_one_order(postgres_tables: str, write: Write) -> None:
    database, failed = Database(postgres_tables), list[Exception]()

    def other() -> None:
        try:
            with database.writing("test") as connection:
                write(connection, ["b", "a"])
        except Overtaken:
            pass  # it has waited, and found that another was quicker
        except sa.exc.OperationalError as error:
            failed.append(error)

    thread = threading.Thread(target=other)
    with database.writing("test") as connection:
        write(connection, ["a"])
        thread.start()
        until(lambda: _waits(database), "the other to wait for the first row")
        write(connection, ["b"])
    thread.join()
    assert failed == []
    database.close()


def _waits(database: Database) -> bool:
    with database.reading() as connection:
        waiting = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(connection.scalar(waiting))
