"""Writing the sample into a database of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from datetime import date
from importlib.resources import files
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from smsgw.dossiers.dossier import Status
from smsgw.dossiers.sample.generate import Row, dossiers
from smsgw.dossiers.sample.province import agencies, procedures
from smsgw.dossiers.source import VIEW, OneStopUnavailable, read_only_engine, reason
from smsgw.resources import statements

BATCH = 5000
_TABLES = ("dossier", "procedure", "agency")  # in the order in which they can be dropped
_AGENCY = {"code", "name", "kind"}

_COLUMNS = tuple(field.name for field in fields(Row))
_values = attrgetter(*_COLUMNS)
_INTEGERS = ("service_level", "status", "fee_due")
_TIMES = tuple(name for name in _COLUMNS if name.endswith(("_at", "_since")))


def _column(name: str) -> sa.ColumnClause[Any]:
    kind = sa.Integer() if name in _INTEGERS else sa.TIMESTAMP() if name in _TIMES else sa.Text()
    return sa.column(name, kind)


_TABLE = sa.table("dossier", *map(_column, _COLUMNS))


class NotTheSample(Exception):
    """The database holds something else than a sample, which would be lost. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Example:
    """A dossier to show: its code, its state, and the phone of the person who applied."""

    code: str
    status: Status
    phone: str


def write(url: str, n: int, seed: int, today: date, progress: Callable[[int], object] | None = None) -> None:
    """Make the database anew with `n` dossiers. Whoever reads it meanwhile sees the old one or the new one whole.

    `progress` is told how many more are written. A SQLite file is replaced, a PostgreSQL schema filled in one go.
    Raises NotTheSample, so that nobody's own database is lost to a wrong setting, and OneStopUnavailable for a server
    that can't be reached or refuses.
    """
    address = sa.make_url(url)
    if address.get_backend_name() != "sqlite":
        try:
            _refuse_another(url, {*_TABLES, VIEW})
            _fill(sa.create_engine(address), n, seed, today, progress)
        except sa.exc.DBAPIError as error:
            raise OneStopUnavailable(reason(error)) from None
        return
    path = Path(address.database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        _refuse_another(url)
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    _fill(sa.create_engine(address.set(database=str(unfinished))), n, seed, today, progress)
    unfinished.replace(path)


def examples(url: str) -> list[Example]:
    """One dossier in each status that the sample has, by status."""
    engine = read_only_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT code, status, applicant_phone FROM dossier_status WHERE code IN"
                " (SELECT max(code) FROM dossier_status GROUP BY status) ORDER BY status"
            )
        ).all()
    engine.dispose()
    return [Example(code, Status(status), phone) for code, status, phone in rows]


def _refuse_another(url: str, names: Collection[str] | None = None) -> None:
    """Refuse a database that has tables or views of these names, or any, and that no sample was written into."""
    engine = read_only_engine(url)
    try:
        look = sa.inspect(engine)
        there = {*look.get_table_names(), *look.get_view_names()}
        if there.isdisjoint(there if names is None else names):
            return
        if there >= {*_TABLES, VIEW} and {column["name"] for column in look.get_columns("agency")} == _AGENCY:
            with engine.connect() as connection:
                named: dict[str, str] = dict(connection.execute(sa.text("SELECT code, name FROM agency")).all())
            if named == {agency.code: agency.name for agency in agencies()}:
                return
    finally:
        engine.dispose()
    raise NotTheSample("onestop.database holds something else than a sample; name an empty one, or remove it yourself")


def _fill(engine: sa.Engine, n: int, seed: int, today: date, progress: Callable[[int], object] | None) -> None:
    script = (files(__package__) / "onestop.sql").read_text(encoding="utf-8")
    with engine.begin() as connection:
        _drop(connection)
        for statement in statements(script):
            connection.exec_driver_sql(statement)
        connection.execute(
            sa.text("INSERT INTO agency VALUES (:code, :name, :kind)"),
            [{"code": agency.code, "name": agency.name, "kind": agency.kind} for agency in agencies()],
        )
        connection.execute(
            sa.text("INSERT INTO procedure VALUES (:code, :name)"),
            [{"code": procedure.code, "name": procedure.name} for procedure in procedures()],
        )
        rows = dossiers(n, seed, today)
        while batch := list(islice(rows, BATCH)):
            connection.execute(sa.insert(_TABLE), [_plain(row) for row in batch])
            if progress is not None:
                progress(len(batch))
    engine.dispose()


def _plain(row: Row) -> dict[str, object]:
    values = dict(zip(_COLUMNS, _values(row), strict=True))
    for name in _TIMES:
        if values[name] is not None:
            values[name] = values[name].replace(tzinfo=None)
    return values | {"status": int(row.status)}


def _drop(connection: sa.Connection) -> None:
    connection.exec_driver_sql("DROP VIEW IF EXISTS " + VIEW)
    for table in _TABLES:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
