"""The agency that an account or a key is bound to: which one a form asks for, and whether there is such a one."""

from __future__ import annotations

from flask import request

from smsgw.dossiers import agencies, selecting
from smsgw.dossiers.source import OneStopUnavailable
from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import me, tell


def choices(desk: Desk) -> dict[str, str]:
    """The agencies to choose from: names by code. None of them while the one-stop database is away."""
    try:
        return selecting.named(desk.onestop.url)[0]
    except OneStopUnavailable:
        return {}


def asked_for() -> str | None:
    """The agency that the form names; of an administrator who is bound to one, that."""
    return me().agency or request.form.get("agency", "").strip() or None


def warn_of(desk: Desk, agency: str | None, page: str) -> None:
    """Say so, in the texts of a page, if there may be no agency of the code that was given."""
    if agency and (doubt := agencies.doubt(desk.onestop.url, agency)):
        key = "away" if doubt.away else "nearest" if doubt.nearest else "none"
        tell(f"{page}.agency_{key}", "warning", agency=agency, nearest=", ".join(doubt.nearest))
