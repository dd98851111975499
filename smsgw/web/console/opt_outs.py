"""Citizens who want no notices or reminders: the list, and adding and removing somebody who asked for it.

What comes after a page of the list is asked for by a form, so that no number is in an address.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from smsgw.store import opt_outs as rows
from smsgw.store.opt_outs import PURPOSES
from smsgw.text.phones import msisdn, takes_texts
from smsgw.web.console.desk import Desk
from smsgw.web.console.format import Format
from smsgw.web.console.shell import language, me, needs, page, say, see, tell

A_PAGE = 100


def routes(desk: Desk) -> Blueprint:
    """/console/opt-outs."""
    wishes = Blueprint("opt_outs", __name__, url_prefix="/opt-outs")

    @wishes.get("/")
    @needs("sender")
    def opt_outs() -> AnyResponse:
        return _listed(desk)

    @wishes.post("/")
    @needs("sender")
    def change() -> AnyResponse:
        if request.form.get("verb") == "more":
            return _listed(desk)
        typed = request.form.get("phone", "")
        phone, wrong = msisdn(typed), dict[str, str]()
        purposes = [purpose for purpose in PURPOSES if purpose in request.form.getlist("purpose")]
        removes = request.form.get("verb") == "remove"
        if phone is None or not (removes or takes_texts(phone)):
            wrong["phone"] = say("opt_outs.no_phone")
        if not purposes:
            wrong["purpose"] = say("opt_outs.no_purpose")
        if wrong or phone is None:
            return _listed(desk, HTTPStatus.BAD_REQUEST, wrong=wrong, typed=typed, ticked=purposes)
        shown = Format(desk.timezone, language()).phone(phone)
        if removes:
            changed = [desk.steering.opt_in(phone, purpose, me().name) for purpose in purposes]
            tell("opt_outs.removed" if any(changed) else "opt_outs.was_none", phone=shown)
        else:
            changed = [desk.steering.opt_out(phone, purpose, me().name) for purpose in purposes]
            tell("opt_outs.added" if any(changed) else "opt_outs.was_there", phone=shown)
        return see("opt_outs.opt_outs")

    return wishes


def _listed(desk: Desk, status: HTTPStatus = HTTPStatus.OK, **said: Any) -> AnyResponse:
    said.setdefault("ticked", PURPOSES)
    if me().agency is not None:  # the list is of citizens of all agencies
        return page("opt_outs.html", status, rows=[], **said)
    with desk.database.reading() as connection:
        found = rows.page(connection, request.form.get("after", ""), A_PAGE)
    after = found[-1].phone if len({row.phone for row in found}) == A_PAGE else None
    return page("opt_outs.html", status, rows=found, after=after, **said)
