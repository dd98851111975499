"""What all pages of the console have in common: who may see them, their language, their headers, and their faults."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary
from wsgiref.types import WSGIEnvironment
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Blueprint, Flask, Response, abort, current_app, flash, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask_bootstrap import Bootstrap5
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response as AnyResponse

from smsgw.dossiers.source import OneStopUnavailable
from smsgw.notices.audience.lines import MIB
from smsgw.officials.signing_in import SignedIn, SigningIn, Visitor
from smsgw.store.database import is_full, trouble
from smsgw.store.officials import Official, Role
from smsgw.text.languages import Language
from smsgw.web.console import texts
from smsgw.web.console.cookies import HostCookie
from smsgw.web.console.desk import Desk
from smsgw.web.console.format import Format, ceiling
from smsgw.web.console.words import Words
from smsgw.web.room import NoRoom, spooling

LARGEST_FORM = 64 * 1024  # bytes; a view that takes files says so by @takes
TOKEN, LANGUAGE, NEXT = "token", "language", "next"
SCRIPT = "X-Script"  # a header of what a page's own script asks
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

# Views take GET and POST; whoever comes with another is told so on a page of the console, not of the citizens.
_ANY = ("GET", "POST", "PUT", "PATCH", "DELETE")

View = TypeVar("View", bound=Callable[..., Any])

_needs: WeakKeyDictionary[Callable[..., Any], Role | None] = WeakKeyDictionary()
_takes: WeakKeyDictionary[Callable[..., Any], int] = WeakKeyDictionary()
_csrf = CSRFProtect()


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation: where it leads, its text's key, and who sees it."""

    endpoint: str
    text: str
    role: Role
    group: str = ""  # the key of the heading that it stands under
    province_wide: bool = False  # it is of no use to officials who are bound to an agency

    def is_for(self, official: Official) -> bool:
        return official.may(self.role) and not (self.province_wide and official.agency)


_CITIZENS, _SYSTEM = "shell.with_citizens", "shell.system"

NAVIGATION = (
    Entry("overview.home", "shell.home", "viewer"),
    Entry("notices.notices", "notices.title", "viewer", _CITIZENS),
    Entry("reminders.rules", "reminders.title", "viewer", _CITIZENS),
    Entry("conversations.conversations", "conversations.title", "viewer", _CITIZENS),
    Entry("voices.every", "voices.title", "viewer", _CITIZENS),
    Entry("ratings.every", "ratings.title", "viewer", _CITIZENS),
    Entry("opt_outs.opt_outs", "opt_outs.title", "sender", _CITIZENS),
    Entry("channels.channels", "channels.title", "viewer", _SYSTEM),
    Entry("doubtful.doubtful", "doubtful.title", "sender", _SYSTEM, province_wide=True),
    Entry("people.people", "people.title", "admin", _SYSTEM),
    Entry("keys.keys", "keys.title", "admin", _SYSTEM),
    Entry("audit_log.entries", "audit_log.title", "admin", _SYSTEM, province_wide=True),
)


def needs(role: Role) -> Callable[[View], View]:
    """The view is for officials who have that role; others get 403, and who isn't signed in goes to the door."""

    def mark(view: View) -> View:
        _needs[view] = role
        return view

    return mark


def for_everybody(view: View) -> View:
    """The view is for whoever comes by, as the door itself."""
    _needs[view] = None
    return view


def takes(bytes: int) -> Callable[[View], View]:
    """The view takes a body of so many bytes, where others take a form."""

    def mark(view: View) -> View:
        _takes[view] = bytes
        return view

    return mark


def me() -> Official:
    """The official at work; only in views that need a role."""
    official: Official = g.signed_in.official
    return official


def my_agencies() -> tuple[str] | None:
    """The agencies whose rows the official may see; None: all, and those of no agency."""
    agency = me().agency
    return None if agency is None else (agency,)


