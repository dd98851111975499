"""The sample province: the article's figures to the dossier, and every state with the fields that it needs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from smsgw.dossiers import calendar, figures, sample
from smsgw.dossiers.codes import parse
from smsgw.dossiers.dossier import Status
from smsgw.dossiers.sample import Row
from smsgw.dossiers.sample.province import agencies, procedures
from smsgw.text.phones import msisdn

DAY = date(2018, 8, 15)
HERE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture(scope="module")
def province() -> list[Row]:
    return list(sample.dossiers(139_012, 2018, DAY))


def test_the_provinces_agencies_are_all_there() -> None:
    assert Counter(agency.kind for agency in agencies()) == {"department": 19, "district": 11, "commune": 156}
    assert len({agency.code for agency in agencies()}) == len({agency.name for agency in agencies()}) == 186
    assert len(procedures()) >= 15


@pytest.mark.long
def test_the_articles_figures_come_out_exactly(province: list[Row]) -> None:
    resolved = [row for row in province if row.finished_at]
    ahead = [row for row in resolved if row.finished_at and row.finished_at < row.due_at]
    assert len(province) == 139_012
    assert len(resolved) == 132_106
    assert round(100 * len(ahead) / len(resolved)) == 80
    assert sum(row.service_level == 3 for row in resolved) == 75_758
    assert sum(row.service_level == 4 for row in resolved) == 38_887


@pytest.mark.long
def test_codes_are_legal_unique_and_dense_in_both_forms(province: list[Row]) -> None:
    codes = [parse(row.code) for row in province]
    assert all(codes)
    assert len({row.code for row in province}) == len(province)
    forms = Counter(code.reversed for code in codes if code)
    assert min(forms.values()) > 20_000
    ordinals: dict[tuple[str, date], set[int]] = {}
    for row, code in zip(province, codes, strict=True):
        assert code
        ordinals.setdefault((row.agency_code, row.received_at.astimezone(HERE).date()), set()).add(int(code.ordinal))
    assert all(numbers == set(range(1, len(numbers) + 1)) for numbers in ordinals.values())
    assert len({row.agency_code for row in province}) == 186


@pytest.mark.long
def test_every_state_has_what_it_needs(province: list[Row]) -> None:
    by_status: dict[Status, list[Row]] = {
        status: [row for row in province if row.status is status] for status in Status
    }
    assert all(by_status.values())
    assert all(row.finished_at for status in (9, 10) for row in by_status[Status(status)])
    assert not any(row.finished_at for status in range(1, 9) for row in by_status[Status(status)])
    assert all(row.returned_at for row in by_status[Status.RETURNED])
    assert all(row.supplement_note and row.supplement_due_at for row in by_status[Status.SUPPLEMENT_ASKED])
    assert all(row.fee_due and not row.fee_paid_at for row in by_status[Status.FEE_ASKED])
    posted = [row for row in by_status[Status.RESOLVED] if row.delivery == "post"]
    assert posted
    assert all(re.fullmatch(r"E[A-Z]\d{9}VN", row.post_tracking or "") for row in posted)
    assert {row.delivery for row in province} == {"counter", "post", "online"}
    late = [row for row in by_status[Status.IN_PROGRESS] if row.due_at < datetime(2018, 8, 15, 9, tzinfo=UTC)]
    assert any(row.new_due_at and row.delay_reason for row in late)
    assert any(row.new_due_at is None for row in late)


@pytest.mark.long
def test_nothing_has_happened_in_the_future_or_on_a_day_off(province: list[Row]) -> None:
    now = datetime.combine(DAY, time(16, 30), HERE)
    for row in province:
        assert row.received_at <= row.step_since <= now
        assert row.received_at <= row.due_at
        assert calendar.is_working_day(row.received_at.astimezone(HERE).date())
        assert calendar.is_working_day(row.due_at.astimezone(HERE).date())
        for moment in (row.step_since, row.finished_at, row.returned_at):
            assert moment is None or calendar.is_working_day(moment.astimezone(HERE).date())
            assert moment is None or time(7, 30) <= moment.astimezone(HERE).time() < time(17)
        assert row.finished_at is None or row.received_at <= row.finished_at <= now
        assert row.returned_at is None or row.finished_at is None or row.finished_at <= row.returned_at <= now


@pytest.mark.long
def test_phones_are_written_as_offices_write_them(province: list[Row]) -> None:
    assert all(msisdn(row.applicant_phone) for row in province)
    old = sum(bool(re.fullmatch(r"(0|\+84)1\d{9}", re.sub(r"[ .]", "", row.applicant_phone))) for row in province)
    assert 0.1 < old / len(province) < 0.3


def test_the_same_number_seed_and_day_give_the_same_dossiers() -> None:
    assert list(sample.dossiers(300, 7, DAY)) == list(sample.dossiers(300, 7, DAY))
    assert list(sample.dossiers(300, 7, DAY)) != list(sample.dossiers(300, 8, DAY))
    assert list(sample.dossiers(300, 7, DAY)) != list(sample.dossiers(300, 7, date(2018, 8, 16)))


@pytest.mark.parametrize("count", [1, 5, 19, 20, 60, 2000])
def test_any_number_can_be_made_and_from_twenty_on_every_state_is_there(count: int) -> None:
    rows = list(sample.dossiers(count, 1, DAY))
    assert len(rows) == count
    assert count < 20 or {row.status for row in rows} == set(Status)


@pytest.fixture(params=["sqlite", "postgresql"])
def onestop_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/onestop.db"
    else:
        yield request.getfixturevalue("postgres_url")


def test_the_report_counts_what_was_written(onestop_url: str) -> None:
    told: list[int] = []
    sample.write(onestop_url, 3000, 5, DAY, told.append)
    rows = list(sample.dossiers(3000, 5, DAY))
    counted = figures.figures(onestop_url, HERE, now=datetime(2018, 8, 15, 10, tzinfo=UTC))
    assert sum(told) == counted.received == 3000
    assert counted.resolved == sum(row.finished_at is not None for row in rows)
    assert counted.by_status == Counter(int(row.status) for row in rows)
    assert counted.open_and_overdue > 0
    july = figures.figures(onestop_url, HERE, date(2018, 7, 1), date(2018, 7, 31))
    assert july.received == sum(row.received_at.astimezone(HERE).date().month == 7 for row in rows)
    assert len(sample.examples(onestop_url)) == 10


def test_a_sample_made_again_replaces_the_old_one_whole(onestop_url: str) -> None:
    assert sample.write(onestop_url, 100, 5, DAY) == 0
    assert sample.write(onestop_url, 50, 6, DAY) == 100
    engine = sa.create_engine(onestop_url)
    with engine.connect() as connection:
        assert connection.scalars(sa.text("SELECT count(*) FROM dossier_status")).one() == 50
    engine.dispose()


def test_a_database_that_is_no_sample_is_left_alone(onestop_url: str) -> None:
    engine = sa.create_engine(onestop_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE dossier (code TEXT)")
        connection.exec_driver_sql("INSERT INTO dossier VALUES ('H01.12-180802-0012')")
    with pytest.raises(sample.NotTheSample):
        sample.write(onestop_url, 20, 1, DAY)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT code FROM dossier")).scalar() == "H01.12-180802-0012"
    engine.dispose()


@pytest.mark.parametrize(
    "own",
    [
        "INSERT INTO agency VALUES ('H01.99', 'Mine', 'ward')",
        "UPDATE agency SET name = 'Mine' WHERE code = 'H01.21'",
        "INSERT INTO procedure VALUES ('9.999999', 'Mine')",
        "ALTER TABLE agency ADD COLUMN phone TEXT",
        "DROP VIEW dossier_status",
    ],
)
def test_an_agencys_own_database_that_began_as_a_sample_is_left_alone(onestop_url: str, own: str) -> None:
    sample.write(onestop_url, 30, 1, DAY)
    engine = sa.create_engine(onestop_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(own)
    with pytest.raises(sample.NotTheSample, match="something else than a sample"):
        sample.write(onestop_url, 20, 1, DAY)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM dossier")) == 30
    engine.dispose()


def test_a_file_that_has_more_than_a_sample_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/onestop.db"
    sample.write(url, 30, 1, DAY)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE visit (code TEXT)")
    engine.dispose()
    before = (tmp_path / "onestop.db").read_bytes()
    with pytest.raises(sample.NotTheSample, match="has visit, which is no part of a sample"):
        sample.write(url, 20, 1, DAY)
    assert (tmp_path / "onestop.db").read_bytes() == before


def test_a_sample_takes_no_other_files_place_and_leaves_none_behind(tmp_path: Path) -> None:
    (tmp_path / "onestop.db.new").write_text("somebody's export")
    sample.write(f"sqlite:///{tmp_path}/onestop.db", 20, 1, DAY)
    assert (tmp_path / "onestop.db.new").read_text() == "somebody's export"
    with pytest.raises(KeyboardInterrupt):
        sample.write(f"sqlite:///{tmp_path}/onestop.db", 20, 1, DAY, _interrupted)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["onestop.db", "onestop.db.new"]


def _interrupted(count: int) -> None:
    raise KeyboardInterrupt


def test_on_postgresql_what_stands_behind_on_the_search_path_or_beside_it_is_left_alone(postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        schema = connection.scalar(sa.text("SELECT current_schema()"))
        connection.exec_driver_sql("CREATE TABLE visit (code TEXT)")
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}_first")
    assert sample.write(postgres_url, 30, 1, DAY) == 0
    path = {"options": f"-c search_path={schema}_first,{schema}"}
    behind = sa.make_url(postgres_url).update_query_dict(path).render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE agency SET name = 'Mine'")
    with pytest.raises(sample.NotTheSample):
        sample.write(behind, 20, 1, DAY)
    with engine.begin() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM dossier")) == 30
        connection.exec_driver_sql(f"DROP SCHEMA {schema}_first")
        for statement in ("DROP VIEW dossier_status", "DROP TABLE dossier, agency, procedure"):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("CREATE MATERIALIZED VIEW dossier_status AS SELECT code FROM visit")
    with pytest.raises(sample.NotTheSample):
        sample.write(postgres_url, 20, 1, DAY)
    engine.dispose()


def test_working_days_leave_out_weekends_and_holidays() -> None:
    assert not calendar.is_working_day(date(2018, 8, 18))
    assert not calendar.is_working_day(date(2018, 9, 2))
    assert not calendar.is_working_day(date(2018, 2, 16))
    assert not calendar.is_working_day(date(2018, 4, 30))
    assert calendar.add_working_days(date(2018, 8, 17), 1) == date(2018, 8, 20)
    assert calendar.add_working_days(date(2018, 8, 18), 0) == date(2018, 8, 20)
    assert calendar.add_working_days(date(2018, 4, 27), 1) == date(2018, 5, 2)
