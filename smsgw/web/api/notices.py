"""/api/v1/notices: one text to many. A system drafts and hands in; to approve takes a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Response, abort, request
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, ValidationError

from smsgw.notices import preview as previews
from smsgw.notices import progress, report
from smsgw.notices.audience.expression import parse
from smsgw.notices.audience.filtered import FilterAudience
from smsgw.notices.audience.named import Named, NamedAudience
from smsgw.notices.drafting import Audience, Draft
from smsgw.notices.preview import Sample as PreviewSample
from smsgw.notices.preview import Shown as PreviewText
from smsgw.notices.reckoning import Reckoning
from smsgw.notices.spreadsheet import as_csv
from smsgw.officials.requests import Within
from smsgw.store.notices import Notice as Row
from smsgw.text.phones import mask
from smsgw.web.api import models
from smsgw.web.api.bodies import takes_audience
from smsgw.web.api.described import OF_A_BODY, answers
from smsgw.web.api.models import Id, NoticeOrder, Once, Page, Reason, Seen
from smsgw.web.api.refusals import ERRORS_SHOWN, unfit
from smsgw.web.api.rooms import Rooms
from smsgw.web.api.shell import answer, made, me, moment, once, tag

NAMED = "API"  # what stands in the place of a file's name

_TAG = tag("notices", "One text to many people, drafted here and approved by an official.")


def routes(api: APIBlueprint, rooms: Rooms) -> None:
    """Add the views."""

    @api.post("/notices", tags=_TAG, summary="Draft a notice", responses=answers({201: models.NoticeMade}, *OF_A_BODY))
    @takes_audience
    def draft_notice(header: Once, body: NoticeOrder) -> Response:
        """Nothing goes out before it is submitted, and approved on the console."""

        def make(within: Within) -> str:
            audience = _audience(rooms, body)
            name = body.filter or NAMED
            written = Draft(body.name, body.text, name, moment(rooms, body.send_at), body.accents)
            return rooms.notices.create(written, audience, me().official, within=within, errors=0).notice.id

        id, again = once(rooms, header.idempotency_key, make)
        return made(_made(rooms, id), again, f"/api/v1/notices/{id}")

    @api.get("/notices", tags=_TAG, summary="Notices, newest first", responses=answers({200: models.Notices}))
    def list_notices(query: Page) -> Response:
        """Those of your agency, whoever wrote them; the province's keys see all."""
        rows = rooms.notices.page(me().official, query.before, query.limit)
        more = rows[-1].id if len(rows) == query.limit else None
        return answer(models.Notices(notices=[models.Notice(**_fields(row)) for row in rows], next=more))

    _looks(api, rooms)
    _moves(api, rooms)


def _looks(api: APIBlueprint, rooms: Rooms) -> None:
    """The views of one notice that change nothing."""

    @api.get(
        "/notices/<id>", tags=_TAG, summary="How far a notice is", responses=answers({200: models.NoticeStatus}, 404)
    )
    def show_notice(path: Id) -> Response:
        """Its state, and what became of its messages."""
        return answer(_status(rooms, path.id))

    @api.get(
        "/notices/<id>/preview", tags=_TAG, summary="What would go out", responses=answers({200: models.Preview}, 404)
    )
    def preview_notice(path: Id) -> Response:
        """Real texts of real recipients, size and cost with and without accents, course and budget."""
        seen = previews.preview(rooms.notices.means, rooms.notices.find(path.id, me().official))
        return answer(_preview(seen))

    @api.get(
        "/notices/<id>/report", tags=_TAG, summary="What became of it, as CSV", responses=answers({200: _csv()}, 404)
    )
    def report_notice(path: Id) -> Response:
        """A line for each recipient, with the number."""
        found = rooms.notices.find(path.id, me().official)
        lines = as_csv(report.records(rooms.notices.means, found, "en"))
        return Response((line.encode() for line in lines), content_type="text/csv; charset=utf-8")


