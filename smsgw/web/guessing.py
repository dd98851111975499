"""How many unknown codes each visitor of the page has asked for lately, kept in memory and bounded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

MEMORY = timedelta(hours=1)
MOST_VISITORS = 10_000
MOST_TIMES = 100  # of one visitor; more would change nothing


class Guesses:
    """Counts misses by visitor. Thread-safe. Whoever has been quiet longest is forgotten first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: OrderedDict[str, list[datetime]] = OrderedDict()

    def count(self, visitor: str, now: datetime) -> int:
        """The misses of the last hour."""
        with self._lock:
            return sum(at > now - MEMORY for at in self._times.get(visitor, ()))

    def add(self, visitor: str, misses: int, now: datetime) -> None:
        """So many more."""
        if not misses:
            return
        with self._lock:
            recent = [at for at in self._times.pop(visitor, []) if at > now - MEMORY]
            self._times[visitor] = [*recent, *[now] * misses][-MOST_TIMES:]
            if len(self._times) > MOST_VISITORS:
                self._times.popitem(last=False)
