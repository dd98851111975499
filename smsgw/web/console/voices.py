"""Citizens' complaints and questions: the inbox of an agency, and one of them with its answer."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, abort, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from smsgw.intake.voices import LONGEST_ANSWER
from smsgw.store import voices
from smsgw.store.voices import STATES, Voice
from smsgw.text.phones import mask_all
from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import me, my_agencies, needs, page, say, see, tell

A_PAGE = 50
LONGEST_REASON = 200  # characters


def routes(desk: Desk) -> Blueprint:
    """/console/voices/."""
    inbox = Blueprint("voices", __name__, url_prefix="/voices")

    @inbox.get("/")
    @needs("viewer")
    def every() -> AnyResponse:
        return _inbox(desk)

    @inbox.get("/<id>")
    @needs("viewer")
    def one(id: str) -> AnyResponse:
        return _shown(desk, _theirs(desk, id))

    @inbox.post("/<id>")
    @needs("sender")
    def answer(id: str) -> AnyResponse:
        return _answer(desk, _theirs(desk, id))

    @inbox.post("/<id>/close")
    @needs("sender")
    def close(id: str) -> AnyResponse:
        voice, reason = _theirs(desk, id), request.form.get("reason", "").strip()[:LONGEST_REASON]
        if voice.state == "new" and not reason:
            return _shown(desk, voice, HTTPStatus.BAD_REQUEST, wrong_reason=say("voices.reason_missing"))
        if desk.voices.close(voice, me().name, reason):
            tell("voices.closed_now", number=voice.number)
        else:
            tell("voices.too_late", "warning", number=voice.number)
        return see("voices.every")

    return inbox


def _inbox(desk: Desk) -> AnyResponse:
    """The complaints and questions of one state, a page of them."""
    state: voices.State = next((state for state in STATES if state == request.args.get("state")), "new")
    with desk.database.reading() as connection:
        theirs = my_agencies()
        found = voices.page(connection, state, theirs, request.args.get("after", ""), A_PAGE + 1)
        counts = voices.counts(connection, agencies=theirs)
        undelivered = voices.undelivered(connection, [voice.id for voice in found])
    shown = found[:A_PAGE]
    last = shown[-1].id if len(found) > A_PAGE else None
    more = url_for("console.voices.every", state=state, after=last) if last else None
    removed = desk.kept.bounds(desk.clock()).complaints if state == "closed" else None
    return page(
        "voices.html",
        voices=shown,
        state=state,
        counts=counts,
        undelivered=undelivered,
        more=more,
        removed=removed,
        mask=mask_all,
    )


def _answer(desk: Desk, voice: Voice) -> AnyResponse:
    """Show an answer as it goes out; send it once it was shown."""
    text = _typed("answer")
    if not 1 <= len(text) <= LONGEST_ANSWER:
        wrong = say("voices.length", longest=LONGEST_ANSWER)
        return _shown(desk, voice, HTTPStatus.BAD_REQUEST, wrong=wrong, text=text)
    if voice.state == "new" and _typed("seen") != text:
        draft = desk.voices.draft(voice, text)
        cost = draft.message.segments * desk.tariffs.get(draft.message.channel, 0)
        return _shown(desk, voice, text=text, draft=draft, cost=cost)
    if desk.voices.answer(voice, text, me().name):
        tell("voices.answer_sent", number=voice.number)
    else:
        tell("voices.too_late", "warning", number=voice.number)
    return see("voices.one", id=voice.id)


def _theirs(desk: Desk, id: str) -> Voice:
    """404 also for what belongs to another agency."""
    with desk.database.reading() as connection:
        voice = voices.by_id(connection, id)
    if voice is None or not me().sees(voice.agency_code):
        abort(HTTPStatus.NOT_FOUND)
    return voice


def _typed(name: str) -> str:
    """What stands in a field of more than one line."""
    return request.form.get(name, "").replace("\r\n", "\n").strip()


def _shown(
    desk: Desk, voice: Voice, status: HTTPStatus = HTTPStatus.OK, text: str = "", **values: object
) -> AnyResponse:
    with desk.database.reading() as connection:
        undelivered = voices.undelivered(connection, [voice.id])
    return page(
        "voice.html",
        status,
        voice=voice,
        undelivered=undelivered,
        text=text,
        longest=LONGEST_ANSWER,
        mask=mask_all,
        **values,
    )
