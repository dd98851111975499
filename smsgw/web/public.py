"""The public look-up page: the same answers as by SMS to a stranger, with accents, and a QR code that texts for you."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import segno
from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response as AnyResponse

from smsgw.answers.asked import LookUp, OfPhone, Request, exactly
from smsgw.answers.asker import Asker, Reply
from smsgw.answers.asking import EXAMPLE
from smsgw.clock import Clock
from smsgw.dossiers.codes import parse
from smsgw.dossiers.hints import Hint
from smsgw.dossiers.source import OneStopUnavailable
from smsgw.intake.clerk import Clerk
from smsgw.network import network_of
from smsgw.text.languages import Language
from smsgw.web.guessing import Guesses
from smsgw.web.public_texts import TEXTS

LONGEST_QUERY = 200  # characters
RETRY_AFTER = "60"  # seconds

_STATUS_OF = {
    "status": HTTPStatus.OK,
    "not_found": HTTPStatus.NOT_FOUND,
    "refused": HTTPStatus.TOO_MANY_REQUESTS,
}


@dataclass(frozen=True, slots=True)
class Counter:
    """How the province is reached otherwise: short code, its keyword, and the hotline."""

    short_code: str
    keyword: str
    hotline: str


def blueprint(clerk: Clerk, counter: Counter, clock: Clock) -> Blueprint:
    """/, /tra-cuu and /tra-cuu/<code>."""
    routes = Blueprint("public", __name__, template_folder="templates", static_folder="static/public")
    guesses = Guesses()

    @routes.get("/")
    def home() -> Response:
        return _page(counter)

    @routes.get("/tra-cuu", strict_slashes=False)
    def look_up() -> AnyResponse:
        query = request.args.get("ma", "").strip()[:LONGEST_QUERY]
        if not query:
            return _page(counter)
        asked = clerk.understand(query)
        answered = _answer(clerk, guesses, asked, clock())
        if answered and (found := _alone(asked, answered)):
            return _see("dossier", code=found)
        return _answered(counter, query, asked, answered)

    @routes.get("/tra-cuu/<code>", strict_slashes=False)
    def dossier(code: str) -> AnyResponse:
        query = code[:LONGEST_QUERY]
        if parse(query) is None:
            return _see("look_up", ma=query)
        asked = exactly(query)
        return _answered(counter, query, asked, _answer(clerk, guesses, asked, clock()))

    routes.after_request(careful)
    return routes


def fault(counter: Counter, error: HTTPException) -> AnyResponse:
    """What a citizen is told who opens an address where there is nothing, or asks for something in a wrong way."""
    if error.response is not None:
        return error.response  # type: ignore[return-value] # a redirect
    response = careful(_trouble(counter, HTTPStatus(error.code or 500)))
    if isinstance(error, MethodNotAllowed):
        response.allow.update(error.valid_methods or ())
    return response


def careful(response: Response) -> Response:
    """With the headers of a page that needs nothing but styles and pictures of ours."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def sms_link(counter: Counter, code: str) -> str:
    """A link that opens a phone's SMS app with number and text filled in; this form works on Android and iOS."""
    return f"sms:{counter.short_code}?&body={quote(f'{counter.keyword} {code}')}"


def sms_qr(counter: Counter, code: str) -> str:
    """The same as a QR code, as an SVG. Cameras of both systems know SMSTO."""
    qr = segno.make(f"SMSTO:{counter.short_code}:{counter.keyword} {code}", micro=False, error="m")
    return str(
        qr.svg_inline(scale=5, border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None)
    )


def _see(page: str, **values: str) -> AnyResponse:
    return redirect(url_for(f".{page}", **(values | _language_in_links())), HTTPStatus.SEE_OTHER)  # type: ignore[arg-type]


def _answer(clerk: Clerk, guesses: Guesses, asked: Request, now: datetime) -> Reply | None:
    """The clerk's reply; None if the one-stop database is away."""
    visitor = network_of(request.remote_addr or "")
    misses = guesses.count(visitor, now)
    asker = Asker(phone=None, language=_language(), accents=True, whole=True, misses=misses)
    try:
        reply = clerk.answer(asked, asker, now)
    except OneStopUnavailable:
        return None
    guesses.add(visitor, reply.misses, now)
    return reply


def _alone(asked: Request, reply: Reply) -> str | None:
    """The code of the dossier that is told of, if nothing else was asked for with it."""
    alone = isinstance(asked, LookUp) and len(asked.read.readings) == 1 and not asked.read.short
    return reply.codes[0] if alone and reply.kind == "status" else None


def _as_typed(asked: Request, reply: Reply) -> str | None:
    """The text for somebody who types here, in place of one that speaks of texting; None where the reply does not."""
    if reply.kind == "not_found" and len(reply.codes) == 1:
        key, code = "not_found", reply.codes[0]
    elif reply.kind == "not_found" and isinstance(asked, LookUp) and len(asked.read.readings) == 1:
        key, code = "part", ""
    elif isinstance(asked, OfPhone) or (isinstance(asked, LookUp) and asked.read.readings):
        return None
    else:
        hint = asked.read.hint if isinstance(asked, LookUp) else Hint.NOTHING
        key, code = hint.name.lower(), ""
    return TEXTS[_language()][f"say_{key}"].format(code=code, example=EXAMPLE)


def _answered(counter: Counter, query: str, asked: Request, reply: Reply | None) -> Response:
    if reply is None:
        response = _page(counter, HTTPStatus.SERVICE_UNAVAILABLE, query=query, away=True)
        response.headers["Retry-After"] = RETRY_AFTER
    else:
        found = _alone(asked, reply)
        status = _STATUS_OF.get(reply.kind, HTTPStatus.OK)
        response = _page(counter, status, query=found or query, reply=reply, found=found, said=_as_typed(asked, reply))
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _page(counter: Counter, status: HTTPStatus = HTTPStatus.OK, found: str | None = None, **values: Any) -> Response:
    page = render_template(
        "public/page.html",
        **_common(counter),
        found=found,
        link=sms_link(counter, found) if found else None,
        qr=Markup(sms_qr(counter, found)) if found else None,  # noqa: S704 - drawn by segno from a canonical code
        **values,
    )
    return make_response(page, status)


def _trouble(counter: Counter, status: HTTPStatus) -> Response:
    known = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
    why = str(status.value) if status in known else "other"
    page = render_template("public/trouble.html", **_common(counter), why=why)
    return make_response(page, status)


def _common(counter: Counter) -> dict[str, Any]:
    language = _language()
    return {
        "language": language,
        "t": TEXTS[language],
        "counter": counter,
        "example": EXAMPLE,
        "links": _language_in_links(),
        "hotline": Markup('<a href="tel:{}">{}</a>').format(_dialled(counter.hotline), counter.hotline),
    }


def _dialled(number: str) -> str:
    """A number as a phone dials it, however it is written."""
    return "".join(sign for sign in number if sign.isdigit() or sign == "+")


def _language() -> Language:
    return "en" if request.args.get("lang") == "en" else "vi"


def _language_in_links() -> dict[str, str]:
    """Vietnamese needs no mark; English is carried along."""
    return {"lang": "en"} if _language() == "en" else {}
