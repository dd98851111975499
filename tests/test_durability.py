"""What was acknowledged is still there when the power comes back, as far as the databases are asked for it."""

from __future__ import annotations

import sqlite3
from inspect import unwrap
from pathlib import Path

from pydantic import SecretStr

from smsgw import checkup
from smsgw.store import database
from tests import postgres
from tests.world import world


def test_sqlite_has_each_commit_on_its_disk_before_it_says_so(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "gateway.db")
    unwrap(database.prepare_sqlite)(connection, None)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_the_doctor_names_what_postgresql_was_told_not_to_keep(tmp_path: Path, postgres_tables: str) -> None:
    hasty = postgres_tables + "%20-csynchronous_commit%3Doff"
    with world(tmp_path, hasty, dossiers=0) as here:
        found = checkup._durability(here.gateway)
    assert not found.ok
    assert "fsync = off, full_page_writes = off, synchronous_commit = off" in found.detail


def test_the_doctor_finds_nothing_wrong_with_a_postgresql_as_it_comes(tmp_path: Path) -> None:
    with postgres.running(postgres.DURABLE) as server, world(tmp_path, server.new_schema(), dossiers=0) as here:
        assert checkup._durability(here.gateway).ok


def test_the_doctor_says_when_a_database_takes_no_writes_or_is_closed_to_us(tmp_path: Path) -> None:
    with postgres.running() as server, world(tmp_path, server.new_schema(), dossiers=0) as here:
        url = here.gateway.database.url.render_as_string(hide_password=False)

        def said(url: str) -> tuple[bool, str]:
            opened = database.Database(url)
            found = checkup._tried("gateway database", lambda: checkup._usable(opened))
            opened.close()
            return found.ok, found.detail

        assert said(url) == (True, "")
        ok, detail = said(url + "%20-cdefault_transaction_read_only%3Don")
        assert (ok, detail.split(";")[0]) == (False, "takes no writes")
        schema = url.rpartition("%3D")[2]
        server._administer("CREATE ROLE stranger LOGIN", f"GRANT USAGE ON SCHEMA {schema} TO stranger")
        ok, detail = said(url.replace("postgres@", "stranger@"))
        assert not ok
        assert detail.startswith("stranger may not use the table ")
        assert detail.endswith(f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO "stranger"')


def test_the_doctor_says_what_nodes_on_several_machines_have_to_have_in_common(
    tmp_path: Path, postgres_tables: str
) -> None:
    with world(tmp_path, postgres_tables, dossiers=0) as here:
        settings = here.gateway.settings
        assert "set gateway.secret_key to the same text on all" in checkup._secret_key(settings).detail
        common = settings.gateway.model_copy(update={"secret_key": SecretStr("the same")})
        assert checkup._secret_key(settings.model_copy(update={"gateway": common})).detail == ""
        assert "secret key" in {finding.what for finding in checkup._findings(here.gateway)}
