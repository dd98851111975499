"""The console's first page: how things stand today."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import needs, page


def routes(desk: Desk) -> Blueprint:
    """/console/."""
    first = Blueprint("overview", __name__)

    @first.get("/")
    @needs("viewer")
    def home() -> AnyResponse:
        return page("home.html")

    return first
