"""The audit log: what officials did, newest first, and whether it is as it was written."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from smsgw.officials import audit
from smsgw.store import audit as rows
from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import needs, only_province_wide, page

A_PAGE = 50
LONGEST_NUMBER = 18  # digits that a database counts with


def routes(desk: Desk) -> Blueprint:
    """/console/audit."""
    log = Blueprint("audit_log", __name__, url_prefix="/audit")

    def shown(verdict: audit.Verdict | None = None) -> AnyResponse:
        only_province_wide()
        who = request.args.get("who", "").strip() or None
        before = request.args.get("before", type=_number)
        with desk.database.reading() as connection:
            found = rows.latest(connection, who, before, A_PAGE)
        older = found[-1].number if len(found) == A_PAGE else None
        gone = 0 if older or who else found[-1].number - 1 if found else 0
        return page("audit_log.html", rows=found, who=who, older=older, gone=gone, verdict=verdict)

    @log.get("/")
    @needs("admin")
    def entries() -> AnyResponse:
        return shown()

    @log.post("/verify")
    @needs("admin")
    def verify() -> AnyResponse:
        only_province_wide()
        with desk.database.reading() as connection:
            verdict = audit.verify(connection)
        return shown(verdict=verdict)

    return log


def _number(text: str) -> int:
    """An entry's number in an address. Raises ValueError for what none can have."""
    if not (text.isdecimal() and len(text) <= LONGEST_NUMBER):
        raise ValueError(text)
    return int(text)
