"""How a refusal is said: a problem (RFC 9457) with a word for programs, and nothing in it of what came."""

from __future__ import annotations

import logging
import math
from http import HTTPStatus
from typing import NoReturn

import sqlalchemy as sa
from flask import Response, abort, request
from flask.sansio.scaffold import Scaffold
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from smsgw.dossiers.source import OneStopUnavailable
from smsgw.failure import ExpectedFailure
from smsgw.notices.audience.expression import FilterError
from smsgw.notices.audience.refusals import AudienceRefused
from smsgw.notices.life import Move
from smsgw.notices.refusals import EnoughToday, NoticeRefused, NotNow
from smsgw.officials.requests import NameUsed
from smsgw.store.database import trouble
from smsgw.web.problems import problem, unavailable
from smsgw.web.room import NoRoom

ERRORS_SHOWN = 100  # fields, or rows of a notice

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

# The moves that systems make are called as their addresses are; the others are made by officials.
_MOVES = {move: move.value for move in (Move.SUBMIT, Move.PAUSE, Move.RESUME, Move.CANCEL)}

# What the web server's library refuses, in our words where it has none that help.
_LIBRARYS = {
    HTTPStatus.BAD_REQUEST: ("malformed", None),
    HTTPStatus.NOT_FOUND: ("address", "there is nothing at this address; /api/ names those there are"),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "method",
        "this address does not take that; the header Allow says what it takes",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too_large", "the body is too large; send fewer at a time"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("media_type", None),
}

log = logging.getLogger("smsgw.web")


def refuse_by(api: Scaffold) -> None:
    """Whatever the views of it raise is said so."""
    api.register_error_handler(HTTPException, fault)
    api.register_error_handler(NoticeRefused, _refused)
    api.register_error_handler(EnoughToday, _enough)
    api.register_error_handler(AudienceRefused, _audience_refused)
    api.register_error_handler(FilterError, _filter_refused)
    api.register_error_handler(NameUsed, _name_used)
    api.register_error_handler(ExpectedFailure, _unfit_otherwise)
    api.register_error_handler(OneStopUnavailable, _away)
    api.register_error_handler(sa.exc.SQLAlchemyError, _database_away)
    api.register_error_handler(NoRoom, _no_room)
    api.register_error_handler(Exception, _our_fault)


def no_key() -> Response:
    """Whoever asks has none that opens."""
    said = "no key that opens; expected Authorization: Bearer KEY"
    refused = problem(HTTPStatus.UNAUTHORIZED, said, reason="key")
    refused.headers["WWW-Authenticate"] = "Bearer"
    return refused


def unknown(said: str) -> NoReturn:
    """There is no such thing, or it is another agency's."""
    abort(problem(HTTPStatus.NOT_FOUND, said, reason="unknown"))


def unfit(error: ValidationError) -> Response:
    """What does not fit a model, without what was given: that may be somebody's number."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    whole = "body" if request.method == "POST" else "query"
    return _fields([(".".join(map(str, one["loc"])) or whole, _said(one["type"], one["msg"])) for one in found])


def no_object() -> NoReturn:
    """The body is JSON, and something else than an object."""
    abort(_fields([("body", _NO_OBJECT)]))


def fault(error: HTTPException) -> Response:
    """What the web server's library refuses, also under /api where there is nothing."""
    if error.response is not None:
        return error.response  # type: ignore[return-value] # a refusal that is said already
    status = HTTPStatus(error.code or 500)
    reason, ours = _LIBRARYS.get(status, ("other", None))
    as_it_is = error.description == type(error).description  # nobody of us said more
    said = ours if ours and as_it_is else error.description
    refused = problem(status, said or status.phrase, reason=reason)
    if isinstance(error, MethodNotAllowed):
        refused.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return refused


_NO_OBJECT = "expected a JSON object"


def _said(kind: str, message: str) -> str:
    # The library's own words name the class of ours that it would make.
    return _NO_OBJECT if kind == "model_type" else message.removeprefix("Value error, ")


def _fields(wrong: list[tuple[str, str]]) -> Response:
    said = "some fields are not as they must be"
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, said, wrong[:ERRORS_SHOWN], "fields")


def _refused(error: NoticeRefused) -> Response:
    status = _STATUS.get(error.reason, HTTPStatus.UNPROCESSABLE_ENTITY)
    field = _FIELD.get(error.reason)
    said = "there is no such notice" if error.reason == "unknown" else str(error)
    if isinstance(error, NotNow):
        said = error.said(_MOVES)
    return problem(status, said, [(field, said)] if field else (), error.reason)


def _enough(error: EnoughToday) -> Response:
    refused = _refused(error)
    refused.headers["Retry-After"] = str(math.ceil(error.wait.total_seconds()))
    return refused


def _audience_refused(error: AudienceRefused) -> Response:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), reason=error.why)


def _filter_refused(error: FilterError) -> Response:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), [("filter", error.problem)], "filter")


def _name_used(error: NameUsed) -> Response:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), reason="key_used")


def _unfit_otherwise(error: ExpectedFailure) -> Response:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), reason="other")


def _away(error: OneStopUnavailable) -> Response:
    return unavailable("the one-stop database can't be reached; try again later")


def _database_away(error: sa.exc.SQLAlchemyError) -> Response:
    log.error("the database failed: %s", trouble(error))
    return unavailable("the database can't be reached; try again later")


def _no_room(full: NoRoom) -> Response:
    log.error("%s %s: there is no room for the body: %s", request.method, request.path, str(full))
    return unavailable("there is no room for the body; send it again")


def _our_fault(error: Exception) -> Response:
    # An exception's text may hold what it is about: a model's, the number and the text that did not fit it.
    untold = Exception(f"{type(error).__name__}, whose text is left out").with_traceback(error.__traceback__)
    log.error("a request to %s failed through a fault of ours", request.endpoint, exc_info=untold)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "this failed through a fault of ours", reason="fault")
