"""What a province reports of its one-stop work, counted over the view `dossier_status` of any agency's database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from smsgw.dossiers.source import reading
from smsgw.dossiers.view import counted, from_to, overdue, view

TIME_LIMIT = 120.0  # seconds; it reads every dossier of the period

_c = view.c


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


def figures(
    url: str, zone: ZoneInfo, start: date | None = None, end: date | None = None, now: datetime | None = None
) -> Figures:
    """Count what was received from `start` to `end`, both included, in that zone. Raises OneStopUnavailable."""
    period = [*from_to(_c.received_at, start, end, zone)]
    resolved = _c.finished_at.is_not(None)
    totals = sa.select(
        sa.func.count(),
        counted(resolved),
        counted(sa.and_(resolved, _c.finished_at < _c.due_at)),
        counted(sa.and_(resolved, _c.finished_at <= _c.due_at)),
        counted(overdue(now or datetime.now(UTC))),
        counted(sa.and_(resolved, _c.service_level == 3)),
        counted(sa.and_(resolved, _c.service_level == 4)),
        sa.func.count(_c.agency_code.distinct()),
    ).where(*period)
    statuses = sa.select(_c.status, sa.func.count()).where(*period).group_by(_c.status).order_by(_c.status)
    with reading(url, TIME_LIMIT) as onestop:
        [(received, done, ahead, on_time, late, level_3, level_4, agencies)] = onestop.rows(totals)
        by_status: dict[int, int] = dict(onestop.rows(statuses))
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


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
