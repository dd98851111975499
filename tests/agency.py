"""The agencies' side of a test: whoever works on dossiers in the one-stop database while the gateway looks on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa


class Agency:
    """Writes into the sample of a test's world."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "onestop.db"
        self._engine = sa.create_engine(f"sqlite:///{self._file}", poolclass=sa.NullPool)

    def codes(self, where: str, limit: int = 1) -> Sequence[str]:
        """Dossiers of people with a mobile phone, of which that is true."""
        query = (
            f"SELECT code FROM dossier WHERE {where} AND applicant_phone NOT LIKE '%296%' ORDER BY code LIMIT {limit}"
        )
        with self._engine.connect() as connection:
            return connection.execute(sa.text(query)).scalars().all()

    def change(self, code: str, at: datetime, **values: Any) -> None:
        """A dossier is changed at that time."""
        given = {name: _stored(value) for name, value in {"updated_at": at, **values}.items()}
        assignments = ", ".join(f"{name} = :{name}" for name in given)
        with self._engine.begin() as connection:
            statement = sa.text(f"UPDATE dossier SET {assignments} WHERE code = :code")
            assert connection.execute(statement, {"code": code, **given}).rowcount == 1

    def finish(self, code: str, at: datetime, delivery: str = "counter", **values: Any) -> None:
        """The result of a dossier is ready."""
        self.change(code, at, status=9, finished_at=at, delivery=delivery, step_since=at, **values)

    def remove(self, code: str) -> None:
        """A dossier is in the database no more."""
        with self._engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM dossier WHERE code = :code"), {"code": code})

    def named(self, code: str, name: str | None) -> None:
        """A dossier bears a name of its agency that others do not, as one from before a renaming."""
        other = "NULL" if name is None else f"'{name}'"
        with self._engine.begin() as connection:
            view = connection.scalars(sa.text("SELECT sql FROM sqlite_master WHERE name = 'dossier_status'")).one()
            connection.execute(sa.text("DROP VIEW dossier_status"))
            named = f"CASE dossier.code WHEN '{code}' THEN {other} ELSE agency.name END"
            connection.execute(sa.text(view.replace("agency.name", named)))

    def fill_anew(self) -> None:
        """The view is empty, as it is while whoever fills it has only removed what was there."""
        with self._engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE aside AS SELECT * FROM dossier"))
            connection.execute(sa.text("DELETE FROM dossier"))

    def filled(self) -> None:
        """What was there is there again."""
        with self._engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO dossier SELECT * FROM aside"))

    def get(self, code: str, name: str) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(
                sa.text(f"SELECT {name} FROM dossier WHERE code = :code"), {"code": code}
            ).scalar()

    def go_away(self) -> None:
        """The database can't be reached any more."""
        self._file.rename(self._file.with_suffix(".away"))

    def come_back(self) -> None:
        self._file.with_suffix(".away").rename(self._file)


def _stored(value: object) -> object:
    return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value
