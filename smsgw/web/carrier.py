"""The carriers' door: citizens' messages and delivery reports, each in its channel's own wire format."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from providers.contract import BadSignature, Callback, Malformed, Taken
from smsgw import metrics
from smsgw.clock import Clock, utc_now
from smsgw.dispatch.channel import Channel
from smsgw.intake.intake import Intake
from smsgw.intake.reports import Reports
from smsgw.web.problems import problem

METHODS = ("GET", "POST")
LARGEST_CALLBACK = 1024 * 1024  # bytes

log = logging.getLogger("smsgw.web")


def blueprint(
    channels: Mapping[str, Channel], intake: Intake, reports: Reports, public_url: str, clock: Clock = utc_now
) -> Blueprint:
    """Routes under /carrier/. `public_url`: the gateway's address as carriers were told it."""
    routes = Blueprint("carrier", __name__, url_prefix="/carrier")
    address = public_url.rstrip("/")

    @routes.route("/<name>/inbound", methods=METHODS)
    def inbound(name: str) -> Response:
        channel = channels.get(name)
        if channel is None or not channel.provider.abilities.receives:
            return problem(HTTPStatus.NOT_FOUND, "there is no such channel, or it brings no messages")
        return _callback(
            channel, address, lambda callback: intake.take(channel, channel.provider.inbound(callback, clock()))
        )

    @routes.route("/<name>/receipts", methods=METHODS)
    def receipts(name: str) -> Response:
        channel = channels.get(name)
        if channel is None or not channel.provider.abilities.reports:
            return problem(HTTPStatus.NOT_FOUND, "there is no such channel, or it brings no receipts")
        return _callback(
            channel, address, lambda callback: reports.take(name, channel.provider.receipts(callback, clock()))
        )

    return routes


def _callback(channel: Channel, address: str, handle: Callable[[Callback], list[Taken]]) -> Response:
    name, methods = channel.name, channel.provider.abilities.methods
    if request.method not in methods:
        refused = problem(HTTPStatus.METHOD_NOT_ALLOWED, f"this carrier calls by {' or '.join(sorted(methods))}")
        refused.headers["Allow"] = ", ".join(sorted(methods))
        return refused
    request.max_content_length = LARGEST_CALLBACK
    try:
        answer = channel.provider.answer(handle(_as_callback(address)))
    except RequestEntityTooLarge:
        metrics.callbacks_refused.labels(name, "too_large").inc()
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a callback may have {LARGEST_CALLBACK} bytes")
    except BadSignature as error:
        metrics.callbacks_refused.labels(name, "signature").inc()
        log.warning("channel %s: a callback from %s is not taken: %s", name, request.remote_addr, error)
        return problem(HTTPStatus.UNAUTHORIZED, str(error))
    except Malformed as error:
        metrics.callbacks_refused.labels(name, "malformed").inc()
        log.warning("channel %s: a callback can't be read: %s", name, error)
        return problem(HTTPStatus.BAD_REQUEST, "the body can't be read", error.errors)
    except sa.exc.SQLAlchemyError as error:
        metrics.callbacks_refused.labels(name, "database").inc()
        log.error("channel %s: the database failed: %s", name, type(error).__name__)
        unavailable = problem(HTTPStatus.SERVICE_UNAVAILABLE, "the message was not stored; send it again")
        unavailable.headers["Retry-After"] = "5"
        return unavailable
    return Response(answer.body, content_type=answer.content_type, headers=dict(answer.headers))


def _as_callback(address: str) -> Callback:
    query = request.query_string.decode("latin-1")
    return Callback(
        method=request.method,
        query=request.args.to_dict(),
        headers=_headers(request.environ),
        body=request.get_data(),
        url=f"{address}{request.path}{'?' if query else ''}{query}",
    )


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """What came, names in lower case, read off the environment: Werkzeug's view of it costs five times as much."""
    headers = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    headers["CONTENT_TYPE"] = environ.get("CONTENT_TYPE", "")
    return {name.replace("_", "-").lower(): value for name, value in headers.items()}
