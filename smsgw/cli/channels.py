"""Commands for channels and for messages whose fate is unknown: channel, doubtful."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from smsgw.cli.common import Context, as_json, by_hand, print_json
from smsgw.clock import utc_now
from smsgw.officials.steering import Steering
from smsgw.store import channels, pending
from smsgw.store.tables import Lane
from smsgw.text.phones import mask


@click.group()
def channel() -> None:
    """Channels: their states, and why they changed."""


@channel.command("list")
@as_json
@click.pass_obj
def list_channels(context: Context, as_json: bool) -> None:
    """Each channel with its latest changes, newest first."""
    with context.database() as database, database.reading() as connection:
        rows = channels.every(connection)
        events = {name: channels.events(connection, name) for name in rows}
    if as_json:
        print_json(
            {name: {"state": row.state, "reason": row.reason, "events": events[name]} for name, row in rows.items()}
        )
        return
    for name, row in rows.items():
        click.echo(f"{name}: {row.state}{f', {row.reason}' if row.reason else ''}")
        for event in events[name]:
            click.echo(f"  {event.at:%Y-%m-%d %H:%M:%S} UTC  {event.state}: {event.reason}")


@channel.command()
@click.argument("name")
@click.option("--reason", default="released by hand", help="Why, for those who look at it later.")
@click.pass_obj
def release(context: Context, name: str, reason: str) -> None:
    """Let channel NAME send again, after what held it is mended."""
    with context.database() as database:
        Steering(database, utc_now).release(name, reason, by_hand())
    click.echo(f"{name}: open")


@channel.command()
@click.argument("name")
@click.option("--reason", required=True, help="Why, for those who look at it later.")
@click.pass_obj
def pause(context: Context, name: str, reason: str) -> None:
    """Send nothing by channel NAME until it is released, whatever happens."""
    with context.database() as database:
        Steering(database, utc_now).pause(name, reason, by_hand())
    click.echo(f"{name}: paused")


@click.group(invoke_without_command=True)
@as_json
@click.pass_context
def doubtful(click_context: click.Context, as_json: bool) -> None:
    """Messages that the carrier may or may not have, with what is to be done about each."""
    if click_context.invoked_subcommand is not None:
        return
    context: Context = click_context.obj
    with context.database() as database, database.reading() as connection:
        rows = [_shown(row) for row in pending.unresolved(connection)]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['lane']:8} {row['channel']:10} {row['to']:14} {row['next']}")
    click.echo(f"{len(rows)} in doubt")


@doubtful.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID ...")
@click.pass_obj
def resend(context: Context, ids: Sequence[str]) -> None:
    """Send messages again; a person may then get one twice."""
    with context.database() as database:
        _said(Steering(database, utc_now).resend(ids, by_hand()), len(ids))


@doubtful.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID ...")
@click.pass_obj
def drop(context: Context, ids: Sequence[str]) -> None:
    """Send messages no more; a person may then never get one."""
    with context.database() as database:
        _said(Steering(database, utc_now).drop(ids, by_hand()), len(ids))


def _said(moved: int, asked: int) -> None:
    if moved < asked:
        raise click.ClickException(f"{asked - moved} of {asked} were not in doubt any more; {moved} were decided on")
    click.echo(f"{moved} decided on")


def _shown(row: Any) -> dict[str, object]:
    return {
        "id": row.id,
        "channel": row.channel,
        "lane": Lane(row.lane).name.lower(),
        "to": mask(row.recipient),
        "created_at": row.created_at,
        "attempts": row.attempts,
        "code": row.error_code,
        "next": f"looked at again {row.deadline:%Y-%m-%d %H:%M} UTC",
    }


COMMANDS = (channel, doubtful)
