"""Other systems' keys to /api, for administrators. One who is bound to an agency has only those of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from smsgw.officials.systems import DAILY, MOST_A_DAY, ROLES, KeyRefused, role_of
from smsgw.store.systems import Key
from smsgw.web.console import bound
from smsgw.web.console.desk import Desk
from smsgw.web.console.format import Format
from smsgw.web.console.shell import language, me, needs, page, say, see, tell

A_PAGE = 50
LONGEST_AGENCY = 40  # characters


def routes(desk: Desk) -> Blueprint:
    """/console/keys."""
    systems = Blueprint("keys", __name__, url_prefix="/keys")

    @systems.get("/")
    @needs("admin")
    def keys() -> AnyResponse:
        return _listed(desk)

    @systems.post("/")
    @needs("admin")
    def add() -> AnyResponse:
        try:
            made, secret = _added(desk)
        except KeyRefused as error:
            field = "name" if error.reason == "taken" else error.reason
            most = Format(desk.timezone, language()).number(MOST_A_DAY)
            wrong = {field: say(f"keys.wrong_{error.reason}", most=most)}
            return _listed(desk, HTTPStatus.BAD_REQUEST, wrong=wrong, given=request.form)
        bound.warn_of(desk, made.agency, "keys")
        # Not by way of another page: the secret would have to be kept somewhere until that is asked for.
        return page("key_made.html", made=made, secret=secret)

    @systems.get("/<id>")
    @needs("admin")
    def show(id: str) -> AnyResponse:
        return page("key.html", key=_visible(desk, id))

    @systems.post("/<id>/revoke")
    @needs("admin")
    def revoke(id: str) -> AnyResponse:
        key = _visible(desk, id)
        if desk.systems.end(key, me().name):
            tell("keys.revoked_now", name=key.name)
        else:
            tell("keys.was_revoked", "warning", name=key.name)
        return see("keys.keys")

    return systems


def _listed(desk: Desk, status: HTTPStatus = HTTPStatus.OK, **values: Any) -> AnyResponse:
    found = desk.systems.page(me().agency, request.args.get("after", ""), A_PAGE + 1)
    shown = found[:A_PAGE]
    more = url_for("console.keys.keys", after=shown[-1].id) if len(found) > A_PAGE else None
    roles = [(role, say(f"keys.role_{role}")) for role in ROLES]
    values |= {"roles": roles, "agencies": bound.choices(desk), "daily": DAILY, "most": MOST_A_DAY}
    return page("keys.html", status, rows=shown, more=more, longest_agency=LONGEST_AGENCY, **values)


def _visible(desk: Desk, id: str) -> Key:
    """The key with that id; 404 for one of another agency."""
    key = desk.systems.find(id)
    if key is None or not me().sees(key.agency):
        abort(HTTPStatus.NOT_FOUND)
    return key


def _added(desk: Desk) -> tuple[Key, str]:
    """A new key as the form asks for it, and its secret. Raises KeyRefused."""
    form, agency = request.form, bound.asked_for()
    if agency and not (len(agency) <= LONGEST_AGENCY and agency.isprintable()):
        raise KeyRefused("agency", f"{agency!r} can't be an agency's code")
    role, daily = role_of(form.get("role", "")), form.get("daily", "").strip()
    whole = int(daily) if daily.isdecimal() and len(daily) <= len(str(MOST_A_DAY)) else 0
    return desk.systems.add(form.get("name", ""), role, agency, whole, me().name)
