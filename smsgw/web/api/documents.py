"""What /api is, for programs at /api/openapi.json and for people at /api/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, render_template
from flask_openapi.openapi import OpenAPI

from smsgw import __version__
from smsgw.web.public import careful

SCHEME = {"type": "http", "scheme": "bearer", "description": "A key that smsgw key add made."}
_REF = "#/components/schemas/"


def info() -> dict[str, str]:
    """What the description says of all of it."""
    return {
        "title": "smsgw",
        "version": __version__,
        "description": "Messages, notices, dossiers and figures, for other systems of the province. Times are in UTC."
        " Errors are of the type application/problem+json (RFC 9457).",
    }


def blueprint(app: OpenAPI) -> Blueprint:
    """/api/openapi.json and /api/."""
    routes = Blueprint("api_documents", __name__, url_prefix="/api", template_folder="../templates")

    @routes.get("/openapi.json")
    def description() -> Response:
        return jsonify(app.api_doc)

    @routes.get("/")
    def reference() -> Response:
        page = render_template("api/reference.html", document=app.api_doc, type_of=type_of, model_of=model_of)
        return Response(page, mimetype="text/html")

    routes.after_request(careful)
    return routes


def type_of(schema: Mapping[str, Any]) -> str:
    """A field's type in a few words."""
    if "anyOf" in schema:
        return " or ".join(type_of(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REF)
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {type_of(schema['additionalProperties'])}"
    return str(schema.get("format") or schema.get("type", "anything")) + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    """How long or large it may be, if that is said."""
    if "maxLength" in schema:
        return f" of at most {schema['maxLength']} characters"
    if "minimum" in schema and "maximum" in schema:
        return f" from {schema['minimum']:.0f} to {schema['maximum']:.0f}"
    return ""


def model_of(content: Mapping[str, Any] | None) -> str | None:
    """The model that a body is, if it is one of ours."""
    schema = ((content or {}).get("application/json") or {}).get("schema", {})
    return str(schema["$ref"]).removeprefix(_REF) if "$ref" in schema else None
