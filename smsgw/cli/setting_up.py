"""Commands that make databases: init, sample."""

from __future__ import annotations

import sys
from datetime import date, datetime
from zoneinfo import ZoneInfo

import click
import sqlalchemy as sa

from smsgw.cli.common import CommandFailed, Context, Day, cleared_up
from smsgw.dossiers import sample as province
from smsgw.failure import first_line
from smsgw.settings import secret_key
from smsgw.store.database import Database


@click.command()
@click.pass_obj
def init(context: Context) -> None:
    """Create or check the gateway's tables; safe to run again."""
    database = Database(context.settings.gateway.database)
    try:
        made = database.create()
    finally:
        database.close()
    secret_key(context.settings)
    click.echo(f"{'created' if made else 'checked'}: {database.url.render_as_string(hide_password=True)}")


MOST_DOSSIERS = 1_000_000  # more than any province has open; they are planned in memory


@click.command()
@click.option("--dossiers", type=click.IntRange(1, MOST_DOSSIERS), default=2000, show_default=True, help="How many.")
@click.option("--seed", type=int, default=2018, show_default=True, help="The same seed gives the same dossiers.")
@click.option("--today", type=Day(), help="The day that it is in the sample; default: today.")
@click.pass_obj
def sample(context: Context, dossiers: int, seed: int, today: date | None) -> None:
    """Fill the sample one-stop database: a synthetic province after An Giang's figures of 2018."""
    settings = context.settings
    day = today or _today(settings.gateway.timezone)
    # Where nobody looks on, click would write the label and nothing else.
    nobody = not sys.stderr.isatty()
    with cleared_up(), click.progressbar(length=dossiers, label="dossiers", file=sys.stderr, hidden=nobody) as bar:

        def more(count: int) -> None:
            bar.update(count)

        try:
            before = province.write(settings.onestop.database, dossiers, seed, day, progress=more)
        except province.NotTheSample as error:
            raise CommandFailed(str(error)) from None
        except sa.exc.DBAPIError as error:
            raise CommandFailed(f"the sample can't be written: {first_line(error)}; check onestop.database") from None
    shown = province.examples(settings.onestop.database)[0].code
    click.echo(f"{dossiers} dossiers around {day} in the sample one-stop database, {shown} among them")
    if before:
        click.echo(f"they replaced the {before} dossiers of the sample that was there")


def _today(timezone: str) -> date:
    return datetime.now(ZoneInfo(timezone)).date()
