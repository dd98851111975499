"""The form of a notice: what an official typed and chose, as the rooms below take it."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from smsgw.dossiers.selection import BELOW, Selection
from smsgw.notices.audience import expression
from smsgw.notices.audience.expression import FilterError
from smsgw.notices.drafting import Draft

MOST_READINGS = 50  # files that are being read at the same time, of which progress is shown

_OVERDUE = {True: "yes", False: "no", None: ""}

Form = MultiDict[str, str]


class BadForm(Exception):
    """A form that can't be used. `reason` is the key of a text of the notices' pages."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def wishes(form: Form, zone: ZoneInfo) -> Draft:
    """What the notice is to be, its audience apart. Raises BadForm."""
    name, text = form.get("name", "").strip(), form.get("text", "").replace("\r\n", "\n").strip()
    if not name:
        raise BadForm("no_name")
    if not text:
        raise BadForm("no_text")
    return Draft(name, text, "", _at(form.get("at", ""), zone), bool(form.get("accents")))


def selection(form: Form, today: date) -> Selection:
    """What the filter's fields select. They are written as a filter first, so that there is one way to read them.

    Raises FilterError.
    """
    return expression.parse(written(form), today)


def written(form: Form) -> str:
    """The filter that the form's fields come to, with what was typed in words."""
    return f"{_chosen(form)} {form.get('filter', '')}".strip()


def as_chosen(audience: str, today: date) -> Form:
    """The fields as they were filled in for a notice by filter; none for one whose audience is the name of a file."""
    try:
        chosen = expression.parse(audience, today)
    except FilterError:
        return Form()
    form = Form({"all": "1"} if audience == expression.ALL else {"overdue": _OVERDUE[chosen.overdue]})
    for agency in chosen.agencies:
        form.update({"agency": agency.removesuffix(BELOW), "below": "1" if agency.endswith(BELOW) else ""})
    for procedure in chosen.procedures:
        form["procedure"] = procedure
    form.setlist("status", [str(status) for status in chosen.statuses])
    form.setlist("level", [str(level) for level in chosen.levels])
    for name in expression.DAYS:
        days = getattr(chosen, name)
        form.update({f"{name}_{end}": str(day) for end, day in (("from", days.first), ("to", days.last)) if day})
    # What the fields can't say, as two agencies, or a day counted from today, was typed in words.
    return form if written(form) == audience else Form({"filter": audience})


def faulty(form: Form, error: FilterError) -> tuple[str, int]:
    """The field that a fault of the filter is in, and its place in what was typed there; 0 where that was chosen."""
    chosen = _chosen(form)
    if not error.term:
        return "agency", 0  # nothing was chosen at all: there one begins to
    if error.place > len(chosen):
        return "filter", error.place - len(chosen) - 1 if chosen else error.place
    return re.split(r"\W", error.term.lstrip("!"), maxsplit=1)[0], 0


def _chosen(form: Form) -> str:
    """What was chosen, as a filter."""
    agency = form.get("agency", "")
    terms = [expression.ALL] if form.get("all") else []
    terms += [f"agency={agency}{BELOW if form.get('below') else ''}"] if agency else []
    terms += [f"procedure={form['procedure']}"] if form.get("procedure") else []
    terms += [f"{name}={','.join(ticked)}" for name in ("status", "level") if (ticked := form.getlist(name))]
    for name in expression.DAYS:
        for end, sign in (("from", ">="), ("to", "<=")):
            day = form.get(f"{name}_{end}", "")
            terms += [f"{name}{sign}{day}"] if day else []
    terms += {"yes": ["overdue"], "no": ["!overdue"]}.get(form.get("overdue", ""), [])
    return " ".join(terms)


def _at(text: str, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadForm("bad_at") from None


class Counting(Protocol):
    """An audience that counts its rows while it is read."""

    rows: int


class Readings:
    """How far the audiences that are being read just now have come, by a token of the form. Of this process only."""

    def __init__(self) -> None:
        self._audiences: OrderedDict[str, Counting] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, token: str, audience: Counting) -> None:
        with self._lock:
            self._audiences[token] = audience
            while len(self._audiences) > MOST_READINGS:
                self._audiences.popitem(last=False)

    def end(self, token: str) -> None:
        with self._lock:
            self._audiences.pop(token, None)

    def rows(self, token: str) -> int | None:
        """Rows read so far; None if nothing is being read."""
        with self._lock:
            audience = self._audiences.get(token)
        return audience.rows if audience else None
