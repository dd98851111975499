"""/api/v1/reports: the province's figures; and /api/v1/: what a key may do."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response
from flask_openapi.blueprint import APIBlueprint

from smsgw.dossiers import figures
from smsgw.officials import reporting
from smsgw.web.api.described import answers
from smsgw.web.api.models import Me, Period, Report
from smsgw.web.api.rooms import Rooms
from smsgw.web.api.shell import answer, me, tag

_REPORTS = tag("reports", "Figures, without anybody's name or number.")
_KEY = tag("key", "The key itself.")


def routes(api: APIBlueprint, rooms: Rooms) -> None:
    """Add the views."""

    @api.get("/reports", tags=_REPORTS, summary="The figures of a period", responses=answers({200: Report}))
    def report_figures(query: Period) -> Response:
        """Dossiers received and resolved, ahead of time, by service level; what citizens said. Without days: of all."""
        dossiers = figures.figures(rooms.onestop_url, rooms.timezone, query.start, query.end)
        heard = reporting.heard(rooms.database, rooms.timezone, query.start, query.end)
        removed = reporting.removed(rooms.kept.bounds(rooms.clock()), rooms.timezone, query.start)
        return answer(Report(**{**_by_name(asdict(dossiers)), **asdict(heard), "removed_before": removed}))

    @api.get("/", tags=_KEY, summary="What this key may do", responses=answers({200: Me}))
    def show_key() -> Response:
        """To try out whether it opens."""
        fields = {name: getattr(me(), name) for name in Me.model_fields if name != "sent_today"}
        return answer(Me(sent_today=rooms.personal.sent_today(me()), **fields))


def _by_name(shown: dict[str, object]) -> dict[str, object]:
    counts = shown["by_status"]
    return {**shown, "by_status": {str(status): count for status, count in counts.items()}}  # type: ignore[attr-defined]
