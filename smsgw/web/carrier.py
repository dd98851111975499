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

LARGEST_CALLBACK = 1024 * 1024  # bytes

log = logging.getLogger("smsgw.web")


def blueprint(channels: Mapping[str, Channel], intake: Intake, reports: Reports, clock: Clock = utc_now) -> Blueprint:
    """Routes under /carrier/."""
    routes = Blueprint("carrier", __name__, url_prefix="/carrier")

    @routes.post("/<name>/inbound")
    def inbound(name: str) -> Response:
        def handle(channel: Channel, callback: Callback) -> list[Taken]:
            return intake.take(channel, channel.provider.inbound(callback, clock()))

        return _callback(channels, name, handle)

    @routes.post("/<name>/receipts")
    def receipts(name: str) -> Response:
        def handle(channel: Channel, callback: Callback) -> list[Taken]:
            return reports.take(channel.name, channel.provider.receipts(callback, clock()))

        return _callback(channels, name, handle)

    return routes


def _callback(
    channels: Mapping[str, Channel], name: str, handle: Callable[[Channel, Callback], list[Taken]]
) -> Response:
    channel = channels.get(name)
    if channel is None:
        return problem(HTTPStatus.NOT_FOUND, "there is no such channel")
    request.max_content_length = LARGEST_CALLBACK
    try:
        answer = channel.provider.answer(handle(channel, _as_callback()))
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
    return Response(answer.body, content_type=answer.content_type)


def _as_callback() -> Callback:
    return Callback(
        method=request.method,
        query=request.args.to_dict(),
        headers=_headers(request.environ),
        body=request.get_data(),
    )


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """What came, names in lower case, read off the environment: Werkzeug's view of it costs five times as much."""
    headers = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    headers["CONTENT_TYPE"] = environ.get("CONTENT_TYPE", "")
    return {name.replace("_", "-").lower(): value for name, value in headers.items()}
