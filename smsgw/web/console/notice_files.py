"""What can be downloaded of a notice: what became of each recipient, and what was wrong with its file."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryFile

from flask import Blueprint, Response, send_file
from werkzeug.wrappers import Response as AnyResponse

from smsgw.notices.audience import listing
from smsgw.notices.refusals import NoticeRefused
from smsgw.notices.report import records
from smsgw.notices.spreadsheet import as_csv, write_xlsx
from smsgw.web.console.desk import Desk
from smsgw.web.console.notice import gone, notice_of
from smsgw.web.console.shell import language, me, needs

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def add(own: Blueprint, desk: Desk) -> None:
    """/console/notices/<id>/report.csv, report.xlsx and errors.csv."""

    @own.get("/<id>/errors.csv")
    @needs("viewer")
    def errors(id: str) -> AnyResponse:
        problems = desk.notices.every_problem(notice_of(desk, id).id, me())
        return _csv(as_csv(listing.records(problems, language())), f"errors-{id}.csv")

    @own.get("/<id>/report.csv")
    @needs("viewer")
    def report(id: str) -> AnyResponse:
        found = notice_of(desk, id)
        try:
            lines = records(desk.notices.means, found, language())
        except NoticeRefused as error:
            return gone(desk, found, error)
        return _csv(as_csv(lines), f"report-{id}.csv")

    @own.get("/<id>/report.xlsx")
    @needs("viewer")
    def workbook(id: str) -> AnyResponse:
        found = notice_of(desk, id)
        try:
            lines = records(desk.notices.means, found, language())
        except NoticeRefused as error:
            return gone(desk, found, error)
        file = TemporaryFile()  # noqa: SIM115 - closed with the response
        write_xlsx(lines, file)
        file.seek(0)
        return send_file(file, XLSX, as_attachment=True, download_name=f"report-{id}.xlsx")


def _csv(pieces: Iterator[str], name: str) -> Response:
    return Response(pieces, content_type=CSV, headers={"Content-Disposition": f'attachment; filename="{name}"'})
