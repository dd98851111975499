"""Commands that ask about texts and dossiers: lookup, text, segments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TextIO

import click

from smsgw.answers.asker import Asker
from smsgw.cli.common import Context, Msisdn, as_json, print_json
from smsgw.demo import simulator_url
from smsgw.handset import Handset
from smsgw.text.alphabet import storable
from smsgw.text.segments import measure


@click.command()
@click.argument("code")
@click.option("--from", "phone", type=Msisdn(), help="Ask as this phone; default: as a stranger.")
@as_json
@click.pass_obj
def lookup(context: Context, code: str, phone: str | None, as_json: bool) -> None:
    """What the gateway would answer to CODE, sending nothing."""
    with context.gateway() as gateway:
        now = gateway.clock()
        request = gateway.clerk.understand(code)
        asker = gateway.clerk.asker(phone, request, now) if phone else Asker(phone=None)
        reply = gateway.clerk.answer(request, asker, now)
        named = reply.codes[0] if reply.codes else None
        dossier = gateway.onestop.find([named]).get(named) if named else None
    size = measure(reply.text)
    if as_json:
        print_json(
            {
                "code": named,
                "found": dossier is not None,
                "status": int(dossier.status) if dossier else None,
                "text": reply.text,
                "encoding": size.encoding,
                "segments": size.segments,
            }
        )
    else:
        click.echo(reply.text)


@click.command()
@click.argument("message")
@click.option("--from", "phone", type=Msisdn(), required=True, help="The citizen's phone.")
@click.option("--wait", type=click.FloatRange(min=0), default=15.0, show_default=True, help="Seconds to wait.")
@as_json
@click.pass_obj
def text(context: Context, message: str, phone: str, wait: float, as_json: bool) -> None:
    """Send MESSAGE through the running simulator, wait for the answer and print it."""
    answer = Handset(simulator_url(context.settings), phone).ask(message, wait)
    if as_json:
        print_json({"from": phone, "message": message, **asdict(answer)})
    else:
        click.echo(answer.text)


@click.command()
@click.argument("texts", nargs=-1, metavar="[TEXT ...]")
@click.option(
    "--jsonl",
    type=click.File(encoding="utf-8"),
    help="A JSON string a line; - is standard input.",
)
@as_json
def segments(texts: tuple[str, ...], jsonl: TextIO | None, as_json: bool) -> None:
    """How each TEXT goes out: alphabet, units, segments, and how much room is left in the last one."""
    if not texts and jsonl is None:
        raise click.UsageError("give a TEXT, or a file of them with --jsonl")
    for one in (*texts, *(_json_strings(jsonl) if jsonl else ())):
        size = measure(one)
        if as_json:
            print_json(size)
        else:
            click.echo(f"{size.segments} x {size.encoding}, {size.units} units, {size.remaining} left: {storable(one)}")


def _json_strings(lines: TextIO) -> Iterator[str]:
    try:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _json_string(line, f"{lines.name}, line {number}")
    except UnicodeDecodeError:
        raise click.ClickException(f"{lines.name}: expected UTF-8") from None


def _json_string(line: str, where: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, str):
        raise click.ClickException(f"{where}: expected one JSON string")
    return value


COMMANDS = (lookup, text, segments)
