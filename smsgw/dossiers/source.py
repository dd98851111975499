"""The one-stop database: the agencies' own, read through the view `dossier_status` and never written to.

It belongs to somebody else, so nothing about it is taken for granted: every call ends within a time limit, whatever
the driver does, and one that hangs is left behind; after one that got nowhere the next ones don't wait in turn; a row
that makes no sense is left out and the others still answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as TooLate
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import orjson
import sqlalchemy as sa

from smsgw import silence
from smsgw.dossiers.calls import AllHang, Calls
from smsgw.dossiers.dossier import Dossier, Status
from smsgw.failure import ExpectedFailure, first_line

VIEW = "dossier_status"
COLUMNS = Dossier._fields
CODES_A_QUERY = 1000
QUIET = 1.0  # seconds after a call that got nowhere in which others are refused at once

_TIME_PLACES = tuple(place for place, name in enumerate(COLUMNS) if name.endswith(("_at", "_since")))
_CODE_PLACE, _STATUS_PLACE = COLUMNS.index("code"), COLUMNS.index("status")
_DUE_PLACE, _NEW_DUE_PLACE = COLUMNS.index("due_at"), COLUMNS.index("new_due_at")
_AGENCY_CODE_PLACE, _AGENCY_PLACE = COLUMNS.index("agency_code"), COLUMNS.index("agency_name")
_TEXTS = {"procedure_code", "procedure_name", "agency_code", "agency_name", "applicant_name", "applicant_phone"}
_TEXTS |= {"step_name", "delivery"}
_TEXT_PLACES = tuple(map(COLUMNS.index, sorted(_TEXTS)))  # where a missing value is an empty text
YEARS = range(1900, 2200)  # a time of any other year is how some programs write that there is none

_SELECT = f"SELECT {', '.join(COLUMNS)} FROM {VIEW}"
_SELECT_PHONES = f"SELECT code, applicant_phone FROM {VIEW}"
_SOME = sa.text(f"{_SELECT} LIMIT :count")

Result = TypeVar("Result")

log = logging.getLogger("smsgw.onestop")


class OneStopUnavailable(ExpectedFailure):
    """It is away, too slow, or its view is not as agreed. The text is for the operator and names no person."""


class OneStopAway(OneStopUnavailable):
    """It can't be reached or did not answer in time, so that the next call would most likely wait in vain too."""


