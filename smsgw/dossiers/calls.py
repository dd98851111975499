"""Calls to somebody else's server that may never end, each in a thread that nobody has to wait for.

Python can end no thread that waits in a driver. A call that hangs for longer than it may loses its place to others, and
its thread ends when the connection does. The threads are daemons, so that the process ends whoever hangs in it; those
of a ThreadPoolExecutor are waited for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from functools import partial
from queue import Empty, LifoQueue, SimpleQueue
from typing import Any, TypeVar

MOST_GIVEN_UP = 16  # calls that hang without a place; when there are as many, no more lose theirs

Result = TypeVar("Result")


class AllHang(Exception):
    """There is no place for a call."""


class Calls:
    """So many calls at a time have a place. `clock` is in seconds and never goes back; tests may set it."""

    def __init__(self, places: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way: dict[_Place, tuple[float, Future[Any]]] = {}  # until when it may take
        self._given_up = 0
        self._closed = False
        # Whoever has just made a call makes the next one, so that there are no more threads than are needed.
        self._free: LifoQueue[_Place] = LifoQueue()
        for _ in range(places):
            self._free.put(_Place())

    def begin(self, work: Callable[[], Result], seconds: float) -> Future[Result]:
        """Begin a call, which may take so many seconds. Raises AllHang if it gets no place within as many.

        What comes back is cancelled when this is closed.
        """
        future: Future[Result] = Future()
        try:
            place = self._free.get(timeout=seconds)
        except Empty:
            raise AllHang from None
        with self._lock:
            if self._closed:
                place.leave()
                self._free.put(place)
                future.cancel()
                return future
            self._under_way[place] = self._clock() + seconds, future
        try:
            place.make(partial(self._make, place, work, future))
        except BaseException:
            self._over(place)
            raise
        return future

    def give_up(self) -> int:
        """Take their places from calls that take longer than they may; from how many."""
        with self._lock:
            now = self._clock()
            late = [place for place, (end, _) in self._under_way.items() if end < now]
            late = late[: MOST_GIVEN_UP - self._given_up]
            for place in late:
                self._replace(place)
        return len(late)

    def close(self) -> None:
        """Wait for no call any more, and begin none. Threads end when their calls do, or with the process."""
        with self._lock:
            self._closed = True
            for place, (_, future) in [*self._under_way.items()]:
                future.cancel()
                self._replace(place)  # there are perhaps others who wait for it
            for place in self._free.queue:
                place.leave()

    def _replace(self, place: _Place) -> None:
        del self._under_way[place]
        self._given_up += 1
        self._free.put(_Place())

    def _make(self, place: _Place, work: Callable[[], Result], future: Future[Result]) -> None:
        try:
            result = work()
        except BaseException as error:
            self._over(place)
            with suppress(InvalidStateError):  # nobody waits for it any more
                future.set_exception(error)
        else:
            self._over(place)
            with suppress(InvalidStateError):
                future.set_result(result)

    def _over(self, place: _Place) -> None:
        with self._lock:
            if self._under_way.pop(place, None) is None:
                self._given_up -= 1
                place.leave()
                return
            self._free.put(place)


class _Place:
    """For one call at a time, all of them made by a thread of its own, which begins with the first."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._begun = False

    def make(self, call: Callable[[], None]) -> None:
        if not self._begun:
            threading.Thread(target=self._serve, name="onestop", daemon=True).start()
            self._begun = True
        self._calls.put(call)

    def leave(self) -> None:
        self._calls.put(None)

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
