"""Who wants no messages of a purpose. What a citizen asks for is answered all the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

import sqlalchemy as sa

from smsgw.store.batch import Batch, InsertNew
from smsgw.store.tables import opt_out

Purpose = Literal["reminder", "notice"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

_c = opt_out.c


@dataclass(frozen=True, slots=True)
class OptOut:
    """A phone (MSISDN) that wants nothing of a purpose, since when, and how that was said: by a channel or official."""

    phone: str
    purpose: Purpose
    since: datetime
    source: str


def add(connection: sa.Connection, opt_outs: Sequence[OptOut]) -> int:
    """Write down who wants nothing; how many did not stand there already, and those keep their first day."""
    rows = ((item.phone, item.purpose, item.since, item.source) for item in opt_outs)
    return len(_ADD.run(connection, rows)) if opt_outs else 0


_ADD = InsertNew(*_c, returning=_c.phone)


def remove(connection: sa.Connection, wishes: Sequence[tuple[str, Purpose]]) -> int:
    """Each (phone, purpose) is written to again; how many had opted out."""
    return _REMOVE.run(connection, wishes).rowcount if wishes else 0


_REMOVE = Batch(
    (_c.phone, _c.purpose),
    # Not as a condition that there is such a wish: SQLite would ask that of everybody who has opted out.
    lambda given: sa.delete(opt_out).where(
        sa.tuple_(_c.phone, _c.purpose).in_(sa.select(given.c.phone, given.c.purpose))
    ),
)


def among(connection: sa.Connection, purpose: Purpose, phones: Iterable[str]) -> frozenset[str]:
    """Those of these phones that want nothing of a purpose. One statement, however many phones there are."""
    return frozenset(_AMONG.run(connection, ((phone,) for phone in phones), purpose=purpose).scalars().all())


_AMONG = Batch(
    (_c.phone,),
    lambda given: sa.select(_c.phone).where(
        _c.purpose == sa.bindparam("purpose", type_=_c.purpose.type), _c.phone.in_(sa.select(given.c.phone))
    ),
)


def of(connection: sa.Connection, phone: str) -> list[OptOut]:
    """What one phone does not want."""
    return _listed(connection, _c.phone == phone)


def page(connection: sa.Connection, after: str = "", limit: int = 100) -> list[OptOut]:
    """All that so many phones don't want, in the order of the phones, from the first one behind `after` on."""
    phones = sa.select(_c.phone).where(_c.phone > after).distinct().order_by(_c.phone).limit(limit)
    return _listed(connection, _c.phone.in_(phones))


def _listed(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[OptOut]:
    columns = (_c.phone, _c.purpose, _c.since, _c.source)
    rows = connection.execute(sa.select(*columns).where(which).order_by(_c.phone, _c.purpose))
    return [OptOut(*row) for row in rows]