class Outage:
    """The memory of the last call that got nowhere: others are refused for a while, then one at a time tries again.

    `clock` is in seconds and never goes back; tests may set it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._reason = ""  # none while the database answers
        self._until = 0.0

    def ask(self, timeout: float) -> None:
        """Before a call that takes so many seconds at most. Raises OneStopUnavailable while there is no use in it."""
        with self._lock:
            if self._reason:
                if self.clock() < self._until:
                    raise OneStopUnavailable(f"not asked again yet: {self._reason}")
                self._until = self.clock() + timeout  # this call tries, and nobody else until it has ended

    def heard(self, reason: str) -> None:
        """After a call: why it got nowhere; empty if it was answered."""
        with self._lock:
            self._reason, self._until = reason, self.clock() + QUIET


class Reader:
    """Connections to a one-stop database that can't write.

    A call ends within `timeout` seconds, whatever its driver does. `places`: how many may be made at a time.
    """

    def __init__(self, url: str, *, timeout: float, places: int) -> None:
        self._timeout = timeout
        self._engine = read_only_engine(url, timeout=timeout, pool_size=places)
        self.name = self._engine.url.render_as_string(hide_password=True)
        self._calls = Calls(places)
        self._doubted = threading.Event()
        sa.event.listen(self._engine, "checkout", self._look_at)

    def begin(self, work: Callable[[sa.Connection], Result]) -> Callable[[], Result]:
        """Begin a call. What comes back waits for the answer, or raises OneStopUnavailable.

        Raises OneStopAway if all connections hang.
        """
        end = time.monotonic() + self._timeout
        if self._calls.give_up():
            self._doubted.set()
        try:
            future = self._calls.begin(partial(self._ask, work), self._timeout)
        except AllHang:
            raise OneStopAway("every connection to the one-stop database hangs") from None
        return partial(self._answer, future, end)

    def rows(self, query: sa.Select[*tuple[Any, ...]]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
        """All rows of a query. Raises OneStopUnavailable."""
        return self.begin(lambda connection: connection.execute(query).all())()

    def close(self) -> None:
        """Let go of connections, without waiting for one that hangs; who waits for an answer is told so."""
        self._calls.close()
        self._engine.dispose()

    def _answer(self, future: Future[Result], end: float) -> Result:
        try:
            return future.result(max(0.0, end - time.monotonic()))
        except TooLate:
            raise OneStopAway(f"the one-stop database did not answer within {self._timeout:g} s") from None
        except CancelledError:
            raise OneStopUnavailable("the gateway stops, and the one-stop database has not answered yet") from None
        except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:  # no connection, a lost one, or too slow
            raise OneStopAway(reason(error)) from None
        except sa.exc.SQLAlchemyError as error:
            raise OneStopUnavailable(reason(error)) from None

    def _ask(self, work: Callable[[sa.Connection], Result]) -> Result:
        try:
            with self._engine.connect() as connection:
                return work(connection)
        except sa.exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
        # The connection was kept from before its server went away; the others like it are gone from the pool as well.
        with self._engine.connect() as connection:
            return work(connection)

    def _look_at(self, *_: object) -> None:
        """Before a connection is used: those that were kept beside one that hangs are most likely as dead."""
        if self._doubted.is_set():
            self._doubted.clear()
            raise sa.exc.InvalidatePoolError


class OneStop:
    """A one-stop database under any SQLAlchemy URL. `timeout`: seconds that one call may take."""

    def __init__(self, url: str, *, timeout: float = 2.0, pool_size: int = 4) -> None:
        self.url = url
        self.outage = Outage()
        self._timeout = timeout
        self._reader = Reader(url, timeout=timeout, places=pool_size)

    def find(self, codes: Collection[str]) -> dict[str, Dossier]:
        """The dossiers that exist of these codes, which are compared to the letter. Raises OneStopUnavailable."""
        return self.begin(codes)()

    def begin(self, codes: Collection[str]) -> Callable[[], dict[str, Dossier]]:
        """Begin to look for them. What comes back waits for the answer, and returns or raises as `find` does."""
        return self._begin(partial(_found, codes=list(codes))) if codes else dict

    def phones(self, codes: Collection[str]) -> dict[str, str]:
        """What the agencies wrote as the applicant's phone in the dossiers that exist of these codes.

        Also in one whose other columns make no sense. Raises OneStopUnavailable.
        """
        return self._begin(partial(_phones, codes=list(codes)))() if codes else {}

    def check(self) -> None:
        """Raises OneStopUnavailable unless the view is there, with every column that it needs."""
        self._some(1)

    def nonsense(self, count: int) -> tuple[int, list[str]]:
        """Of so many rows of the view, how many there are, and what is wrong with those that are no dossiers.

        Raises OneStopUnavailable.
        """
        rows = self._some(count)
        return len(rows), [fault for row in rows if isinstance(fault := _read(row), str)]

    def close(self) -> None:
        """Let go of connections, without waiting for one that hangs."""
        self._reader.close()

    def _some(self, count: int) -> Sequence[Sequence[Any]]:
        return self._begin(lambda connection: connection.execute(_SOME, {"count": count}).all())()

    def _begin(self, work: Callable[[sa.Connection], Result]) -> Callable[[], Result]:
        try:
            self.outage.ask(self._timeout)
        except OneStopUnavailable as refusal:
            return partial(_refuse, refusal)
        try:
            return partial(self._heard, self._reader.begin(work))
        except OneStopAway as hang:
            self.outage.heard(str(hang))
            return partial(_refuse, hang)

    def _heard(self, answer: Callable[[], Result]) -> Result:
        reason = ""
        try:
            return answer()
        except OneStopAway as away:
            reason = str(away)
            raise
        finally:
            self.outage.heard(reason)


def _refuse(refusal: OneStopUnavailable) -> NoReturn:
    raise refusal


def read_only_engine(url: str, *, timeout: float = 30.0, pool_size: int = 1) -> sa.Engine:
    """An engine that can't write, with the time limit where its driver knows one. Raises OneStopUnavailable."""
    address = sa.make_url(url)
    backend = address.get_backend_name()
    # How many are in use at a time is the caller's to say; one that hangs must not be in the way of another.
    kept = {"pool_size": pool_size, "max_overflow": -1}
    if backend == "sqlite":
        name = address.database or ""
        is_uri = name.startswith("file:") and "uri" in address.query
        uri = name if is_uri else Path(name).absolute().as_uri()
        address = address.set(database=uri).update_query_dict({"mode": "ro", "uri": "true"})
        arguments: dict[str, Any] = {"timeout": timeout}
        # A file that is replaced is another file: a connection that was kept would read the old one for ever.
        pool: dict[str, Any] = {"poolclass": sa.NullPool}
    elif backend == "postgresql":
        pool = kept
        limit = f"-c default_transaction_read_only=on -c timezone=UTC -c statement_timeout={int(timeout * 1000)}"
        given = address.query.get("options")
        options = " ".join([given, limit]) if isinstance(given, str) else limit
        address = address.difference_update_query(["options"])
        arguments = {
            "options": options,
            "connect_timeout": max(2, min(int(timeout), silence.SILENCE)),
            **silence.noticed(),
        }
    else:
        pool = kept
        arguments = {}
    return sa.create_engine(
        address,
        **pool,
        hide_parameters=True,
        connect_args=arguments,
        # No transaction of ours may stay open in an agency's database.
        isolation_level=None if backend == "sqlite" else "AUTOCOMMIT",
    )


