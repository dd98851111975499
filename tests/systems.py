"""Other systems at /api, for the tests of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_openapi.openapi import OpenAPI
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from smsgw.store.history import message
from smsgw.store.officials import Role
from smsgw.store.systems import Key
from tests.world import World

PHONE = "84912345678"
ORDER = {"to": "0912 345 678", "text": "Mời bà đến lấy kết quả."}


@dataclass
class System:
    """Another system with its key."""

    world: World
    client: FlaskClient
    key: Key
    secret: str

    def call(self, method: str, path: str, status: int = 200, *, once: str | None = None, **more: Any) -> Any:
        """A request; what is answered, read."""
        answer = self.raw(method, path, once=once, **more)
        assert answer.status_code == status, answer.get_data(as_text=True)
        wanted = "application/problem+json" if status >= 400 else "application/json"
        assert answer.content_type == wanted
        said = json.loads(answer.get_data())
        assert status < 400 or said["reason"], said
        return said

    def raw(self, method: str, path: str, *, once: str | None = None, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.secret}"} | ({"Idempotency-Key": once} if once else {})
        answer = self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)
        _check_described(self.client.application, method, path, answer)
        return answer

    def get(self, path: str, status: int = 200) -> Any:
        return self.call("GET", path, status)

    def post(self, path: str, body: object, status: int = 201, once: str | None = None) -> Any:
        return self.call("POST", path, status, once=once, json=body)

    def draft(self, count: int = 3, **more: Any) -> Any:
        people = [{"phone": f"09120000{number:02}", "values": {"Tên": f"Ông {number}"}} for number in range(count)]
        return self.post("/notices", {"name": "Mời", "text": "Mời ((tên)) đến.", "recipients": people} | more)


HELPFUL = ("Location", "Idempotency-Replayed", "Retry-After", "WWW-Authenticate")


def _check_described(app: Flask, method: str, path: str, answer: TestResponse) -> None:
    """What a view answers is what the description says of it: status, kind of body, and headers that help."""
    try:
        view, _ = app.url_map.bind("").match(unquote(f"/api/v1{path}".split("?")[0]), method)
    except HTTPException:
        return  # there is no such view
    told = _description(app)[view.removeprefix("api.")]["responses"].get(str(answer.status_code))
    assert told, f"{view} answers {answer.status}"
    assert answer.mimetype in told["content"]
    headers = {name for name in HELPFUL if name in answer.headers}
    assert headers <= {*told.get("headers", {})}
    assert {name for name, one in told.get("headers", {}).items() if one.get("required")} <= headers


@lru_cache(maxsize=1)  # it takes a while to write
def _description(app: Flask) -> Any:
    assert isinstance(app, OpenAPI)
    items = app.api_doc["paths"].values()
    return {operation["operationId"]: operation for item in items for operation in item.values()}


def system(
    there: World, name: str = "kiosk", role: Role = "sender", agency: str | None = None, daily: int = 100
) -> System:
    key, secret = there.gateway.systems.add(name, role, agency, daily, "test")
    return System(there, there.app.test_client(), key, secret)


def sent(there: World) -> int:
    """How many messages there are, to whomever."""
    with there.gateway.database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(message)) or 0
