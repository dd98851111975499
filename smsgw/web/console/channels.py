"""The channels: whether they send, why not, and pausing and releasing them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response as AnyResponse

from smsgw.dispatch.channel import Channel
from smsgw.officials.steering import NoSuchChannel
from smsgw.store import channels as rows
from smsgw.store import quotas
from smsgw.store.figures import ChannelFigures
from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import me, needs, only_province_wide, page, say, see, tell

LONGEST_REASON = 200  # characters


def routes(desk: Desk) -> Blueprint:
    """/console/channels."""
    roads = Blueprint("channels", __name__, url_prefix="/channels")

    def shown(status: HTTPStatus = HTTPStatus.OK, **values: object) -> AnyResponse:
        waiting, known = desk.activity.today().outbox.channels, desk.roads.channels
        with desk.database.reading() as connection:
            every = _that_matter(rows.every(connection), waiting, known)
            events = {name: rows.events(connection, name, limit=10) for name in every}
            left = quotas.every(connection)
        found = {"rows": every, "events": events, "waiting": waiting, "known": known, "quotas": left}
        return page("channels.html", status, now=desk.clock(), **found, **values)

    def steer(name: str) -> AnyResponse:
        only_province_wide()
        reason = request.form.get("reason", "").strip()[:LONGEST_REASON]
        if not reason:
            return shown(HTTPStatus.BAD_REQUEST, wrong={name: say("channels.reason_missing")})
        steps = {"pause": desk.steering.pause, "release": desk.steering.release}
        step = steps.get(request.form.get("step", "")) or abort(HTTPStatus.BAD_REQUEST)
        try:
            step(name, reason, me().name)
        except NoSuchChannel:
            abort(HTTPStatus.NOT_FOUND)
        tell("channels.paused" if step == desk.steering.pause else "channels.released", name=name)
        return see("channels.channels")

    @roads.get("/")
    @needs("viewer")
    def channels() -> AnyResponse:
        return shown()

    @roads.post("/<name>")
    @needs("admin")
    def decide(name: str) -> AnyResponse:
        return steer(name)

    return roads


def _that_matter(
    every: Mapping[str, rows.Channel], waiting: Mapping[str, ChannelFigures], known: Mapping[str, Channel]
) -> dict[str, rows.Channel]:
    """Those of the settings, and those that were taken out of them for as long as something waits there."""
    busy = {name for name, one in waiting.items() if one.queued or one.sending}
    return {name: row for name, row in every.items() if name in known or name in busy}
