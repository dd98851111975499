"""Errors as `application/problem+json` (RFC 9457), for machines that call us."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus

from flask import Response

AGAIN_IN = "5"  # seconds


def problem(
    status: HTTPStatus, detail: str, errors: Sequence[tuple[str, str]] = (), reason: str | None = None
) -> Response:
    """A refusal: what was wrong; in `errors` which field and what was expected of it; `reason`: a word for programs."""
    body: dict[str, object] = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    if reason:
        body["reason"] = reason
    if errors:
        body["errors"] = [{"field": field, "problem": wrong} for field, wrong in errors]
    return Response(json.dumps(body), status.value, content_type="application/problem+json")


def unavailable(detail: str) -> Response:
    """A refusal of what may be sent again as it is: something of ours is away or full."""
    refused = problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, reason="away")
    refused.headers["Retry-After"] = AGAIN_IN
    return refused
