"""One notice: its preview, what may be done with it, and how far it is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response as AnyResponse

from smsgw.dossiers import selecting
from smsgw.dossiers.source import OneStopUnavailable
from smsgw.notices.audience import expression
from smsgw.notices.audience.expression import FilterError
from smsgw.notices.audience.problems import retold
from smsgw.notices.life import MOVES, Move, State, open_moves
from smsgw.notices.office import GATEWAY
from smsgw.notices.preview import Preview, preview
from smsgw.notices.progress import progress, spent, without_way
from smsgw.notices.reckoning import Reckoning
from smsgw.notices.refusals import NoSuchNotice, NoticeRefused
from smsgw.notices.waits import sent_back
from smsgw.store import channels
from smsgw.store.channels import Channel
from smsgw.store.notices import Event, Notice
from smsgw.store.tables import Lane
from smsgw.text import phones
from smsgw.web.console.desk import Desk
from smsgw.web.console.format import Format
from smsgw.web.console.shell import language, me, needs, page, say, see, tell
from smsgw.web.console.words import Words

PROBLEMS_SHOWN = 50
LONGEST_REASON = 300  # characters
BEFORE_SENDING = (State.DRAFT, State.SUBMITTED)
OVER = (State.DONE, State.CANCELLED)


def add(own: Blueprint, desk: Desk) -> None:
    """/console/notices/<id>."""

    @own.get("/<id>/")
    @needs("viewer")
    def notice(id: str) -> AnyResponse:
        return _page(desk, notice_of(desk, id))

    @own.get("/<id>/progress")
    @needs("viewer")
    def sending(id: str) -> AnyResponse:
        found = notice_of(desk, id)
        answer = page("notice_progress.html", notice=found, progress=progress(desk.notices.means, found))
        answer.headers["X-State"] = found.state
        return answer

    @own.post("/<id>/move")
    @needs("sender")
    def move(id: str) -> AnyResponse:
        return _moved(desk, notice_of(desk, id), request.form.get("move", ""))

    @own.post("/<id>/test")
    @needs("sender")
    def test(id: str) -> AnyResponse:
        found, phone = notice_of(desk, id), phones.msisdn(request.form.get("phone", ""))
        if phone is None or not phones.takes_texts(phone):
            return _page(
                desk,
                found,
                HTTPStatus.BAD_REQUEST,
                wrong_phone=say("notices.bad_phone"),
                phone=request.form.get("phone"),
            )
        try:
            desk.notices.try_out(id, me(), phone)
        except NoticeRefused as error:
            return _page(desk, found, HTTPStatus.CONFLICT, trouble=refused(error))
        shown = Format(desk.timezone, language()).phone(phones.mask(phone))
        tell("notices.test_done", phone=shown)
        return see("notices.notice", id=id)


def notice_of(desk: Desk, id: str) -> Notice:
    """The notice, or 404 for what is not there or not theirs to see."""
    try:
        return desk.notices.find(id, me())
    except NoSuchNotice:
        abort(HTTPStatus.NOT_FOUND)


def refused(error: NoticeRefused) -> str:
    """Why something can't be done with a notice, in the official's language."""
    return say(f"notices.refused_{error.reason}")


def editable(notice: Notice) -> bool:
    """Whether it may still be changed."""
    return Move.EDIT in open_moves(State(notice.state))


def too_late(desk: Desk, notice: Notice) -> AnyResponse:
    """The notice's page for whoever comes too late: it says who was there before, and what the notice is now."""
    return _page(desk, notice, HTTPStatus.CONFLICT, trouble=_overtaken(desk, notice))


def gone(desk: Desk, notice: Notice, error: NoticeRefused) -> AnyResponse:
    """The notice's page for whoever asks for what was removed of it."""
    return _page(desk, notice, HTTPStatus.GONE, trouble=refused(error))


@dataclass(frozen=True, slots=True)
class Done:
    """What was done with a notice, for people."""

    who: str
    what: str
    time: str


