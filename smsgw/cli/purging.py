"""The command that removes what is old: purge."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import click

from smsgw.cli.common import Context, as_json, print_json
from smsgw.retention.purge import Done


@click.command()
@click.option("--dry-run", is_flag=True, help="Only count what would be removed.")
@as_json
@click.pass_obj
def purge(context: Context, dry_run: bool, as_json: bool) -> None:
    """Apply the retention rules: remove what is older than [retention] says, as the scheduler does every night."""
    with context.gateway() as gateway:
        done = gateway.purge.look() if dry_run else gateway.purge.remove()
    if as_json:
        print_json({"dry_run": dry_run, "rules": done})
        return
    zone = ZoneInfo(context.settings.gateway.timezone)
    for one in done:
        click.echo(
            f"{one.what:40} {_before(one, zone):24} {one.rows:>9,}{f'  left: {one.problem}' * bool(one.problem)}"
        )
    total = sum(one.rows for one in done)
    click.echo(f"{total:,} {'would be removed' if dry_run else 'removed'}")


def _before(one: Done, zone: ZoneInfo) -> str:
    return f"before {one.before.astimezone(zone):%Y-%m-%d %H:%M}" if one.before else "kept for ever"
