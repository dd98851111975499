"""Commands for officials' accounts and for the log of what they did: user, audit."""

from __future__ import annotations

import re
import sys

import click

from smsgw.cli.common import Agency, Context, Mobile, as_json, by_hand, nothing, print_json
from smsgw.failure import ExpectedFailure
from smsgw.officials import audit as log
from smsgw.officials.accounts import AccountError, highest_role
from smsgw.store.officials import Official, Role


class RoleName(click.ParamType[Role]):
    """Some of the roles, separated by commas; the highest one counts."""

    name = "ROLE"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> Role:
        try:
            return highest_role(value)
        except AccountError as error:
            self.fail(str(error))


@click.group()
def user() -> None:
    """Officials' accounts."""


@user.command()
@click.argument("name")
@click.option("--role", type=RoleName(), required=True, help="viewer, sender, approver or admin: each may more.")
@click.option(
    "--agency",
    type=Agency(),
    help="Code of the agency whose citizens and notices they see. Without: the whole province.",
)
@click.option("--phone", type=Mobile(), help="Their own number, for test messages.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--no-password", is_flag=True, help="They sign in by OpenID Connect only.")
@click.pass_obj
def add(
    context: Context,
    name: str,
    role: Role,
    agency: str | None,
    phone: str | None,
    password_stdin: bool,
    no_password: bool,
) -> None:
    """Make an account for NAME."""
    if password_stdin and no_password:
        raise click.UsageError("--password-stdin and --no-password exclude each other")
    password = None if no_password else _password(password_stdin)
    with context.gateway() as gateway:
        made = gateway.accounts.add(name, role, agency, phone, password, by_hand())
    click.echo(f"{made.name}: {made.role}, {made.agency or 'the whole province'}")
    context.doubt(made.agency, f"{made.name} is added")


@user.command("list")
@as_json
@click.pass_obj
def list_users(context: Context, as_json: bool) -> None:
    """All accounts."""
    with context.gateway() as gateway:
        officials = gateway.accounts.every()
    if as_json:
        print_json([_shown(official) for official in officials])
        return
    for official in officials or nothing("no account yet: see smsgw user add --help"):
        disabled = "  disabled" if official.disabled_at else ""
        second = "  second factor" if official.second_factor else ""
        click.echo(f"{official.name:24} {official.role:9} {official.agency or 'province':14}{second}{disabled}")


@user.command()
@click.argument("name")
@click.pass_obj
def disable(context: Context, name: str) -> None:
    """NAME can't sign in any more, and is signed out everywhere."""
    with context.gateway() as gateway:
        gateway.accounts.disable(gateway.accounts.named(name), by_hand())
    click.echo(f"{name}: disabled")


@user.command()
@click.argument("name")
@click.pass_obj
def enable(context: Context, name: str) -> None:
    """NAME can sign in again."""
    with context.gateway() as gateway:
        gateway.accounts.enable(gateway.accounts.named(name), by_hand())
    click.echo(f"{name}: enabled")


@user.command()
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.pass_obj
def password(context: Context, name: str, password_stdin: bool) -> None:
    """Set a new password for NAME, who is signed out everywhere."""
    with context.gateway() as gateway:
        official = gateway.accounts.named(name)
        gateway.accounts.set_password(official, _password(password_stdin), by_hand())
    click.echo(f"{name}: new password")


@user.command("reset-second-factor")
@click.argument("name")
@click.pass_obj
def reset_second_factor(context: Context, name: str) -> None:
    """NAME, whose phone is lost, signs in with the password alone."""
    with context.gateway() as gateway:
        gateway.accounts.end_second_factor(gateway.accounts.named(name), by_hand())
    click.echo(f"{name}: no second factor")


@click.group()
def audit() -> None:
    """The log of what officials did."""


def _head(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Half a hash that was pasted must not be told to be a log that was changed."""
    if value is not None and not re.fullmatch("[0-9a-f]{64}", value):
        raise click.BadParameter(f"{value!r} is no head; expected its 64 digits, as audit verify printed them")
    return value


@audit.command()
@click.option("--noted", callback=_head, help="A head that was noted down earlier: it must still be in the log.")
@as_json
@click.pass_obj
def verify(context: Context, noted: str | None, as_json: bool) -> None:
    """Look at every entry of the log; names the first that is not as it was written."""
    with context.database() as database, database.reading() as connection:
        verdict = log.verify(connection, noted)
    if as_json:
        print_json({"ok": verdict.broken is None, **_fields(verdict)})
    elif verdict.broken is None:
        click.echo(f"{verdict.entries} entries, as they were written; head {verdict.head}")
    if verdict.broken is not None:
        raise ExpectedFailure(f"entry {verdict.broken} of the audit log is not as it was written: {verdict.problem}")


def _fields(verdict: log.Verdict) -> dict[str, object]:
    return {name: getattr(verdict, name) for name in ("entries", "head", "broken", "problem")}


def _password(from_stdin: bool) -> str:
    if from_stdin:
        try:
            return sys.stdin.buffer.readline().decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise click.UsageError("the password is not UTF-8, and could not be typed on the console's page") from None
    if not sys.stdin.isatty():
        raise click.UsageError("a password is needed: --password-stdin")
    given: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return given


def _shown(official: Official) -> dict[str, object]:
    return {
        "name": official.name,
        "role": official.role,
        "agency": official.agency,
        "second_factor": official.second_factor,
        "created_at": official.created_at,
        "disabled_at": official.disabled_at,
    }
