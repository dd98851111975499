"""Commands that ask about dossiers: lookup, text."""

from __future__ import annotations

from dataclasses import asdict

import click

from smsgw.answers.asker import Asker
from smsgw.cli.common import Answered, Context, Msisdn, as_json, print_json
from smsgw.demo import simulator_url
from smsgw.handset import Handset
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
@click.option("--from", "phone", type=Answered(), required=True, help="The citizen's phone.")
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
