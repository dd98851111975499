"""schema.sql and the tables that the code knows are the same, on both databases."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from smsgw.resources import shipped, statements
from smsgw.store.database import Database, SchemaError
from smsgw.store.tables import metadata


def checks(connection: sa.Connection) -> dict[str, list[str]]:
    """The named checks of each table, in a spelling that both databases share."""

    def plain(text: str) -> str:
        return re.sub(r"::\w+(\[\])?|[\s()\"\[\]]", "", text).lower().replace("=anyarray", "in")

    inspector = sa.inspect(connection)
    return {
        table: sorted(f"{check['name']} {plain(check['sqltext'])}" for check in inspector.get_check_constraints(table))
        for table in inspector.get_table_names()
    }


def test_schema_sql_and_the_tables_in_the_code_are_the_same(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        metadata.create_all(connection)
        by_code = checks(connection)
        metadata.drop_all(connection)
        for statement in statements(shipped("schema.sql")):
            connection.exec_driver_sql(statement)
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
        assert checks(connection) == by_code
        assert sum(map(len, by_code.values())) >= 8
    engine.dispose()


def test_postgresql_sorts_every_text_by_its_bytes_whatever_language_its_database_is_of(postgres_tables: str) -> None:
    engine = sa.create_engine(postgres_tables)
    tables = sa.inspect(engine).get_multi_columns()
    texts = [column["type"] for columns in tables.values() for column in columns if isinstance(column["type"], sa.Text)]
    assert len(texts) > 150
    assert {text.collation for text in texts} == {"C"}
    engine.dispose()


def test_making_the_tables_again_changes_nothing_and_a_foreign_schema_is_refused(database_url: str) -> None:
    database = Database(database_url)
    with pytest.raises(SchemaError, match="run smsgw init"):
        database.check()
    assert database.create() is True
    assert database.create() is False
    with database.writing("test") as connection:
        connection.execute(sa.text("ALTER TABLE outbound DROP COLUMN error_code"))
    with pytest.raises(SchemaError, match=r"lacks error_code: it was made by another version"):
        database.create()
    with database.writing("test") as connection:
        connection.execute(sa.text("ALTER TABLE outbound ADD COLUMN error_code TEXT"))
        connection.execute(sa.text("DROP TABLE rating"))
    with pytest.raises(SchemaError, match="rating of the gateway's database is not there: it was made by another"):
        database.create()
    database.close()
