"""The commands together, and what is common to them: the settings, `--json`, and how a failure ends."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import sqlalchemy as sa

from smsgw import __version__
from smsgw.answers.wording import WordingError
from smsgw.bench.processes import BenchFailed
from smsgw.cli import asking, benching, channels, figures, noticing, officials, reminding, running, voices
from smsgw.cli.common import Context, first_line
from smsgw.demo import NotPossible
from smsgw.dossiers.source import OneStopUnavailable
from smsgw.handset import HandsetError
from smsgw.notices.audience.expression import FilterError
from smsgw.notices.audience.refusals import AudienceRefused
from smsgw.notices.refusals import NoticeRefused
from smsgw.officials.accounts import AccountError
from smsgw.officials.passwords import PoorPassword, TooBusy
from smsgw.officials.steering import NoSuchChannel
from smsgw.reminders.rules import RulesError
from smsgw.settings import DEFAULT_FILE, SettingsError
from smsgw.store.database import SchemaError
from smsgw.web.server import CannotListen

# Failures whose text says all that is needed.
_EXPECTED = (
    SettingsError,
    WordingError,
    RulesError,
    SchemaError,
    OneStopUnavailable,
    CannotListen,
    NotPossible,
    HandsetError,
    BenchFailed,
    AccountError,
    NoSuchChannel,
    PoorPassword,
    TooBusy,
    AudienceRefused,
    FilterError,
    NoticeRefused,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config", "file", type=click.Path(path_type=Path), default=DEFAULT_FILE, show_default=True, help="Settings file."
)
@click.version_option(__version__, prog_name="smsgw")
@click.pass_context
def commands(context: click.Context, file: Path) -> None:
    """An SMS gateway for public service: a citizen texts a dossier code and gets its status back."""
    context.obj = Context(file)


for module in (running, asking, figures, channels, officials, noticing, reminding, voices, benching):
    for command in module.COMMANDS:
        commands.add_command(command)


def main() -> None:
    """Run a command. Exit status: 0 done, 1 refused or failed, 2 wrong usage."""
    try:
        commands(standalone_mode=True, prog_name="smsgw")
    except _EXPECTED as error:
        _fail(str(error))
    except sa.exc.DBAPIError as error:
        _fail(f"the gateway's database can't be used: {first_line(error)}; check gateway.database")
    except OSError as error:
        _fail(f"{error.filename or 'the system'}: {error.strerror or error}")


def _fail(why: str) -> None:
    click.echo(f"smsgw: {why}", err=True)
    sys.exit(1)