def last_change(desk: Desk, notice: Notice) -> Done:
    """Who made of it what it says now."""
    return _last(desk, notice, lambda event: event.move == Move.EDIT)


def _overtaken(desk: Desk, notice: Notice) -> str:
    """Who did what before the official at work could do anything."""
    last = _last(desk, notice, lambda event: event.who != GATEWAY)
    # Who presses a button twice was not overtaken by somebody.
    key = "overtaken_by_yourself" if last.who == me().name else "overtaken"
    return say(f"notices.{key}", who=last.who, what=last.what, time=last.time)


def _last(desk: Desk, notice: Notice, so: Callable[[Event], bool]) -> Done:
    show, events = Format(desk.timezone, language()), desk.notices.events(notice.id, me())
    last = next(filter(so, reversed(events)), events[-1])
    return Done(Words(language(), show).author(last.who), say(f"notices.did_{last.move}"), show.second(last.at))


def _moved(desk: Desk, notice: Notice, move: str) -> AnyResponse:
    """The page after a move, or the notice as it is by now with why it was not made."""
    reason = request.form.get("reason", "").strip()[:LONGEST_REASON]
    if not reason and move in _reasoned(notice):
        return _page(desk, notice, HTTPStatus.BAD_REQUEST, wrong={move: say("notices.reason_missing")})
    try:
        _carry_out(desk, notice, move, reason)
    except NoticeRefused as error:
        if error.reason == "role":
            abort(HTTPStatus.FORBIDDEN)
        now = notice_of(desk, notice.id)
        if error.reason == "state":
            return too_late(desk, now)
        return _page(desk, now, HTTPStatus.CONFLICT, trouble=refused(error))
    tell(f"notices.moved_{move}")
    return see("notices.notice", id=notice.id)


def _carry_out(desk: Desk, notice: Notice, move: str, reason: str) -> None:
    """Make the move; 400 for one that there is not. Raises NoticeRefused."""
    office, seen = desk.notices, request.form.get("seen") or None
    match move:
        case Move.SUBMIT:
            office.submit(notice.id, me(), seen)
        case Move.APPROVE:
            office.approve(notice.id, me(), seen)
        case Move.SEND_BACK:
            office.send_back(notice.id, me(), reason)
        case Move.PAUSE:
            office.pause(notice.id, me(), reason)
        case Move.RESUME:
            office.resume(notice.id, me(), reason)
        case Move.CANCEL:
            office.cancel(notice.id, me(), reason)
        case _:
            abort(HTTPStatus.BAD_REQUEST)


def _page(desk: Desk, notice: Notice, status: HTTPStatus = HTTPStatus.OK, **values: object) -> AnyResponse:
    looked_at = preview(desk.notices.means, notice)
    own = desk.notices.wrote(notice, me())
    events = desk.notices.events(notice.id, me())
    show, before = Format(desk.timezone, language()), notice.state in BEFORE_SENDING
    back = sent_back(desk.notices.means, [notice])
    return page(
        "notice.html",
        status,
        notice=notice,
        preview=looked_at,
        removed=looked_at.reckoning.removed_at,
        estimate=looked_at.reckoning.size(accents=notice.accents),
        spent=spent(desk.notices.means, notice),
        sent_back=back,
        names=_names(desk, notice),
        returned=_returned(events, show) if back else None,
        warnings=_warnings(looked_at, show, desk.clock()) if before else [],
        waits_for=without_way(desk.notices.means, looked_at.reckoning.by_channel),
        channels={} if notice.state in OVER else _channels(desk, looked_at.reckoning),
        needs_approval=desk.notices.needs_approval(notice),
        moves=_offered(notice, own=own),
        reasoned=_reasoned(notice),
        next=_next(notice, events, back=bool(back), own=own),
        editable=editable(notice) and me().may("sender"),
        undecided=before,
        problems=[retold(one, language()) for one in desk.notices.problems(notice.id, me(), PROBLEMS_SHOWN)],
        events=events,
        progress=None if before else progress(desk.notices.means, notice),
        mask=phones.mask,
        **values,
    )


