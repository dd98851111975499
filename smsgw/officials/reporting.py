"""What was heard from citizens on certain days, for the figures of a period."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from smsgw.store import heard as rows
from smsgw.store.database import Database


def heard(database: Database, zone: ZoneInfo, start: date | None, end: date | None) -> rows.Heard:
    """What citizens said from `start` to `end`, both included, by the province's calendar."""
    first = datetime.combine(start, time(), zone) if start else None
    last = datetime.combine(end + timedelta(days=1), time(), zone) if end else None
    with database.reading() as connection:
        return rows.heard(connection, first, last)
