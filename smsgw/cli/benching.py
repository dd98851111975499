"""The command that measures: bench."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import sqlalchemy as sa

from smsgw.bench import figures, runner
from smsgw.bench.plan import Plan
from smsgw.cli.common import as_json, cleared_up, print_json


def _server(context: click.Context, parameter: click.Parameter, url: str | None) -> str | None:
    try:
        if url is None or sa.make_url(url).get_backend_name() == "postgresql":
            return url
    except (sa.exc.SQLAlchemyError, ValueError):
        pass
    raise click.BadParameter("expected postgresql+psycopg://USER@HOST/NAME")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME ...]", type=click.Choice(list(runner.BENCHMARKS)))
@click.option(
    "--database",
    metavar="URL",
    callback=_server,
    help="A PostgreSQL, where schemas are made and dropped; default: SQLite.",
)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="How often all is measured.")
@click.option("--scale", type=click.FloatRange(0.001, 10), default=1.0, show_default=True, help="Of every count.")
@click.option("--web", type=click.IntRange(0, 16), help="Web processes; 0: one process has all roles.")
@click.option("--workers", type=click.IntRange(1, 16), help="Worker processes beside them.")
@click.option(
    "--connections", type=click.IntRange(1, 400), default=256, show_default=True, help="Of the carrier to us."
)
@click.option("--latency", type=click.FloatRange(0, 10), default=0.0, help="Seconds that the carrier takes to answer.")
@click.option(
    "--batch",
    "batches",
    type=click.IntRange(1, 500),
    multiple=True,
    default=(100, 500),
    help="Messages a call, for notice.",
)
@click.option("--finished", type=click.IntRange(min=1), default=5_000_000, show_default=True, help="Rows for claim.")
@click.option("--minutes", type=click.FloatRange(0.01, 600), default=3.0, show_default=True, help="Load for memory.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File that a line of JSON is added to.")
@as_json
def bench(
    names: Sequence[str],
    database: str | None,
    rounds: int,
    scale: float,
    web: int | None,
    workers: int | None,
    connections: int,
    latency: float,
    batches: tuple[int, ...],
    finished: int,
    minutes: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure the gateway against baselines in the same run; see docs/performance.md.

    NAME: some of inbound, notice, reply-under-notice, claim, memory, reminders; default: all of them. All of it happens
    on this machine's loopback, with databases that are thrown away.
    """
    plan = Plan(rounds, scale, connections, latency, finished, minutes, batches, web, workers)
    with cleared_up():
        done = runner.run(names or list(runner.BENCHMARKS), database, plan, lambda text: click.echo(text, err=True))
    if as_json:
        print_json(done.document())
    else:
        click.echo("\n".join([figures.table(done.figures), *done.notes]))
    if out is not None:  # at the end, so that what took so long is seen also where the file can't be written
        runner.append(out, done.document())
