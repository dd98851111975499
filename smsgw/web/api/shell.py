"""What all views of /api have in common: whose key it is, and how a refusal is said."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from wsgiref.types import WSGIEnvironment

import sqlalchemy as sa
from flask import Response, g, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.response import Response as Documented
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from smsgw.dossiers.source import OneStopUnavailable
from smsgw.failure import ExpectedFailure
from smsgw.notices.audience.refusals import AudienceRefused
from smsgw.notices.personal import check_may_send
from smsgw.notices.refusals import NoticeRefused
from smsgw.officials.requests import NameUsed, Within
from smsgw.officials.systems import Systems
from smsgw.store.database import trouble
from smsgw.store.systems import Key
from smsgw.web.api import bodies
from smsgw.web.api.models import Problem
from smsgw.web.api.rooms import Rooms
from smsgw.web.problems import problem

PREFIX = "/api/"
ERRORS_SHOWN = 100  # fields, or rows of a notice
RETRY_AFTER = "5"  # seconds

_STATUS = {
    "unknown": HTTPStatus.NOT_FOUND,
    "role": HTTPStatus.FORBIDDEN,
    "state": HTTPStatus.CONFLICT,
    "changed": HTTPStatus.CONFLICT,
    "budget": HTTPStatus.CONFLICT,
    "opted_out": HTTPStatus.CONFLICT,
    "daily": HTTPStatus.TOO_MANY_REQUESTS,
}
_FIELD = {
    "phone": "to",
    "text": "text",
    "placeholder": "text",
    "long": "text",
    "registered": "text",
    "name": "name",
    "time": "send_at",
}

_WORDS = {
    HTTPStatus.NOT_FOUND: "there is nothing at this address; /api/ names those there are",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address does not take that; the header Allow says what it takes",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is too large; send fewer at a time",
}

log = logging.getLogger("smsgw.web")

Refusals = dict[str | int | HTTPStatus, type[BaseModel] | Documented | dict[str, Any] | None]


def tag(name: str, description: str) -> list[Tag | dict[str, Any]]:
    """The heading that a group of addresses stands under."""
    return [Tag(name=name, description=description)]


def blueprint(rooms: Rooms) -> APIBlueprint:
    """/api/v1 without its views."""
    refused = (400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
    refusals: Refusals = {status: _refusal(status) for status in refused}
    api = APIBlueprint("api", __name__, url_prefix="/api/v1", abp_security=[{"key": []}], abp_responses=refusals)

    @api.before_request
    def guard() -> Response | None:
        key = _key(rooms.systems)
        if key is None:
            refused = problem(HTTPStatus.UNAUTHORIZED, "no key that opens; expected Authorization: Bearer KEY")
            refused.headers["WWW-Authenticate"] = "Bearer"
            return refused
        g.key = key
        if bodies.of_an_audience():
            check_may_send(key)
        request.max_content_length = bodies.most(rooms.limits)
        if request.method in ("POST", "PUT", "PATCH") and request.get_data():
            bodies.check(rooms.limits)
        return None

    @api.after_request
    def careful(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    api.register_error_handler(HTTPException, fault)
    api.register_error_handler(NoticeRefused, _refused)
    api.register_error_handler(AudienceRefused, _audience_refused)
    api.register_error_handler(NameUsed, _name_used)
    api.register_error_handler(ExpectedFailure, _unfit_otherwise)
    api.register_error_handler(OneStopUnavailable, _away)
    api.register_error_handler(sa.exc.SQLAlchemyError, _database_away)
    api.register_error_handler(Exception, _our_fault)
    return api


def me() -> Key:
    """Whose request it is."""
    key: Key = g.key
    return key


def answer(model: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """What a view gives."""
    return Response(model.model_dump_json(by_alias=True), status.value, content_type="application/json")


def once(rooms: Rooms, name: str | None, make: Callable[[Within], str]) -> tuple[str, bool]:
    """The id of what is made, and whether that was made before under the same name. `make` is given what to call."""
    if name is None:
        return make(lambda connection, id: None), False
    asked = hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.get_data()).hexdigest()
    return rooms.requests.once(me().id, name, asked, make)


def made(model: BaseModel, again: bool, where: str) -> Response:
    """The answer to what was made, now or before; `where` it is to be found."""
    response = answer(model, HTTPStatus.CREATED)
    response.headers["Location"] = where
    if again:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def most_of(app: Any, rooms: Rooms) -> Callable[[WSGIEnvironment], int]:
    """How many bytes a request to /api may bring, said before they are read: many only from who may send."""

    def most(environ: WSGIEnvironment) -> int:
        with app.request_context(environ):
            if not bodies.of_an_audience():
                return bodies.LARGEST
            try:
                key = _key(rooms.systems)
            except sa.exc.SQLAlchemyError:
                return 0  # the view will say that the database is away
            return bodies.most(rooms.limits) if key and key.official.may("sender") else 0

    return most


def unfit(error: ValidationError) -> Response:
    """What does not fit a model, without what was given: that may be somebody's number."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    wrong = [(".".join(map(str, one["loc"])) or "body", _said(one["type"], one["msg"])) for one in found]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, bodies.UNFIT, wrong[:ERRORS_SHOWN])


def _said(kind: str, message: str) -> str:
    # The library's own words name the class of ours that it would make.
    return bodies.NO_OBJECT if kind == "model_type" else message.removeprefix("Value error, ")


def fault(error: HTTPException) -> Response:
    """What the web server's library refuses, also under /api where there is nothing."""
    if error.response is not None:
        return error.response  # type: ignore[return-value] # a refusal that is said already
    status = HTTPStatus(error.code or 500)
    as_it_is = type(error).description  # where nobody of us said more
    said = _WORDS.get(status, as_it_is) if error.description == as_it_is else error.description
    refused = problem(status, said or status.phrase)
    if isinstance(error, MethodNotAllowed):
        refused.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return refused


def _key(systems: Systems) -> Key | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return systems.of(secret.strip()) if scheme.casefold() == "bearer" and secret.strip() else None


def _refused(error: NoticeRefused) -> Response:
    status = _STATUS.get(error.reason, HTTPStatus.UNPROCESSABLE_ENTITY)
    field = _FIELD.get(error.reason)
    said = "there is no such notice" if error.reason == "unknown" else str(error)
    return problem(status, said, [(field, said)] if field else (), error.reason)


def _audience_refused(error: AudienceRefused) -> Response:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), reason=error.why)


def _unfit_otherwise(error: ExpectedFailure) -> Response:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


def _name_used(error: NameUsed) -> Response:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), reason="key_used")


def _away(error: OneStopUnavailable) -> Response:
    later = problem(HTTPStatus.SERVICE_UNAVAILABLE, "the one-stop database can't be reached; try again later")
    later.headers["Retry-After"] = RETRY_AFTER
    return later


def _database_away(error: sa.exc.SQLAlchemyError) -> Response:
    log.error("the database failed: %s", trouble(error))
    later = problem(HTTPStatus.SERVICE_UNAVAILABLE, "the database can't be reached; try again later")
    later.headers["Retry-After"] = RETRY_AFTER
    return later


def _our_fault(error: Exception) -> Response:
    log.exception("a request to %s failed through a fault of ours", request.endpoint, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "this failed through a fault of ours")


def _refusal(status: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}
    return {"description": HTTPStatus(status).phrase, "content": content}
