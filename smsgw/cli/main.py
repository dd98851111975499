"""The commands together, and what is common to them: the settings, `--json`, and how a failure ends."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import click

from smsgw import __version__
from smsgw.cli.common import DEFAULT_FILE, Context, complain
from smsgw.failure import ExpectedFailure, first_line

# The commands of each module. It is imported when one of them is asked for, so that a small one begins at once.
_MODULES = {
    "setting_up": ("init", "sample"),
    "running": ("serve", "simulator", "demo"),
    "asking": ("lookup", "text"),
    "measuring": ("segments",),
    "figures": ("outbox", "report"),
    "examining": ("doctor",),
    "channels": ("channel", "doubtful"),
    "officials": ("user", "audit"),
    "keys": ("key",),
    "noticing": ("notice",),
    "reminding": ("reminders",),
    "voices": ("voice",),
    "purging": ("purge",),
    "benching": ("bench",),
}
_MODULE_OF = {command: module for module, commands in _MODULES.items() for command in commands}


class Commands(click.Group):
    """All of them; a command is a function of its name."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(_MODULE_OF)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _MODULE_OF:
            return None
        command: click.Command = getattr(import_module(f"smsgw.cli.{_MODULE_OF[name]}"), name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, readable=False),
    default=DEFAULT_FILE,
    show_default=True,
    help="Settings file.",
)
@click.version_option(__version__, prog_name="smsgw")
@click.pass_context
def commands(context: click.Context, file: Path) -> None:
    """An SMS gateway for public service: a citizen texts a dossier code and gets its status back."""
    context.obj = Context(file)


def main() -> None:
    """Run a command. Exit status: 0 done, 1 refused or failed, 2 wrong usage."""
    if unreadable := [word for word in sys.argv[1:] if not _is_text(word)]:
        complain(f"{unreadable[0]!r} is not UTF-8, and can't be read; type it anew, or rename the file")
        sys.exit(2)
    try:
        commands(standalone_mode=True, prog_name="smsgw")
    except ExpectedFailure as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or 'the system'}: {error.strerror or error}")
    except Exception as error:
        from sqlalchemy.exc import DBAPIError  # whoever raised it has imported it already

        if not isinstance(error, DBAPIError):
            raise
        _fail(
            f"the gateway's database can't be used: {first_line(error)}; see smsgw doctor, and check gateway.database"
        )


def _is_text(word: str) -> bool:
    """Whether it came as UTF-8: bytes that are none stand in it as halves of characters, which no database takes."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fail(why: str) -> None:
    complain(why)
    sys.exit(1)
