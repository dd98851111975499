"""The carriers' door: citizens' messages and delivery reports, each in its channel's own wire format.

A visit is opened without waiting and answered when all that it brought is committed, so that whoever serves it may wait
as it likes: the event loop in front serves a thousand at a time, the plain WSGI route below one a thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal
from urllib.parse import parse_qsl

import sqlalchemy as sa
from flask import Blueprint, Response, request

from providers.contract import BadSignature, Callback, CallbackAnswer, Malformed, Provider, Taken
from smsgw import metrics
from smsgw.clock import Clock
from smsgw.dispatch.channel import Channel
from smsgw.intake.intake import Intake
from smsgw.intake.reports import Reports
from smsgw.store.database import trouble
from smsgw.web.problems import problem, unavailable

What = Literal["inbound", "receipts"]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")  # those that carriers don't call by are told so
LARGEST_CALLBACK = 1024 * 1024  # bytes
LONGEST_NAME = 31  # of a channel

log = logging.getLogger("smsgw.web")


@dataclass(frozen=True, slots=True)
class Knock:
    """A request at the door, as it came. Header names are in lower case; `caller` is an address, for the log."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    caller: str


@dataclass(slots=True)
class Talk:
    """What a carrier says in a callback, and what it is answered, made once for the trace and for itself."""

    provider: Provider
    callback: Callback
    answer: CallbackAnswer | None = None

    def asked(self) -> str:
        said = self.callback
        return f"{said.method} {said.url}\n{said.body.decode('utf-8', 'replace')}"

    def answered(self, taken: Sequence[Taken]) -> str:
        self.answer = self.provider.answer(taken)
        return f"{HTTPStatus.OK.value}\n{self.answer.body.decode('utf-8', 'replace')}"


@dataclass(frozen=True, slots=True)
class Visit:
    """A callback in hand. `taken` comes when everything is committed, and with it the answer."""

    channel: Channel
    caller: str
    talk: Talk
    taken: Future[list[Taken]]

    def answer(self) -> Response:
        """What the carrier gets back. Waits for `taken`."""
        name = self.channel.name
        try:
            taken = self.taken.result()
            answer = self.talk.answer or self.channel.provider.answer(taken)
        except BadSignature as error:
            _note(name, "signature", self.caller, str(error))
            return problem(HTTPStatus.UNAUTHORIZED, str(error))
        except Malformed as error:
            metrics.callbacks_refused.labels(name, "malformed").inc()
            log.warning("channel %s: a callback can't be read: %s", name, error)
            return problem(HTTPStatus.BAD_REQUEST, "the body can't be read", error.errors)
        except sa.exc.SQLAlchemyError as error:
            metrics.callbacks_refused.labels(name, "database").inc()
            log.error("channel %s: the database failed: %s", name, trouble(error))
            return unavailable("the message was not stored; send it again")
        except Exception:
            metrics.callbacks_refused.labels(name, "fault").inc()
            log.exception("channel %s: a callback was not taken through a fault of ours", name)
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the message was not stored, through a fault of ours")
        return Response(answer.body, content_type=answer.content_type, headers=dict(answer.headers))


class Door:
    """Opens to carriers. `public_url`: the gateway's address as they were told it."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        intake: Intake,
        reports: Reports,
        public_url: str,
        clock: Clock,
    ) -> None:
        self._channels = channels
        self._intake = intake
        self._reports = reports
        self._address = public_url.rstrip("/")
        self._clock = clock

    def open(self, name: str, what: What, knock: Knock) -> Visit | Response:
        """Read a callback and have taken what it brings; or the answer to one that can't be let in. Never waits."""
        channel = self._channels.get(name)
        if channel is None or not _brings(channel, what):
            told = f"nothing is brought to /carrier/{name[:LONGEST_NAME]}/{what}"
            # A name that is no channel's is anybody's word, of which there may be any number.
            _note(name if channel else "", "address", knock.caller, told)
            return _nowhere(what)
        methods = channel.provider.abilities.methods
        if knock.method not in methods:
            told = f"this carrier calls by {' or '.join(sorted(methods))}"
            _note(name, "method", knock.caller, told)
            refused = problem(HTTPStatus.METHOD_NOT_ALLOWED, told)
            refused.headers["Allow"] = ", ".join(sorted(methods))
            return refused
        if len(knock.body) > LARGEST_CALLBACK:
            told = f"a callback may have {LARGEST_CALLBACK} bytes"
            _note(name, "too_large", knock.caller, told)
            return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told)
        talk = Talk(channel.provider, self._callback(knock))
        return Visit(channel, knock.caller, talk, self._taken(channel, what, talk))

    def no_room(self, name: str, what: What, why: str) -> Response:
        """The answer to a callback whose body found no room here."""
        if name not in self._channels:
            return _nowhere(what)
        metrics.callbacks_refused.labels(name, "room").inc()
        log.error("channel %s: there is no room for the body of a callback: %s", name, why)
        return unavailable("there is no room for the body; send it again")

    def _taken(self, channel: Channel, what: What, talk: Talk) -> Future[list[Taken]]:
        try:
            now, provider, callback = self._clock(), channel.provider, talk.callback
            if what == "inbound":
                messages = provider.inbound(callback, now)
                if messages or not provider.abilities.one_door:
                    return self._intake.take(channel, messages, talk)
            return self._reports.take(channel, provider.receipts(callback, now), talk)
        except Exception as error:  # it is the visit's, which logs it and answers
            refused: Future[list[Taken]] = Future()
            refused.set_exception(error)
            return refused

    def _callback(self, knock: Knock) -> Callback:
        query: dict[str, str] = {}
        if knock.query:
            for key, value in parse_qsl(knock.query, keep_blank_values=True):
                query.setdefault(key, value)
        url = f"{self._address}{knock.path}{'?' if knock.query else ''}{knock.query}"
        return Callback(knock.method, query, knock.headers, knock.body, url)


def _note(name: str, reason: str, caller: str, why: str) -> None:
    """Count and log a callback that is not taken; `name`: of its channel, if that is one."""
    metrics.callbacks_refused.labels(name, reason).inc()
    log.warning("channel %s: a callback from %s is not taken: %s", name or "unknown", caller, why)


def _nowhere(what: What) -> Response:
    return problem(HTTPStatus.NOT_FOUND, f"there is no such channel, or it brings no {what}")


def _brings(channel: Channel, what: What) -> bool:
    abilities = channel.provider.abilities
    return abilities.receives if what == "inbound" else abilities.reports


def blueprint(door: Door) -> Blueprint:
    """Routes under /carrier/."""
    routes = Blueprint("carrier", __name__, url_prefix="/carrier")

    def route(what: What) -> Callable[[str], Response]:
        def visited(name: str) -> Response:
            opened = door.open(name, what, _knock())
            return opened.answer() if isinstance(opened, Visit) else opened

        return visited

    routes.add_url_rule("/<name>/inbound", "inbound", route("inbound"), methods=METHODS)
    routes.add_url_rule("/<name>/receipts", "receipts", route("receipts"), methods=METHODS)
    return routes


def _knock() -> Knock:
    return Knock(
        method=request.method,
        path=request.path,
        query=request.query_string.decode("latin-1"),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.stream.read(LARGEST_CALLBACK + 1),
        caller=request.remote_addr or "",
    )
