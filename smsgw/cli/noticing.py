"""Commands for notices: what the console's pages do, by the same rules. Every move is made as an official."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast
from zoneinfo import ZoneInfo

import click

from smsgw.cli.common import Context, Msisdn, as_json, nothing, print_json
from smsgw.gateway import Gateway
from smsgw.notices import preview as previews
from smsgw.notices import progress, report
from smsgw.notices.audience.expression import parse
from smsgw.notices.audience.file import FileAudience
from smsgw.notices.audience.filtered import FilterAudience
from smsgw.notices.drafting import Draft
from smsgw.notices.means import Means
from smsgw.notices.office import Notices
from smsgw.notices.reckoning import Reckoning
from smsgw.notices.spreadsheet import as_csv, write_xlsx
from smsgw.officials.accounts import acting
from smsgw.store.notices import Notice
from smsgw.store.officials import Official, Role
from smsgw.text.phones import mask

ERRORS_SHOWN = 20
# Whoever can run commands on the machine can read its database; to look at something takes nobody's name.
_OPERATOR = Official("", "operator", "viewer", None, None, datetime.min.replace(tzinfo=UTC), None, second_factor=False)

_file = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_as_someone = click.option("--as", "user", metavar="USER", help="The official who does it.")
_must_be_someone = click.option("--as", "user", metavar="USER", required=True, help="The official who does it.")
_reason = click.option("--reason", default="", help="Why; it is recorded.")
_seen = click.option("--seen", metavar="FINGERPRINT", help="Only what the preview showed under this fingerprint.")


class Moment(click.ParamType[datetime]):
    """A time such as 2026-11-26T08:00, by the province's clock where it names no zone."""

    name = "TIME"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> datetime:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time; expected one such as 2026-11-26T08:00")


@click.group("notice")
def notice() -> None:
    """Notices: one text to many citizens."""


@notice.command()
@click.option("--name", required=True, help="By which officials know it.")
@click.option("--text", required=True, help="What it says; ((column)) stands for a value of each row.")
@click.option("--csv", "csv_file", type=_file, help="A CSV file with a column phone.")
@click.option("--xlsx", "xlsx_file", type=_file, help="A workbook with a column phone.")
@click.option("--filter", "expression", help="Dossiers, as in: agency=H01.12 status=5 due<2026-12-01 overdue")
@click.option("--at", "send_at", type=Moment(), help="Not before then.")
@click.option("--accents", is_flag=True, help="Send it with its accents.")
@_must_be_someone
@as_json
@click.pass_obj
def create(context: Context, /, name: str, text: str, send_at: datetime | None, accents: bool, **given: Any) -> None:
    """Draft a notice for the rows of a file or the dossiers of a filter."""
    sources = [given[key] for key in ("csv_file", "xlsx_file", "expression") if given[key] is not None]
    if len(sources) != 1:
        raise click.UsageError("expected one of --csv, --xlsx and --filter")
    with _as(context, given["user"], "sender") as (gateway, who):
        zone = ZoneInfo(context.settings.gateway.timezone)
        if send_at is not None and send_at.tzinfo is None:
            send_at = send_at.replace(tzinfo=zone)
        source = sources[0]
        draft = Draft(name, text, source.name if isinstance(source, Path) else source, send_at, accents)
        with _opened(source, gateway.limits.bytes) if isinstance(source, Path) else nullcontext() as file:
            audience = FileAudience(file, text, gateway.limits, "en") if file else _filtered(gateway, source, text, who)
            created = gateway.notices.create(draft, audience, who, _counted)
        made, past = created.notice, created.notice.past(gateway.clock())
    if given["as_json"]:
        figures = {key: getattr(made, key) for key in ("id", "recipients", "segments", "cost")}
        print_json(figures | {"errors": [asdict(error) for error in created.errors]})
        return
    click.echo(f"{made.id}: {made.recipients} recipients, {made.segments} segments, {made.cost} đồng")
    click.echo(_left_out(created.reckoning))
    if past:
        click.echo(_past(past, zone))
    for error in created.errors[:ERRORS_SHOWN]:
        click.echo(f"row {error.row}, {error.column}: {error.problem}")
    if len(created.errors) > ERRORS_SHOWN:
        click.echo(f"and {len(created.errors) - ERRORS_SHOWN} more errors; --json lists all")


@contextmanager
def _opened(path: Path, most: int) -> Iterator[BinaryIO]:
    """A file, which is read more than once; what comes by a pipe is kept for that, as far as so many bytes and one."""
    with path.open("rb") as file:
        if file.seekable():
            yield file
            return
        with TemporaryFile() as kept:
            kept.write(file.read(most + 1))
            yield cast(BinaryIO, kept)


