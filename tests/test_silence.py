"""PostgreSQL and nodes that fall silent: nobody waits for them for ever, and nobody keeps what others need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from smsgw.store import channels
from smsgw.store import database as store
from smsgw.store.database import Database
from tests import postgres
from tests.chaos import NOTHING, Chaos, until
from tests.silence import Line, line_to
from tests.world import NOON


@pytest.fixture
def line(postgres_server: postgres.Server) -> Iterator[Line]:
    with line_to(postgres_server.socket_file) as made:
        yield made


@pytest.fixture
def chaos(tmp_path: Path, postgres_url: str, line: Line) -> Iterator[Chaos]:
    """Nodes that reach their database by the line."""
    made = Chaos(tmp_path, str(postgres_url))
    made.settings.write_text(made.settings.read_text().replace(postgres_url, line.url(postgres_url)))
    yield made
    made.close()


@pytest.mark.long
def test_a_listener_that_is_cut_off_silently_costs_a_poll_and_is_back_by_itself(chaos: Chaos, line: Line) -> None:
    chaos.up(roles=("web",))
    chaos.up(roles=("worker",))
    until(lambda: line.listeners, "the worker to listen")
    line.cut_listeners()
    chaos.text(3)
    chaos.settle()
    assert chaos.count() == NOTHING
    until(lambda: len(line.listeners) == 2, "the worker to listen anew")


@pytest.mark.long
def test_a_database_that_falls_silent_loses_nothing_and_needs_no_restart(chaos: Chaos, line: Line) -> None:
    chaos.up()
    chaos.text(5)
    chaos.settle()
    line.cut()
    chaos.text(5)
    until(lambda: chaos.carrier.answers[503] > 0, "a 503")
    line.mend()
    chaos.text(5)
    chaos.settle()
    assert chaos.count() == NOTHING
    assert all(node.is_alive() for node in chaos.nodes)


@pytest.fixture
def other(postgres_url: str) -> Iterator[Database]:
    """Another node's view of the database."""
    database = Database(postgres_url)
    database.create()
    with database.writing("test") as connection:
        channels.ensure(connection, "sms", NOON)
    yield database
    database.close()


@pytest.fixture
def ours(postgres_url: str, other: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A node's view, with less patience."""
    monkeypatch.setattr(store, "LONGEST_IDLE", 0.2)
    monkeypatch.setattr(store, "LONGEST_STATEMENT", 0.5)
    database = Database(postgres_url)
    yield database
    database.close()


def test_a_node_that_freezes_in_a_transaction_does_not_hold_up_the_others(ours: Database, other: Database) -> None:
    def frozen() -> None:
        with ours.writing("test") as connection:
            channels.lock(connection, "sms")
            with other.writing("test") as theirs:
                assert channels.lock(theirs, "sms").name == "sms"

    with pytest.raises(sa.exc.DBAPIError):
        frozen()


def test_a_statement_that_takes_too_long_is_ended(ours: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError), ours.reading() as connection:
        connection.execute(sa.text("SELECT pg_sleep(60)"))


def test_a_report_keeps_no_snapshot_between_its_statements(ours: Database, other: Database) -> None:
    with ours.reading() as connection:
        process = connection.scalar(sa.text("SELECT pg_backend_pid() FROM outbound RIGHT JOIN (SELECT 1) one ON true"))
        with other.reading() as looking:
            seen = sa.text("SELECT state, backend_xmin FROM pg_stat_activity WHERE pid = :pid")
            assert looking.execute(seen, {"pid": process}).one() == ("idle", None)
