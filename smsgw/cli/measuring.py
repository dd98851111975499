"""The command that measures texts: segments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TextIO

import click

from smsgw.cli.common import CommandFailed, as_json, print_json
from smsgw.text.alphabet import storable
from smsgw.text.segments import measure


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
        raise CommandFailed(f"{lines.name}: expected UTF-8") from None


def _json_string(line: str, where: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, str):
        raise CommandFailed(f"{where}: expected one JSON string")
    return value
