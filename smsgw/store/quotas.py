"""What carriers that take only so many messages a day said last of how many are left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import datetime

import sqlalchemy as sa

from smsgw.store.batch import InsertOrUpdate
from smsgw.store.tables import quota


@dataclass(frozen=True, slots=True)
class Quota:
    """A row; the schema says what each column means."""

    channel: str
    remaining: int
    daily: int
    asked_at: datetime


def keep(connection: sa.Connection, quotas: Iterable[Quota]) -> None:
    """Keep what was said now, in the place of what was said before."""
    _KEEP.run(connection, map(astuple, quotas))


_KEEP = InsertOrUpdate(quota)


def every(connection: sa.Connection) -> dict[str, Quota]:
    """What is known, by channel."""
    return {row.channel: Quota(*row) for row in connection.execute(sa.select(quota))}
