"""REST for other systems, under /api/v1.

A group of addresses is one file here, with a function `routes(api, rooms)` that adds its views; what comes in and goes
out is a model in `models`. From both the description at /api/openapi.json is made, and from that the page at /api/.
"""

from __future__ import annotations

from flask_openapi.openapi import OpenAPI

from smsgw.web.api import described, documents, dossiers, messages, notices, refusals, reports, shell
from smsgw.web.api.models import Problem
from smsgw.web.api.refusals import fault
from smsgw.web.api.rooms import Rooms
from smsgw.web.api.shell import is_here, most_of

__all__ = ["application", "fault", "is_here", "most_of", "register"]

GROUPS = (dossiers, messages, notices, reports)


def application(public_url: str) -> OpenAPI:
    """An application that can describe itself, without anything in it yet."""
    app = OpenAPI(
        "smsgw.web",
        info=documents.info(),
        servers=[{"url": public_url.rstrip("/")}],
        security_schemes={"key": documents.SCHEME},
        validation_error_model=Problem,
        validation_error_callback=refusals.unfit,
        doc_ui=False,
    )
    app.openapi_version = "3.1.0"
    return app


def register(app: OpenAPI, rooms: Rooms) -> None:
    """Add /api to an application."""
    api = shell.blueprint(rooms)
    for group in GROUPS:
        group.routes(api, rooms)
    described.add_headers(api)
    app.register_api(api)
    app.register_blueprint(documents.blueprint(app))