def _left_out(of: Reckoning) -> str:
    kinds = (of.duplicates, "twice"), (of.opted_out, "opted out"), (of.unreachable, "without SMS"), (of.wrong, "wrong")
    return f"left out: {', '.join(f'{count} {kind}' for count, kind in kinds)}"


def _filtered(gateway: Gateway, expression: str, text: str, who: Official) -> FilterAudience:
    now = gateway.clock().astimezone(gateway.hours.zone)
    selection = parse(expression, now.date())
    return FilterAudience(gateway.settings.onestop.database, selection, text, now, within=who.agency, language="en")


def _counted(rows: int) -> None:
    """The rows so far, for somebody who watches."""
    if sys.stderr.isatty():
        click.echo(".", nl=False, err=True)


@notice.command("list")
@_as_someone
@as_json
@click.pass_obj
def list_notices(context: Context, user: str | None, as_json: bool) -> None:
    """The latest notices, newest first."""
    with _as(context, user, "viewer") as (gateway, who):
        found = gateway.notices.page(who)
    keys = ("id", "name", "state", "recipients", "segments", "cost", "author", "approver", "created_at")
    if as_json:
        print_json([{key: getattr(item, key) for key in keys} for item in found])
        return
    for item in found or nothing("no notice yet: see smsgw notice create --help"):
        click.echo(f"{item.id}  {item.state:10} {item.recipients:>8}  {item.name}")


@notice.command()
@click.argument("id")
@_as_someone
@as_json
@click.pass_obj
def preview(context: Context, id: str, user: str | None, as_json: bool) -> None:
    """Real texts of real recipients, size and cost with and without accents, course and budget."""
    with _as(context, user, "viewer") as (gateway, who):
        seen = previews.preview(gateway.notices.means, gateway.notices.find(id, who))
        past = seen.notice.past(gateway.clock())
    zone = gateway.hours.zone
    if as_json:
        print_json(_preview_json(seen))
        return
    made = seen.notice
    click.echo(f"{made.name}: {made.state}, by {made.author}, to {made.recipients} of {made.audience}")
    click.echo(_left_out(seen.reckoning))
    for sample in seen.samples:
        chosen = sample.accented if made.accents else sample.plain
        size = f"{chosen.size.encoding}, {chosen.size.segments} segment{'s' * (chosen.size.segments != 1)}"
        click.echo(
            f"{sample.why}: {sample.dossier or f'row {sample.line}'}, {mask(sample.phone)}, {size}\n  {chosen.text}"
        )
    for name, size_of in (("without accents", seen.reckoning.plain), ("with accents", seen.reckoning.accented)):
        click.echo(f"{name}: {size_of.segments} segments, {size_of.cost} đồng")
    if seen.unfinished:
        click.echo("the text has brackets (( that name no column: they go out as they are")
    if seen.lost:
        click.echo(f"without accents each of these goes out as a question mark: {' '.join(seen.lost)}")
    course = seen.course
    ends = f"{course.ends.astimezone(zone):%Y-%m-%d %H:%M}"
    takes = timedelta(seconds=math.ceil(course.takes.total_seconds()))
    if past:
        click.echo(_past(past, zone))
    click.echo(f"begins {course.starts.astimezone(zone):%Y-%m-%d %H:%M}, ends about {ends}, takes {takes}")
    budget = seen.budget
    if budget.limit is not None:
        warning = "; more than there is" if budget.refused else "; nearly all" if budget.near else ""
        click.echo(f"budget of {budget.month}: {budget.with_this} of {budget.limit} segments with this{warning}")
    for other in seen.told_before:
        click.echo(f"the same text went to {other.people} of these people within a day: {other.name}")
    click.echo(f"its fingerprint is {made.fingerprint}; with that as --seen, what was changed since is not approved")


def _past(send_at: datetime, zone: ZoneInfo) -> str:
    return f"{send_at.astimezone(zone):%Y-%m-%d %H:%M} is past: it goes out as soon as it is approved"


def _preview_json(seen: previews.Preview) -> dict[str, Any]:
    samples = [{**asdict(sample), "phone": mask(sample.phone)} for sample in seen.samples]
    sizes = {
        name: {"segments": size.segments, "cost": size.cost, "encodings": size.by_encoding, "sizes": size.by_segments}
        for name, size in (("plain", seen.reckoning.plain), ("accented", seen.reckoning.accented))
    }
    left_out = {key: getattr(seen.reckoning, key) for key in ("duplicates", "opted_out", "unreachable")}
    course = {"starts": seen.course.starts, "ends": seen.course.ends, "seconds": seen.course.takes.total_seconds()}
    budget = {**asdict(seen.budget), "near": seen.budget.near, "refused": seen.budget.refused}
    return {
        "id": seen.notice.id,
        "fingerprint": seen.notice.fingerprint,
        "recipients": seen.notice.recipients,
        "samples": samples,
        **sizes,
        "left_out": left_out | {"errors": seen.reckoning.wrong},
        "course": course,
        "budget": budget,
        "told_before": seen.told_before,
        "lost": seen.lost,
    }


