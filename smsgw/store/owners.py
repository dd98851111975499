"""Whose dossiers are whose: the phone on each of late, so that a text needs no search in the agencies' database.

It is a copy and may lag behind. Whoever shows a dossier reads it anew, and looks whether that phone is still on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from smsgw.store.batch import InsertOrUpdate
from smsgw.store.tables import owner

_c = owner.c


def note(connection: sa.Connection, owners: Sequence[tuple[str, str, datetime]], now: datetime) -> None:
    """Write down each dossier's code, phone (MSISDN) and last change, in place of what was known of it."""
    # By code, so that two nodes which write about the same dossiers take their locks in the same order.
    _NOTE.run(connection, ((code, phone, changed_at, now) for code, phone, changed_at in sorted(owners)))


_NOTE = InsertOrUpdate(owner)


def forget(connection: sa.Connection, before: datetime, after: str, limit: int) -> str | None:
    """Forget so many of the dossiers that were not written down since then, in the order of their codes.

    `after`: the code where the page before ended, or empty. The last code of this one; None if there was none left.
    """
    # What is being written down by another node just now is not to be forgotten.
    old = sa.select(_c.code).where(_c.noted_at < before, _c.code > after).order_by(_c.code).limit(limit)
    codes = connection.scalars(old.with_for_update(skip_locked=True)).all()
    if codes:
        connection.execute(sa.delete(owner).where(_c.code.in_(codes)))
    return codes[-1] if codes else None


def sample(connection: sa.Connection, limit: int) -> frozenset[str]:
    """So many of the dossiers that are written down."""
    return frozenset(connection.scalars(sa.select(_c.code).order_by(_c.code).limit(limit)))


def of(connection: sa.Connection, phone: str, limit: int) -> tuple[str, ...]:
    """The dossiers with that phone on them, those that changed last first."""
    codes = sa.select(_c.code).where(_c.phone == phone).order_by(_c.changed_at.desc(), _c.code).limit(limit)
    return tuple(connection.scalars(codes))
