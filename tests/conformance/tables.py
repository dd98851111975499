"""The tables of cases, one file a provider: what it is told and hears, and what has to come of it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import providers
from providers.contract import Callback, Outbound, Provider, Renewing

FOLDER = Path(__file__).parent / "tables"
ROOM = Path(providers.__file__).parent
NOW = datetime(2018, 8, 15, 5, tzinfo=UTC)
PUBLIC = "https://smsgw.example.vn"
Table = dict[str, Any]


def modules() -> list[str]:
    """The providers of this project: the modules and packages that can be configured and connected."""
    files = {file.stem: file for file in ROOM.glob("*.py")} | {
        file.parent.name: file for file in ROOM.glob("*/__init__.py")
    }
    return [name for name, file in sorted(files.items()) if "\ndef connect(" in file.read_text(encoding="utf-8")]


def table(name: str) -> Table:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def names(wire: str = "http") -> list[str]:
    """The tables of those whose carriers speak that."""
    every = sorted(file.stem for file in FOLDER.glob("*.toml"))
    return [name for name in every if table(name).get("wire", "http") == wire]


def cases(kind: str, wire: str = "http") -> list[Any]:
    """Every case of that kind of every provider, as parameters: provider, case."""
    return [
        pytest.param(name, case, id=f"{name}: {case.get('name', number)}")
        for name in names(wire)
        for number, case in enumerate(table(name).get(kind, ()), 1)
    ]


def coded(wire: str = "http") -> Iterator[Any]:
    """Every code that a provider's answers may have: provider, code, what it means."""
    for name in names(wire):
        codes = table(name).get("codes", {})
        for meaning in ("accepted", "rejected", "elsewhere", "throttled", "refused", "unknown", "unreachable"):
            for code in codes.get(meaning, ()):
                yield pytest.param(name, code, meaning, id=f"{name}: {code}")


def configured(name: str, url: str, **more: Any) -> Any:
    """A provider's configuration in its table, with the double for its carrier."""
    values = {key: _at(value, url) for key, value in table(name)["config"].items()}
    return providers.load(name).Config.model_validate(values | more)


class FixedKeys:
    """An access token that stays the same, for providers that are given theirs."""

    def access_token(self) -> str | None:
        return "access-660144"

    def rejected(self, token: str) -> None:
        """Whoever renews it hears of that."""

    def trouble(self) -> str | None:
        return None


def connected(name: str, url: str, **more: Any) -> Provider:
    provider = providers.load(name).connect(configured(name, url, **more))
    if isinstance(provider, Renewing):
        provider.use(FixedKeys())
    return provider


def message(name: str, case: Table | None = None) -> Outbound:
    """The message of a case, or the usual one of its table."""
    usual = {
        "ref": "01900000-0000-7000-8000-000000000001",
        "sender": "8188",
        "recipient": "84912345678",
        "text": "Ho so",
        "encoding": "gsm7",
        "segments": 1,
        "expires_at": datetime(2018, 8, 15, 17, tzinfo=UTC),
    }
    return Outbound(**usual | table(name).get("message", {}) | (case or {}).get("message", {}))


def callback(case: Table) -> Callback:
    """The request of a case, written as on the line; the body is what follows the empty line."""
    head, _, body = case["http"].strip("\n").partition("\n\n")
    first, *rows = head.splitlines()
    method, target = first.split(" ")[:2]
    headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
    return made(method, target, headers, body.encode())


def made(method: str, target: str, headers: dict[str, str], body: bytes) -> Callback:
    """A callback as the door makes it of a request."""
    from werkzeug.test import EnvironBuilder
    from werkzeug.wrappers import Request

    path, _, query = target.partition("?")
    request = Request(EnvironBuilder(path=path, query_string=query).get_environ())
    return Callback(method, request.args.to_dict(), headers, body, f"{PUBLIC}{target}")


def read(provider: Provider, kind: str, case: Table) -> Any:
    """What a provider makes of a case's callback."""
    return (provider.inbound if kind == "inbound" else provider.receipts)(callback(case), NOW)


def _at(value: Any, url: str) -> Any:
    return value.replace("{carrier}", url) if isinstance(value, str) else value
