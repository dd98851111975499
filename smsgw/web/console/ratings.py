"""How citizens rate the agencies."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from smsgw.store import ratings
from smsgw.store.heard import together
from smsgw.text.phones import mask_all
from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import my_agencies, needs, page

PERIODS = (30, 90, 365)  # days


def routes(desk: Desk) -> Blueprint:
    """/console/ratings/."""
    rated = Blueprint("ratings", __name__, url_prefix="/ratings")

    @rated.get("/")
    @needs("viewer")
    def every() -> AnyResponse:
        days = next((days for days in PERIODS if str(days) == request.args.get("days")), PERIODS[1])
        with desk.database.reading() as connection:
            theirs = my_agencies()
            since = desk.clock() - timedelta(days=days)
            agencies = ratings.by_agency(connection, since, None, theirs)
            latest = ratings.latest(connection, theirs)
        removed = desk.kept.bounds(desk.clock()).ratings
        return page(
            "ratings.html",
            days=days,
            periods=PERIODS,
            agencies=agencies,
            latest=latest,
            total=together(agencies),
            removed=removed if removed and removed > since else None,
            mask=mask_all,
        )

    return rated
