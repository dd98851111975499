"""What other systems ask for under a name of their own, so that it is done once, however often they ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from smsgw.clock import Clock
from smsgw.failure import ExpectedFailure
from smsgw.store import systems as rows
from smsgw.store.database import Database

DEAD_AFTER = timedelta(minutes=10)  # whoever began it would have ended it by then


class RequestRefused(ExpectedFailure):
    """It was not done. `reason`: used, under that name something else was asked for; under_way, it is being done."""

    def __init__(self, reason: Literal["used", "under_way"], text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that is ours to do."""

    database: Database
    key: str
    name: str
    since: datetime

    def done(self, connection: sa.Connection, made: str) -> None:
        """Within the transaction that makes what was asked for. Raises RequestRefused if others took it over."""
        if not rows.done(connection, self.key, self.name, self.since, made):
            raise RequestRefused("under_way", "this took so long that it was asked for again, and that is being done")

    def give_up(self) -> None:
        """Nothing came of it."""
        with self.database.writing("systems") as connection:
            rows.give_up(connection, self.key, self.name, self.since)


class Requests:
    """All of them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, key: str, name: str, fingerprint: str) -> Begun | str:
        """The request if it is ours to do, or the id of what was made of it before. Raises RequestRefused."""
        now = self._clock()
        with self._database.writing("systems") as connection:
            if rows.ask(connection, key, name, fingerprint, now):
                return Begun(self._database, key, name, now)
            before = rows.asked(connection, key, name)
            if before is None:  # it was given up at this moment
                raise RequestRefused("under_way", "the same request has just failed; send it again")
            if before.fingerprint != fingerprint:
                raise RequestRefused("used", f"something else was asked for under the Idempotency-Key {name}")
            if before.made is not None:
                return before.made
            since = now - before.at
            if since < DEAD_AFTER or not rows.take_over(connection, key, name, before.at, now):
                raise RequestRefused("under_way", "the same request is being done; send it again in a moment")
        return Begun(self._database, key, name, now)
