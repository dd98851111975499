"""A notice's recipients, sheet by sheet, and the fingerprint of all that is approved. Pure.

A sheet is what one turn takes at most, so that a node can hold whom it is about to send to to what was approved without
reading all the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from smsgw.store.notices import Addressee, Sheet

LONGEST = 500  # recipients on one; with another number the drafts that there are have to be made anew


class Sheets:
    """Puts recipients on sheets as they come, by line."""

    def __init__(self) -> None:
        self._full: list[Sheet] = []
        self._open: list[Addressee] = []

    def add(self, one: Addressee) -> None:
        self._open.append(one)
        if len(self._open) == LONGEST:
            self._full.append(self._last())
            self._open = []

    def all(self) -> list[Sheet]:
        """Those that there are, and nobody on them has had their turn."""
        return [*self._full, self._last()] if self._open else [*self._full]

    def _last(self) -> Sheet:
        after = self._full[-1].last if self._full else 0
        return Sheet(self._open[-1].line, after, digest(self._open), fed_to=after)


def digest(some: Iterable[Addressee]) -> str:
    """SHA-256 over recipients as they are stored, by line."""
    return sha256("".join([f"{one.line} {one.phone} {one.fields}\n" for one in some]).encode()).hexdigest()


def fingerprint(text: str, send_at: datetime | None, sheets: Sequence[Sheet], *, accents: bool) -> str:
    """SHA-256 over what is approved: text, accents, time and everybody on the sheets."""
    at = send_at.astimezone(UTC).isoformat() if send_at else None
    listed = "".join(f"{sheet.after} {sheet.last} {sheet.digest}\n" for sheet in sheets)
    return sha256(f"{json.dumps([text, accents, at])}\n{listed}".encode()).hexdigest()
