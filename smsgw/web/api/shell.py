"""What all views of /api have in common: whose key it is, what is done once, and how an answer is given."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any
from wsgiref.types import WSGIEnvironment

import sqlalchemy as sa
from flask import Response, g, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel

from smsgw.notices.personal import check_may_send
from smsgw.officials.requests import Within
from smsgw.officials.systems import Systems
from smsgw.store.systems import Key
from smsgw.web.api import bodies, refusals
from smsgw.web.api.rooms import Rooms

PREFIX = "/api"


def tag(name: str, description: str) -> list[Tag | dict[str, Any]]:
    """The heading that a group of addresses stands under."""
    return [Tag(name=name, description=description)]


def is_here(path: str) -> bool:
    """Whether an address is a program's, whatever is there."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def blueprint(rooms: Rooms) -> APIBlueprint:
    """/api/v1 without its views."""
    api = APIBlueprint(
        "api",
        __name__,
        url_prefix="/api/v1",
        abp_security=[{"key": []}],
        operation_id_callback=_operation_id,
    )

    @api.before_request
    def guard() -> Response | None:
        key = _key(rooms.systems)
        if key is None:
            return refusals.no_key()
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

    refusals.refuse_by(api)
    return api


def me() -> Key:
    """Whose request it is."""
    key: Key = g.key
    return key


def answer(model: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """What a view gives."""
    return Response(model.model_dump_json(by_alias=True), status.value, content_type="application/json")


def moment(rooms: Rooms, at: datetime | None) -> datetime | None:
    """A time that was given; one without a zone is by the province's clock."""
    return at.replace(tzinfo=rooms.timezone) if at is not None and at.tzinfo is None else at


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


def _key(systems: Systems) -> Key | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return systems.of(secret.strip()) if scheme.casefold() == "bearer" and secret.strip() else None


def _operation_id(name: str, path: str, method: str) -> str:
    # By which generated clients name what they have for it.
    return name
