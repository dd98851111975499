"""One piece of work for all who want it at the same time: one commit for all who wait.

The first caller does the work for everybody who has come by then; whoever comes meanwhile waits, and the first of them
does the next round. So there is no thread to start or stop, and an idle gateway makes nobody wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(eq=False, slots=True)
class _Place(Generic[Item, Result]):
    """One caller in the queue. `turn` ends its wait: it has its result, or it is to do the next round."""

    item: Item
    turn: threading.Event = field(default_factory=threading.Event)
    result: Result | Exception | None = None
    done: bool = False


class Jointly(Generic[Item, Result]):
    """`work` is done over up to `most` items at a time, never by two threads at once, in the order of their coming.

    It returns a result for each, in order; one that is an exception is raised to its caller. What it raises itself is
    raised to all of them.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result | Exception]], most: int) -> None:
        self._work = work
        self._most = most
        self._lock = threading.Lock()
        self._queue: list[_Place[Item, Result]] = []
        self._busy = False

    def __call__(self, item: Item) -> Result:
        """Have it done; the result of this item."""
        place: _Place[Item, Result] = _Place(item)
        with self._lock:
            self._queue.append(place)
            leads, self._busy = not self._busy, True
        if not leads:
            place.turn.wait()
        if not place.done:
            self._round()
        if isinstance(place.result, Exception):
            raise place.result
        return place.result  # type: ignore[return-value]

    def _round(self) -> None:
        with self._lock:
            now, self._queue = self._queue[: self._most], self._queue[self._most :]
        try:
            results: Sequence[Result | Exception] = self._work([place.item for place in now])
        except Exception as error:
            results = [error] * len(now)
        with self._lock:
            self._busy = bool(self._queue)
            successor = self._queue[0] if self._queue else None
        if successor is not None:
            successor.turn.set()
        for place, result in zip(now, results, strict=True):
            place.result, place.done = result, True
            place.turn.set()
