"""Messages that the carrier may or may not have: an official decides whether they are sent again."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response as AnyResponse

from smsgw.dispatch import doubts
from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import me, needs, only_province_wide, page, see, tell

MOST = 200  # shown on the page; what is decided makes room for the next


def routes(desk: Desk) -> Blueprint:
    """/console/doubtful."""
    doubt = Blueprint("doubtful", __name__, url_prefix="/doubtful")

    @doubt.get("/")
    @needs("sender")
    def doubtful() -> AnyResponse:
        only_province_wide()
        with desk.database.reading() as connection:
            rows = doubts.listed(connection, desk.roads, MOST + 1)
        return page("doubtful.html", rows=rows[:MOST], more=len(rows) > MOST)

    @doubt.post("/")
    @needs("sender")
    def decide() -> AnyResponse:
        only_province_wide()
        ids, verb = request.form.getlist("id"), request.form.get("verb")
        if verb not in ("resend", "drop"):
            abort(HTTPStatus.BAD_REQUEST)
        if not ids:
            tell("doubtful.none_chosen", "warning")
            return see("doubtful.doubtful")
        moved = (desk.steering.resend if verb == "resend" else desk.steering.drop)(ids, me().name)
        if moved:
            tell(f"doubtful.done_{verb}", count=moved)
        if moved < len(ids):
            tell("doubtful.too_late", "warning", count=len(ids) - moved)
        return see("doubtful.doubtful")

    return doubt
