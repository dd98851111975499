"""What can be downloaded of a notice: what became of each recipient, and of the rows that are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from tempfile import TemporaryFile

from flask import Blueprint, Response, send_file
from werkzeug.wrappers import Response as AnyResponse

from smsgw.notices.audience import listing
from smsgw.notices.refusals import NoticeRefused
from smsgw.notices.report import TITLES, records, table
from smsgw.notices.spreadsheet import as_csv, write_xlsx
from smsgw.store.notices import Notice
from smsgw.text.accents import fold
from smsgw.web.console.desk import Desk
from smsgw.web.console.notice import gone, notice_of
from smsgw.web.console.shell import language, me, needs, say
from smsgw.web.room import spooling

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_NAME = 60  # characters of a notice's name in that of a file

_NOT_FOR_FILES = re.compile(r"[^a-z0-9]+")


def add(own: Blueprint, desk: Desk) -> None:
    """/console/notices/<id>/report.csv, report.xlsx, errors.csv and left-out.csv."""

    @own.get("/<id>/errors.csv")
    @needs("viewer")
    def errors(id: str) -> AnyResponse:
        found = notice_of(desk, id)
        problems = desk.notices.every_problem(id, me())
        return _csv(as_csv(listing.records(problems, language())), _file(desk, found, "errors.csv"))

    @own.get("/<id>/left-out.csv")
    @needs("viewer")
    def left_out(id: str) -> AnyResponse:
        found = notice_of(desk, id)
        rows = desk.notices.left_out(id, me())
        return _csv(as_csv(listing.left_out(rows, language())), _file(desk, found, "left_out.csv"))

    @own.get("/<id>/report.csv")
    @needs("viewer")
    def report(id: str) -> AnyResponse:
        found = notice_of(desk, id)
        try:
            lines = records(desk.notices.means, found, language())
        except NoticeRefused as error:
            return gone(desk, found, error)
        return _csv(as_csv(lines), _file(desk, found, "report.csv"))

    @own.get("/<id>/report.xlsx")
    @needs("viewer")
    def workbook(id: str) -> AnyResponse:
        found = notice_of(desk, id)
        try:
            lines = table(desk.notices.means, found, language())
        except NoticeRefused as error:
            return gone(desk, found, error)
        with spooling():
            file = TemporaryFile()  # noqa: SIM115 - closed with the response
            write_xlsx(TITLES[language()], lines, file)
            file.seek(0)
        return send_file(file, XLSX, as_attachment=True, download_name=_file(desk, found, "report.xlsx"))


def _csv(pieces: Iterator[str], name: str) -> Response:
    return Response(pieces, content_type=CSV, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _file(desk: Desk, notice: Notice, what: str) -> str:
    """The name to save a file under: of which notice it is, and from which day, in letters that every system takes."""
    name = _NOT_FOR_FILES.sub("-", fold(notice.name).lower()).strip("-")[:LONGEST_NAME] or notice.id
    kind, _, ending = what.partition(".")
    return f"{say(f'notices.file_{kind}')}-{name}-{notice.created_at.astimezone(desk.timezone):%Y-%m-%d}.{ending}"
