"""A thread that does what falls due."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

LONGEST_SLEEP = 1.0  # seconds

log = logging.getLogger("smsgw.simulator")


class Worker:
    """Calls `work` whenever it is woken, and when `until_due` says that the next thing falls due, in seconds."""

    def __init__(self, name: str, work: Callable[[], object], until_due: Callable[[], float]) -> None:
        self.stopping = threading.Event()
        self._work = work
        self._until_due = until_due
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        self.stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        while not self.stopping.is_set():
            self._woken.clear()
            try:
                self._work()
            except Exception:
                # Without this thread nobody would ever be heard again.
                log.exception("callbacks failed")
            self._woken.wait(min(max(self._until_due(), 0.0), LONGEST_SLEEP))
