"""Writing the sample into a database of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from importlib.resources import files
from itertools import islice
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from smsgw.dossiers.dossier import Status
from smsgw.dossiers.sample.generate import Row, dossiers
from smsgw.dossiers.sample.province import agencies, procedures
from smsgw.dossiers.source import VIEW, OneStopUnavailable, connected, reason
from smsgw.dossiers.view import column
from smsgw.resources import statements

BATCH = 5000
_TABLES = ("dossier", "procedure", "agency")  # in the order in which they can be dropped
_OWN = {*_TABLES, VIEW}
_AGENCY = {"code", "name", "kind"}
_INSTEAD = "name an empty one for the sample"

_COLUMNS = tuple(field.name for field in fields(Row))
_values = attrgetter(*_COLUMNS)
_TIMES = tuple(name for name in _COLUMNS if name.endswith(("_at", "_since")))
_TABLE = sa.table("dossier", *map(column, _COLUMNS))


class NotTheSample(Exception):
    """The database holds something else than a sample, which would be lost. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Example:
    """A dossier to show: its code, its state, and the phone of the person who applied."""

    code: str
    status: Status
    phone: str


def write(url: str, n: int, seed: int, today: date, progress: Callable[[int], object] | None = None) -> int:
    """Make the database anew with `n` dossiers; how many of an earlier sample they replace.

    Whoever reads it meanwhile sees the old one or the new one whole: a SQLite file is replaced, a PostgreSQL schema
    filled in one go. `progress` is told how many more are written.
    Raises NotTheSample, so that nobody's own database is lost to a wrong setting, and OneStopUnavailable for a server
    that can't be reached or refuses.
    """
    address = sa.make_url(url)
    if address.get_backend_name() != "sqlite":
        try:
            before = _replaceable(url, alone=False)
            _fill(address, n, seed, today, progress)
        except sa.exc.DBAPIError as error:
            raise OneStopUnavailable(reason(error)) from None
        return before
    path = Path(address.database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    before = _replaceable(url, alone=True) if path.exists() else 0
    # In a folder of its own, so that it takes no other file's place before it is whole.
    with TemporaryDirectory(prefix=".sample-", dir=path.parent) as folder:
        unfinished = Path(folder, path.name)
        _fill(address.set(database=str(unfinished)), n, seed, today, progress)
        unfinished.replace(path)
    return before


def examples(url: str) -> list[Example]:
    """One dossier in each status that the sample has, by status. Raises OneStopUnavailable."""
    with connected(url) as connection:
        rows = connection.execute(
            sa.text(
                "SELECT code, status, applicant_phone FROM dossier_status WHERE code IN"
                " (SELECT max(code) FROM dossier_status GROUP BY status) ORDER BY status"
            )
        ).all()
    return [Example(code, Status(status), phone) for code, status, phone in rows]


def _replaceable(url: str, *, alone: bool) -> int:
    """How many dossiers an earlier sample has in a database. Raises NotTheSample if anything else would be lost.

    `alone`: that is whatever else is there, the whole file being replaced; otherwise what has the sample's names.
    """
    with connected(url) as connection:
        look = sa.inspect(connection)
        there = {*look.get_table_names(), *look.get_view_names()} if alone else set(filter(look.has_table, _OWN))
        if not there:
            return 0
        if others := sorted(there - _OWN):
            raise NotTheSample(f"onestop.database has {others[0]}, which is no part of a sample; {_INSTEAD}")
        if there == _OWN and _is_as_made(connection, look):
            return connection.scalar(sa.text("SELECT count(*) FROM dossier")) or 0
    raise NotTheSample(f"onestop.database holds something else than a sample, which would be lost; {_INSTEAD}")


def _is_as_made(connection: sa.Connection, look: sa.Inspector) -> bool:
    """Whether agencies and procedures are the sample's; whoever has other dossiers has others of these."""
    if {column["name"] for column in look.get_columns("agency")} != _AGENCY:
        return False
    made = {
        "agency": {agency.code: agency.name for agency in agencies()},
        "procedure": {procedure.code: procedure.name for procedure in procedures()},
    }
    return all(_names(connection, table) == names for table, names in made.items())


def _names(connection: sa.Connection, table: str) -> dict[str, str]:
    kept = sa.table(table, sa.column("code", sa.Text()), sa.column("name", sa.Text()))
    names: dict[str, str] = dict(connection.execute(sa.select(kept)).all())
    return names


def _fill(address: sa.URL, n: int, seed: int, today: date, progress: Callable[[int], object] | None) -> None:
    script = (files(__package__) / "onestop.sql").read_text(encoding="utf-8")
    with sa.create_engine(address, poolclass=sa.NullPool).begin() as connection:
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
