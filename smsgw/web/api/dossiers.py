"""/api/v1/dossiers: what anybody may know of a dossier, for kiosks, chat programs and other pages."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from smsgw.answers.asker import Asker
from smsgw.web.api.described import answers
from smsgw.web.api.models import Dossier, DossierQuery
from smsgw.web.api.refusals import unknown
from smsgw.web.api.rooms import Rooms
from smsgw.web.api.shell import answer, tag
from smsgw.web.problems import problem

LONGEST_CODE = 200  # characters; in what is longer nothing is looked for

_NONE = "there is no dossier with this code"
_TAG = tag("dossiers", "What anybody may know: the name, what is missing and the fee stay out.")


class Code(BaseModel):
    code: str = Field(description="However it is typed.")


def routes(api: APIBlueprint, rooms: Rooms) -> None:
    """Add the views."""

    @api.get(
        "/dossiers/<code>", tags=_TAG, summary="Where a dossier stands", responses=answers({200: Dossier}, 404, 409)
    )
    def look_up_dossier(path: Code, query: DossierQuery) -> Response:
        """The code is repaired in its form as in a text message, never in its digits; the answer has it as issued."""
        if len(path.code) > LONGEST_CODE:
            unknown(_NONE)
        asker = Asker(phone=None, language=query.language, accents=True, whole=True)
        reply = rooms.clerk.answer(rooms.clerk.understand(path.code), asker, rooms.clock())
        if reply.options:
            said = f"that may be {' or '.join(reply.options)}; ask for one of them"
            return problem(HTTPStatus.CONFLICT, said, reason="ambiguous")
        code = reply.codes[0] if reply.kind == "status" and len(reply.codes) == 1 else ""
        found = rooms.onestop.find([code]).get(code) if code else None
        if found is None:
            unknown(_NONE)
        fields = {name: getattr(found, name) for name in Dossier.model_fields if hasattr(found, name)}
        known = {"agency": found.agency_code, "step": found.step_name, "text": reply.text}
        return answer(Dossier(**fields | known))
