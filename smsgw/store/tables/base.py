"""What the tables have in common: their times, their partial indexes, and what holds them together."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect


class Lane(IntEnum):
    """What a message waits behind: a lower lane always goes first."""

    REPLY = 0
    REMINDER = 1
    NOTICE = 2


class UtcTime(sa.TypeDecorator[datetime]):
    """An aware time, kept as UTC without a zone."""

    impl = sa.TIMESTAMP
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


Real: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")

metadata = sa.MetaData()


def partial_index(name: str, *columns: sa.Column[Any], where: sa.ColumnElement[bool], unique: bool = False) -> None:
    """An index over those rows only of which `where` is true, in both databases."""
    sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)
