"""/api/v1/messages: one message to one person."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi.blueprint import APIBlueprint

from smsgw.notices.personal import Order, recipient
from smsgw.store import systems
from smsgw.store.systems import Sought
from smsgw.text.phones import mask
from smsgw.web.api.described import OF_A_BODY, answers
from smsgw.web.api.models import Id, Message, MessageOrder, Messages, MessagesSought, Once
from smsgw.web.api.refusals import unknown
from smsgw.web.api.rooms import Rooms
from smsgw.web.api.shell import answer, made, me, moment, once, tag

_TAG = tag("messages", "One message to one person; a text to many is a notice.")


def routes(api: APIBlueprint, rooms: Rooms) -> None:
    """Add the views."""

    @api.post("/messages", tags=_TAG, summary="Send a message", responses=answers({201: Message}, *OF_A_BODY, 429))
    def send_message(header: Once, body: MessageOrder) -> Response:
        """As a reminder goes: not in the quiet hours, nor to who wants none. It takes from the agency's budget."""
        order = Order(body.to, body.text, body.accents, body.reference)
        id, again = once(rooms, header.idempotency_key, lambda within: rooms.personal.send(order, me(), within))
        return made(_shown(_found(rooms, id)), again, f"/api/v1/messages/{id}")

    @api.get("/messages", tags=_TAG, summary="Messages sent, newest first", responses=answers({200: Messages}))
    def list_messages(query: MessagesSought) -> Response:
        """Those of your agency's systems; the province's see all that systems sent. Filters narrow them together."""
        sought = _sought(rooms, query)
        with rooms.database.reading() as connection:
            rows = systems.messages(connection, me().agency, sought, query.limit)
        more = rows[-1].id if len(rows) == query.limit else None
        return answer(Messages(messages=[_shown(row) for row in rows], next=more))

    @api.get("/messages/<id>", tags=_TAG, summary="What became of a message", responses=answers({200: Message}, 404))
    def show_message(path: Id) -> Response:
        """As far as carriers have said by now."""
        return answer(_shown(_found(rooms, path.id)))


def _sought(rooms: Rooms, query: MessagesSought) -> Sought:
    to = recipient(query.to) if query.to is not None else None
    since, until = moment(rooms, query.since), moment(rooms, query.until)
    return Sought(query.before, query.state, to, since, until, query.reference)


def _found(rooms: Rooms, id: str) -> Any:
    with rooms.database.reading() as connection:
        row = systems.one(connection, id, me().agency)
    if row is None:
        unknown("no system of yours has sent such a message")
    return row


def _shown(row: Any) -> Message:
    fields = {name: getattr(row, name) for name in Message.model_fields if name != "to"}
    return Message(to=mask(row.recipient), **fields)
