"""What a database does to carry out statements, for the tests of what these cost."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from smsgw.store.database import Database

Node = dict[str, Any]

_PARAMETER = re.compile(r"%\((\w+)\)s")


def effort(database: Database, ask: Callable[[sa.Connection], object]) -> int:
    """What it takes to answer a question: steps of SQLite's program, or rows that PostgreSQL looks at."""
    if database.on_sqlite:
        return _steps(database, ask)
    with database.writing("test") as connection:
        connection.exec_driver_sql("ANALYZE")  # as PostgreSQL does by itself, at a moment that nobody knows
    with explained(database, "ANALYZE") as nodes, database.reading() as connection:
        ask(connection)
    looked = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(node["Actual Loops"] * sum(node.get(rows, 0) for rows in looked) for node in nodes)


def _steps(database: Database, ask: Callable[[sa.Connection], object]) -> int:
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    with database.reading() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler(step, 1)
        ask(connection)
        driver.set_progress_handler(None, 1)
    return steps


@contextmanager
def writing_steps(database: Database) -> Iterator[list[None]]:
    """An item for each step of SQLite's programs in writing transactions, for which every other one waits."""
    steps: list[None] = []

    def begin(connection: sa.Connection, *rest: object) -> None:
        counting = connection.get_execution_options().get("writes", False)
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler((lambda: steps.append(None)) if counting else None, 1)

    sa.event.listen(database._engine, "before_cursor_execute", begin)
    try:
        yield steps
    finally:
        sa.event.remove(database._engine, "before_cursor_execute", begin)


@contextmanager
def explained(database: Database, *options: str) -> Iterator[list[Node]]:
    """The nodes of PostgreSQL's plans, as a session keeps them, for whatever is executed meanwhile."""
    nodes: list[Node] = []

    def explain(_: object, cursor: psycopg.Cursor[Any], statement: str, parameters: Node, *rest: object) -> None:
        if statement.split(maxsplit=1)[0] in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"):
            nodes.extend(
                {**node, "Statement": statement} for node in _nodes(cursor.connection, statement, parameters, options)
            )

    sa.event.listen(database._engine, "before_cursor_execute", explain)
    try:
        yield nodes
    finally:
        sa.event.remove(database._engine, "before_cursor_execute", explain)


def _nodes(
    connection: psycopg.Connection[Any], statement: str, parameters: Node, options: tuple[str, ...]
) -> Iterator[Node]:
    names = list(dict.fromkeys(_PARAMETER.findall(statement)))
    numbered = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", statement).replace("%%", "%")
    given = sql.SQL("({})").format(sql.SQL(", ").join(parameters[name] for name in names)) if names else sql.SQL("")
    asked = sql.SQL(", ".join((*options, "FORMAT JSON")))
    with connection.cursor() as cursor:
        cursor.execute(f"PREPARE looked_at AS {numbered}".encode())
        ((plan,),) = cursor.execute(sql.SQL("EXPLAIN ({}) EXECUTE looked_at {}").format(asked, given)).fetchall()
        cursor.execute("DEALLOCATE looked_at")
    yield from _all(plan[0]["Plan"])


def _all(node: Node) -> Iterator[Node]:
    yield {name: value for name, value in node.items() if name != "Plans"}
    for below in node.get("Plans", ()):
        yield from _all(below)
