"""What other systems ask for under a name of their own, so that it is done once, however often they ask."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from smsgw.clock import Clock
from smsgw.failure import ExpectedFailure
from smsgw.store import systems as rows
from smsgw.store.database import Database
from smsgw.store.systems import Asked

# Called with the id of what is made, in the transaction that makes it.
Within = Callable[[sa.Connection, str], object]


class NameUsed(ExpectedFailure):
    """Under that name something else was asked for."""


class _DoneMeanwhile(Exception):
    """The same request was faster; what this one did is undone."""


class Requests:
    """All of them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def once(self, key: str, name: str, fingerprint: str, make: Callable[[Within], str]) -> tuple[str, bool]:
        """The id of what is made, or was made before under that name, and whether it was. Raises NameUsed.

        `make` may take many transactions; what must not come twice is done in the one that it calls its argument in.
        """

        def within(connection: sa.Connection, id: str) -> None:
            if not rows.ask(connection, key, name, Asked(fingerprint, id), self._clock()):
                raise _DoneMeanwhile

        if before := self._made(key, name, fingerprint):
            return before, True
        try:
            return make(within), False
        except _DoneMeanwhile:
            return self.once(key, name, fingerprint, make)

    def _made(self, key: str, name: str, fingerprint: str) -> str | None:
        with self._database.reading() as connection:
            before = rows.asked(connection, key, name)
        if before is not None and before.fingerprint != fingerprint:
            raise NameUsed(f"something else was asked for under the Idempotency-Key {name}")
        return before.made if before else None
