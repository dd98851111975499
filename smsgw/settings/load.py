"""Reading the settings from a file and from variables, and refusing what is wrong in them."""

from __future__ import annotations

import os
import secrets
import tomllib
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableVariable

import providers
from smsgw.answers.words import Words
from smsgw.failure import ExpectedFailure
from smsgw.settings.faults import (
    DIVIDER,
    PREFIX,
    Source,
    faults_of,
    not_utf8,
    other_kinds,
    unknown_variables,
    unreadable,
)
from smsgw.settings.kinds import lists_of_variables
from smsgw.settings.tables import (
    AnswerSettings,
    ChannelSettings,
    ConsoleSettings,
    GatewaySettings,
    NoticeSettings,
    OneStopSettings,
    QuietHours,
    ReminderSettings,
    RetentionSettings,
    RouteSettings,
    WebSettings,
)

_BY_AGENCY = (("notices", "budgets"), ("reminders", "digest"))  # tables whose keys are codes of agencies


class SettingsError(ExpectedFailure):
    """What is wrong with the settings: one line for each fault, with file, key and what was expected."""


class _Variables(EnvSettingsSource):
    """The variables. Their names are read in small letters, but for the codes of agencies.

    A provider's own setting is a text as it stands there, also one of digits, unless it is a list or table.
    """

    def __call__(self) -> dict[str, Any]:
        given = super().__call__()
        for table, key in _BY_AGENCY:
            start = f"{PREFIX}{table}{DIVIDER}{key}{DIVIDER}".upper()
            codes = {
                name[len(start) :].lower(): name[len(start) :] for name in os.environ if name.upper().startswith(start)
            }
            if codes:
                given[table][key] = {codes.get(name, name): value for name, value in given[table][key].items()}
        return given

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """As JSON; raises ValueError for what is none, and is taken as it stands where it need not be."""
        if field is None and not value.lstrip().startswith(("[", "{")):
            raise ValueError
        return super().decode_complex_value(field_name, field, value)


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
    words: Annotated[Words, BeforeValidator(lists_of_variables)] = Words()
    quiet_hours: QuietHours = QuietHours()
    notices: NoticeSettings = NoticeSettings()
    console: ConsoleSettings = ConsoleSettings()
    reminders: ReminderSettings = ReminderSettings()
    retention: RetentionSettings = RetentionSettings()

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
        return _Variables(settings_cls), init_settings


def load(file: Path, text: str | None = None) -> Settings:
    """The settings of a file, or of `text` in its stead. Raises SettingsError."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig") if text is None else text)
    except OSError as error:
        raise SettingsError(
            f"{file}: can't be read ({error.strerror}); name a settings file: smsgw --config FILE"
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: expected UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: is no TOML: {error}") from None
    if faults := not_utf8(os.environ):
        raise SettingsError("\n".join(faults))
    faults = unknown_variables(os.environ, Settings.model_fields)
    source = Source(file, document)
    try:
        settings = Settings(**document)
    except UnreadableVariable as error:
        faults.append(unreadable(error))
    except ValidationError as error:
        faults += faults_of(error, source, ())
    else:
        faults += _channel_faults(settings, source)
        faults += other_kinds(document, settings.model_dump(), source, ())
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


def secret_key(settings: Settings) -> str:
    """The key that sessions are signed with: as set, else made once and kept in its file, mode 0600.

    Raises SettingsError.
    """
    if key := settings.gateway.secret_key.get_secret_value():
        return key
    path = secret_key_file(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make_secret_key(path)
        key = path.read_text().strip()
    except PermissionError as error:
        raise SettingsError(f"{error.filename}: {error.strerror}; chown it to the user who runs the gateway") from None
    if not key:
        raise SettingsError(f"{path}: is empty; remove it, and a new key is made")
    return key


def secret_key_file(settings: Settings) -> Path:
    """Where the key is kept that was not set: beside SQLite's database."""
    url = sa.make_url(settings.gateway.database)
    folder = Path(url.database or "").parent if url.get_backend_name() == "sqlite" else Path("var")
    return folder / "secret_key"


def _make_secret_key(path: Path) -> None:
    # Another node may start at the same time: the first one's key is everybody's, and nobody reads half of it.
    with NamedTemporaryFile("w", dir=path.parent, prefix="secret_key.") as file:  # mode 0600 from the start
        file.write(secrets.token_urlsafe(32))
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)


def _channel_faults(settings: Settings, source: Source) -> list[str]:
    faults = []
    for name, channel in settings.channels.items():
        path = ("channels", name)
        try:
            config = channel.config()
        except ValidationError as error:
            faults += faults_of(error, source, path)
        except providers.NoSuchProvider as error:
            faults.append(f"{source.of((*path, 'provider'))}: {error}")
        else:
            faults += other_kinds(source.document.get("channels", {}).get(name, {}), config, source, path)
    for number, route in enumerate(settings.routes):
        if unknown := [name for name in route.channels if name not in settings.channels]:
            known = ", ".join(settings.channels)
            where = source.of(("routes", str(number), "channels"))
            faults.append(f"{where}: {unknown[0]}: no such channel; expected some of {known}")
    return faults