def only_province_wide() -> None:
    """403 for officials who are bound to an agency, where what is shown belongs to all of them."""
    if me().agency is not None:
        abort(HTTPStatus.FORBIDDEN)


def visitor() -> Visitor:
    """Where this request comes from."""
    return Visitor(request.remote_addr or "", request.user_agent.string)


def language() -> Language:
    """In which the pages speak."""
    return "en" if cookie.get(LANGUAGE) == "en" else "vi"


def say(key: str, **values: object) -> str:
    """A text in the official's language."""
    return texts.say(language(), key, **values)


def tell(key: str, kind: str = "success", **values: object) -> None:
    """Show a text on the page that comes next. `kind`: success, warning or danger."""
    flash(say(key, **values), kind)


def see(endpoint: str, **values: Any) -> AnyResponse:
    """Go on to a page of the console, named as "people.people"."""
    return redirect(url_for(f"console.{endpoint}", **values), HTTPStatus.SEE_OTHER)


def page(template: str, status: HTTPStatus = HTTPStatus.OK, **values: Any) -> Response:
    """A page made from a template of templates/console/."""
    return Response(render_template(f"console/{template}", **values), status.value, mimetype="text/html")


def prepare(app: Flask, public_url: str) -> None:
    """What the console needs of the application as a whole."""
    app.session_interface = HostCookie(public_url)
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # carriers and other systems have no forms
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # as long as one is signed in
    app.config["WTF_CSRF_METHODS"] = {"POST"}  # no view takes others that change something
    Bootstrap5(app)
    _csrf.init_app(app)
    app.add_template_filter(ceiling)


def most_of(app: Flask, signing_in: SigningIn) -> Callable[[WSGIEnvironment], int]:
    """How many bytes a request may bring, said before they are read: a file only from who may send one there."""

    def most(environ: WSGIEnvironment) -> int:
        with app.request_context(environ):
            view = app.view_functions.get(request.endpoint or "")
            if view is None or view not in _takes:
                return LARGEST_FORM
            try:
                found = _signed_in(signing_in)
            except sa.exc.SQLAlchemyError:
                return 0  # the page will say that the database is away
            role = _needs.get(view)
            at_work = found is not None and found.session.stage == "full"
            return _takes[view] if found and at_work and role and found.official.may(role) else 0

    return most


def blueprint(desk: Desk) -> Blueprint:
    """The console without its pages, which are registered on it."""
    console = Blueprint(
        "console", __name__, url_prefix="/console", template_folder="../templates", static_folder="../static/console"
    )

    @console.before_request
    def guard() -> AnyResponse | None:
        if request.endpoint == "console.static":
            return None  # also while the database is away, as the page that says so has a style, too
        g.signed_in = _signed_in(desk.signing_in)
        view = current_app.view_functions[request.endpoint or ""]
        if elsewhere := _shown_out(_needs.get(view, "nobody")):
            return elsewhere
        # Looking for the token reads the form, so it comes last: nothing is read of who may not be here.
        request.max_content_length = _takes.get(view, LARGEST_FORM)
        with spooling():
            _csrf.protect()
        return None

    console.context_processor(lambda: _common(desk.timezone))
    console.after_request(_careful)
    console.register_error_handler(CSRFError, _form_too_old)
    console.register_error_handler(HTTPException, _fault)
    console.register_error_handler(sa.exc.SQLAlchemyError, _database_away)
    console.register_error_handler(OneStopUnavailable, _onestop_away)
    console.register_error_handler(NoRoom, _no_room)

    @console.route("/", methods=[method for method in _ANY if method != "GET"], defaults={"rest": ""})
    @console.route("/<path:rest>", methods=_ANY)
    @needs("viewer")
    def nowhere(rest: str) -> AnyResponse:
        if methods := _methods_of_other_views():
            raise MethodNotAllowed(methods)
        abort(HTTPStatus.NOT_FOUND)

    return console


