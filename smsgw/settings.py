"""Settings: `settings.toml`, overridden by SMSGW_ variables. All that is wrong in them is refused at start, at once."""

from __future__ import annotations

import os
import re
import secrets
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import (
    SettingsError as UnreadableVariable,
)

import providers
from providers.contract import ProviderModule
from smsgw.answers.asking import Words

PREFIX = "SMSGW_"
DIVIDER = "__"
DEFAULT_FILE = Path("settings.toml")
# Environment variables of ours that are no settings.
NO_SETTINGS = frozenset({"SMSGW_PG_BINDIR"})


class SettingsError(Exception):
    """What is wrong with the settings: one line for each fault, with file, key and what was expected."""


def _backend(url: str) -> str:
    try:
        return sa.make_url(url).get_backend_name()
    except (sa.exc.SQLAlchemyError, ValueError):
        raise ValueError("expected a database URL, such as sqlite:///var/gateway.db") from None


def _database(url: str) -> str:
    try:
        address = sa.make_url(url)
        dialect = address.get_dialect()
    except (sa.exc.SQLAlchemyError, ValueError):
        raise ValueError("expected a database URL, such as sqlite:///var/gateway.db") from None
    if address.get_backend_name() == "sqlite" and address.database in (None, "", ":memory:"):
        raise ValueError("expected a file, such as sqlite:///var/gateway.db")
    try:
        dialect.import_dbapi()
    except ImportError as error:
        raise ValueError(f"the driver of this database is not installed; expected the package {error.name}") from None
    return url


def _gateway_database(url: str) -> str:
    if _backend(url) not in ("sqlite", "postgresql"):
        raise ValueError("expected sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME")
    return _database(url)


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("expected the name of a time zone, such as Asia/Ho_Chi_Minh") from None
    return name


