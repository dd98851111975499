"""The one-stop database belongs to somebody else: it is only read, and never waited for too long."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from smsgw.dossiers import sample
from smsgw.dossiers.source import OneStop, OneStopUnavailable, read_only_engine


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    made: str = (
        f"sqlite:///{tmp_path}/onestop.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    )
    sample.write(made, 100, 1, date(2018, 8, 15))
    return made


@pytest.fixture
def onestop(url: str) -> Iterator[OneStop]:
    source = OneStop(url, timeout=5)
    yield source
    source.close()


def codes(url: str) -> list[str]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = list(connection.scalars(sa.text("SELECT code FROM dossier")))
    engine.dispose()
    return found


def test_dossiers_are_found_by_their_codes_to_the_letter(url: str, onestop: OneStop) -> None:
    asked = codes(url)
    found = onestop.find([*asked, "H01.99-180802-0012", asked[0].lower()])
    assert set(found) == set(asked)
    assert all(dossier.received_at and dossier.received_at.tzinfo for dossier in found.values())
    assert onestop.find([]) == {}
    assert len(onestop.find([f"none-{number}" for number in range(2500)] + asked[:1])) == 1


def test_it_can_not_be_written(url: str) -> None:
    engine = read_only_engine(url)
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError):
        connection.execute(sa.text("UPDATE dossier SET status = 10"))
    engine.dispose()


def test_a_row_that_makes_no_sense_is_left_out_and_the_others_answer(
    url: str, onestop: OneStop, caplog: pytest.LogCaptureFixture
) -> None:
    broken, *others = codes(url)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE dossier SET status = 11 WHERE code = :code"), {"code": broken})
    engine.dispose()
    with caplog.at_level(logging.WARNING):
        assert set(onestop.find([broken, *others])) == set(others)
    assert broken in caplog.text


def test_a_view_that_lacks_a_column_is_named_by_the_check(url: str, onestop: OneStop) -> None:
    onestop.check()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP VIEW dossier_status"))
        connection.execute(sa.text("CREATE VIEW dossier_status AS SELECT code, status FROM dossier"))
    engine.dispose()
    with pytest.raises(OneStopUnavailable, match="procedure_code"):
        onestop.check()


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    source = OneStop(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(OneStopUnavailable, match="unable to open"):
        source.find(["H01.12-180802-0012"])
    source.close()
    assert not (tmp_path / "none.db").exists()


def test_a_database_that_never_answers_is_given_up_and_then_refused_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        source = OneStop(f"postgresql+psycopg://u@127.0.0.1:{port}/x", timeout=0.2, pool_size=2)
        for _ in range(2):
            with pytest.raises(OneStopUnavailable, match="did not answer"):
                source.find(["H01.12-180802-0012"])
        with pytest.raises(OneStopUnavailable, match="every connection"):
            source.find(["H01.12-180802-0012"])
        source.close()


def test_nothing_stays_open_in_it_after_a_call(postgres_url: str) -> None:
    sample.write(postgres_url, 20, 1, date(2018, 8, 15))
    source = OneStop(postgres_url)
    source.find(codes(postgres_url))
    engine = sa.create_engine(postgres_url)
    with engine.connect() as connection:
        open_ones = sa.text("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")
        assert connection.scalars(open_ones).one() == 0
    engine.dispose()
    source.close()


def test_a_sqlite_file_that_is_replaced_is_read_anew(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/onestop.db"
    sample.write(url, 20, 1, date(2018, 8, 15))
    source = OneStop(url)
    try:
        source.check()
        sample.write(url, 20, 1, date(2026, 11, 23))
        code = sample.examples(url)[0].code
        assert set(source.find([code])) == {code}
        (tmp_path / "onestop.db").unlink()
        with pytest.raises(OneStopUnavailable):
            source.check()
    finally:
        source.close()