@contextmanager
def reading(url: str, timeout: float) -> Iterator[Reader]:
    """Connections for one who asks now and then. `timeout`: seconds for each call."""
    reader = Reader(url, timeout=timeout, places=1)
    try:
        yield reader
    finally:
        reader.close()


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """One connection that can't write, as long as it is needed. Raises OneStopUnavailable, also for what it asks."""
    engine = read_only_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.SQLAlchemyError as error:
        raise OneStopUnavailable(reason(error)) from None
    finally:
        engine.dispose()


def _found(connection: sa.Connection, codes: list[str]) -> dict[str, Dossier]:
    dossiers = map(dossier_of, _rows(connection, _FIND, codes))
    return {dossier.code: dossier for dossier in dossiers if dossier}


def _phones(connection: sa.Connection, codes: list[str]) -> dict[str, str]:
    return {str(code).strip(): str(phone or "") for code, phone in _rows(connection, _FIND_PHONES, codes)}


class _ByCodes:
    """A query for the rows of some codes, in the cheapest words that a database is known to take."""

    def __init__(self, select: str) -> None:
        # A place for each of a thousand codes is written and parsed anew each time; these take all as one JSON array.
        self.in_json = {
            "sqlite": sa.text(f"{select} WHERE code IN (SELECT value FROM json_each(:codes))"),
            "postgresql": sa.text(
                f"{select} WHERE code = ANY (ARRAY (SELECT jsonb_array_elements_text(CAST(:codes AS jsonb))))"
            ),
        }
        self.anywhere = sa.text(f"{select} WHERE code IN :codes").bindparams(sa.bindparam("codes", expanding=True))


_FIND, _FIND_PHONES = _ByCodes(_SELECT), _ByCodes(_SELECT_PHONES)


def _rows(connection: sa.Connection, query: _ByCodes, codes: list[str]) -> Iterator[Sequence[Any]]:
    if (in_json := query.in_json.get(connection.dialect.name)) is not None:
        yield from connection.execute(in_json, {"codes": orjson.dumps(codes).decode()}).all()
        return
    for some in _batched(codes, CODES_A_QUERY):
        yield from connection.execute(query.anywhere, {"codes": some}).all()


def dossier_of(row: Sequence[Any]) -> Dossier | None:
    """The dossier that a row with the view's columns is; None, and a line in the log, for one that makes no sense."""
    read = _read(row)
    if isinstance(read, str):
        log.warning("a dossier of the one-stop database makes no sense and is left out: %s", read)
        return None
    return read


def _read(row: Sequence[Any]) -> Dossier | str:
    """The dossier that a row is, or its code and why it makes no sense."""
    # Columns of a fixed width are filled up with blanks, and what was typed may be nothing else.
    values = [value.strip() if isinstance(value, str) else value for value in row]
    try:
        for place in _TIME_PLACES:
            if values[place] is not None:
                values[place] = utc(values[place])
        due, new_due = values[_DUE_PLACE], values[_NEW_DUE_PLACE]
        if due and new_due and new_due <= due:
            values[_NEW_DUE_PLACE] = None  # some programs fill it with the date itself; nobody need be sorry for that
        for place in _TEXT_PLACES:
            if not isinstance(value := values[place], str):
                values[place] = _text(value)
        values[_AGENCY_PLACE] = values[_AGENCY_PLACE] or values[_AGENCY_CODE_PLACE]
        values[_STATUS_PLACE] = _status(values[_STATUS_PLACE])
        if not values[_CODE_PLACE] or not isinstance(values[_CODE_PLACE], str):
            raise ValueError("no code")
    except (TypeError, ValueError) as error:
        return f"{values[_CODE_PLACE]}: {error}"
    return Dossier._make(values)


def utc(value: object) -> datetime | None:
    """A time as drivers give it: aware, or in UTC without saying so, or as ISO text. None where that says no time."""
    if isinstance(value, datetime):
        moment = value
    elif value == "":
        return None
    else:
        moment = _written(str(value))
    if moment.year not in YEARS:
        return None
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    return datetime.combine(moment, moment.time(), UTC)  # replace() takes ten times as long


def _written(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is no time; expected one such as 2018-08-02 08:30:00") from None


def _text(value: object) -> str:
    """What is given in place of a text: nothing, or a number, as some programs keep phones."""
    if isinstance(value, bytes):
        raise ValueError("bytes where a text is expected")
    return "" if value is None else str(value)


def _status(value: Any) -> Status:
    try:
        return Status(int(value))
    except (TypeError, ValueError):
        raise ValueError(f"status {value!r}; expected a number from 1 to 10") from None


def _batched(items: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def reason(error: sa.exc.SQLAlchemyError) -> str:
    """Why the one-stop database could not be used, in one line, and what to check."""
    cause = first_line(error)
    return f"the one-stop database refuses: {cause}; check onestop.database and the view {VIEW}"
