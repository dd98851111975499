"""The simulated Zalo over HTTP: its interfaces for the gateway, and a chat in a page for people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from flask import Blueprint, Response, jsonify, render_template, request

from providers.simulator.texts import TEXTS, ZALO_ERRORS, ZALO_TEXTS
from providers.simulator.web import LONGEST_TEXT, problem, seconds_to_wait
from providers.simulator.zalo import SENDING_ERRORS, Zalo

_USER = re.compile(r"\d{1,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ChatSample:
    """A text to try in the chat, and what it shows, in each language of the page."""

    text: str
    label: Mapping[str, str]


def blueprint(zalo: Zalo, phone: str, samples: Sequence[ChatSample] = ()) -> Blueprint:
    """Zalo's three interfaces and the chat page. `phone`: whose SMS the page shows beside the chat."""
    routes = Blueprint("zalo", __name__)
    _add_interfaces(routes, zalo)
    _add_chat(routes, zalo)

    @routes.get("/zalo")
    def page() -> str:
        language = "en" if request.args.get("lang") == "en" else "vi"
        return render_template(
            "chat.html",
            language=language,
            t=TEXTS[language] | ZALO_TEXTS[language],
            name=zalo.config.name,
            phone=phone,
            samples=samples,
            errors=ZALO_ERRORS[language],
            error=zalo.error,
        )

    return routes


def _add_interfaces(routes: Blueprint, zalo: Zalo) -> None:
    def token() -> str:
        return request.headers.get("access_token", "")

    @routes.post("/v4/oa/access_token")
    def renew() -> Response:
        secret, form = request.headers.get("secret_key", ""), request.form
        if form.get("grant_type") != "refresh_token":
            return jsonify(error=-14001, error_name="Invalid grant type")
        return jsonify(zalo.renew(form.get("app_id", ""), secret, form.get("refresh_token", "")))

    @routes.post("/v3.0/oa/message/cs")
    def send() -> Response:
        return jsonify(zalo.send(token(), request.get_json(silent=True)))

    @routes.post("/message/template")
    def notify() -> Response:
        return jsonify(zalo.notify(token(), request.get_json(silent=True)))

    @routes.get("/message/quota")
    def quota() -> Response:
        return jsonify(zalo.remaining(token()))


def _add_chat(routes: Blueprint, zalo: Zalo) -> None:
    @routes.post("/zalo/people/<user>/texts")
    def say(user: str) -> Response:
        document = request.get_json(silent=True)
        text = document.get("text") if isinstance(document, dict) else None
        if not _USER.fullmatch(user) or not isinstance(text, str) or len(text) > LONGEST_TEXT:
            return problem(400, f"text must be a text of up to {LONGEST_TEXT} characters, and the person a number")
        return jsonify(id=zalo.say(user, text))

    @routes.get("/zalo/people/<user>/conversation")
    def conversation(user: str) -> Response:
        after = request.args.get("after", 0, type=int)
        bubbles = [asdict(bubble) for bubble in zalo.conversation(user, after, seconds_to_wait())]
        return jsonify(bubbles=bubbles, follows=zalo.follows(user))

    @routes.put("/zalo/people/<user>/follows")
    def follow(user: str) -> Response:
        follows = request.get_json(silent=True)
        if not _USER.fullmatch(user) or not isinstance(follows, bool):
            return problem(400, "the body must be true or false, and the person a number")
        zalo.follow(user, follows)
        return jsonify(follows=follows)

    @routes.put("/zalo/error")
    def error() -> Response:
        code = request.get_json(silent=True)
        if not isinstance(code, int) or code not in SENDING_ERRORS:
            return problem(400, f"must be one of {', '.join(map(str, SENDING_ERRORS))}")
        zalo.error = code
        return jsonify(error=code)
