"""Finding dossiers by what is true of them: those that may matter leave the one-stop database, page by page.

The queries find no fewer than there are. Agencies write times in several ways, some with an hour's zone and some as
text, so every bound is a day wide of the mark, and `Conditions.hold` has the last word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from smsgw.dossiers.conditions import Conditions
from smsgw.dossiers.dossier import Dossier, Status
from smsgw.dossiers.source import Reader, dossier_of, utc
from smsgw.dossiers.view import counted, in_hand, overdue, view, without_zone

TIME_LIMIT = 60.0  # seconds for one page; without an index the whole view is read for it
PAGE = 1000
NAMED = 3  # of an agency's late dossiers
WIDE = timedelta(days=1)

_c = view.c
_OPEN = tuple(
    int(status)
    for status in Status
    if status not in (Status.NOT_ACCEPTED, Status.WITHDRAWN, Status.STOPPED, Status.RETURNED)
)


def _as_given(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """As text, so that what an agency wrote is read by us and not refused by the driver."""
    return sa.type_coerce(column, sa.types.NullType()).label(column.key)


_COLUMNS = [_as_given(column) for column in _c]


@dataclass(frozen=True, slots=True)
class Span:
    """A time of the dossier's, between two others, both included."""

    column: str
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A dossier's code, the phone on it as the agency wrote it, and when it was last changed."""

    code: str
    phone: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Load:
    """What an agency has before it: dossiers due that day and those that are late, with the codes of the latest."""

    agency_code: str
    agency_name: str
    due: int
    late: int
    latest: tuple[str, ...]


class Candidates:
    """Searches in a one-stop database. Every call raises OneStopUnavailable if it can't be asked."""

    def __init__(self, url: str) -> None:
        self._reader = Reader(url, timeout=TIME_LIMIT, places=1)
        self.name = self._reader.name

    def close(self) -> None:
        self._reader.close()

    def among(
        self, conditions: Conditions, now: datetime, span: Span | None = None, agencies: Collection[str] | None = None
    ) -> Iterator[list[Dossier]]:
        """Dossiers for which the conditions hold, in the order of their codes. `agencies`: only of these."""
        where: list[sa.ColumnElement[bool]] = [_c.status.in_([int(status) for status in conditions.statuses])]
        where += [_c[name] == value for name, value in conditions.values.items()]
        for name, test in conditions.tests.items():
            if test == "past":
                where.append(_c[name] <= without_zone(now + WIDE))
            elif test == "future":
                where.append(_c[name] >= without_zone(now - WIDE))
            elif test == "set":
                where.append(_c[name].is_not(None))
        if span is not None:
            where.append(_c[span.column].between(without_zone(span.first - WIDE), without_zone(span.last + WIDE)))
        if agencies is not None:
            where.append(_c.agency_code.in_(agencies))
        for page in self._pages(where):
            yield [dossier for dossier in page if conditions.hold(dossier, now)]

    def changed(self, since: datetime) -> Iterator[list[Dossier]]:
        """Dossiers that were changed at that time by their own clock or later, in the order of their codes."""
        # No day wide of the mark: whoever asks leaves an overlap, and this is asked every minute.
        for page in self._pages([_c.updated_at >= without_zone(since)]):
            yield [dossier for dossier in page if dossier.updated_at]  # what is changed in the year 9999 never was

    def held(self, since: datetime) -> Iterator[list[Held]]:
        """Whose each dossier is that has not ended, or was changed at that time or later."""
        columns = [_as_given(column) for column in (_c.code, _c.applicant_phone, _c.updated_at)]
        for rows in self._rows(columns, [_is_held(since)]):
            yield [held for row in rows if (held := _held(row))]

    def held_among(self, codes: Collection[str], since: datetime) -> frozenset[str]:
        """Those of these dossiers that have not ended, or were changed at that time or later."""
        return self._among(codes, _is_held(since))

    def known_among(self, codes: Collection[str]) -> frozenset[str]:
        """Those of these dossiers that there are."""
        return self._among(codes)

    def _among(self, codes: Collection[str], *where: sa.ColumnElement[bool]) -> frozenset[str]:
        query = sa.select(_c.code).where(_c.code.in_(codes), *where)
        return frozenset(code for (code,) in self._reader.rows(query)) if codes else frozenset()

    def last_change(self) -> datetime | None:
        """When a dossier was last changed; None where there is none, or its time makes no sense."""
        latest = sa.type_coerce(sa.func.max(_c.updated_at), sa.types.NullType())
        [[value]] = self._reader.rows(sa.select(latest))
        try:
            return None if value is None else utc(value)
        except ValueError:
            return None

    def loads(self, agencies: Collection[str], start: datetime, end: datetime, now: datetime) -> list[Load]:
        """What each of these agencies has due from `start` until `end`, and what is late at `now`."""
        theirs, late = _c.agency_code.in_(agencies), overdue(now)
        counts = (
            sa.select(
                _c.agency_code,
                sa.func.max(_c.agency_name),  # dossiers from before a renaming may have another, or none
                counted(sa.and_(_c.due_at >= without_zone(start), _c.due_at < without_zone(end))),
                counted(late),
            )
            .where(theirs, in_hand)
            .group_by(_c.agency_code)
            .order_by(_c.agency_code)
        )
        rows = self._reader.rows(counts)
        latest = self._latest(sa.and_(theirs, late))
        return [
            Load(code, str(name or code), today, behind, tuple(latest[code]))
            for code, name, today, behind in rows
            if today or behind
        ]

    def _latest(self, late: sa.ColumnElement[bool]) -> Mapping[str, list[str]]:
        """By agency, the codes of those that are late for longest."""
        place = sa.func.row_number().over(partition_by=_c.agency_code, order_by=(_c.due_at, _c.code))
        placed = sa.select(_c.agency_code, _c.code, place.label("place")).where(late).subquery()
        named = sa.select(placed.c.agency_code, placed.c.code).where(placed.c.place <= NAMED).order_by(placed.c.place)
        codes: defaultdict[str, list[str]] = defaultdict(list)
        for agency, code in self._reader.rows(named):
            codes[agency].append(code)
        return codes

    def _pages(self, where: Sequence[sa.ColumnElement[bool]]) -> Iterator[list[Dossier]]:
        for rows in self._rows(_COLUMNS, where):
            yield [dossier for row in rows if (dossier := dossier_of(row))]

    def _rows(
        self, columns: Sequence[sa.ColumnElement[Any]], where: Sequence[sa.ColumnElement[bool]]
    ) -> Iterator[Sequence[sa.Row[Any]]]:
        """Page by page, in the order of the codes, which are the first column."""
        after = ""
        while True:
            query = sa.select(*columns).where(*where, _c.code > after).order_by(_c.code).limit(PAGE)
            rows = self._reader.rows(query)
            yield rows
            if len(rows) < PAGE:
                return
            after = rows[-1].code


def _is_held(since: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(_c.status.in_(_OPEN), _c.updated_at >= without_zone(since - WIDE))


def _held(row: Sequence[Any]) -> Held | None:
    """None for a row that makes no sense, which those who read it whole complain of."""
    code, phone, changed_at = row
    try:
        moment = utc(changed_at)
    except ValueError:
        return None
    return Held(str(code), str(phone or ""), moment) if moment is not None else None
