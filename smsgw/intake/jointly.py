"""One piece of work for all who want it at the same time: one commit for all who wait.

A thread of its own does the work for everybody who has come by then, and next for those who came meanwhile. Nobody is
waited for, so that whoever comes alone is served alone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import accumulate
from typing import Generic, TypeVar

import sqlalchemy as sa

from smsgw.store.chats import Overtaken
from smsgw.store.database import trouble

Item = TypeVar("Item")
Result = TypeVar("Result")

log = logging.getLogger("smsgw.intake")


class Jointly(Generic[Item, Result]):
    """`work` is done over up to `most` items at a time, never by two threads at once, in the order of their coming.

    It returns a result for each, in order; one that is an exception is raised to its caller. What it raises itself is
    raised to all of them. `size`: as how many an item counts; one that is larger than `most` is done alone.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result | Exception]],
        most: int,
        size: Callable[[Item], int] = lambda _: 1,
    ) -> None:
        self._work = work
        self._most = most
        self._size = size
        self._lock = threading.Lock()
        self._waiting: list[tuple[Item, Future[Result]]] = []
        self._busy = False
        self._thread = ThreadPoolExecutor(1, "jointly")

    def begin(self, item: Item) -> Future[Result]:
        """Have it done; its result is there later."""
        future: Future[Result] = Future()
        with self._lock:
            self._waiting.append((item, future))
            if not self._busy:
                # Raises where the system has no thread left for it: then whoever comes next tries again.
                self._thread.submit(self._rounds)
                self._busy = True
        return future

    def _rounds(self) -> None:
        while True:
            with self._lock:
                fit = self._fitting()
                now, self._waiting = self._waiting[:fit], self._waiting[fit:]
                self._busy = bool(now)
            if not now:
                return
            self._round([(item, future) for item, future in now if future.set_running_or_notify_cancel()])

    def _fitting(self) -> int:
        """How many of those who wait are served next."""
        sizes = accumulate(self._size(item) for item, _ in self._waiting)
        return max(1, sum(1 for size in sizes if size <= self._most))

    def _round(self, group: Sequence[tuple[Item, Future[Result]]]) -> None:
        try:
            results = self._work([item for item, _ in group])
        except Exception as error:
            results = [error] * len(group)
        for (_, future), result in zip(group, results, strict=True):
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)


def all_or_each(work: Callable[[Sequence[Item]], Sequence[Result]], items: Sequence[Item]) -> list[Result | Exception]:
    """What work makes of all items together, or where that fails, of each alone: its result, or its error.

    Raises OperationalError, which is about none of them.
    """
    try:
        return [*work(items)]
    except sa.exc.OperationalError:
        raise
    except Exception as error:
        if len(items) == 1 and not isinstance(error, Overtaken):
            return [error]
        # Somebody's message breaks what all have in common; the others must not suffer from it.
        log.warning("a group of messages is taken one by one: %s", trouble(error))
        return [_alone(work, item) for item in items]


def _alone(work: Callable[[Sequence[Item]], Sequence[Result]], item: Item) -> Result | Exception:
    try:
        return work([item])[0]
    except Exception as error:
        return error
