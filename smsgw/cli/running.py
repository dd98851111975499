"""Commands that run: serve, simulator, demo."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from smsgw import demo as demonstration
from smsgw import logs
from smsgw.cli.common import DEFAULT_FILE, CommandFailed, Context
from smsgw.gateway import ROLES, Role
from smsgw.resources import shipped
from smsgw.serve import Node, Stop
from smsgw.settings import Settings, load
from smsgw.store.database import InUse
from smsgw.web.server import CannotListen


def _roles(context: click.Context, parameter: click.Parameter, value: str) -> tuple[Role, ...]:
    named = {name.strip() for name in value.split(",")}
    if unknown := named - set(ROLES):
        raise click.BadParameter(
            f"{', '.join(sorted(map(repr, unknown)))}: expected some of {', '.join(ROLES)}, with commas"
        )
    return tuple(role for role in ROLES if role in named)


@contextmanager
def _moved_by(what: str) -> Iterator[None]:
    """Where an address is taken, say by what another one is chosen."""
    try:
        yield
    except CannotListen as error:
        raise CommandFailed(f"{error} by {what}") from None


@click.command()
@click.option("--roles", default=",".join(ROLES), show_default=True, callback=_roles)
@click.pass_obj
def serve(context: Context, roles: tuple[Role, ...]) -> None:
    """Run the gateway; drains and stops on SIGTERM."""
    logs.to_stderr()
    stop = Stop()
    with _moved_by("web.bind in the settings"):
        node = Node(context.settings, roles)
    node.start()
    click.echo(f"gateway: {', '.join(roles)}; {context.settings.gateway.public_url}", err=True)
    stop.wait()
    node.stop()


@click.command()
@click.option("--channel", help="The channel whose carrier is played; default: the first of provider aggregator.")
@click.pass_obj
def simulator(context: Context, channel: str | None) -> None:
    """Run the carrier simulator alone, with its handset page."""
    logs.to_stderr()
    stop = Stop()
    with _moved_by("the channel's url in the settings"):
        carrier = demonstration.SimulatedCarrier(context.settings, channel)
    carrier.start()
    click.echo(f"carrier simulator with a handset: {carrier.url}", err=True)
    stop.wait()
    carrier.stop()


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="The gateway's port on loopback.")
@click.option("--simulator-port", type=click.IntRange(1, 65535), help="The simulator's port on loopback.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder for the databases.")
@click.option("--once", is_flag=True, help="Stop after the exchange; exit status 0 if the right answer came.")
@click.pass_obj
def demo(context: Context, port: int | None, simulator_port: int | None, data: Path | None, once: bool) -> None:
    """Gateway, carrier simulator and a sample province on this machine; texts a code as a citizen would."""
    text = None if context.file.exists() or context.file != DEFAULT_FILE else shipped("settings.toml")
    settings = demonstration.on_loopback(load(context.file, text), port, simulator_port, data)
    logs.to_stderr(logging.ERROR)
    stop = Stop()
    try:
        with _moved_by("--port or --simulator-port"), demonstration.running(settings, click.echo) as exchange:
            click.echo("A citizen texts a dossier code, and the gateway answers:")
            exchange.show(click.echo)
            if not once:
                _show_addresses(settings)
                stop.wait()
    except InUse as error:
        raise CommandFailed(f"{error}; or name another folder by --data") from None
    if not exchange.right:
        raise CommandFailed("the answer was not the right one")


def _show_addresses(settings: Settings) -> None:
    click.echo(f"\nText it yourself        {demonstration.simulator_url(settings)}/")
    click.echo(f"Chat on Zalo            {demonstration.simulator_url(settings)}/zalo")
    click.echo(f"The look-up page        {str(settings.gateway.public_url).rstrip('/')}/")
    click.echo(f"The officials' console  {str(settings.gateway.public_url).rstrip('/')}/console/")
    names = ", ".join(f"{name} ({role})" for name, role in demonstration.OFFICIALS)
    click.echo(f"  sign in as {names}; password: {demonstration.officials(settings)}")
    click.echo("Ctrl-C stops everything.")
