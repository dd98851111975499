"""Notices: the list, and the form in which one is written and changed, with its file or filter."""

from __future__ import annotations

import secrets
from dataclasses import replace
from http import HTTPStatus
from typing import Any, BinaryIO, cast

from flask import Blueprint, Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from smsgw.dossiers import selecting
from smsgw.dossiers.dossier import Status
from smsgw.dossiers.source import OneStopUnavailable
from smsgw.notices.audience.expression import DAYS, LEVELS, FilterError
from smsgw.notices.audience.file import FileAudience
from smsgw.notices.audience.filtered import FIELDS, FilterAudience
from smsgw.notices.audience.refusals import AudienceRefused
from smsgw.notices.drafting import LONGEST_NAME, LONGEST_TEXT, Draft
from smsgw.notices.life import State
from smsgw.notices.office import SEEN
from smsgw.notices.refusals import NoticeRefused
from smsgw.notices.waits import sent_back
from smsgw.store.notices import Notice
from smsgw.web.console import notice, notice_files
from smsgw.web.console.desk import Desk
from smsgw.web.console.format import Format
from smsgw.web.console.notice import editable, last_change, notice_of, refused, too_late
from smsgw.web.console.notice_form import BadForm, Form, Readings, as_chosen, faulty, selection, wishes, written
from smsgw.web.console.reasons import reason
from smsgw.web.console.shell import language, me, needs, page, say, see, takes
from smsgw.web.console.words import Words

A_PAGE = 50
ROOM_FOR_FIELDS = 64 * 1024  # bytes of an upload beside its file
LONGEST_FILE_NAME = 120  # characters
# What was cancelled is seldom looked for, and a file that was mended leaves one behind.
SHOWN = {
    "all": SEEN - {State.CANCELLED},
    "draft": {State.DRAFT},
    "submitted": {State.SUBMITTED},
    "sending": {State.APPROVED, State.SENDING, State.PAUSED},
    "done": {State.DONE},
    "cancelled": {State.CANCELLED},
}
# Which field has what is wrong with a form, by the reason.
_REASONS = {
    "name": "no_name name",
    "text": "no_text text long placeholder registered missing no_field",
    "file": "no_file",
    "at": "bad_at time",
}
FIELDS_WRONG = {reason: field for field, reasons in _REASONS.items() for reason in reasons.split()}
FIELDS_OF_FILTER = ("all", "agency", "procedure", *DAYS, "overdue", "filter")
PLAIN = "text/plain; charset=utf-8"

Audience = FileAudience | FilterAudience


def routes(desk: Desk) -> Blueprint:
    """/console/notices."""
    own = Blueprint("notices", __name__, url_prefix="/notices")

    @own.get("/")
    @needs("viewer")
    def notices() -> AnyResponse:
        shown = request.args.get("show", "")
        shown = shown if shown in SHOWN else "all"
        found = desk.notices.page(me(), request.args.get("before"), A_PAGE, SHOWN[shown])
        older = url_for(".notices", show=shown, before=found[-1].id) if len(found) == A_PAGE else None
        back = sent_back(desk.notices.means, found)
        return page("notices.html", notices=found, sent_back=back, older=older, shown=shown, shows=[*SHOWN])

    _add_form(own, desk, Readings())
    notice.add(own, desk)
    notice_files.add(own, desk)
    return own


