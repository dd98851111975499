"""The log of what officials did: whatever is changed in it, taken out or put in is found out."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from smsgw.officials import audit
from smsgw.store.audit import BEFORE_ALL, Entry, Head, entries
from smsgw.store.database import Database
from smsgw.store.tables import audit as audit_table
from smsgw.store.tables import audit_head
from tests.world import NOON


def written(database: Database, count: int) -> None:
    for number in range(count):
        with database.writing("test") as connection:
            audit.record(connection, "lan", "test.thing", f"thing {number}", {"phone": "84912345678"}, NOON)


def verdict(database: Database, noted: str | None = None) -> audit.Verdict:
    with database.reading() as connection:
        return audit.verify(connection, noted)


def test_the_log_as_it_was_written_is_whole(database: Database) -> None:
    assert verdict(database).broken is None
    written(database, 3)
    assert (verdict(database).entries, verdict(database).broken) == (3, None)


@pytest.mark.parametrize("column", ["who", "action", "subject", "detail", "at", "hash", "previous"])
def test_whatever_is_changed_in_an_entry_the_log_names_it(database: Database, column: str) -> None:
    written(database, 4)
    value = NOON + timedelta(seconds=1) if column == "at" else "other"
    with database.writing("test") as connection:
        connection.execute(sa.update(audit_table).where(audit_table.c.number == 2).values({column: value}))
    assert verdict(database).broken == 2


@pytest.mark.parametrize(("gone", "broken"), [(1, 1), (2, 2), (4, 4)])
def test_an_entry_taken_out_is_missed_also_at_the_end(database: Database, gone: int, broken: int) -> None:
    written(database, 4)
    with database.writing("test") as connection:
        connection.execute(sa.delete(audit_table).where(audit_table.c.number == gone))
    assert verdict(database).broken == broken


@pytest.mark.parametrize(("forged", "broken"), [(2, 3), (4, 4)])
def test_an_entry_that_was_changed_and_hashed_anew_is_found_out(database: Database, forged: int, broken: int) -> None:
    written(database, 4)
    with database.writing("test") as connection:
        (entry,) = (entry for entry in entries(connection, 4) if entry.number == forged)
        values = {"who": "other", "hash": audit.entry_hash(replace(entry, who="other"))}
        connection.execute(sa.update(audit_table).where(audit_table.c.number == forged).values(values))
    assert verdict(database).broken == broken


def test_a_log_written_anew_does_not_hold_the_hash_that_was_noted(database: Database) -> None:
    written(database, 3)
    noted = verdict(database).head
    written(database, 1)
    assert verdict(database, noted).broken is None
    with database.writing("test") as connection:
        connection.execute(sa.delete(audit_table))
        connection.execute(sa.delete(audit_head))
        audit.record(connection, "lan", "other.thing", "", {}, NOON)
    assert verdict(database).broken is None
    assert verdict(database, noted).broken == 1


def test_entries_written_at_the_same_time_follow_on_each_other(database: Database) -> None:
    writers = [threading.Thread(target=written, args=(database, 5)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (verdict(database).entries, verdict(database).broken) == (20, None)


def test_phone_numbers_are_masked_in_the_log(database: Database) -> None:
    written(database, 1)
    with database.reading() as connection:
        assert "84912***678" in connection.scalars(sa.select(audit_table.c.detail)).one()


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), min_size=1, max_size=6), st.integers(min_value=0))
def test_any_chain_holds_and_none_holds_with_two_entries_exchanged(said: list[tuple[str, str, str]], at: int) -> None:
    entries: list[Entry] = []
    head = Head(0, BEFORE_ALL)
    for who, action, subject in said:
        entries.append(audit.sealed(head, NOON, who, action, subject, "{}"))
        head = Head(entries[-1].number, entries[-1].hash)
    assert audit.examine(entries, head).broken is None
    first, second = at % len(entries), (at + 1) % len(entries)
    exchanged = list(entries)
    exchanged[first] = replace(entries[second], number=first + 1)
    if exchanged[first].hash != entries[first].hash:
        assert audit.examine(exchanged, head).broken is not None
