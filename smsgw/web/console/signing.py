"""Signing in, with a second factor where there is one, and out; and the language of the pages."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, g, jsonify, redirect, request
from flask import session as cookie
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response as AnyResponse

from smsgw.officials.passwords import TooBusy
from smsgw.officials.signing_in import Refused, TooSoon
from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import LANGUAGE, NEXT, TOKEN, for_everybody, me, needs, page, say, see, visitor

HOME = "/console/"


def routes(desk: Desk) -> Blueprint:
    """/console/sign-in, /code, /sign-out, /token and /language."""
    door = Blueprint("signing", __name__)

    @door.get("/sign-in")
    @for_everybody
    def sign_in() -> AnyResponse:
        if g.signed_in is not None and g.signed_in.session.stage == "full":
            return redirect(HOME, HTTPStatus.SEE_OTHER)
        return door_page(desk, HTTPStatus.OK)

    @door.post("/sign-in")
    @for_everybody
    def try_password() -> AnyResponse:
        return _try_password(desk)

    _add_code(door, desk)

    @door.post("/sign-out")
    @for_everybody
    def sign_out() -> AnyResponse:
        if g.signed_in is not None:
            desk.signing_in.end(g.signed_in.official, g.signed_in.session.token_hash)
        _forget_all_but_language()
        return see("signing.sign_in")

    @door.get("/token")
    @needs("viewer")
    def token() -> AnyResponse:
        """For the script of a page that lay open: who is signed in by now, and what proves that a form is theirs."""
        return jsonify(name=me().name, token=generate_csrf())

    @door.post("/language")
    @for_everybody
    def choose_language() -> AnyResponse:
        cookie[LANGUAGE] = "en" if request.form.get("language") == "en" else "vi"
        return redirect(_within(request.form.get("next", "")), HTTPStatus.SEE_OTHER)

    return door


def _add_code(door: Blueprint, desk: Desk) -> None:
    """The second factor, for those whose password was right."""

    @door.get("/code")
    @for_everybody
    def code() -> AnyResponse:
        return page("code.html") if _awaits_code() else see("signing.sign_in")

    @door.post("/code")
    @for_everybody
    def try_code() -> AnyResponse:
        return _try_code(desk) if _awaits_code() else see("signing.sign_in")


def _try_password(desk: Desk) -> AnyResponse:
    name, password = request.form.get("name", ""), request.form.get("password", "")
    try:
        begin(desk.signing_in.with_password(name, password, visitor()))
    except Refused:
        return door_page(desk, HTTPStatus.UNAUTHORIZED, name=name, trouble=say("signing.refused"))
    except TooSoon as error:
        return door_page(desk, HTTPStatus.TOO_MANY_REQUESTS, name=name, wait=error.wait)
    except TooBusy:
        return door_page(desk, HTTPStatus.SERVICE_UNAVAILABLE, name=name, trouble=say("signing.busy"))
    return onward()


def _try_code(desk: Desk) -> AnyResponse:
    try:
        begin(desk.signing_in.with_code(cookie[TOKEN], request.form.get("code", "")[:20], visitor()))
    except Refused:
        return page("code.html", HTTPStatus.UNAUTHORIZED, wrong=say("signing.wrong_code"))
    except TooSoon as error:
        return page("code.html", HTTPStatus.TOO_MANY_REQUESTS, wait=error.wait)
    return onward()


def door_page(desk: Desk, status: HTTPStatus, **values: object) -> AnyResponse:
    """The page with the ways in."""
    return page("sign_in.html", status, provider=desk.openid.label if desk.openid else None, **values)


def begin(token: str) -> None:
    """Nothing of what the cookie held before somebody signed in is kept, but where they were going."""
    after = cookie.get(NEXT)
    _forget_all_but_language()
    cookie[TOKEN] = token
    if after:
        cookie[NEXT] = after


def onward() -> AnyResponse:
    """To where somebody was going when they were sent to the door. The guard sends them by the second factor."""
    return redirect(_within(cookie.pop(NEXT, HOME)), HTTPStatus.SEE_OTHER)


def _awaits_code() -> bool:
    return g.signed_in is not None and g.signed_in.session.stage == "password"


def _forget_all_but_language() -> None:
    chosen = cookie.get(LANGUAGE)
    cookie.clear()
    if chosen:
        cookie[LANGUAGE] = chosen


def _within(path: str) -> str:
    """The path if it leads to a page of the console, else to its first one."""
    inside = path.startswith(HOME) and "//" not in path and "\\" not in path
    return path if inside else HOME
