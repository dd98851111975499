"""One's own account: password, second factor, phone, and where one is signed in."""

from __future__ import annotations

from http import HTTPStatus

import segno
from flask import Blueprint, abort, g, request
from flask import session as cookie
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from smsgw.officials import passwords, totp
from smsgw.officials.passwords import PoorPassword, TooBusy
from smsgw.officials.signing_in import Refused, TooSoon
from smsgw.web.console.desk import Desk
from smsgw.web.console.format import Format
from smsgw.web.console.shell import language, me, needs, page, say, see, tell, visitor

UNCONFIRMED = "totp"  # where the cookie keeps a secret that no code has confirmed yet


def routes(desk: Desk) -> Blueprint:
    """/console/account."""
    own = Blueprint("account", __name__, url_prefix="/account")

    @own.get("/")
    @needs("viewer")
    def account() -> AnyResponse:
        return _shown(desk)

    @own.post("/password")
    @needs("viewer")
    def change_password() -> AnyResponse:
        wrong = _changed_password(desk)
        if wrong:
            return _shown(desk, HTTPStatus.BAD_REQUEST, wrong=wrong, trouble=wrong.get("page"))
        tell("account.password_changed")
        return see("account.account")

    @own.get("/second-factor")
    @needs("viewer")
    def second_factor() -> AnyResponse:
        return _enrolment(desk, cookie.setdefault(UNCONFIRMED, totp.new_secret()))

    @own.post("/second-factor")
    @needs("viewer")
    def confirm_second_factor() -> AnyResponse:
        return _confirm(desk)

    @own.post("/sessions/end")
    @needs("viewer")
    def end_session() -> AnyResponse:
        if not desk.signing_in.end(me(), request.form.get("session", "")):
            abort(HTTPStatus.NOT_FOUND)
        tell("account.session_ended")
        return see("account.account")

    return own


def _shown(desk: Desk, status: HTTPStatus = HTTPStatus.OK, **values: object) -> AnyResponse:
    own = {"sessions": desk.signing_in.sessions(me()), "has_password": desk.signing_in.has_password(me())}
    return page("account.html", status, this=g.signed_in.session, **own, **values)


def _changed_password(desk: Desk) -> dict[str, str]:
    """What is wrong, by the fields of the form or the page; empty if it was changed."""
    try:
        desk.signing_in.check_own(me(), request.form.get("old", ""), visitor())
        desk.accounts.set_password(me(), request.form.get("new", ""), me().name, session=g.signed_in.session.token_hash)
    except Refused:
        return {"old": say("account.old_wrong")}
    except (TooSoon, TooBusy) as error:
        return {"page": _not_now(desk, error)}
    except PoorPassword as error:
        return {"new": say(f"account.poor_{error.reason}", shortest=passwords.SHORTEST, longest=passwords.LONGEST)}
    return {}


def _confirm(desk: Desk) -> AnyResponse:
    secret = cookie.get(UNCONFIRMED)
    if not secret:
        return see("account.second_factor")
    wrong = _begun_second_factor(desk, secret)
    if wrong:
        return _enrolment(desk, secret, HTTPStatus.BAD_REQUEST, wrong=wrong, trouble=wrong.get("page"))
    cookie.pop(UNCONFIRMED)
    tell("account.second_factor_on")
    return see("account.account")


def _begun_second_factor(desk: Desk, secret: str) -> dict[str, str]:
    """What is wrong, by the fields of the form or the page; empty if it is on."""
    code, old_code = (request.form.get(name, "")[:20] for name in ("code", "old_code"))
    # Before the old code is looked at, which is used up by that.
    if totp.step_matching(secret, code, desk.clock()) is None:
        return {"code": say("signing.wrong_code")}
    try:
        desk.signing_in.check_owner(me(), request.form.get("old", ""), old_code, visitor())
    except Refused:
        return {"old_code": say("account.not_owner")} if me().second_factor else {"old": say("account.old_wrong")}
    except (TooSoon, TooBusy) as error:
        return {"page": _not_now(desk, error)}
    begun = desk.accounts.begin_second_factor(me(), secret, code, session=g.signed_in.session.token_hash)
    return {} if begun else {"code": say("signing.wrong_code")}


def _not_now(desk: Desk, error: TooSoon | TooBusy) -> str:
    if isinstance(error, TooBusy):
        return say("signing.busy")
    return say("shell.wait", time=Format(desk.timezone, language()).wait(error.wait))


def _enrolment(desk: Desk, secret: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> AnyResponse:
    qr = segno.make(totp.uri(secret, me().name, "smsgw"), micro=False, error="m")
    drawn = qr.svg_inline(scale=5, border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None)
    spaced = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
    drawing = Markup(drawn)  # noqa: S704 - drawn by segno
    has_password = desk.signing_in.has_password(me())
    return page("second_factor.html", status, qr=drawing, secret=spaced, has_password=has_password, **values)