def _methods_of_other_views() -> list[str]:
    """How this address may be called, if it may; it is that of a form, say, and somebody has opened it by itself."""
    address, methods = current_app.create_url_adapter(request), []
    for method in ("GET", "POST"):
        with suppress(HTTPException):
            methods += [method] if address and address.match(method=method)[0] != request.endpoint else []
    return methods


def _common(zone: ZoneInfo) -> dict[str, Any]:
    """What every template is given."""
    signed_in: SignedIn | None = g.get("signed_in")
    official = signed_in.official if signed_in and signed_in.session.stage == "full" else None
    return {
        "say": say,
        "language": language(),
        "me": official,
        "navigation": [entry for entry in NAVIGATION if official and entry.is_for(official)],
        "show": (show := Format(zone, language())),
        "words": Words(language(), show),
    }


def _careful(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    if request.endpoint != "console.static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _signed_in(signing_in: SigningIn) -> SignedIn | None:
    token = cookie.get(TOKEN)
    return signing_in.current(token) if isinstance(token, str) else None


def _shown_out(role: str | None) -> AnyResponse | None:
    """Where somebody goes who may not see a view that needs this role; None if they may."""
    if role is None:
        return None
    signed_in: SignedIn | None = g.signed_in
    if SCRIPT in request.headers and (signed_in is None or signed_in.session.stage != "full"):
        abort(HTTPStatus.UNAUTHORIZED)
    if signed_in is None or signed_in.session.stage != "full":
        _remember_where()
        return see("signing.code" if signed_in else "signing.sign_in")
    if role == "nobody" or not signed_in.official.may(role):  # type: ignore[arg-type] # nobody is no role
        abort(HTTPStatus.FORBIDDEN)
    return None


def _remember_where() -> None:
    """Where somebody goes on once they are signed in; who sent a form is told that nothing came of it."""
    if request.method == "GET":
        cookie[NEXT] = request.full_path.rstrip("?")
    elif request.method == "POST":
        form = urlsplit(request.referrer or "")
        cookie[NEXT] = f"{form.path}?{form.query}".rstrip("?")
        tell("signing.lost", "warning")


def _form_too_old(error: CSRFError) -> Response:
    return _trouble(HTTPStatus.BAD_REQUEST, "csrf")


def _fault(error: HTTPException) -> AnyResponse:
    if error.response is not None:
        return error.response  # type: ignore[return-value] # a redirect
    status = HTTPStatus(error.code or 500)
    most = _takes.get(current_app.view_functions[request.endpoint or ""])
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and most:
        return _trouble(status, "file", limit=most // MIB)
    known = {400, 403, 404, 405, 413, 429}
    response = _trouble(status, str(status.value) if status.value in known else "other")
    if isinstance(error, MethodNotAllowed):
        response.allow.update(error.valid_methods or ())
    return response


def _database_away(error: sa.exc.SQLAlchemyError) -> Response:
    if isinstance(error, sa.exc.DataError):
        return _trouble(HTTPStatus.BAD_REQUEST, "400")  # it is there, and takes no such text: one with a NUL
    current_app.logger.error("the database failed: %s", trouble(error))
    if is_full(error):
        return _trouble(HTTPStatus.INSUFFICIENT_STORAGE, "507")
    return _trouble(HTTPStatus.SERVICE_UNAVAILABLE, "503")


def _onestop_away(error: OneStopUnavailable) -> Response:
    return _trouble(HTTPStatus.SERVICE_UNAVAILABLE, "onestop")


def _no_room(full: NoRoom) -> Response:
    current_app.logger.error("%s %s: there is no room for the body: %s", request.method, request.path, str(full))
    return _trouble(HTTPStatus.INSUFFICIENT_STORAGE, "507")


def _trouble(status: HTTPStatus, why: str, **values: object) -> Response:
    return page("trouble.html", status, why=why, values=values)
