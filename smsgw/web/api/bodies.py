"""What may come in as a body, said before anything is made of it: how large, of how many parts, for how many people.

What a body comes to in memory is many times its size: a list of nothing is 56 bytes where it was two, and what is wrong
with each of a million recipients is a gigabyte. So the parts are counted in the bytes, and the people before each is
looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from itertools import islice
from typing import Any

from flask import abort, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from smsgw.notices.audience.lines import Limits
from smsgw.web.api import refusals
from smsgw.web.problems import problem

LARGEST = 64 * 1024  # bytes; a view that takes more says so by @takes_audience

# Up to the next object or list, past texts, or to the end. It never looks back, however long a text is.
_NEXT_PART = re.compile(rb'(?:[^"\[{]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"?)*+([\[{]|\Z)', re.DOTALL)

_large: set[str] = set()  # endpoints


def takes_audience(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view takes as much as an audience's file may have, and nothing from who may not send."""
    _large.add(f"api.{view.__name__}")
    return view


def of_an_audience() -> bool:
    """Whether this request goes to such a view."""
    return request.endpoint in _large


def most(limits: Limits) -> int:
    """How many bytes this request may bring."""
    return limits.bytes if of_an_audience() else LARGEST


def check(limits: Limits) -> None:
    """Refuses a body that is no JSON object, or of more parts or people than there may be."""
    if not request.is_json:
        raise UnsupportedMediaType("expected a body of application/json")
    body = request.get_data()
    if b"\0" in body:  # the library would read other encodings, in which a byte means something else
        raise BadRequest("the body is no JSON in UTF-8")
    if of_an_audience():
        _check_parts(body, limits.rows)
    try:
        found = request.get_json()
    except (BadRequest, RecursionError):  # the latter: it is nested too deep
        raise BadRequest("the body is no JSON") from None
    if not isinstance(found, dict):  # the library would take a string for an object that is written in it
        refusals.no_object()
    if of_an_audience():
        _check_people(found.get("recipients"), limits.rows)


def _check_parts(body: bytes, rows: int) -> None:
    allowed = 2 * (rows + 1)  # a recipient is an object and has one of values; so has all of it, with its list
    if body.count(b"{") + body.count(b"[") <= allowed:
        return
    one_too_many = next(islice(_NEXT_PART.finditer(body), allowed, None), None)
    if one_too_many and one_too_many[1]:
        said = f"the body has more objects and lists than {rows} recipients take; send fewer at a time"
        abort(problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said, reason="too_large"))


def _check_people(recipients: object, rows: int) -> None:
    if isinstance(recipients, list) and len(recipients) > rows:
        said = f"more than {rows} recipients; send fewer at a time"
        abort(problem(HTTPStatus.UNPROCESSABLE_ENTITY, said, [("recipients", said)], "rows"))
