"""Filters in words: `agency=H01.12 status=5,6 due<2018-09-01 overdue`, the same as the form of the page.

    filter = "all" | term+                terms are separated by blanks, and all of them must hold
    term   = field "=" value ("," value)* agency, procedure, status, level: one of the values
           | day comparison date          received, due, finished with = < <= > >=
           | "overdue" | "!overdue"
    date   = yyyy-mm-dd | "today" | "today+N" | "today-N"

An agency that ends in `*` is meant with all that are under it. Days are those of the province's calendar. Every dossier
is asked for by `all`: an empty filter would be everybody where somebody only forgot to write one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import MAXYEAR, MINYEAR, date, timedelta
from typing import Any

from smsgw.dossiers.dossier import Status
from smsgw.dossiers.selection import Days, Selection
from smsgw.failure import ExpectedFailure

LISTS = {"agency": "agencies", "procedure": "procedures", "status": "statuses", "level": "levels"}
DAYS = ("received", "due", "finished")
LEVELS = (2, 3, 4)
ALL = "all"

_TERM = re.compile(r"(?P<field>!?\w+)(?:(?P<sign><=|>=|=|<|>)(?P<value>\S*))?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TODAY = re.compile(r"today(?:([+-])(\d{1,4}))?", re.ASCII)
_CODE = re.compile(r"[\w.\-]+\*?")


class FilterError(ExpectedFailure):
    """A filter that can't be read: which term, where it begins (counted from 1), what is wrong, what was expected."""

    def __init__(self, place: int, term: str, problem: str) -> None:
        where = f"filter, at character {place}, {term!r}" if term else "filter"
        super().__init__(f"{where}: {problem}")
        self.place, self.term, self.problem = place, term, problem


def parse(text: str, today: date) -> Selection:
    """The selection that a filter states. Raises FilterError; of one that is empty, with an empty term."""
    chosen = Selection()
    if not text.strip():
        raise FilterError(1, "", "it is empty; expected terms such as status=5 overdue, or all for every dossier")
    if text.strip().lower() == ALL:
        return chosen
    for found in re.finditer(r"\S+", text):
        try:
            chosen = _with(chosen, found[0], today)
        except ValueError as error:
            raise FilterError(found.start() + 1, found[0], str(error)) from None
    return chosen


def _with(chosen: Selection, term: str, today: date) -> Selection:
    match = _TERM.fullmatch(term)
    if match is None:
        raise ValueError("expected a term such as status=5, due<2018-09-01 or overdue")
    field, sign, value = match["field"].lower(), match["sign"], match["value"]
    if field in ("overdue", "!overdue"):
        if sign:
            raise ValueError("takes no value; write overdue or !overdue")
        return _once(chosen, "overdue", field == "overdue")
    if field == ALL:
        raise ValueError("means every dossier, so it stands alone")
    if field not in (*LISTS, *DAYS):
        raise ValueError(f"no such field; there are {', '.join((*LISTS, *DAYS, 'overdue'))}")
    if not sign or not value:
        raise ValueError(f"expected a value, such as {_EXAMPLES[field]}")
    if field in DAYS:
        days = _days(sign, value, today).meeting(getattr(chosen, field))
        if days.first and days.last and days.first > days.last:
            raise ValueError("no day is left between this bound and the other one")
        return _changed(chosen, field, days)
    if sign != "=":
        raise ValueError(f"only = is possible here, with one value or several: {_EXAMPLES[field]}")
    return _once(chosen, LISTS[field], tuple(dict.fromkeys(map(_READ[field], value.split(",")))))


def _once(chosen: Selection, attribute: str, value: object) -> Selection:
    default = next(field.default for field in fields(Selection) if field.name == attribute)
    if getattr(chosen, attribute) != default:
        raise ValueError("is there already; put several values into one term, separated by commas")
    return _changed(chosen, attribute, value)


def _changed(chosen: Selection, attribute: str, value: Any) -> Selection:
    changes: dict[str, Any] = {attribute: value}
    return replace(chosen, **changes)


def _days(sign: str, value: str, today: date) -> Days:
    day = read_day(value, today)
    if not MINYEAR + 1 < day.year < MAXYEAR - 1:
        raise ValueError("no dossier is of such a day")
    bounds = {
        "=": Days(day, day),
        "<": Days(None, day - timedelta(days=1)),
        "<=": Days(None, day),
        ">": Days(day + timedelta(days=1), None),
        ">=": Days(day, None),
    }
    return bounds[sign]


def read_day(value: str, today: date) -> date:
    """The day that a text names. Raises ValueError, with what was expected."""
    if match := _TODAY.fullmatch(value.lower()):
        offset = timedelta(days=int(match[2] or 0))
        return today - offset if match[1] == "-" else today + offset
    try:
        if _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        raise ValueError("no such day in the calendar") from None
    raise ValueError("expected a day such as 2018-09-01, today or today-7")


def _code(value: str) -> str:
    if not _CODE.fullmatch(value):
        raise ValueError("expected codes separated by commas, without blanks")
    return value


def _status(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) not in [*Status]:
        raise ValueError(f"expected the national codes {min(Status)} to {max(Status)}, separated by commas")
    return int(value)


def _level(value: str) -> int:
    if value not in map(str, LEVELS):
        raise ValueError("expected levels 2, 3 or 4, separated by commas")
    return int(value)


_READ: dict[str, Callable[[str], str | int]] = {
    "agency": _code,
    "procedure": _code,
    "status": _status,
    "level": _level,
}
_EXAMPLES = {
    "agency": "agency=H01.12 or agency=H01.12*",
    "procedure": "procedure=1.001193",
    "status": "status=5,6",
    "level": "level=3,4",
    **{name: f"{name}<2018-09-01" for name in DAYS},
}
