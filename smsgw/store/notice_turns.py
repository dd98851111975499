"""Whose turn it is among a notice's recipients, and that they had it: sheet by sheet, on any number of nodes.

    due         which notices have recipients that may be queued now
    sheets, left   all sheets of a notice, or those on which somebody waits
    everybody, waiting   who stands on a sheet, and who of them has no message yet
    feed        write down that they have their turn; `pass_over`: who has to wait; `skip`: who gets no message

Nodes feed different sheets of one notice at the same time. Each of them has a share in the notice's lock meanwhile, so
that it is neither stopped nor changed in the middle of a turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from smsgw.store.batch import Batch, looked_at_last
from smsgw.store.notices import Addressee, Notice, Sheet
from smsgw.store.tables import Lane, notice, notice_recipient, notice_sheet, opt_out, outbound
from smsgw.store.tables.notices import under_way

FED = ("approved", "sending")  # the states of a notice in which its recipients have their turns

_n, _s, _r, _o = notice.c, notice_sheet.c, notice_recipient.c, outbound.c
_SHEET = (_s.last_line, _s.after_line, _s.digest, _s.fed_to)
_PASSED_OVER = _r.waits_for.is_not(None)
_ON_IT = sa.and_(_r.notice_id == _s.notice_id, _r.line > _s.after_line, _r.line <= _s.last_line)
_HAS_MORE = sa.or_(_s.fed_to < _s.last_line, sa.exists().where(_ON_IT, _PASSED_OVER).correlate(notice_sheet))


class Next(NamedTuple):
    """Of a recipient: the id that the message will have, and whether no notice is wanted any more."""

    message_id: str
    refuses: bool


class Outrun(Exception):
    """Another node was faster, or somebody stopped or changed a notice meanwhile: the transaction has to be undone."""


def due(connection: sa.Connection, now: datetime) -> list[str]:
    """Notices that are approved or being sent, those approved first being the first."""
    there = sa.select(_n.id).where(under_way(), _n.state.in_(FED))
    there = there.where(sa.or_(_n.send_at.is_(None), _n.send_at <= now))
    return list(connection.execute(there.order_by(_n.approved_at, _n.id)).scalars())


def queued_ahead(connection: sa.Connection) -> Counter[str]:
    """How many notices' messages wait in each channel."""
    waiting = sa.select(_o.channel, sa.func.count())
    waiting = waiting.where(_o.state == sa.text("'queued'"), _o.lane == int(Lane.NOTICE))
    return Counter(dict(connection.execute(waiting.group_by(_o.channel)).all()))


def sheets(connection: sa.Connection, id: str) -> list[Sheet]:
    """All sheets of a notice."""
    return [Sheet(*row) for row in connection.execute(_sheets(id))]


def left(connection: sa.Connection, id: str) -> list[Sheet]:
    """Those on which there are recipients without a message."""
    return [Sheet(*row) for row in connection.execute(_sheets(id).where(_HAS_MORE))]


def has_more(connection: sa.Connection, id: str) -> bool:
    """Whether there are any."""
    return connection.execute(_sheets(id).where(_HAS_MORE).limit(1)).first() is not None


def _sheets(id: str) -> sa.Select[int, int, str, int]:
    return sa.select(*_SHEET).where(_s.notice_id == id).order_by(_s.last_line)


def listed(connection: sa.Connection, id: str) -> int:
    """How many recipients a notice has; with as many as it was approved for, it is whole."""
    return connection.scalar(sa.select(sa.func.count()).where(_r.notice_id == id)) or 0


def everybody(connection: sa.Connection, id: str, on: Sheet) -> dict[Addressee, Next | None]:
    """All who stand on a sheet, by line; None for who had their turn."""
    had_it = sa.and_(_r.line <= on.fed_to, _r.waits_for.is_(None))
    rows = connection.execute(_standing(id, on, on.after).add_columns(had_it)).all()
    return {Addressee(*row[:3]): None if row[5] else Next(*row[3:5]) for row in rows}