def _add_form(own: Blueprint, desk: Desk, readings: Readings) -> None:
    """The form, for a new notice and for one that is there, and what its script asks."""

    @own.get("/new")
    @needs("sender")
    def new() -> AnyResponse:
        return _form(desk, Form({"by": "file"}))

    @own.post("/new")
    @needs("sender")
    @takes(desk.limits.bytes + ROOM_FOR_FIELDS)
    def write() -> AnyResponse:
        return _written(desk, readings, None)

    @own.get("/count")
    @needs("sender")
    def count() -> AnyResponse:
        return Response(_count(desk, Form(request.args)), content_type=PLAIN)

    @own.get("/reading/<token>")
    @needs("sender")
    def reading(token: str) -> AnyResponse:
        rows = readings.rows(token)
        return Response(say("notices.read", count=_number(desk, rows)) if rows else "", content_type=PLAIN)

    @own.get("/<id>/edit")
    @needs("sender")
    def edit(id: str) -> AnyResponse:
        found = notice_of(desk, id)
        return _form(desk, _as_it_is(desk, found), notice=found) if editable(found) else too_late(desk, found)

    @own.post("/<id>/edit")
    @needs("sender")
    @takes(desk.limits.bytes + ROOM_FOR_FIELDS)
    def rewrite(id: str) -> AnyResponse:
        found = notice_of(desk, id)
        # A page that is older than the approval takes nothing back that is on its way by now.
        return _written(desk, readings, found) if editable(found) else too_late(desk, found)


def _as_it_is(desk: Desk, notice: Notice) -> Form:
    by = "file" if request.args.get("by") == "file" else "keep"  # somebody comes to bring the mended file
    given = Form({"by": by, "name": notice.name, "text": notice.text, "accents": "1" if notice.accents else ""})
    given.update(as_chosen(notice.audience, desk.clock().astimezone(desk.timezone).date()))
    if notice.send_at:
        given["at"] = f"{notice.send_at.astimezone(desk.timezone):%Y-%m-%dT%H:%M}"
    return given


def _form(
    desk: Desk, given: Form, status: HTTPStatus = HTTPStatus.OK, notice: Notice | None = None, **values: Any
) -> AnyResponse:
    try:
        agencies, procedures = selecting.named(desk.onestop.url, me().agency)
    except OneStopUnavailable:
        agencies, procedures = {}, {}
    place = 0 if language() == "en" else 1
    return page(
        "notice_form.html",
        status,
        given=given,
        agencies=[("", say("notices.any")), *agencies.items()],
        procedures=[("", say("notices.any")), *procedures.items()],
        statuses=[(int(one), say(f"notices.status_{int(one)}")) for one in Status],
        levels=[(level, say("notices.level_one", level=level)) for level in LEVELS],
        fields=", ".join(f"(({names[place]}))" for names in FIELDS.values()),
        longest={"name": LONGEST_NAME, "text": LONGEST_TEXT},
        reading=given.get("reading") or secrets.token_urlsafe(9),
        notice=notice,
        loses_approval=notice is not None and me().may("approver") and not desk.notices.wrote(notice, me()),
        **values,
    )


def _count(desk: Desk, form: Form) -> str:
    now = desk.clock().astimezone(desk.timezone)
    try:
        chosen = selection(form, now.date())
        count = selecting.count(desk.onestop.url, chosen, now, me().agency)
        return say("notices.count", count=_number(desk, count))
    except FilterError as error:
        return _said(desk, form, error) if error.term else ""  # nothing is chosen yet
    except OneStopUnavailable:
        return say("notices.count_away")


def _number(desk: Desk, count: int) -> str:
    return Format(desk.timezone, language()).number(count)


def _written(desk: Desk, readings: Readings, before: Notice | None) -> AnyResponse:
    """Make a draft of the form, or of `before` what the form has instead."""
    form = Form(request.form)
    form.setdefault("by", "file")
    seen = form.get("seen") or (before.version if before else None)
    if before is not None and seen != before.version:
        return _changed_meanwhile(desk, form, before)
    try:
        draft = wishes(form, desk.timezone)
        if before is not None and form["by"] == "keep":
            return see("notices.notice", id=desk.notices.edit(before.id, me(), draft, seen).id)
        audience = _audience(desk, form, draft)
        draft = replace(draft, audience=_named(form))
        made = _read(desk, readings, form.get("reading", ""), draft, audience, before)
        if before is not None:
            _put_in_place(desk, before, made, seen)
    except (BadForm, FilterError, AudienceRefused, NoticeRefused, OneStopUnavailable) as error:
        return _not_written(desk, form, before, error)
    return see("notices.notice", id=made.id)


