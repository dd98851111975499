"""The view `dossier_status` as queries name it, and what several of them ask. Its times are in UTC and say no zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

import sqlalchemy as sa

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


def midnight(day: date, zone: tzinfo | None) -> datetime:
    """The beginning of a day in a time zone, as the view has times."""
    return without_zone(datetime.combine(day, time(), zone))
