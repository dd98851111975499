"""The segments that an agency may send in a month: taken when a notice is approved, given back for what never goes."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from smsgw.notices.means import Means
from smsgw.notices.refusals import NoticeRefused
from smsgw.store import notice_sending as sending
from smsgw.store import notices as rows
from smsgw.store.notices import Notice


def take(connection: sa.Connection, means: Means, agency: str | None, segments: int, now: datetime) -> None:
    """Take segments from what an agency has for this month. Raises NoticeRefused."""
    limit, month = means.rules.budget(agency), means.month(now)
    if not rows.use_budget(connection, agency or "", month, segments, limit):
        used = rows.used_budget(connection, agency or "", month)
        raise NoticeRefused(
            "budget",
            f"this takes {segments} segments, and of the {limit} of {month} {used} are used already;"
            " shorten the text, or ask whoever sets [notices] for more",
        )


def give_back(connection: sa.Connection, means: Means, notice: Notice, segments: int) -> None:
    """Give segments of a notice that was approved back to the budget that they were taken from."""
    if notice.approved_at is not None:
        rows.use_budget(connection, notice.agency or "", means.month(notice.approved_at), -segments, None)


def drop(connection: sa.Connection, means: Means, notice: Notice, now: datetime) -> None:
    """End the messages of a cancelled notice that no sender has, and give back what it did not use."""
    sending.cancel(connection, notice.id, now)
    give_back(connection, means, notice, notice.segments - sending.spent(connection, notice.id))
