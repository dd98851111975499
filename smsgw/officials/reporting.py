"""What was heard from citizens on certain days, for the figures of a period."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from smsgw.clock import midnight
from smsgw.store import heard as rows
from smsgw.store.database import Database
from smsgw.store.removing import Bounds


def heard(database: Database, zone: ZoneInfo, start: date | None, end: date | None) -> rows.Heard:
    """What citizens said from `start` to `end`, both included, by the province's calendar."""
    first = midnight(start, zone) if start else None
    last = midnight(end + timedelta(days=1), zone) if end else None
    with database.reading() as connection:
        return rows.heard(connection, first, last)


def removed(bounds: Bounds, zone: ZoneInfo, start: date | None) -> dict[str, date]:
    """What is not there any more of a period that begins then, or with the first day: before which day."""
    found = {"closed complaints": bounds.complaints, "ratings": bounds.ratings}
    days = {what: bound.astimezone(zone).date() for what, bound in found.items() if bound}
    return {what: day for what, day in days.items() if start is None or start < day}
