"""Conversations with citizens, found by phone or dossier; the address names a message, so that no number is in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response as AnyResponse

from smsgw.dossiers.reading import read
from smsgw.officials import audit
from smsgw.store import callbacks, exchanges, systems
from smsgw.store import conversations as rows
from smsgw.store.conversations import Talk, Thread
from smsgw.text.phones import msisdn
from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import me, needs, page, say, see

LONGEST_QUERY = 200  # characters


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
        found = [talk for talk in _found(desk, query) if _visible(desk, talk.phone) is not None]
        if len(found) == 1:
            return see("conversations.conversation", id=found[0].id)
        status = HTTPStatus.OK if found else HTTPStatus.NOT_FOUND
        wrong = None if found else say("conversations.nothing" if _is_read(query) else "conversations.unread")
        return page("conversations.html", status, query=query, found=found, wrong=wrong, removed=_removed(desk))

    @talks.get("/<id>")
    @needs("viewer")
    def conversation(id: str) -> AnyResponse:
        with desk.database.reading() as connection:
            phone = rows.phone_of(connection, id)
        thread = _visible(desk, phone) if phone else None
        if phone is None or thread is None:
            abort(HTTPStatus.NOT_FOUND)
        with desk.database.writing("officials") as connection:
            audit.record(connection, me().name, "conversation.view", phone, {}, desk.clock())
        with desk.database.reading() as connection:
            senders = systems.senders(connection, [sent.row.id for sent in thread.went])
        messages = _in_order(thread)
        return page("conversation.html", phone=phone, messages=messages, senders=senders, removed=_removed(desk))

    @talks.get("/<id>/trace")
    @needs("viewer")
    def trace(id: str) -> AnyResponse:
        return _trace(desk, id)

    return talks


def _removed(desk: Desk) -> datetime | None:
    """Messages that ended before are removed; None: none are."""
    return desk.kept.bounds(desk.clock()).messages


def _trace(desk: Desk, id: str) -> AnyResponse:
    """What was said with the carrier about a message that the official may see."""
    with desk.database.reading() as connection:
        phone = rows.phone_of(connection, id)
        said = [*exchanges.of_message(connection, id), *callbacks.of_message(connection, id)]
    thread = _visible(desk, phone) if phone else None
    if thread is None or id not in {row.id for row in [*thread.came, *(sent.row for sent in thread.went)]}:
        abort(HTTPStatus.NOT_FOUND)
    return page("trace.html", id=id, exchanges=sorted(said, key=lambda one: one.at))


def _is_read(query: str) -> bool:
    """Whether it is a phone or a dossier's code at all."""
    return msisdn(query) is not None or bool(read(query).readings)


def _found(desk: Desk, query: str) -> list[Talk]:
    """Whom a search means: a phone, or those who asked about a dossier and the one on it."""
    if phone := msisdn(query):
        with desk.database.reading() as connection:
            return rows.with_phones(connection, [phone])
    codes = [code for reading in read(query).readings for code in reading.candidates]
    dossiers = {code: dossier for code, dossier in desk.onestop.find(codes).items() if me().sees(dossier.agency_code)}
    owners = {phone for dossier in dossiers.values() if (phone := dossier.owner)}
    # A dossier may have left the one-stop database; then nobody knows any more whose agency's it was.
    asked = codes if me().agency is None else dossiers
    with desk.database.reading() as connection:
        talks = rows.about(connection, asked)
        talks += rows.with_phones(connection, owners - {talk.phone for talk in talks})
    return list({talk.phone: talk for talk in talks}.values())


def _visible(desk: Desk, phone: str) -> Thread | None:
    """Of a conversation what the official may see; None if that is nothing."""
    with desk.database.reading() as connection:
        thread = rows.thread(connection, phone)
    if (agency := me().agency) is not None:
        thread = _of_agency(desk, thread, agency)
    return thread if thread.came or thread.went else None


def _ours(desk: Desk, codes: Iterable[str]) -> set[str]:
    """Those of these dossiers that the official's agency handles."""
    dossiers = desk.onestop.find(list(codes))
    return {code for code, dossier in dossiers.items() if me().sees(dossier.agency_code)}


def _of_agency(desk: Desk, thread: Thread, agency: str) -> Thread:
    """What was asked about an agency's dossiers and no others, the replies to it, and what it sent."""
    ids = [sent.row.id for sent in thread.went]
    with desk.database.reading() as connection:
        own = rows.notices_of(connection, ids, agency) | systems.messages_of(connection, ids, agency)
        reminders = rows.reminders_of(connection, ids)
    codes = {code for row in thread.came for code in (row.codes or "").split()}
    ours = _ours(desk, codes | set(reminders.values()))
    came = [row for row in thread.came if row.codes and set(row.codes.split()) <= ours]
    asked = {row.id for row in came}
    told = own | {id for id, code in reminders.items() if code in ours}
    return Thread(came, [sent for sent in thread.went if sent.row.in_reply_to in asked or sent.row.id in told])


def _in_order(thread: Thread) -> list[tuple[datetime, bool, Any]]:
    """Both directions by their times, the oldest first: when, whether it came from the citizen, and what."""
    came = [(row.received_at, True, row) for row in thread.came]
    went = [(sent.row.created_at, False, sent) for sent in thread.went]
    return sorted([*came, *went], key=lambda item: (item[0], not item[1]))
