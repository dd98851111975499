"""Commands that tell how things are: outbox, report, doctor."""

from __future__ import annotations

from datetime import date

import click

from smsgw import checkup
from smsgw.cli.common import Context, Day, as_json, print_json
from smsgw.clock import utc_now
from smsgw.dossiers import figures
from smsgw.store import figures as store_figures


@click.command()
@as_json
@click.pass_obj
def outbox(context: Context, as_json: bool) -> None:
    """Messages to citizens by state, and the channels."""
    with context.database() as database, database.reading() as connection:
        shown = store_figures.outbox(connection, utc_now())
    if as_json:
        print_json(shown)
        return
    for state, count in shown.states.items():
        click.echo(f"{state:12} {count:>9}")
    click.echo(f"the oldest due message has waited {shown.oldest_queued_seconds} s")
    for name, channel in shown.channels.items():
        why = f", {channel.reason}" if channel.reason else ""
        click.echo(f"channel {name}: {channel.state}{why}; {channel.queued} queued, {channel.sending} being sent")


@click.command()
@click.option("--from", "start", type=Day(), help="First day of receipt, inclusive.")
@click.option("--to", "end", type=Day(), help="Last day of receipt, inclusive.")
@as_json
@click.pass_obj
def report(context: Context, start: date | None, end: date | None, as_json: bool) -> None:
    """The province's figures: dossiers received and resolved, ahead of time, by service level."""
    if start and end and end < start:
        raise click.UsageError("--to lies before --from")
    shown = figures.figures(context.settings.onestop.database, start, end)
    if as_json:
        print_json(shown)
    else:
        click.echo(figures.described(shown))


@click.command()
@as_json
@click.pass_obj
def doctor(context: Context, as_json: bool) -> None:
    """Check configuration, databases, channels and clock; say how to mend what is wrong."""
    findings = checkup.examine(context.settings)
    if as_json:
        print_json({"ok": all(finding.ok for finding in findings), "checks": findings})
    else:
        for finding in findings:
            click.echo(
                f"{'ok  ' if finding.ok else 'FAIL'} {finding.what}{': ' if finding.detail else ''}{finding.detail}"
            )
    if not all(finding.ok for finding in findings):
        click.get_current_context().exit(1)


COMMANDS = (outbox, report, doctor)