def waiting(connection: sa.Connection, id: str, on: Sheet, after: int, most: int) -> dict[Addressee, Next]:
    """The next ones on a sheet, behind a line, who have no message yet, by line."""
    query = _standing(id, on, after).where(sa.or_(_r.line > on.fed_to, _PASSED_OVER)).limit(most)
    return {Addressee(*row[:3]): Next(*row[3:]) for row in connection.execute(query).all()}


def _standing(id: str, on: Sheet, after: int) -> sa.Select[int, str, str, str, bool]:
    refuses = sa.exists().where(opt_out.c.phone == _r.phone, opt_out.c.purpose == sa.text("'notice'"))
    query = sa.select(_r.line, _r.phone, _r.fields, _r.message_id, refuses)
    return query.where(_r.notice_id == id, _r.line > after, _r.line <= on.last).order_by(_r.line)


def feed(connection: sa.Connection, of: Notice, on: Sheet, to: int, waited: Collection[int]) -> Sheet:
    """The recipients on a sheet have their turn, up to a line; of those before it, some who had been passed over.

    The sheet after that, locked, with a share of the notice's lock. Raises Outrun if one of the two, or one of those
    who waited, is not any more as it was read.
    """
    as_read = sa.select(_n.id).where(_n.id == of.id, _n.state == of.state, _n.changed_at == of.changed_at)
    alone = of.state == "approved"  # whoever gives the first turn moves the notice
    free = sa.select(_s.last_line).where(_s.notice_id == of.id, _s.last_line == on.last, _s.fed_to == on.fed_to)
    ours = sa.update(notice_sheet).where(
        _s.notice_id == of.id, _s.last_line.in_(free.with_for_update(skip_locked=True))
    )
    fed = on._replace(fed_to=max(to, on.fed_to))
    if (
        connection.execute(as_read.with_for_update(read=not alone)).first() is None
        or connection.execute(ours.values(fed_to=fed.fed_to)).rowcount == 0
        or (waited and _set_waits(connection, of.id, dict.fromkeys(waited)) < len(waited))
    ):
        raise Outrun
    return fed


def pass_over(connection: sa.Connection, id: str, full: Mapping[int, str]) -> None:
    """The recipients at some lines of a locked sheet wait, as their channel is full."""
    if full:
        _set_waits(connection, id, full)


def _set_waits(connection: sa.Connection, id: str, channels: Mapping[int, str | None]) -> int:
    return _SET_WAITS.run(connection, ((id, line, channel) for line, channel in channels.items())).rowcount


_SET_WAITS = Batch(
    # Were the notice one parameter, all its recipients would be read for each that is given.
    (_r.notice_id, _r.line, _r.waits_for),
    lambda given: (
        sa.update(notice_recipient)
        .where(_r.notice_id == given.c.notice_id, _r.line == given.c.line)
        .where(looked_at_last(given.c.waits_for.is_not(None) != _PASSED_OVER))
        .values(waits_for=given.c.waits_for)
    ),
)


def skip(connection: sa.Connection, id: str, phones: Sequence[str], why: str) -> None:
    """Some recipients get no message."""
    if phones:
        chosen = sa.update(notice_recipient).where(_r.notice_id == id, _r.phone.in_(phones))
        connection.execute(chosen.values(skipped=why, waits_for=None))


def untold(*of: sa.ColumnElement[bool]) -> tuple[sa.Select[int], sa.Select[int]]:
    """How many recipients of such notices have no message yet: those ahead of their sheet, and those passed over."""
    count = sa.select(sa.func.count())
    on_sheets = count.select_from(notice).join(notice_sheet, _s.notice_id == _n.id).join(notice_recipient, _ON_IT)
    listed = count.select_from(notice).join(notice_recipient, _r.notice_id == _n.id)
    return on_sheets.where(_s.fed_to < _s.last_line, _r.line > _s.fed_to, *of), listed.where(_PASSED_OVER, *of)


def fed_to(id: str) -> sa.ScalarSelect[int]:
    """The last line of a notice at which somebody had a turn; NULL if nobody had."""
    return sa.select(sa.func.max(_s.fed_to)).where(_s.notice_id == id, _s.fed_to > _s.after_line).scalar_subquery()