def _not_written(desk: Desk, form: Form, before: Notice | None, error: Exception) -> AnyResponse:
    """The form once more, with what is wrong with it; or the notice, if that went on its way meanwhile."""
    if before is not None and isinstance(error, NoticeRefused):
        now = notice_of(desk, before.id)
        if error.reason == "state":
            return too_late(desk, now)
        if error.reason == "changed":
            return _changed_meanwhile(desk, form, now)
    file = request.files.get("file")
    lost = bool(file and file.filename)
    return _form(desk, form, HTTPStatus.BAD_REQUEST, notice=before, file_lost=lost, **_where(desk, form, error))


def _changed_meanwhile(desk: Desk, form: Form, theirs: Notice) -> AnyResponse:
    """The form once more, with what somebody else has made of the notice; who sends it again has seen that."""
    form["seen"] = theirs.version
    by = last_change(desk, theirs)
    trouble = say("notices.changed_meanwhile", who=by.who, time=by.time)
    return _form(desk, form, HTTPStatus.CONFLICT, notice=theirs, theirs=theirs, trouble=trouble)


def _put_in_place(desk: Desk, before: Notice, made: Notice, seen: str | None) -> None:
    """Put another in a notice's place. Raises NoticeRefused if that was moved or changed while the file was read."""
    try:
        desk.notices.replace(before.id, me(), seen)
    except NoticeRefused:
        desk.notices.cancel(made.id, me())
        raise


def _read(
    desk: Desk, readings: Readings, token: str, draft: Draft, audience: Audience, before: Notice | None
) -> Notice:
    readings.begin(token, audience)
    try:
        return desk.notices.create(draft, audience, me(), errors=0, within=desk.notices.continuing(before)).notice
    finally:
        readings.end(token)


def _audience(desk: Desk, form: Form, draft: Draft) -> Audience:
    if form["by"] == "filter":
        now = desk.clock().astimezone(desk.timezone)
        chosen = selection(form, now.date())
        return FilterAudience(desk.onestop.url, chosen, draft.text, now, me().agency, language())
    file = request.files.get("file")
    if not file or not file.filename:
        raise BadForm("no_file")
    return FileAudience(cast("BinaryIO", file.stream), draft.text, desk.limits, language())


def _named(form: Form) -> str:
    """Where the recipients come from, for people."""
    if form["by"] == "filter":
        return written(form)
    return (request.files["file"].filename or "")[:LONGEST_FILE_NAME]


def _where(desk: Desk, form: Form, error: Exception) -> dict[str, Any]:
    """What is wrong, at its field if it is one's, else at the top."""
    field, said = _field(form, error), _said(desk, form, error)
    return {"wrong": {field: said}} if field else {"trouble": said}


def _field(form: Form, error: Exception) -> str | None:
    match error:
        case FilterError():
            field, _ = faulty(form, error)
            return field if field in FIELDS_OF_FILTER else None
        case AudienceRefused():
            return FIELDS_WRONG.get(error.why, "file")
        case BadForm() | NoticeRefused():
            return FIELDS_WRONG.get(error.reason)
    return None


def _said(desk: Desk, form: Form, error: Exception) -> str:
    """What is wrong, in the official's language."""
    match error:
        case BadForm():
            return say(f"notices.{error.reason}")
        case FilterError(term=""):
            return say("notices.no_filter")
        case FilterError():
            field, place = faulty(form, error)
            if field == "all":
                return say("notices.all_alone")
            problem = reason(language(), error.problem)
            if place:
                return say("notices.filter_wrong", place=place, term=error.term, problem=problem)
            term = Words(language(), Format(desk.timezone, language())).audience(error.term)
            return say("notices.field_wrong", term=term, problem=problem)
        case AudienceRefused():
            said = error.said(language())
            return said[0].upper() + said[1:] + "."
        case NoticeRefused():
            return refused(error)
    return say("notices.away")
