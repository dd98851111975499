"""The view `dossier_status` as queries name it, and what several of them ask. Its times are in UTC and say no zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import sqlalchemy as sa

from smsgw.clock import midnight
from smsgw.dossiers.dossier import Status
from smsgw.dossiers.source import COLUMNS, VIEW

_INTEGERS = ("service_level", "status", "fee_due")


def column(name: str) -> sa.ColumnClause[Any]:
    """A column with its type."""
    kind = sa.Integer() if name in _INTEGERS else sa.TIMESTAMP() if name.endswith(("_at", "_since")) else sa.Text()
    return sa.column(name, kind)


view = sa.table(VIEW, *map(column, COLUMNS))
in_hand = sa.and_(view.c.status.in_((int(Status.RECEIVED), int(Status.IN_PROGRESS))), view.c.finished_at.is_(None))


def overdue(now: datetime) -> sa.ColumnElement[bool]:
    """Whether a dossier is still being worked on after its due time."""
    return sa.and_(in_hand, view.c.due_at < without_zone(now))


def counted(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """Of how many dossiers that is so."""
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


def without_zone(moment: datetime) -> datetime:
    """A time as the view has it."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def from_to(
    column: sa.ColumnElement[datetime], first: date | None, last: date | None, zone: tzinfo | None
) -> Iterator[sa.ColumnElement[bool]]:
    """Where a time lies on the days from `first` to `last`, both included, by the clocks of a time zone."""
    if first is not None:
        yield column >= without_zone(midnight(first, zone))
    if last is not None:
        yield column < without_zone(midnight(last + timedelta(days=1), zone))
