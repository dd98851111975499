"""What SQLite and PostgreSQL say in different words."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement, ReturnTypeFromArgs


class greatest(ReturnTypeFromArgs[Any]):  # noqa: N801, by its name PostgreSQL knows it
    """The greatest of some values."""

    inherit_cache = True


class least(ReturnTypeFromArgs[Any]):  # noqa: N801
    """The least of some values."""

    inherit_cache = True


class elapsed(FunctionElement[float]):  # noqa: N801
    """How many seconds, to the microsecond, the first of two times is later than the second; as columns have them."""

    type = sa.Double()
    inherit_cache = True


@compiles(greatest, "sqlite")
def _greatest_in_sqlite(element: greatest, compiler: Any, **how: Any) -> str:
    return f"MAX({compiler.process(element.clauses, **how)})"


@compiles(least, "sqlite")
def _least_in_sqlite(element: least, compiler: Any, **how: Any) -> str:
    return f"MIN({compiler.process(element.clauses, **how)})"


@compiles(elapsed, "postgresql")
def _elapsed_in_postgresql(element: elapsed, compiler: Any, **how: Any) -> str:
    until, since = (compiler.process(time, **how) for time in element.clauses)
    return f"CAST(EXTRACT(EPOCH FROM {until} - {since}) AS DOUBLE PRECISION)"


@compiles(elapsed, "sqlite")
def _elapsed_in_sqlite(element: elapsed, compiler: Any, **how: Any) -> str:
    # Its own functions round a time to the millisecond. A text has whole seconds in front, and behind them ".123456".
    until, since = (compiler.process(time, **how) for time in element.clauses)
    whole = f"STRFTIME('%s', SUBSTR({until}, 1, 19)) - STRFTIME('%s', SUBSTR({since}, 1, 19))"
    return f"({whole} + (SUBSTR({until}, 20) - SUBSTR({since}, 20)))"
