"""Commands for complaints and questions: voice list, voice answer, voice close."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import click

from smsgw.cli.common import CommandFailed, Context, as_json, by_hand, nothing, print_json
from smsgw.gateway import Gateway
from smsgw.intake.voices import LONGEST_ANSWER
from smsgw.store import voices
from smsgw.store.voices import STATES, Voice
from smsgw.text.phones import mask_all

NUMBER = click.IntRange(1, 2**31 - 1)  # as its column


@click.group("voice")
def voice() -> None:
    """Citizens' complaints and questions."""


@voice.command("list")
@click.option("--state", type=click.Choice(STATES), default="new", show_default=True)
@as_json
@click.pass_obj
def list_(context: Context, state: voices.State, as_json: bool) -> None:
    """Those in a state, oldest first."""
    with context.database() as database, database.reading() as connection:
        found = voices.page(connection, state, limit=1000)
    if as_json:
        print_json([_shown(one) for one in found])
        return
    zone = ZoneInfo(context.settings.gateway.timezone)
    for one in found or nothing(f"no complaint or question is {state}"):
        when = f"{one.received_at.astimezone(zone):%Y-%m-%d %H:%M}"
        click.echo(f"{one.number}  {when}  {one.agency_name or '-'}: {one.text}")


def _shown(one: Voice) -> dict[str, object]:
    shown = {"number": one.number, "from": mask_all(one.phone), "code": one.code, "agency": one.agency_name}
    return {**shown, "received_at": one.received_at, "text": one.text, "answer": one.answer}


@voice.command("answer")
@click.argument("number", type=NUMBER)
@click.argument("text")
@click.pass_obj
def answer(context: Context, number: int, text: str) -> None:
    """Answer NUMBER by an SMS with TEXT."""
    if not 1 <= len(text.strip()) <= LONGEST_ANSWER:
        raise click.UsageError(f"the answer needs 1 to {LONGEST_ANSWER} characters")
    with context.gateway() as gateway:
        voice = _named(gateway, number)
        if lost := gateway.voices.draft(voice, text.strip()).lost:
            click.echo(f"without accents each of these goes out as a question mark: {' '.join(lost)}", err=True)
        if not gateway.voices.answer(voice, text.strip(), by_hand()):
            raise CommandFailed(f"number {number} has been answered or closed already; see smsgw voice list")


@voice.command("close")
@click.argument("number", type=NUMBER)
@click.option("--reason", default="", help="Why, for the audit log.")
@click.pass_obj
def close(context: Context, number: int, reason: str) -> None:
    """Close NUMBER: nothing more is to be done."""
    with context.gateway() as gateway:
        if not gateway.voices.close(_named(gateway, number), by_hand(), reason):
            raise CommandFailed(f"number {number} is closed already; see smsgw voice list --state closed")


def _named(gateway: Gateway, number: int) -> Voice:
    with gateway.database.reading() as connection:
        found = voices.numbered(connection, number)
    if found is None:
        raise CommandFailed(f"there is no complaint or question {number}; see smsgw voice list")
    return found
