"""Officials' accounts, for administrators. One who is bound to an agency has only those of it, and nobody their own."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from smsgw.officials import passwords
from smsgw.officials.accounts import AccountError, highest_role
from smsgw.officials.passwords import PoorPassword, TooBusy
from smsgw.store.officials import ROLES, Official
from smsgw.text.phones import msisdn, takes_texts
from smsgw.web.console import bound
from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import me, needs, page, say, see, tell

A_PAGE = 50
PAGE = "page"  # in place of a field, for what is wrong with none of them


def routes(desk: Desk) -> Blueprint:
    """/console/people."""
    accounts = Blueprint("people", __name__, url_prefix="/people")

    @accounts.get("/")
    @needs("admin")
    def people() -> AnyResponse:
        return _listed(desk)

    @accounts.post("/")
    @needs("admin")
    def add() -> AnyResponse:
        wrong = _added(desk)
        if wrong:
            return _listed(desk, HTTPStatus.BAD_REQUEST, wrong=wrong, trouble=wrong.get(PAGE), given=request.form)
        tell("people.added", name=request.form["name"].strip())
        return see("people.people")

    @accounts.get("/<id>")
    @needs("admin")
    def show(id: str) -> AnyResponse:
        return _person(desk, id)

    @accounts.post("/<id>")
    @needs("admin")
    def change(id: str) -> AnyResponse:
        wrong = _changed(desk, _visible(desk, id))
        if wrong:
            given = request.form if request.form.get("verb") == "change" else None
            return _person(desk, id, HTTPStatus.BAD_REQUEST, wrong=wrong, trouble=wrong.get(PAGE), given=given)
        tell("people.changed")
        return see("people.show", id=id)

    return accounts


def _listed(desk: Desk, status: HTTPStatus = HTTPStatus.OK, **values: Any) -> AnyResponse:
    found = desk.accounts.page(me().agency, request.args.get("after", ""), A_PAGE + 1)
    rows = found[:A_PAGE]
    more = url_for("console.people.people", after=rows[-1].name) if len(found) > A_PAGE else None
    return page("people.html", status, rows=rows, more=more, **_choices(desk), **values)


def _person(desk: Desk, id: str, status: HTTPStatus = HTTPStatus.OK, **values: Any) -> AnyResponse:
    return page("person.html", status, official=_visible(desk, id), **_choices(desk), **values)


def _visible(desk: Desk, id: str) -> Official:
    """The official with that id; 404 for one of another agency."""
    official = desk.accounts.find(id)
    if official is None or not me().sees(official.agency):
        abort(HTTPStatus.NOT_FOUND)
    return official


def _choices(desk: Desk) -> dict[str, Any]:
    """What the forms let one choose from."""
    return {"roles": [(role, say(f"shell.role_{role}")) for role in ROLES], "agencies": bound.choices(desk)}


def _added(desk: Desk) -> dict[str, str]:
    """What is wrong, by the fields of the form; empty if there is a new account."""
    form = request.form
    phone, wrong = _phone()
    if wrong:
        return wrong
    try:
        role = highest_role(form.get("role", ""))
        desk.accounts.add(form.get("name", ""), role, bound.asked_for(), phone, form.get("password", ""), me().name)
    except (AccountError, PoorPassword, TooBusy) as error:
        return _said(error)
    bound.warn_of(desk, bound.asked_for(), "people")
    return {}


def _changed(desk: Desk, official: Official) -> dict[str, str]:
    """What is wrong, by the fields of the form; empty if an account was changed."""
    who, verb = me().name, request.form.get("verb", "")
    if official.id == me().id:
        return {PAGE: say("people.not_oneself")}
    try:
        match verb:
            case "change":
                return _set_rights(desk, official)
            case "password":
                desk.accounts.set_password(official, request.form.get("password", ""), who)
            case "disable":
                desk.accounts.disable(official, who)
            case "enable":
                desk.accounts.enable(official, who)
            case "no-second-factor":
                desk.accounts.end_second_factor(official, who)
            case _:
                abort(HTTPStatus.BAD_REQUEST)
    except (PoorPassword, TooBusy) as error:
        return _said(error)
    return {}


def _set_rights(desk: Desk, official: Official) -> dict[str, str]:
    phone, wrong = _phone()
    if wrong:
        return wrong
    try:
        role = highest_role(request.form.get("role", ""))
        desk.accounts.change(official, role, bound.asked_for(), phone, me().name)
    except AccountError as error:
        return _said(error)
    if bound.asked_for() != official.agency:
        bound.warn_of(desk, bound.asked_for(), "people")
    return {}


def _phone() -> tuple[str | None, dict[str, str]]:
    """The phone that was given if it is one, and what is wrong if it isn't."""
    given = request.form.get("phone", "").strip()
    phone = msisdn(given)
    return phone, {"phone": say("people.no_phone")} if given and not (phone and takes_texts(phone)) else {}


def _said(error: AccountError | PoorPassword | TooBusy) -> dict[str, str]:
    if isinstance(error, PoorPassword):
        said = say(f"account.poor_{error.reason}", shortest=passwords.SHORTEST, longest=passwords.LONGEST)
        return {"password": said}
    if isinstance(error, TooBusy):
        return {PAGE: say("signing.busy")}
    return {"role" if error.reason == "role" else "name": say(f"people.wrong_{error.reason}")}