def _moves(api: APIBlueprint, rooms: Rooms) -> None:
    """The views of one notice that move it on."""
    office = rooms.notices
    moves: dict[str, tuple[str, type[BaseModel], Callable[..., object]]] = {
        "submit": ("Hand a draft in for approval", Seen, office.submit),
        "pause": ("Hold what no carrier has yet", Reason, office.pause),
        "resume": ("Go on with what was paused", Reason, office.resume),
        "cancel": ("Never send what no carrier has yet", Reason, office.cancel),
    }
    for name, (summary, model, make) in moves.items():

        def move(path: Id, model: type[BaseModel] = model, make: Callable[..., object] = make) -> Response:
            make(path.id, me().official, **_said(model))
            return answer(_status(rooms, path.id))

        move.__name__ = f"{name}_notice"
        add = api.post(
            f"/notices/<id>/{name}",
            tags=_TAG,
            summary=summary,
            request_body={"required": False, "content": {"application/json": {"schema": model.model_json_schema()}}},
            responses=answers({200: models.NoticeStatus}, *OF_A_BODY, 404),
        )
        add(move)


def _said(model: type[BaseModel]) -> dict[str, Any]:
    """What was said with a move, as the office calls it. Nobody has to say anything, nor send a body then."""
    try:
        return model.model_validate(request.get_json() if request.get_data() else {}).model_dump()
    except ValidationError as error:
        abort(unfit(error))


def _audience(rooms: Rooms, body: NoticeOrder) -> Audience:
    if body.recipients is not None:
        people = [Named(one.phone, one.values) for one in body.recipients]
        return NamedAudience(people, body.text, rooms.limits, "en")
    now = rooms.clock().astimezone(rooms.timezone)
    selection = parse(body.filter or "", now.date())
    return FilterAudience(rooms.onestop_url, selection, body.text, now, within=me().agency, language="en")


def _fields(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in models.Notice.model_fields}


def _status(rooms: Rooms, id: str) -> models.NoticeStatus:
    return models.NoticeStatus(**_progress(rooms, rooms.notices.find(id, me().official)))


def _progress(rooms: Rooms, row: Row) -> dict[str, Any]:
    seen = progress.progress(rooms.notices.means, row)
    return {**_fields(row), **asdict(seen.counts), "ends_at": seen.ends}


def _made(rooms: Rooms, id: str) -> models.NoticeMade:
    row = rooms.notices.find(id, me().official)
    problems = rooms.notices.problems(id, me().official, ERRORS_SHOWN)
    return models.NoticeMade(
        **_progress(rooms, row),
        left_out=_left_out(Reckoning.from_json(row.reckoning)),
        errors=[models.RowProblem(**asdict(one)) for one in problems],
    )


def _left_out(reckoning: Reckoning) -> models.LeftOut:
    return models.LeftOut(
        duplicates=reckoning.duplicates,
        opted_out=reckoning.opted_out,
        unreachable=reckoning.unreachable,
        errors=reckoning.wrong,
    )


def _preview(seen: previews.Preview) -> models.Preview:
    budget = {name: getattr(seen.budget, name) for name in models.Budget.model_fields}
    return models.Preview(
        id=seen.notice.id,
        fingerprint=seen.notice.fingerprint,
        recipients=seen.notice.recipients,
        samples=[_sample(one) for one in seen.samples],
        plain=models.Size(segments=seen.reckoning.plain.segments, cost=seen.reckoning.plain.cost),
        accented=models.Size(segments=seen.reckoning.accented.segments, cost=seen.reckoning.accented.cost),
        left_out=_left_out(seen.reckoning),
        lost=seen.lost,
        starts_at=seen.course.starts,
        ends_at=seen.course.ends,
        budget=models.Budget(**budget),
    )


def _sample(one: PreviewSample) -> models.Sample:
    return models.Sample(
        why=one.why, row=one.line, phone=mask(one.phone), plain=_text(one.plain), accented=_text(one.accented)
    )


def _text(shown: PreviewText) -> models.Shown:
    return models.Shown(text=shown.text, encoding=shown.size.encoding, segments=shown.size.segments)


def _csv() -> dict[str, Any]:
    return {"description": "OK", "content": {"text/csv": {"schema": {"type": "string"}}}}
