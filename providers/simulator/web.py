"""The simulated carrier over HTTP: the aggregator's API for the gateway, and a handset in a page for people."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hmac import compare_digest
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, render_template, request, url_for
from flask.json.provider import DefaultJSONProvider

from providers.simulator.carrier import Carrier
from providers.simulator.texts import FAULTS, TEXTS

MOST_MESSAGES = 1000  # in one submission
LONGEST_TEXT = 5000
LONGEST_WAIT = 25.0  # seconds
SHARES = (0, 0.25, 0.5, 1)

_PHONE = re.compile(r"(?:\+84|0084|84|0)([1-9]\d{8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sample:
    """A text to try: who sends it, and what it shows, in each language of the page."""

    sender: str
    text: str
    label: Mapping[str, str]


def create_app(carrier: Carrier, samples: Sequence[Sample] = (), chat: Blueprint | None = None) -> Flask:
    """A WSGI application over a carrier. `chat`: the routes of the simulated Zalo, which the handset then links to."""
    logging.getLogger("uvicorn.error").addFilter(_CUT_ON_PURPOSE)
    app = Flask(__name__)
    app.json = _Json(app)
    app.config["MAX_CONTENT_LENGTH"] = 8 * 1024 * 1024

    @app.after_request
    def careful(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
            " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    _add_gateway_api(app, carrier)
    _add_handset_api(app, carrier)
    _add_page(app, carrier, samples)
    if chat is not None:
        app.register_blueprint(chat)
    return app


class _Json(DefaultJSONProvider):
    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            return super().loads(s, **kwargs)
        except RecursionError:
            raise ValueError("it is nested too deep") from None


def _add_gateway_api(app: Flask, carrier: Carrier) -> None:
    @app.post("/messages")
    def messages() -> Response:
        given = request.headers.get("Authorization", "")
        if not compare_digest(given.encode(), f"Bearer {carrier.config.token}".encode()):
            return problem(401, "the token is missing or wrong")
        document = request.get_json(silent=True)
        batch = document.get("messages") if isinstance(document, dict) else None
        if not isinstance(batch, list) or len(batch) > MOST_MESSAGES:
            return problem(400, "the body can't be read", [("messages", f"must be a list of up to {MOST_MESSAGES}")])
        return _submission(carrier, batch)

    @app.get("/healthz")
    def alive() -> Response:
        return jsonify(status="ok")


def seconds_to_wait() -> float:
    """How long a page wants to wait for a new bubble."""
    # In this order, max makes 0 of "nan", which is neither over nor under anything and would be waited for without end.
    return min(max(0.0, request.args.get("wait", 0.0, type=float)), LONGEST_WAIT)


def _add_handset_api(app: Flask, carrier: Carrier) -> None:
    @app.post("/handset/texts")
    def texts() -> Response:
        document = request.get_json(silent=True)
        values = document if isinstance(document, dict) else {}
        wrong = _wrong_text(values)
        if wrong:
            return problem(400, "; ".join(f"{field}: {what}" for field, what in wrong), wrong)
        return jsonify(id=carrier.text(_number(values["from"]), values["text"]))

    @app.get("/handset/conversations/<number>")
    def conversation(number: str) -> Response:
        after = request.args.get("after", 0, type=int)
        bubbles = carrier.conversation(_number(number), after, seconds_to_wait())
        return jsonify(bubbles=[asdict(bubble) for bubble in bubbles])

    @app.get("/handset/faults")
    def faults() -> Response:
        return jsonify(carrier.faults.as_dict())

    @app.put("/handset/faults")
    def change_faults() -> Response:
        document = request.get_json(silent=True)
        if not isinstance(document, dict):
            return problem(400, "the body must be an object of faults")
        if wrong := carrier.faults.change(document):
            return problem(400, "nothing was changed", wrong)
        return jsonify(carrier.faults.as_dict())

    @app.get("/handset/counters")
    def counters() -> Response:
        return jsonify(carrier.counters())


def _add_page(app: Flask, carrier: Carrier, samples: Sequence[Sample]) -> None:
    @app.get("/")
    def handset() -> str:
        language = "en" if request.args.get("lang") == "en" else "vi"
        return render_template(
            "handset.html",
            language=language,
            t=TEXTS[language],
            faults=FAULTS[language],
            state=carrier.faults.as_dict(),
            shares=SHARES,
            samples=samples,
            senders=list(dict.fromkeys(sample.sender for sample in samples)) or ["84912345678"],
            short_code=carrier.config.short_code,
            chat=url_for("zalo.page", lang=language) if "zalo" in app.blueprints else None,
        )


def _submission(carrier: Carrier, batch: list[Any]) -> Response:
    """Take a batch, with whatever goes wrong on the way."""
    faults = carrier.faults
    if faults.latency:
        time.sleep(faults.latency)
    if faults.happens("cut_before"):
        return _cut()
    if faults.happens("throttle_429"):
        answer = problem(429, "slow down")
        answer.headers["Retry-After"] = f"{faults.retry_after:g}"
        return answer
    if faults.happens("error_500"):
        return problem(500, "the carrier failed")
    results = carrier.submit(batch)
    if faults.happens("cut_after"):
        return _cut()
    return jsonify(results=results)


def _cut() -> Response:
    """An answer that promises more bytes than it has: the server then breaks the connection."""
    answer = Response(b"", 200)
    answer.headers["Content-Length"] = "64"
    answer.automatically_set_content_length = False
    return answer


class _CutOnPurpose(logging.Filter):
    """To the server an answer that breaks off is a fault, and worth a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return "shorter than Content-Length" not in str(error)


_CUT_ON_PURPOSE = _CutOnPurpose()


def _number(written: str) -> str:
    """A phone as the network knows it, however its owner writes it; anything else stays what it is."""
    digits = re.sub(r"[\s().\-]", "", written)
    national = _PHONE.fullmatch(digits)
    return f"84{national[1]}" if national else written


def _wrong_text(values: dict[str, Any]) -> list[tuple[str, str]]:
    wrong = []
    sender, text = values.get("from"), values.get("text")
    if not isinstance(sender, str) or not sender.strip() or len(sender) > 20:
        wrong.append(("from", "must be the number or name of a sender"))
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        wrong.append(("text", f"must be a text of up to {LONGEST_TEXT} characters"))
    return wrong


def problem(status: int, detail: str, errors: Sequence[tuple[str, str]] = ()) -> Response:
    """A refusal as RFC 9457 has it. `errors`: each field that is wrong, and what of it."""
    body: dict[str, Any] = {"type": "about:blank", "status": status, "detail": detail}
    if errors:
        body["errors"] = [{"field": field, "problem": what} for field, what in errors]
    return Response(json.dumps(body), status, content_type="application/problem+json")