Make = Callable[[Notices, str, Official, Any], Notice]


def _move(name: str, role: Role, what: str, option: Callable[..., Any], make: Make) -> click.Command:
    """A command for a move. `option`: what `make` is given last."""

    @click.argument("id")
    @_must_be_someone
    @option
    @as_json
    @click.pass_obj
    def command(context: Context, /, id: str, user: str, as_json: bool, **given: Any) -> None:
        with _as(context, user, role) as (gateway, who):
            moved = make(gateway.notices, id, who, *given.values())
            _show(gateway, moved, as_json)

    return notice.command(name, help=what)(command)


_move("submit", "sender", "Hand a draft in for approval.", _seen, Notices.submit)
_move("approve", "approver", "Let it go out.", _seen, Notices.approve)
_move("return", "approver", "Make it a draft again, unapproved.", _reason, Notices.send_back)
_move("pause", "sender", "Hold what no carrier has yet.", _reason, Notices.pause)
_move("resume", "sender", "Go on with what was paused.", _reason, Notices.resume)
_move("cancel", "sender", "Never send what no carrier has yet.", _reason, Notices.cancel)


@notice.command("try")
@click.argument("id")
@click.option("--to", type=Msisdn(), help="Another phone than the official's own.")
@_must_be_someone
@click.pass_obj
def try_out(context: Context, id: str, to: str | None, user: str) -> None:
    """Send its first message to yourself."""
    with _as(context, user, "sender") as (gateway, who):
        phone = gateway.notices.try_out(id, who, to)
    click.echo(f"queued for {mask(phone)}")


@notice.command()
@click.argument("id")
@_as_someone
@as_json
@click.pass_obj
def status(context: Context, id: str, user: str | None, as_json: bool) -> None:
    """How far it is."""
    with _as(context, user, "viewer") as (gateway, who):
        _show(gateway, gateway.notices.find(id, who), as_json)


@notice.command("report")
@click.argument("id")
@_as_someone
@as_json
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file: .xlsx, or else CSV.")
@click.pass_obj
def report_notice(context: Context, id: str, user: str | None, as_json: bool, out: Path | None) -> None:
    """What became of it, a line for each recipient."""
    with _as(context, user, "viewer") as (gateway, who):
        means, found = gateway.notices.means, gateway.notices.find(id, who)
        if out is not None:
            _write_report(means, found, out)
        if as_json:
            headings, *lines = report.records(means, found, "en")
            print_json([dict(zip(headings, line, strict=True)) for line in lines])
        elif out is None:
            for piece in as_csv(report.records(means, found, "en")):
                click.echo(piece.removeprefix("\ufeff"), nl=False)


def _write_report(means: Means, found: Notice, out: Path) -> None:
    if out.suffix.lower() == ".xlsx":
        with out.open("wb") as file:
            write_xlsx(report.TITLES["en"], report.table(means, found, "en"), file)
    else:
        with out.open("w", encoding="utf-8", newline="") as text:
            text.writelines(as_csv(report.records(means, found, "en")))


def _show(gateway: Gateway, notice: Notice, as_json: bool) -> None:
    seen = progress.progress(gateway.notices.means, notice)
    figures = {"id": notice.id, "state": notice.state, "recipients": notice.recipients, **asdict(seen.counts)}
    if as_json:
        print_json(figures)
        return
    click.echo(", ".join(f"{name} {value}" for name, value in figures.items()))
    if seen.ends is not None:
        click.echo(f"the last goes out about {seen.ends.astimezone(gateway.hours.zone):%Y-%m-%d %H:%M}")
    if seen.waits_for:
        click.echo(
            f"waits until channel {', '.join(seen.waits_for)} sends again: smsgw channel list says why it does not"
        )
    for failure in seen.failures:
        click.echo(f"{failure.messages} {failure.state}: {failure.code or 'no reason given'}")


@contextmanager
def _as(context: Context, user: str | None, role: Role) -> Iterator[tuple[Gateway, Official]]:
    """A gateway that runs nothing, and the official of that name, who must have the role."""
    with context.gateway() as gateway:
        gateway.roads.look(gateway.database)
        with gateway.database.reading() as connection:
            who = acting(connection, user, role) if user is not None else _OPERATOR
        yield gateway, who
