"""Counting and reading the dossiers of a selection, in the database of the agencies and not in ours.

`now` is by the province's clock: its time zone is that of the days which a selection names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

import sqlalchemy as sa

from smsgw.dossiers.selection import BELOW, Selection
from smsgw.dossiers.source import reading
from smsgw.dossiers.view import from_to, overdue, view

TIME_LIMIT = 120.0  # seconds; it may read every dossier there is
TIME_LIMIT_OF_A_FORM = 10.0  # seconds; somebody waits for it
TIME_LIMIT_OF_A_PAGE = 2.0  # seconds; the page can do without
ROWS_AT_ONCE = 5000  # a page; no transaction of ours stays open in an agency's database while we work on it


def count(url: str, selection: Selection, now: datetime, within: str | None = None) -> int:
    """How many dossiers a selection has. Raises OneStopUnavailable."""
    query = sa.select(sa.func.count()).select_from(view).where(*_conditions(selection, now, within))
    with reading(url, TIME_LIMIT) as onestop:
        [[found]] = onestop.rows(query)
    return int(found)


def rows(
    url: str, selection: Selection, columns: Collection[str], now: datetime, within: str | None = None
) -> Iterator[sa.RowMapping]:
    """The dossiers of a selection, by code, as they come. `columns` of the view; `within`: only that agency's.

    Values come as the driver gives them; `utc` reads a time. Raises OneStopUnavailable.
    """
    code = view.c.code
    chosen = (sa.type_coerce(view.c[name], sa.types.NULLTYPE).label(name) for name in dict.fromkeys(["code", *columns]))
    query = sa.select(*chosen).where(*_conditions(selection, now, within)).order_by(code).limit(ROWS_AT_ONCE)
    with reading(url, TIME_LIMIT) as onestop:
        page = onestop.rows(query)
        while page:
            yield from (row._mapping for row in page)
            page = onestop.rows(query.where(code > page[-1].code))


def named(url: str, within: str | None = None) -> tuple[dict[str, str], dict[str, str]]:
    """The agencies and the procedures that there are dossiers of: names by code, to choose from.

    Raises OneStopUnavailable.
    """
    found = []
    with reading(url, TIME_LIMIT) as onestop:
        for kind in ("agency", "procedure"):
            code, name = view.c[f"{kind}_code"], view.c[f"{kind}_name"]
            query = sa.select(code, sa.func.max(name)).where(*_under(within)).group_by(code).order_by(code)
            found.append({code: name or code for code, name in onestop.rows(query) if code})
    return found[0], found[1]


def names(url: str, selection: Selection) -> dict[str, str]:
    """What the agencies and procedures that a selection names by their codes are called, as far as there are dossiers.

    Raises OneStopUnavailable.
    """
    agencies = [code.removesuffix(BELOW) for code in selection.agencies]
    found: dict[str, str] = {}
    with reading(url, TIME_LIMIT_OF_A_PAGE) as onestop:
        for kind, codes in (("agency", agencies), ("procedure", selection.procedures)):
            code, name = view.c[f"{kind}_code"], view.c[f"{kind}_name"]
            for one in codes:
                query = sa.select(name).where(code == one).limit(1)
                found.update((one, called) for (called,) in onestop.rows(query) if called)
    return found


def has_agency(url: str, code: str) -> bool:
    """Whether there is a dossier of an agency; it looks no further than the first. Raises OneStopUnavailable."""
    agency = view.c.agency_code
    query = sa.select(agency).where(agency == code).limit(1)
    with reading(url, TIME_LIMIT_OF_A_FORM) as onestop:
        # Some databases find h01.21 as well.
        return any(found == code for (found,) in onestop.rows(query))


def agency_codes(url: str) -> list[str]:
    """The agencies that there are dossiers of; it reads every dossier. Raises OneStopUnavailable."""
    agency = view.c.agency_code
    query = sa.select(agency).distinct().order_by(agency)
    with reading(url, TIME_LIMIT_OF_A_FORM) as onestop:
        return [code for (code,) in onestop.rows(query) if code]


def _conditions(selection: Selection, now: datetime, within: str | None) -> list[sa.ColumnElement[bool]]:
    chosen = ((view.c.procedure_code, selection.procedures), (view.c.service_level, selection.levels))
    days = (
        (view.c.received_at, selection.received),
        (view.c.due_at, selection.due),
        (view.c.finished_at, selection.finished),
    )
    conditions = _under(within)
    if selection.agencies:
        conditions.append(sa.or_(*map(_agency, selection.agencies)))
    if selection.statuses:
        conditions.append(view.c.status.in_(selection.statuses))
    conditions += [column.in_(values) for column, values in chosen if values]
    conditions += [bound for column, span in days for bound in from_to(column, span.first, span.last, now.tzinfo)]
    if selection.overdue is not None:
        late = overdue(now)
        conditions.append(late if selection.overdue else sa.func.coalesce(sa.not_(late), sa.true()))
    return conditions


def _under(within: str | None) -> list[sa.ColumnElement[bool]]:
    return [view.c.agency_code == within] if within else []


def _agency(code: str) -> sa.ColumnElement[bool]:
    column, exact = view.c.agency_code, code.removesuffix(BELOW)
    if exact == code:
        return column == code
    return sa.or_(column == exact, column.startswith(exact + ".", autoescape=True))