def _names(desk: Desk, notice: Notice) -> dict[str, str]:
    """What the agencies and procedures of a notice's filter are called; nothing where that can't be known now."""
    try:
        chosen = expression.parse(notice.audience, desk.clock().astimezone(desk.timezone).date())
        return selecting.names(desk.onestop.url, chosen) if chosen.agencies or chosen.procedures else {}
    except (FilterError, OneStopUnavailable):
        return {}


def _offered(notice: Notice, *, own: bool) -> list[Move]:
    """The moves that have a button: those that would not be refused."""
    vain = {Move.EDIT} | ({Move.APPROVE} if own else set()) | (set() if notice.recipients else {Move.SUBMIT})
    return [move for move in _open(notice) if move not in vain]


def _open(notice: Notice) -> list[Move]:
    return [move for move in open_moves(State(notice.state)) if me().may(MOVES[move].role or "sender")]


def _reasoned(notice: Notice) -> list[Move]:
    """The moves that take a reason: they end what others have worked on, and these have to understand it."""
    ending = {Move.SEND_BACK} if notice.state in BEFORE_SENDING else {Move.CANCEL}
    return [move for move in _open(notice) if move in ending]


def _next(notice: Notice, events: list[Event], *, back: bool, own: bool) -> str | None:
    """What the official at work does next, or waits for: the end of a text's key."""
    match notice.state:
        case State.DRAFT:
            to_submit = "returned" if back else "draft"
            return (to_submit if notice.recipients else "nobody") if me().may("sender") else "draft_of_others"
        case State.SUBMITTED:
            return "approve" if me().may("approver") and not own else "yours" if own else "submitted"
        case State.PAUSED:
            stopped = [event.move for event in events if event.move in (Move.PAUSE, Move.VOID)]
            return "void" if stopped[-1] == Move.VOID else "paused"
        case State.APPROVED:
            return "approved"
        case _:
            return None


def _channels(desk: Desk, reckoning: Reckoning) -> dict[str, Channel]:
    """The channels that a notice's messages may take."""
    reach = desk.roads.within_reach(Lane.NOTICE, reckoning.by_channel)
    with desk.database.reading() as connection:
        return {name: channel for name, channel in channels.every(connection).items() if name in reach}


def _returned(events: list[Event], show: Format) -> str:
    """Who sent a draft back and why."""
    last = next(event for event in reversed(events) if event.move == Move.SEND_BACK)
    key = "returned" if last.reason else "returned_unsaid"
    return say(f"notices.{key}", who=last.who, time=show.time(last.at), reason=last.reason)


def _warnings(preview: Preview, show: Format, now: datetime) -> list[tuple[str, str]]:
    """What to think of before it is sent: how grave, and the text."""
    said = [
        ("warning", say("notices.told_before", name=other.name, count=show.number(other.people)))
        for other in preview.told_before
    ]
    if preview.unfinished:
        said.append(("warning", say("notices.unfinished")))
    if preview.lost:
        said.append(("warning", say("notices.lost", characters=" ".join(preview.lost))))
    at, past = preview.notice.send_at, preview.notice.past(now)
    if (past or at is None) and preview.course.starts > now:
        said.append(("warning", say("notices.quiet_now", starts=show.time(preview.course.starts))))
    elif past:
        said.append(("warning", say("notices.past", time=show.time(past))))
    elif put_off := preview.put_off:
        said.append(("warning", say("notices.put_off", time=show.time(at), starts=show.time(put_off))))
    budget = preview.budget
    if budget.limit is not None and (budget.near or budget.refused):
        kind, key = ("danger", "refused") if budget.refused else ("warning", "near")
        figures = {"used": budget.used, "more": budget.with_this - budget.used, "most": budget.limit}
        shown = {name: show.number(segments) for name, segments in figures.items()}
        said.append((kind, say(f"notices.budget_{key}", **shown)))
    return said
