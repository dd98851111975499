"""Commands for other systems' keys to /api: key."""

from __future__ import annotations

from typing import get_args
from zoneinfo import ZoneInfo

import click

from smsgw.cli.common import Agency, Context, as_json, by_hand, nothing, print_json
from smsgw.officials.systems import DAILY, MOST_A_DAY, ROLES
from smsgw.store.officials import Role
from smsgw.store.systems import Key


class SystemsRole(click.ParamType[Role]):
    """What a key may do."""

    name = "ROLE"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> Role:
        found = next((role for role in ROLES if role == value), None)
        if found is None:
            why = "a key can't be" if value in get_args(Role) else "there is no role"
            self.fail(f"{why} {value}; expected {' or '.join(ROLES)}: to approve takes a person")
        return found


@click.group()
def key() -> None:
    """Keys to /api for other systems."""


@key.command()
@click.argument("name")
@click.option(
    "--role", type=SystemsRole(), default="viewer", show_default=True, help="viewer reads, sender sends as well."
)
@click.option(
    "--agency", type=Agency(), help="Code of the agency whose messages and notices it is for. Without: the province's."
)
@click.option(
    "--daily",
    type=click.IntRange(1, MOST_A_DAY),
    default=DAILY,
    show_default=True,
    help="Messages that it may send on a day, one by one; notices are not among them.",
)
@as_json
@click.pass_obj
def add(context: Context, name: str, role: Role, agency: str | None, daily: int, as_json: bool) -> None:
    """Make a key for the system NAME, and print it. Nobody can read it again."""
    with context.gateway() as gateway:
        made, secret = gateway.systems.add(name, role, agency, daily, by_hand())
    if as_json:
        print_json({**_shown(made), "key": secret})
    else:
        click.echo(f"{_line(made)}. Keep its key where only it can read it: it is not shown again.", err=True)
        click.echo(secret)
    context.doubt(made.agency, f"{made.name} is added")


@key.command("list")
@as_json
@click.pass_obj
def list_keys(context: Context, as_json: bool) -> None:
    """All keys, without what they open with."""
    with context.gateway() as gateway:
        keys, zone = gateway.systems.every(), gateway.hours.zone
    if as_json:
        print_json([_shown(one) for one in keys])
        return
    for one in keys or nothing("no key yet: see smsgw key add --help"):
        click.echo(f"{_line(one)}, {_lately(one, zone)}")


@key.command()
@click.argument("name")
@click.pass_obj
def revoke(context: Context, name: str) -> None:
    """The key of NAME opens nothing any more."""
    with context.gateway() as gateway:
        gateway.systems.revoke(name, by_hand())
    click.echo(f"{name}: revoked")


def _line(one: Key) -> str:
    may = f"sender, {one.daily} messages a day" if one.role == "sender" else one.role
    return f"{one.name}: {may}, {one.agency or 'the whole province'}"


def _lately(one: Key, zone: ZoneInfo) -> str:
    if one.revoked_at:
        return f"revoked {one.revoked_at.astimezone(zone):%Y-%m-%d}"
    return f"used {one.used_at.astimezone(zone):%Y-%m-%d}" if one.used_at else "never used"


def _shown(one: Key) -> dict[str, object]:
    names = ("name", "role", "agency", "daily", "created_at", "created_by", "used_at", "revoked_at")
    return {name: getattr(one, name) for name in names}
