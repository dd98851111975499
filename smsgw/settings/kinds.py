"""The kinds of value that settings have, and what is said of one that is wrong."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import time
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from smsgw.text import phones


def _backend(url: str) -> str:
    try:
        return sa.make_url(url).get_backend_name()
    except (sa.exc.SQLAlchemyError, ValueError):
        raise ValueError("expected a database URL, such as sqlite:///var/gateway.db") from None


def _database(url: str) -> str:
    try:
        if not url.isprintable():  # a NUL, or bytes of a variable that are no UTF-8
            raise ValueError
        address = sa.make_url(url)
        dialect = address.get_dialect()
    except (sa.exc.SQLAlchemyError, ValueError):
        raise ValueError("expected a database URL, such as sqlite:///var/gateway.db") from None
    if address.get_backend_name() == "sqlite" and address.database in (None, "", ":memory:"):
        raise ValueError("expected a file, such as sqlite:///var/gateway.db")
    try:
        dialect.import_dbapi()
    except ImportError as error:
        advice = "write its package into requirements/local.txt, then ./run setup"
        raise ValueError(f"the driver of this database is not installed (module {error.name}); {advice}") from None
    try:
        with warnings.catch_warnings(action="error"):
            dialect().create_connect_args(address)
    except (sa.exc.SQLAlchemyError, sa.exc.SAWarning, TypeError, ValueError):
        raise ValueError("an option behind the ? is none that its driver takes, or has a wrong value") from None
    return url


def _gateway_database(url: str) -> str:
    if _backend(url) not in ("sqlite", "postgresql"):
        raise ValueError("expected sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME")
    if (sa.make_url(url).database or "").startswith("file:"):
        raise ValueError("expected the name of a file and no file: URI, such as sqlite:///var/gateway.db")
    return _database(url)


def _file_name(path: Path) -> Path:
    if not str(path).isprintable():  # no file has a NUL in its name
        raise ValueError("expected the name of a file, in quotes")
    return path


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("expected the name of a time zone, such as Asia/Ho_Chi_Minh") from None
    return name


def _bind(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not host.isprintable() or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ValueError("expected HOST:PORT, such as 127.0.0.1:8080")
    return value


def _proxies(value: str) -> str:
    try:
        for address in value.split(","):
            ip_network(address.strip())
    except ValueError:
        raise ValueError("expected the proxy's address, such as 127.0.0.1, and no name") from None
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


def lists_of_variables(table: object) -> object:
    """A variable can but be a text, so a list in it is JSON. In tables that are models Pydantic sees to that itself."""
    return {key: _list(value) for key, value in table.items()} if isinstance(table, dict) else table


def _list(value: object) -> object:
    if isinstance(value, str) and value.startswith("["):
        with suppress(ValueError):
            return json.loads(value)
    return value


Purpose = Literal["reply", "reminder", "notice"]


def _number(value: object) -> object:
    if isinstance(value, bool):  # which Python takes for 0 and 1
        raise ValueError("expected a number")
    return value


def _phone(value: str) -> str:
    number = phones.msisdn(value)
    if number is None or not phones.takes_texts(number):
        raise ValueError("expected a mobile phone number, such as 0912345678")
    return number


def _prefix(value: str) -> str:
    if not re.fullmatch("[1-9][0-9]{0,14}", value):  # no number has a zero there once it is one of E.164
        raise ValueError("expected the digits that a number begins with from the country's on, such as 8491 for 091")
    return value


def _issuer(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme == "https" and parts.hostname:
        return value
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost"):
        return value  # nobody is in between
    raise ValueError("expected the provider's https address, such as https://id.example.gov.vn/realms/province")


LEAST_DAYS = 31  # of what a carrier may bring again, or of which something may still be under way
LEAST_DAYS_OF_LOG = 365
MOST_DAYS = 36_500
MOST = 1_000_000_000  # that a database takes for a number, and more than anybody has of anything


def _days(least: int) -> Callable[[int], int]:
    def check(value: int) -> int:
        if 0 != value < least:
            raise ValueError(f"expected at least {least} days, or 0 for what is never removed")
        if value > MOST_DAYS:
            raise ValueError(f"expected at most {MOST_DAYS} days, or 0 for what is never removed")
        return value

    return check


FileName = Annotated[Path, AfterValidator(_file_name)]
Prefix = Annotated[str, AfterValidator(_prefix)]
Phone = Annotated[str, AfterValidator(_phone)]
Issuer = Annotated[str, AfterValidator(_issuer)]
Hour = Annotated[time, BeforeValidator(_hour)]
Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_number)]
Count = Annotated[int, Field(le=MOST), BeforeValidator(_number)]
Days = Annotated[int, BeforeValidator(_number), AfterValidator(_days(LEAST_DAYS))]
DaysOfLog = Annotated[int, BeforeValidator(_number), AfterValidator(_days(LEAST_DAYS_OF_LOG))]
Proxies = Annotated[str, AfterValidator(_proxies)]
Bind = Annotated[str, AfterValidator(_bind)]
ReadDatabase = Annotated[str, AfterValidator(_database)]
GatewayDatabase = Annotated[str, AfterValidator(_gateway_database)]
Timezone = Annotated[str, AfterValidator(_timezone)]


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
