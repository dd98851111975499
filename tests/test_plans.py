"""What a message costs does not hang on how large the tables were when their statements were first planned."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from smsgw.store.database import Database
from tests.world import world

GROWING = ("inbound", "outbound", "preference", "receipt")


def test_no_statement_of_a_message_reads_a_growing_table_whole(tmp_path: Path, postgres_url: str) -> None:
    # The tables are empty here, which is when a planner likes best to read all of them, and to keep to that plan.
    made = Database(postgres_url)
    made.create()
    made.close()  # a connection that ends has told what it read, which is each table once for each of its indexes
    before = _read_whole(postgres_url)
    with world(tmp_path, postgres_url) as here:
        for number in range(12):  # a plan is kept from the sixth time on
            assert here.text(f"8491234{number:04d}", f"hs {here.examples[0].code}")
        assert here.states() == {"delivered": 12}
    after = _read_whole(postgres_url)
    assert {table: after[table] - before[table] for table in GROWING} == dict.fromkeys(GROWING, 0)


def _read_whole(url: str) -> dict[str, int]:
    """How often each table of the schema has been read from one end to the other."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE schemaname = current_schema()"
        ).all()
    engine.dispose()
    return dict(map(tuple, rows))
