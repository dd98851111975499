"""Tries at sending that did not end with the carrier's acceptance; the accepted one stands in the message itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from smsgw.store.batch import InsertNew
from smsgw.store.tables import attempt
from smsgw.text.alphabet import storable


@dataclass(frozen=True, slots=True)
class Attempt:
    """The n-th try at a message, and what came of it, in a word; `code` and `detail` are the carrier's."""

    outbound_id: str
    number: int
    at: datetime
    channel: str
    outcome: str
    code: str | None = None
    detail: str | None = None


def note(connection: sa.Connection, tries: Sequence[Attempt]) -> None:
    """Keep tries; one that is kept already stays as it is."""
    if tries:
        _NOTE.run(connection, (astuple(_kept(one)) for one in tries))


_NOTE = InsertNew(*attempt.c, returning=attempt.c.outbound_id)


def _kept(one: Attempt) -> Attempt:
    code, detail = (text and storable(text) for text in (one.code, one.detail))
    return replace(one, code=code, detail=detail)
