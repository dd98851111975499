"""What the description says of a view's answers: which there are, and the headers that come with them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.header import Header
from flask_openapi.models.response import Response
from pydantic import BaseModel

from smsgw.web.api.models import Problem

Answers = dict[str | int | HTTPStatus, type[BaseModel] | Response | dict[str, Any] | None]

OF_A_BODY = (400, 403, 409, 413, 415)  # how what is sent may be refused, besides what any request may meet
_OF_ANY = (401, 422, 500, 503)


def _header(description: str, schema: dict[str, Any], **more: Any) -> Header:
    return Header.model_validate({"description": description, "schema": schema, **more})


_SECONDS = {"type": "integer", "minimum": 1}
_HEADERS = {
    201: {
        "Location": _header("Where to ask what became of it.", {"type": "string"}, required=True),
        "Idempotency-Replayed": _header(
            "It was made before, under the same Idempotency-Key.", {"type": "string", "enum": ["true"]}
        ),
    },
    401: {"WWW-Authenticate": _header("How to say the key.", {"type": "string"}, required=True)},
    429: {"Retry-After": _header("Seconds until there may be more.", _SECONDS, required=True)},
    503: {"Retry-After": _header("Seconds after which to try again.", _SECONDS, required=True)},
}


def answers(well: Answers, *refused: int) -> Answers:
    """A view's answers when all is well, and the statuses by which it may refuse."""
    return {**well, **{status: _refusal(status) for status in sorted({*_OF_ANY, *refused})}}


def add_headers(api: APIBlueprint) -> None:
    """To all answers of the views that were added: where one is a model there is no other way to say them."""
    for item in api.paths.values():
        for operation in (item.get, item.post):
            for status, answer in (operation.responses or {}).items() if operation else ():
                answer.headers = _HEADERS.get(int(status))


def _refusal(status: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}
    return {"description": HTTPStatus(status).phrase, "content": content}
