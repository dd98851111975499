"""What a province reports of its one-stop work, counted over the view `dossier_status` of any agency's database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from smsgw.dossiers.dossier import Status
from smsgw.dossiers.source import OneStopUnavailable, read_only_engine, reason

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
TIME_LIMIT = 120.0  # seconds; it reads every dossier of the period

_VIEW = sa.table(
    "dossier_status",
    *(sa.column(name, sa.Integer()) for name in ("status", "service_level")),
    sa.column("agency_code", sa.Text()),
    *(sa.column(name, sa.TIMESTAMP()) for name in ("received_at", "due_at", "finished_at")),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers of dossiers received in a period. Percentages are of the resolved, with one decimal."""

    received: int
    resolved: int
    ahead_of_time: int
    ahead_of_time_percent: float
    on_time_percent: float
    open_and_overdue: int
    resolved_level_3: int
    resolved_level_4: int
    agencies: int
    by_status: dict[int, int]


def figures(url: str, start: date | None = None, end: date | None = None, now: datetime | None = None) -> Figures:
    """Count what was received from `start` to `end`, both included. Raises OneStopUnavailable."""
    engine = read_only_engine(url, timeout=TIME_LIMIT)
    period = _period(start, end)
    view, resolved = _VIEW.c, _VIEW.c.finished_at.is_not(None)
    moment = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
    overdue = sa.and_(view.status.in_((Status.RECEIVED, Status.IN_PROGRESS)), ~resolved, view.due_at < moment)
    try:
        with engine.connect() as connection:
            totals = connection.execute(
                sa.select(
                    sa.func.count(),
                    _counted(resolved),
                    _counted(sa.and_(resolved, view.finished_at < view.due_at)),
                    _counted(sa.and_(resolved, view.finished_at <= view.due_at)),
                    _counted(overdue),
                    _counted(sa.and_(resolved, view.service_level == 3)),
                    _counted(sa.and_(resolved, view.service_level == 4)),
                    sa.func.count(view.agency_code.distinct()),
                ).where(*period)
            ).one()
            statuses = sa.select(view.status, sa.func.count()).where(*period).group_by(view.status)
            by_status: dict[int, int] = dict(connection.execute(statuses.order_by(view.status)).all())
    except sa.exc.SQLAlchemyError as error:
        raise OneStopUnavailable(reason(error)) from None
    finally:
        engine.dispose()
    received, done, ahead, on_time, late, level_3, level_4, agencies = totals
    return Figures(
        received,
        done,
        ahead,
        _percent(ahead, done),
        _percent(on_time, done),
        late,
        level_3,
        level_4,
        agencies,
        by_status,
    )


def described(figures: Figures) -> str:
    """The figures for people."""
    lines = [
        f"received            {figures.received:>10,}",
        f"resolved            {figures.resolved:>10,}",
        f"  ahead of time     {figures.ahead_of_time:>10,}  ({figures.ahead_of_time_percent} %)",
        f"  on time or ahead  {figures.on_time_percent:>9} %",
        f"  at level 3        {figures.resolved_level_3:>10,}",
        f"  at level 4        {figures.resolved_level_4:>10,}",
        f"open and overdue    {figures.open_and_overdue:>10,}",
        f"agencies            {figures.agencies:>10,}",
    ]
    lines += [f"status {status:>2}           {count:>10,}" for status, count in figures.by_status.items()]
    return "\n".join(lines)


def _counted(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def _period(start: date | None, end: date | None) -> list[sa.ColumnElement[bool]]:
    conditions = []
    if start is not None:
        conditions.append(_VIEW.c.received_at >= _midnight(start))
    if end is not None:
        conditions.append(_VIEW.c.received_at < _midnight(end + timedelta(days=1)))
    return conditions


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), HERE).astimezone(UTC).replace(tzinfo=None)
