"""Which notices wait for somebody: to be approved, to be written again, to be gone on with."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from smsgw.store.notice_turns import untold
from smsgw.store.notices import of_hand
from smsgw.store.tables import Lane, notice, notice_event, notice_recipient, outbound
from smsgw.store.tables.notices import under_way

_c, _r, _e, _o = notice.c, notice_recipient.c, notice_event.c, outbound.c


def to_approve(connection: sa.Connection, agency: str | None, approver: str) -> int:
    """How many notices, of an agency or of all, an official could approve: those they had no hand in."""
    return _count(connection, agency, _c.state == "submitted", ~_in_hand_of(approver))


def to_write_again(connection: sa.Connection, agency: str | None, author: str) -> int:
    """How many notices, of an agency or of all, were sent back to an official: those they had a hand in."""
    return _count(connection, agency, _sent_back(), _in_hand_of(author))


def sent_back_among(connection: sa.Connection, ids: Collection[str]) -> frozenset[str]:
    """Those of these notices that were sent back, and not submitted again."""
    return frozenset(connection.execute(sa.select(_c.id).where(_c.id.in_(ids), _sent_back())).scalars())


def paused(connection: sa.Connection, agency: str | None) -> tuple[int, int]:
    """How many notices, of an agency or of all, are paused, and to how many people nothing of them went out."""
    so = (under_way(), _c.state == "paused", _of(agency))
    theirs = sa.select(_r.message_id).join(notice, _c.id == _r.notice_id).where(*so)
    # The literal lets the planner see that an index by state serves.
    held = (_o.state == sa.text("'held'"), _o.lane == int(Lane.NOTICE), _o.id.in_(theirs))
    counts = (
        sa.select(sa.func.count()).select_from(notice).where(*so),
        sa.select(sa.func.count()).select_from(outbound).where(*held),
        *untold(*so),
    )
    notices, *waiting = connection.execute(sa.select(*(one.scalar_subquery() for one in counts))).one()
    return notices, sum(waiting)


def _count(connection: sa.Connection, agency: str | None, *so: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(notice).where(_of(agency), *so)) or 0


def _of(agency: str | None) -> sa.ColumnElement[bool]:
    return sa.true() if agency is None else _c.agency == agency


def _in_hand_of(who: str) -> sa.ColumnElement[bool]:
    return sa.exists().where(_e.notice_id == _c.id, of_hand(who))


def _sent_back() -> sa.ColumnElement[bool]:
    """Whether a draft is one because somebody did not approve it."""
    last = sa.select(_e.move).where(_e.notice_id == _c.id, _e.move.in_(("submit", "release", "send_back")))
    return sa.and_(_c.state == "draft", last.order_by(_e.id.desc()).limit(1).scalar_subquery() == "send_back")