def _bind(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ValueError("expected HOST:PORT, such as 127.0.0.1:8080")
    return value


def _hour(value: object) -> object:
    if isinstance(value, str):
        try:
            hour = time.fromisoformat(value)
        except ValueError:
            pass
        else:
            if hour.tzinfo is None:  # the time zone is the gateway's
                return hour
    raise ValueError('expected an hour, such as "21:00"')


Purpose = Literal["reply", "reminder", "notice"]


def _number(value: object) -> object:
    if isinstance(value, bool):  # which Python takes for 0 and 1
        raise ValueError("expected a number")
    return value


Hour = Annotated[time, BeforeValidator(_hour)]
Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_number)]
Count = Annotated[int, BeforeValidator(_number)]
Bind = Annotated[str, AfterValidator(_bind)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GatewaySettings(_Table):
    """[gateway]"""

    database: Annotated[str, AfterValidator(_gateway_database)] = Field(repr=False)  # may hold a password
    timezone: Annotated[str, AfterValidator(_timezone)] = "Asia/Ho_Chi_Minh"
    public_url: HttpUrl = HttpUrl("http://127.0.0.1:8080")
    secret_key: SecretStr = SecretStr("")


class WebSettings(_Table):
    """[web]. `trusted_proxy`: the address of the proxy in front, whose word on the visitor's address is taken.

    `share_port`: several processes of this machine listen on one address, and the kernel deals out connections.
    """

    bind: Bind = "127.0.0.1:8080"
    threads: Count = Field(default=32, ge=1, le=256)
    share_port: bool = False
    trusted_proxy: str | None = None


class OneStopSettings(_Table):
    """[onestop]. `time_limit` in seconds for one look-up; `apologise_after` in seconds without an answer."""

    database: Annotated[str, AfterValidator(_database)] = Field(repr=False)
    time_limit: Number = Field(default=2.0, gt=0, le=30)
    apologise_after: Number = Field(default=300.0, gt=0, le=86_400)


class AnswerSettings(_Table):
    """[answers]. `wording`: a file in place of the shipped wording; limits count messages of one sender in an hour."""

    wording: Path | None = None
    hotline: str = Field(default="1022", min_length=3, max_length=20)
    slow_after_misses: Count = Field(default=5, ge=1)
    refuse_after_misses: Count = Field(default=20, ge=1)
    same_text_limit: Count = Field(default=100, ge=1)


class QuietHours(_Table):
    """[quiet_hours], by the gateway's time zone."""

    start: Hour = time(21)
    end: Hour = time(7)


class RouteSettings(_Table):
    """[[routes]]: channels for some purposes and numbers, the best one first. `prefixes`: E.164 digits, as 8491."""

    purposes: tuple[Purpose, ...] = ("reply", "reminder", "notice")
    channels: tuple[str, ...] = Field(min_length=1)
    prefixes: tuple[Annotated[str, Field(pattern=r"^\d{1,15}$")], ...] = ()


class ChannelSettings(BaseModel):
    """[channels.NAME]: what every carrier has; the rest belongs to the provider and stands in `config`.

    `tps`: messages a second that the contract allows; `reply_share`: of it, only for replies.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    provider: str
    sender: str = Field(min_length=1, max_length=15)
    tps: Number = Field(gt=0)
    batch: Count = Field(default=100, ge=1)
    reply_share: Number = Field(default=0.2, ge=0, lt=1)

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        """The provider's own settings hold secrets that only its `Config` knows of."""
        return ((name, getattr(self, name)) for name in type(self).model_fields)

    def module(self) -> ProviderModule:
        """The provider's module."""
        return providers.load(self.provider)

    def config(self) -> BaseModel:
        """The provider's own settings. Raises ValidationError."""
        return self.module().Config.model_validate(self.model_extra)


class Settings(BaseSettings):
    """All of them."""

    model_config = SettingsConfigDict(
        extra="forbid", env_prefix=PREFIX, env_nested_delimiter=DIVIDER, frozen=True, env_ignore_empty=False
    )

    gateway: GatewaySettings
    onestop: OneStopSettings
    channels: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")], ChannelSettings] = Field(min_length=1)
    routes: tuple[RouteSettings, ...] = ()
    web: WebSettings = WebSettings()
    answers: AnswerSettings = AnswerSettings()
    words: Words = Words()
    quiet_hours: QuietHours = QuietHours()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables outrank the file, whose content is passed in by `load`."""
        return env_settings, init_settings


def load(file: Path = DEFAULT_FILE, text: str | None = None) -> Settings:
    """The settings of a file, or of `text` in its stead. Raises SettingsError."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig") if text is None else text)
    except OSError as error:
        raise SettingsError(
            f"{file}: can't be read ({error.strerror}); name a settings file: smsgw --config FILE"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: is no TOML: {error}") from None
    faults = _unknown_variables(os.environ)
    source = _Source(file, document)
    try:
        settings = Settings(**document)
    except UnreadableVariable as error:
        faults.append(_unreadable(error))
    except ValidationError as error:
        faults += _faults(error, source, ())
    else:
        faults += _channel_faults(settings, source)
        faults += _texts_for_numbers(document, settings.model_dump(), source, ())
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


def secret_key(settings: Settings) -> str:
    """The key that sessions are signed with: as set, else made once and kept beside the database, mode 0600."""
    if key := settings.gateway.secret_key.get_secret_value():
        return key
    url = sa.make_url(settings.gateway.database)
    folder = Path(url.database or "").parent if url.get_backend_name() == "sqlite" else Path("var")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "secret_key"
    if not path.exists():
        # Another node may start at the same time: the first one's key is everybody's, and nobody reads half of it.
        with NamedTemporaryFile("w", dir=folder, prefix="secret_key.") as file:  # mode 0600 from the start
            file.write(secrets.token_urlsafe(32))
            file.flush()
            with suppress(FileExistsError):
                os.link(file.name, path)
    return path.read_text().strip()


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Pydantic passes over a variable whose first name it does not know, so a misspelt one would be lost."""
    known = {name.upper() for name in Settings.model_fields}
    return [
        f"{name}: no such setting; expected {PREFIX}TABLE{DIVIDER}KEY with TABLE one of {', '.join(sorted(known))}"
        for name in sorted(environment)
        if name.upper().startswith(PREFIX)
        and name.upper() not in NO_SETTINGS
        and name.upper().removeprefix(PREFIX).split(DIVIDER)[0] not in known
    ]


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the settings came from: a file with this content, and variables."""

    file: Path
    document: Mapping[str, Any]

    def of(self, path: tuple[str, ...], *, missing: bool = False) -> str:
        """The file and key, or the variable, that a fault at that path is to be mended in."""
        wanted = DIVIDER.join(path).upper()
        # Of a table that stands only in variables, something may be missing.
        above = DIVIDER.join(path[:-1]).upper() if missing and not self._has(path[:-1]) else wanted
        for name in sorted(os.environ):
            rest = name.upper().removeprefix(PREFIX)
            if name.upper().startswith(PREFIX) and (rest == wanted or f"{rest}{DIVIDER}".startswith(above + DIVIDER)):
                return f"{name}: {'.'.join(path)}" if rest != wanted else name
        return f"{self.file}: {'.'.join(path)}"

    def _has(self, path: tuple[str, ...]) -> bool:
        table: Any = self.document
        for part in path:
            if not isinstance(table, Mapping) or part not in table:
                return False
            table = table[part]
        return True


def _channel_faults(settings: Settings, source: _Source) -> list[str]:
    faults = []
    for name, channel in settings.channels.items():
        path = ("channels", name)
        try:
            config = channel.config()
        except ValidationError as error:
            faults += _faults(error, source, path)
        except providers.NoSuchProvider as error:
            faults.append(f"{source.of((*path, 'provider'))}: {error}")
        else:
            faults += _texts_for_numbers(source.document.get("channels", {}).get(name, {}), config, source, path)
    for number, route in enumerate(settings.routes):
        if unknown := [name for name in route.channels if name not in settings.channels]:
            known = ", ".join(settings.channels)
            where = source.of(("routes", str(number), "channels"))
            faults.append(f"{where}: {unknown[0]}: no such channel; expected some of {known}")
    return faults


def _texts_for_numbers(given: object, taken: object, source: _Source, above: tuple[str, ...]) -> list[str]:
    """Variables can't but be texts, and so numbers in quotes are read; in the file they are the wrong type."""
    if isinstance(given, str | bool) and isinstance(taken, int | float) and not isinstance(taken, bool):
        return [f"{source.file}: {'.'.join(above)}: expected a number, without quotes"]
    if not isinstance(given, Mapping):
        return []
    values = taken if isinstance(taken, Mapping) else dict(taken) if isinstance(taken, BaseModel) else {}
    return [
        fault
        for name, value in given.items()
        for fault in _texts_for_numbers(value, values.get(name), source, (*above, name))
    ]


def _faults(error: ValidationError, source: _Source, above: tuple[str, ...]) -> list[str]:
    """One line a fault, never with the value: it may be a secret."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        path = (*above, *(str(part) for part in fault["loc"] if part != "[key]"))
        origin = source.of(path, missing=fault["type"] == "missing")
        lines.append(f"{origin}: {_expectation(fault['type'], fault['msg'])}")
    return lines


def _unreadable(error: UnreadableVariable) -> str:
    """A whole table in one variable, which has to be JSON. The error names the table and quotes no value."""
    table = re.search(r'field "(\w+)"', str(error))
    name = f"{PREFIX}{table[1].upper()}" if table else PREFIX
    return f"{name}: expected a table as JSON; better set single keys: {name}{DIVIDER}KEY"


_EXPECTATIONS = {
    "missing": "is missing; it has no default",
    "extra_forbidden": "no such key; see docs/settings.md for those there are",
    "unexpected_keyword_argument": "no such key; see docs/settings.md for those there are",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "dataclass_type": "expected a table",
    "tuple_type": 'expected a list of texts, such as ["HS", "TRA CUU"]',
    "path_type": "expected the name of a file, in quotes",
    "string_type": "expected a text, in quotes",
    "finite_number": "expected a number that is finite",
}


def _expectation(kind: str, message: str) -> str:
    if kind == "too_short":
        return "expected at least one table such as [channels.sms]" if "Dictionary" in message else "expected some text"
    return _EXPECTATIONS.get(kind) or message.removeprefix("Value error, ").replace("Input should be", "expected")
