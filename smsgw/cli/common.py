"""What commands share."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from pwd import getpwnam, getpwuid, struct_passwd
from types import FrameType
from typing import IO, TYPE_CHECKING, Any

import click

from smsgw.text import phones

if TYPE_CHECKING:
    from smsgw.clock import Clock
    from smsgw.gateway import Gateway
    from smsgw.settings import Settings
    from smsgw.store.database import Database

DEFAULT_FILE = Path("settings.toml")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for other programs.")


class CommandFailed(click.ClickException):
    """A command can't do what it was asked for; the text says why, and what to do."""

    def show(self, file: IO[Any] | None = None) -> None:
        complain(self.message)


def complain(why: str) -> None:
    """How every command says why it failed."""
    click.echo(f"smsgw: {why}", err=True)


class Context:
    """The settings, and what they name. Each part of the gateway is imported by the command that first asks for it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @cached_property
    def settings(self) -> Settings:
        from smsgw.settings import load

        return load(self.file)

    @contextmanager
    def gateway(self) -> Iterator[Gateway]:
        """A gateway whose tables are there, and whose work is not started."""
        from smsgw.gateway import Gateway

        gateway = Gateway(self.settings)
        try:
            gateway.database.check()
            gateway.common_clock.compare()
            yield gateway
        finally:
            gateway.close()

    @contextmanager
    def database(self) -> Iterator[Database]:
        """The gateway's database, with its tables."""
        from smsgw.store.database import Database

        database = Database(self.settings.gateway.database)
        try:
            database.check()
            yield database
        finally:
            database.close()

    def doubt(self, agency: str | None, done: str) -> None:
        """Say so if the one-stop database knows no such agency. `done`: what is done for it all the same."""
        from smsgw.dossiers import agencies

        if agency and (doubt := agencies.doubt(self.settings.onestop.database, agency)):
            complain(f"{done}, but the agency {agency} {doubt}")


def common_clock(database: Database) -> Clock:
    """The time that running nodes go by, whatever this machine's clock is set to."""
    from smsgw.clock import utc_now
    from smsgw.store.clock import CommonClock

    clock = CommonClock(database, utc_now)
    clock.compare()
    return clock


FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)  # within these, no reckoning leaves the calendar


class Day(click.ParamType[date]):
    """A day such as 2026-11-23."""

    name = "DATE"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> date:
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day; expected one such as 2026-11-23")
        if not FIRST_DAY <= day <= LAST_DAY:
            self.fail(f"{value!r} is not between {FIRST_DAY} and {LAST_DAY}")
        return day


class Agency(click.ParamType[str]):
    """The code of an agency. To leave it out means the whole province; a name that is empty is a slip."""

    name = "TEXT"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        if not value.strip():
            raise click.UsageError("--agency is empty; leave it out for the whole province")
        return value


class Said(click.ParamType[str]):
    """Words that people are to read, of which there must be some."""

    name = "TEXT"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        if not value.strip():
            self.fail("it is empty; say something", parameter, context)
        return value


class Msisdn(click.ParamType[str]):
    """A phone number in any usual form; E.164 digits come out."""

    name = "MSISDN"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        phone = phones.msisdn(value)
        if phone is None:
            self.fail(f"{value!r} is no phone number; expected one such as 84912345678 or 0912345678")
        return phone


class Mobile(Msisdn):
    """The same of a phone that gets texts."""

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        phone = super().convert(value, parameter, context)
        if not phones.takes_texts(phone):
            self.fail(f"{value!r} gets no texts; expected a mobile phone such as 0912345678")
        return phone


class Answered(Msisdn):
    """The same of a phone that is answered when it texts, as carriers name it: without a plus."""

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        phone = super().convert(value, parameter, context)
        if phones.msisdn(phone) != phone:
            self.fail(
                f"{value!r} is abroad: a carrier brings it as {phone}, without the plus, and no such number is"
                " answered; expected one such as 84912345678 or 0912345678"
            )
        return phone


def by_hand() -> str:
    """Who gives this command, as the audit log names them; with sudo, who they were before.

    By the process, and not by LOGNAME or USER, which say what anybody wrote there.
    """
    user, before = _name(lambda: getpwuid(os.getuid())), _name(lambda: getpwnam(os.environ["SUDO_USER"]))
    if before in (None, user):
        return f"cli:{user}" if user else "cli"
    return f"cli:{before} as {user}" if user else f"cli:{before}"


def _name(look_up: Callable[[], struct_passwd]) -> str | None:
    try:
        return look_up().pw_name
    except KeyError:  # a user id without a name, or nobody of this machine
        return None


@contextmanager
def cleared_up() -> Iterator[None]:
    """A SIGTERM in the block, or a terminal that is closed, ends the command as Ctrl-C does.

    What it has made for itself is removed first.
    """
    # Under nohup it is to outlive the terminal.
    heard = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _end) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def print_json(value: object) -> None:
    """One line of JSON. Dataclasses become objects."""
    click.echo(json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def nothing(said: str) -> tuple[()]:
    """What a person reads in place of a list that is empty."""
    click.echo(said)
    return ()
