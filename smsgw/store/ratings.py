"""How citizens rated the agencies, from 1 to 5: once for each dossier and phone, which the primary key holds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

import sqlalchemy as sa

from smsgw.store.batch import InsertNew
from smsgw.store.tables import rating

_c = rating.c


@dataclass(frozen=True, slots=True)
class Rating:
    """One citizen's word on how a dossier was handled."""

    code: str
    phone: str
    score: int
    agency_code: str
    agency_name: str
    rated_at: datetime


@dataclass(frozen=True, slots=True)
class AgencyRatings:
    """What an agency got. `scores`: how many ratings of 1, 2, 3, 4 and 5."""

    agency_code: str
    agency_name: str
    scores: tuple[int, ...]

    @property
    def count(self) -> int:
        return sum(self.scores)

    @property
    def average(self) -> float:
        """With two decimals; 0 without any rating."""
        total = sum(score * count for score, count in enumerate(self.scores, 1))
        return round(total / self.count, 2) if self.count else 0.0


def add(connection: sa.Connection, ratings: Sequence[Rating]) -> None:
    """Write ratings down; a second one of the same dossier and phone is passed over."""
    if ratings:
        _ADD.run(connection, sorted(map(astuple, ratings)))  # in an order, see inbox.accept


_ADD = InsertNew(*_c, returning=_c.code)


def rated(connection: sa.Connection, phone: str, codes: Collection[str]) -> frozenset[str]:
    """Those of these dossiers that a phone has rated."""
    return frozenset(connection.scalars(sa.select(_c.code).where(_c.phone == phone, _c.code.in_(codes))))


def by_agency(
    connection: sa.Connection,
    start: datetime | None = None,
    end: datetime | None = None,
    agencies: Collection[str] | None = None,
) -> list[AgencyRatings]:
    """What each agency got from `start` until before `end`, worst first. `agencies`: only these; None: all."""
    scores = [sa.func.sum(sa.case((_c.score == score, 1), else_=0)) for score in range(1, 6)]
    rows = connection.execute(
        sa.select(_c.agency_code, sa.func.max(_c.agency_name), *scores)
        .where(*_within(start, end, agencies))
        .group_by(_c.agency_code)
        .order_by(sa.func.avg(_c.score), _c.agency_code)
    )
    return [AgencyRatings(code, name, tuple(counts)) for code, name, *counts in rows]


def latest(connection: sa.Connection, agencies: Collection[str] | None = None, limit: int = 50) -> list[Rating]:
    """The latest ratings, newest first."""
    columns = (_c.code, _c.phone, _c.score, _c.agency_code, _c.agency_name, _c.rated_at)
    newest_first = (_c.rated_at.desc(), _c.code)
    rows = connection.execute(
        sa.select(*columns).where(*_within(None, None, agencies)).order_by(*newest_first).limit(limit)
    )
    return [Rating(*row) for row in rows]


def _within(
    start: datetime | None, end: datetime | None, agencies: Collection[str] | None
) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if start is not None:
        conditions.append(_c.rated_at >= start)
    if end is not None:
        conditions.append(_c.rated_at < end)
    if agencies is not None:
        conditions.append(_c.agency_code.in_(agencies))
    return conditions
