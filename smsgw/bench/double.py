"""The carrier's double: takes every submission, and knows exactly which messages came, when, and which came twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from smsgw.bench.wire import Loop, Server, now

Heard = Callable[[Sequence[str], float], None]


class Double:
    """Speaks the aggregator's format. `heard` is told the phones of each call, and when it came."""

    def __init__(self, loop: Loop, latency: float = 0.0) -> None:
        self._server = Server(loop, self._take, latency)
        self.port = self._server.port
        self.heard: Heard = lambda phones, at: None
        self.forget()

    def forget(self) -> None:
        """Begin to count anew."""
        self.calls = self.messages = self.doubled = 0
        self.first_batch = 0  # messages in the first call
        self.first_at = self.last_at = 0.0
        self._refs: set[str] = set()
        self._phones: set[str] = set()

    @property
    def rate(self) -> float:
        """Messages a second from the first call on; that call's own are not counted, for they were claimed before."""
        return (self.messages - self.first_batch) / max(self.last_at - self.first_at, 1e-9)

    @property
    def distinct(self) -> int:
        """Different messages that came."""
        return len(self._refs)

    def close(self) -> None:
        self._server.close()

    def _take(self, head: bytes, body: bytes) -> bytes:
        at = now()
        messages = json.loads(body)["messages"] if body else []
        if not messages:
            return b'{"results":[]}'
        phones = [message["to"] for message in messages]
        refs = [message["ref"] for message in messages]
        self.took(phones, refs, at)
        results = [f'{{"ref":"{ref}","id":"c{ref}","status":"accepted"}}' for ref in refs]
        return b'{"results":[' + ",".join(results).encode() + b"]}"

    def took(self, phones: Sequence[str], refs: Sequence[str], at: float) -> None:
        """Count one call's messages."""
        if not self.calls:
            self.first_at, self.first_batch = at, len(refs)
        self.calls += 1
        self.messages += len(refs)
        self.last_at = at
        before = len(self._refs), len(self._phones)
        self._refs.update(refs)
        self._phones.update(phones)
        new = min(len(self._refs) - before[0], len(self._phones) - before[1])
        self.doubled += len(refs) - new
        self.heard(phones, at)
