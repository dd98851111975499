"""Applying the rules of retention: what would go, and removing it.

May be killed at any moment, run again, and run at several places at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from smsgw.clock import Clock
from smsgw.dossiers.candidates import Candidates
from smsgw.dossiers.source import OneStopUnavailable
from smsgw.retention.limits import Limits
from smsgw.retention.rules import Rule, rules
from smsgw.store.database import Database
from smsgw.store.removing import Bounds, Hands

log = logging.getLogger("smsgw.retention")


@dataclass(frozen=True, slots=True)
class Done:
    """What a rule did, or would do: rows of something that is older than `before`; None: that is kept for ever.

    `problem`: why it did nothing more.
    """

    what: str
    tables: tuple[str, ...]
    before: datetime | None
    rows: int
    problem: str = ""


class Purge:
    """All rules of retention."""

    def __init__(self, database: Database, candidates: Candidates, limits: Limits, clock: Clock) -> None:
        self.limits = limits
        self.rules: Sequence[Rule] = rules(candidates)
        self._database = database
        self._clock = clock

    def look(self) -> list[Done]:
        """What would be removed now; nothing is."""
        return self._each(Hands(self._database), lambda rule: rule.count)

    def remove(self, hands: Hands | None = None) -> list[Done]:
        """Remove what is old."""
        done = self._each(hands or Hands(self._database), lambda rule: rule.remove)
        told = ", ".join(f"{one.rows} {one.what}" for one in done if one.rows)
        log.info("what is old was removed: %s", told or "there was nothing")
        return done

    def _each(self, hands: Hands, work: Callable[[Rule], Callable[[Hands, Bounds], int]]) -> list[Done]:
        bounds = self.limits.bounds(self._clock())
        return [_done(rule, work(rule), hands, bounds) for rule in self.rules]


def _done(rule: Rule, work: Callable[[Hands, Bounds], int], hands: Hands, bounds: Bounds) -> Done:
    try:
        return Done(rule.what, (*sorted(rule.tables),), rule.before(bounds), work(hands, bounds))
    except OneStopUnavailable as error:
        log.warning("%s are kept until tomorrow: %s", rule.what, error)
        return Done(rule.what, (*sorted(rule.tables),), rule.before(bounds), 0, str(error))
