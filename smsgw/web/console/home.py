"""The console's first page: how things stand today, and how they went lately."""

from __future__ import annotations

from flask import Blueprint, url_for
from werkzeug.wrappers import Response as AnyResponse

from smsgw.notices.waits import Waits, waits
from smsgw.store import channels, voices
from smsgw.store.channels import Channel
from smsgw.store.states import State
from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import me, my_agencies, needs, page

DAYS = 30


def routes(desk: Desk) -> Blueprint:
    """/console/."""
    overview = Blueprint("overview", __name__)

    @overview.get("/")
    @needs("viewer")
    def home() -> AnyResponse:
        today = desk.activity.today()
        days = desk.activity.days(DAYS)
        labels = [f"{day:%d/%m}" for day, _ in days]
        notices = waits(desk.notices.means, me())
        return page(
            "home.html",
            waits=_waits(desk, notices, today.outbox.states[State.UNKNOWN]),
            held=notices.held,
            today=today,
            channels=_channels(desk),
            total=today.total,
            labels=labels,
            days=[traffic for _, traffic in days],
            times=desk.activity.reply_times(DAYS),
        )

    return overview


def _channels(desk: Desk) -> dict[str, Channel]:
    """The channels as they are now; the figures may be some seconds old."""
    with desk.database.reading() as connection:
        return {name: one for name, one in channels.every(connection).items() if name in desk.roads.channels}


def _waits(desk: Desk, notices: Waits, doubts: int) -> dict[str, tuple[int, str]]:
    """What waits for the official at work: how many, and where. `doubts`: messages in doubt, of the whole province."""
    with desk.database.reading() as connection:
        said = voices.counts(connection, agencies=my_agencies())["new"]
    found = {
        "notices": (notices.approve, url_for("console.notices.notices", show="submitted")),
        "returned": (notices.write_again, url_for("console.notices.notices", show="draft")),
        "paused": (notices.resume, url_for("console.notices.notices", show="sending")),
        "voices": (said if me().may("sender") else 0, url_for("console.voices.every")),
        "doubts": (doubts if me().may("sender") and not me().agency else 0, url_for("console.doubtful.doubtful")),
    }
    return {name: wait for name, wait in found.items() if wait[0]}
