"""Signing in by the word of the province's OpenID Connect provider: off to it, and back."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, abort, url_for
from werkzeug.wrappers import Response as AnyResponse

from smsgw.officials.signing_in import Refused
from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import for_everybody, say, visitor
from smsgw.web.console.signing import begin, door_page, onward
from smsgw.web.openid import NotVouched, Provider, Reason

_STATUS_OF: dict[Reason, HTTPStatus] = {
    "away": HTTPStatus.SERVICE_UNAVAILABLE,
    "busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "denied": HTTPStatus.FORBIDDEN,
    "stale": HTTPStatus.BAD_REQUEST,
    "wrong": HTTPStatus.BAD_GATEWAY,
    "unverified": HTTPStatus.FORBIDDEN,
}


def routes(desk: Desk) -> Blueprint:
    """/console/openid and /console/openid/back; 404 where no provider is set up."""
    way = Blueprint("vouching", __name__, url_prefix="/openid")

    @way.get("/")
    @for_everybody
    def leave() -> AnyResponse:
        provider = _provider(desk)
        try:
            return provider.leave_for(desk.public_url.rstrip("/") + url_for(".come_back"))
        except NotVouched as error:
            return _not_vouched(desk, provider, error)

    @way.get("/back")
    @for_everybody
    def come_back() -> AnyResponse:
        provider = _provider(desk)
        try:
            name = provider.vouched()
        except NotVouched as error:
            return _not_vouched(desk, provider, error)
        try:
            begin(desk.signing_in.vouched_for(name, visitor()))  # the second factor is asked for as after a password
        except Refused:
            trouble = say("vouching.unknown", provider=provider.label, name=name)
            return door_page(desk, HTTPStatus.FORBIDDEN, trouble=trouble)
        return onward()

    return way


def _provider(desk: Desk) -> Provider:
    if desk.openid is None:
        abort(HTTPStatus.NOT_FOUND)
    return desk.openid


def _not_vouched(desk: Desk, provider: Provider, error: NotVouched) -> AnyResponse:
    trouble = say(f"vouching.{error.reason}", provider=provider.label)
    return door_page(desk, _STATUS_OF[error.reason], trouble=trouble)
