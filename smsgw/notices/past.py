"""What stays of a notice whose recipients are removed: how many there were, and what became of their messages."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from smsgw.notices.reckoning import Reckoning
from smsgw.store import notice_sending as sending
from smsgw.store import notices as rows


def settle(connection: sa.Connection, id: str, now: datetime) -> None:
    """Write it down, before anything of them is removed; and forget the phone of the longest message."""
    notice = rows.locked(connection, id)
    if notice is None:
        return
    reckoning = Reckoning.from_json(notice.reckoning)
    if reckoning.removed is None:
        found = sending.outcomes(connection, id)
        reckoning.removed = now.isoformat()
        reckoning.outcomes = [(state, code, count) for (state, code), count in sorted(found.items())]
        reckoning.plain.longest = reckoning.accented.longest = ""
        rows.set_reckoning(connection, id, reckoning.as_json())
