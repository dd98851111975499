"""Fixtures that every test may use."""

from __future__ import annotations

import gc
import os
import sqlite3
import sqlite3.dbapi2
import sys
import warnings
from collections.abc import Generator, Iterator
from functools import cache, partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flask_openapi.utils
import hypothesis
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher, profiles
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule

from smsgw.officials import passwords
from smsgw.store import channels
from smsgw.store import database as databases
from smsgw.store.database import Database
from tests import browser, postgres
from tests.bulletin import Cast
from tests.chats import Chats, chats
from tests.world import NOON, World, sqlite_with_tables, world

if TYPE_CHECKING:
    from playwright.sync_api import Browser


gc.set_threshold(50_000, 20, 50)  # what thousands of tests are made of lives long, and is looked through in vain

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--chaos-seed", type=int, default=2018, help="The seed of what the chaos suite leaves to chance.")
    parser.addoption("--chaos-seconds", type=float, default=180, help="How long each soak of the chaos suite lasts.")
    parser.addoption("--pictures", action="store_true", help="Take the pictures of the guides in docs/ anew.")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Files that are named run in one process, which begins at once; all of them on all cores.

    One process more than cores, as tests also wait: for servers to start, for nodes to die.
    """
    return 0 if config.option.file_or_dir else (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """What there is by now stays to the end, and no look for what nobody uses any more has to go through it."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Nothing is collected while a test runs: where it reads what is nested as deep as the interpreter goes, what is to
    be done with garbage has no room left, and pytest would take that for a fault of the test.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> None:
    """What makes a hash dear for who guesses is none of most tests' business; `smsgw user add` is tested with it."""
    passwords._hasher = PasswordHasher.from_parameters(profiles.CHEAPEST)


@pytest.fixture(scope="session", autouse=True)
def _hasty_sqlite() -> None:
    """No test cuts the power, and thousands of commits that wait for the disk are a wait for nothing."""
    prepare = databases.prepare_sqlite

    @wraps(prepare)
    def hasty(connection: sqlite3.Connection, record: object) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA synchronous=OFF")

    databases.prepare_sqlite = hasty


class _Watched(sqlite3.Connection):
    """One that says so if nobody closed it, as Python's own does from 3.13 on."""

    left_open = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.left_open = True

    def close(self) -> None:
        self.left_open = False
        super().close()

    def __del__(self) -> None:
        if self.left_open:
            warnings.warn(f"unclosed database in {self!r}", ResourceWarning, source=self, stacklevel=1)


@pytest.fixture(scope="session", autouse=True)
def _what_is_left_open_is_found() -> None:
    if sys.version_info < (3, 13):
        sqlite3.connect = sqlite3.dbapi2.connect = partial(sqlite3.connect, factory=_Watched)  # type: ignore[assignment]


@pytest.fixture(scope="session", autouse=True)
def _models_described_once() -> None:
    """Each application describes the same models; for a thousand of them that takes as long as many a test."""
    flask_openapi.utils.get_model_schema = cache(flask_openapi.utils.get_model_schema)


@pytest.fixture(scope="session", autouse=True)
def _addresses_compiled_once() -> None:
    """Each application would compile anew how its addresses are written, which takes most of its making."""
    compiled, made = Rule._compile_builder, dict[object, Any]()

    def once(rule: Rule, append_unknown: bool = True) -> Any:
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        return made.get(key) or made.setdefault(key, compiled(rule, append_unknown))

    Rule._compile_builder = once  # type: ignore[method-assign, assignment]


class _Compiled(dict[tuple[Any, ...], Any]):
    """Compiled statements, by the kind of database and not by the engine that they were compiled for."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get((type(key[0]), *key[1:]), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        super().__setitem__((type(key[0]), *key[1:]), compiled)


@pytest.fixture(scope="session", autouse=True)
def _statements_compiled_once() -> None:
    """Each engine would compile anew what thousands before it have compiled."""
    compiled = _Compiled()

    @sa.event.listens_for(sa.Engine, "engine_connect")
    def share(connection: sa.Connection) -> None:
        connection.engine._compiled_cache = compiled


@pytest.fixture(scope="session", autouse=True)
def _templates_compiled_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each application would compile every page that it shows anew, which takes longer than to show it."""
    Flask.jinja_options = {"bytecode_cache": FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser.running() as started:
        yield started


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    with postgres.running() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: postgres.Server) -> Iterator[str]:
    """The URL of a schema of this test's own, empty."""
    url = postgres_server.new_schema()
    yield url
    postgres_server.drop(url)


@pytest.fixture(scope="session")
def _used_schemas() -> list[str]:
    """Those that have the gateway's tables and nothing in them: to make the tables takes as long as many a test."""
    return []


@pytest.fixture
def postgres_tables(postgres_server: postgres.Server, _used_schemas: list[str]) -> Iterator[str]:
    """The URL of a schema with the gateway's tables, which are empty."""
    url = _used_schemas.pop() if _used_schemas else _with_tables(postgres_server.new_schema())
    yield url
    postgres_server.empty(url)
    _used_schemas.append(url)


def _with_tables(url: str) -> str:
    database = Database(url)
    database.create()
    database.close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database for the gateway, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/gateway.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def tables_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of either kind with the gateway's tables, which are empty."""
    if request.param == "sqlite":
        return sqlite_with_tables(tmp_path)
    url: str = request.getfixturevalue("postgres_tables")
    return url


@pytest.fixture
def database(tables_url: str) -> Iterator[Database]:
    """The same with the row of the channel `sms`."""
    database = Database(tables_url)
    with database.writing("test") as connection:
        channels.ensure(connection, "sms", NOON)
    yield database
    database.close()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    """A world on SQLite."""
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def anywhere(tmp_path: Path, tables_url: str) -> Iterator[World]:
    """The same, on either kind of database."""
    with world(tmp_path, tables_url) as made:
        yield made


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Chats]:
    """A world with Zalo on SQLite."""
    with chats(tmp_path) as made:
        yield made


@pytest.fixture
def any_chat(tmp_path: Path, tables_url: str) -> Iterator[Chats]:
    """The same, on either kind of database."""
    with chats(tmp_path, tables_url) as made:
        yield made


@pytest.fixture
def cast(anywhere: World) -> Cast:
    """The officials who write and approve notices."""
    return Cast(anywhere)


@pytest.fixture
def slow(tmp_path: Path, tables_url: str) -> Iterator[Cast]:
    """The same in a province whose channel takes ten messages a second."""
    with world(tmp_path, tables_url, more="reply_share = 0\n", tps=10) as made:
        yield Cast(made)
