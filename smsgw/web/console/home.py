"""The console's first page: how things stand today, and how they went lately."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import needs, page

DAYS = 30


def routes(desk: Desk) -> Blueprint:
    """/console/."""
    overview = Blueprint("overview", __name__)

    @overview.get("/")
    @needs("viewer")
    def home() -> AnyResponse:
        today = desk.activity.today()
        days = desk.activity.days(DAYS)
        labels = [f"{day:%d/%m}" for day, _ in days]
        return page(
            "home.html",
            today=today,
            total=today.total,
            labels=labels,
            days=[traffic for _, traffic in days],
            times=desk.activity.reply_times(DAYS),
        )

    return overview
