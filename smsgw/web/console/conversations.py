"""Conversations with citizens, found by phone or dossier; the address names a message, so that no number is in it."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response as AnyResponse

from smsgw.dossiers.reading import read
from smsgw.store.conversations import LATEST, Thread
from smsgw.text.phones import msisdn
from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import me, needs, page, say, see

LONGEST_QUERY = 200  # characters
LATE = timedelta(minutes=2)  # carriers' clocks may be off by less, and some tell no seconds


def routes(desk: Desk) -> Blueprint:
    """/console/conversations."""
    talks = Blueprint("conversations", __name__, url_prefix="/conversations")

    @talks.get("/")
    @needs("viewer")
    def conversations() -> AnyResponse:
        return page("conversations.html", removed=_removed(desk))

    @talks.post("/")
    @needs("viewer")
    def search() -> AnyResponse:
        query = request.form.get("query", "").strip()[:LONGEST_QUERY]
        found = desk.conversations.found(query, me())
        if len(found) == 1:
            return see("conversations.conversation", id=found[0].id)
        status = HTTPStatus.OK if found else HTTPStatus.NOT_FOUND
        wrong = None if found else say("conversations.nothing" if _is_read(query) else "conversations.unread")
        return page("conversations.html", status, query=query, found=found, wrong=wrong, removed=_removed(desk))

    @talks.get("/<id>")
    @needs("viewer")
    def conversation(id: str) -> AnyResponse:
        opened = desk.conversations.opened(id, me())
        if opened is None:
            abort(HTTPStatus.NOT_FOUND)
        messages, removed = _in_order(opened.thread), _removed(desk)
        return page(
            "conversation.html", conversation=opened, messages=messages, late=LATE, latest=LATEST, removed=removed
        )

    @talks.get("/<id>/trace")
    @needs("viewer")
    def trace(id: str) -> AnyResponse:
        said = desk.conversations.trace(id, me())
        if said is None:
            abort(HTTPStatus.NOT_FOUND)
        return page("trace.html", id=id, exchanges=said)

    return talks


def _removed(desk: Desk) -> datetime | None:
    """Messages that ended before are removed; None: none are."""
    return desk.kept.bounds(desk.clock()).messages


def _is_read(query: str) -> bool:
    """Whether it is a phone or a dossier's code at all."""
    return msisdn(query) is not None or bool(read(query).readings)


def _in_order(thread: Thread) -> list[tuple[datetime, bool, Any]]:
    """Both directions by their times, the oldest first: when, whether it came from the citizen, and what."""
    came = [(row.received_at, True, row) for row in thread.came]
    went = [(sent.row.created_at, False, sent) for sent in thread.went]
    return sorted([*came, *went], key=lambda item: (item[0], not item[1]))
