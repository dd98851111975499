"""Commands that tell how things are: outbox, report."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from zoneinfo import ZoneInfo

import click

from smsgw import assembly
from smsgw.cli.common import Context, Day, as_json, common_clock, print_json
from smsgw.clock import utc_now
from smsgw.dossiers import figures
from smsgw.officials import reporting
from smsgw.store import figures as store_figures
from smsgw.store import heard as store_heard
from smsgw.store.database import SchemaError


@click.command()
@as_json
@click.pass_obj
def outbox(context: Context, as_json: bool) -> None:
    """Messages to citizens by state, and the channels."""
    with context.database() as database:
        now = common_clock(database)()
        with database.reading() as connection:
            shown = store_figures.outbox(connection, now, assembly.hours(context.settings).opened(now))
    if as_json:
        print_json(shown)
        return
    for state, count in shown.states.items():
        click.echo(f"{state:12} {count:>9}")
    click.echo(f"the oldest due message has waited {shown.oldest_queued_seconds} s")
    for name, channel in shown.channels.items():
        why = f", {channel.reason}" if channel.reason else ""
        if channel.state == "open" and channel.resume_at:
            why = f", waits as its carrier asked until {channel.resume_at:%Y-%m-%d %H:%M:%S} UTC"
        click.echo(f"channel {name}: {channel.state}{why}; {channel.queued} queued, {channel.sending} being sent")


@click.command()
@click.option("--from", "start", type=Day(), help="First day of receipt, inclusive.")
@click.option("--to", "end", type=Day(), help="Last day of receipt, inclusive.")
@as_json
@click.pass_obj
def report(context: Context, start: date | None, end: date | None, as_json: bool) -> None:
    """The province's figures: dossiers received and resolved, ahead of time, by service level; what citizens said."""
    if start and end and end < start:
        raise click.UsageError("--to lies before --from")
    zone = ZoneInfo(context.settings.gateway.timezone)
    shown = figures.figures(context.settings.onestop.database, zone, start, end)
    try:
        with context.database() as database:
            heard = reporting.heard(database, zone, start, end)
    except SchemaError as error:
        click.echo(f"what citizens said is left out: {error}", err=True)
        heard = None
    bounds = assembly.limits(context.settings).bounds(utc_now())
    removed = reporting.removed(bounds, zone, start) if heard else {}
    if as_json:
        print_json({**asdict(shown), **(asdict(heard) if heard else {}), "removed_before": removed})
        return
    click.echo(figures.described(shown))
    if heard:
        click.echo(store_heard.described(heard))
    for what, day in removed.items():
        click.echo(f"{what} of before {day} are not counted: they have been removed")
