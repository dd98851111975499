"""Citizens' messages in signed callbacks, and what becomes of each: its reply's submission, or nothing."""

from __future__ import annotations

import itertools
import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from providers.aggregator import sign
from smsgw.bench.double import Double
from smsgw.bench.wire import HOST, Caller, Loop, now

SECRET = "bench-secret"  # noqa: S105
SHORT_CODE = "8188"
PATIENCE = 20.0  # seconds without any progress after which what is missing counts as lost
RETRY_PAUSE = 0.2  # seconds before a callback that was not taken is sent again
FIRST_PHONE = 84_900_000_000  # every message of a run has a phone of its own


@dataclass(frozen=True, slots=True)
class Callback:
    """A request as it goes over the wire, and whose messages are in it."""

    request: bytes
    phones: tuple[str, ...]


class Citizens:
    """Writes callbacks. No phone writes twice, so that each reply can be told by its recipient."""

    def __init__(self, codes: Sequence[str]) -> None:
        self._codes = itertools.cycle(codes)
        self._numbers = itertools.count(1)

    def phone(self) -> str:
        """The next one who has not written yet."""
        return str(FIRST_PHONE + next(self._numbers))

    def code(self) -> str:
        """The next dossier that somebody asks for."""
        return next(self._codes)

    def callbacks(self, messages: int, each: int = 1) -> Iterator[Callback]:
        """That many messages, `each` in a callback, signed when they are taken from here."""
        for start in range(0, messages, each):
            phones = tuple(self.phone() for _ in range(min(each, messages - start)))
            yield Callback(_request([self._message(phone) for phone in phones]), phones)

    def _message(self, phone: str) -> dict[str, str]:
        return {
            "id": f"mo-{phone}",
            "from": phone,
            "to": SHORT_CODE,
            "text": f"HS {self.code()}",
            "received_at": "2026-11-24T21:00:00+07:00",
        }


def _request(messages: list[dict[str, str]]) -> bytes:
    body = json.dumps({"messages": messages}).encode()
    signature = sign(SECRET.encode(), body, int(time.time()))
    head = (
        f"POST /carrier/sms/inbound HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
        f"X-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass
class Passage:
    """What became of a load. `latencies`: seconds from callback sent (or due) to reply submitted, or callback taken."""

    messages: int = 0
    lost: int = 0
    doubled: int = 0
    refused: int = 0  # messages whose callback was not answered with "accepted" at once
    began: float = 0.0
    ended: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Messages a second."""
        return len(self.latencies) / max(self.ended - self.began, 1e-9)

    def percentile(self, share: float) -> float:
        """A latency in milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class Load:
    """Sends callbacks to a port. `submitted`: a message is done when the double has its reply, else when it is taken.

    `window`: messages that may be on their way at a time; without one, callbacks go out `rate` messages a second
    whatever became of those before, and a late start counts as latency.
    """

    def __init__(self, loop: Loop, double: Double, port: int, *, connections: int, submitted: bool = True) -> None:
        self._loop = loop
        self._double = double
        self._submitted = submitted
        self._port = port
        self._idle: deque[Caller] = deque(Caller(loop, port, self._answered) for _ in range(connections))
        self._in_hand: dict[Caller, Callback] = {}
        self._ready: deque[Callback] = deque()
        self._on_the_way: dict[str, float] = {}
        self._window: int | None = None
        self._passage = Passage()

    def closed(self, callbacks: Sequence[Callback], window: int) -> Passage:
        """As fast as they are taken."""
        self._begin(window)
        self._ready.extend(callbacks)
        self._pump()
        return self._finish(lambda: False)

    def open(self, callbacks: Iterable[Callback], rate: float) -> Passage:
        """So many messages a second."""
        self._begin(None)
        coming = iter(callbacks)
        callback = next(coming, None)  # written before it is due, so that this takes nothing from its time

        def send_next(due: float) -> None:
            nonlocal callback
            if callback is None:
                return
            for phone in callback.phones:
                self._on_the_way[phone] = due
            self._ready.append(callback)
            self._pump()
            after = due + len(callback.phones) / rate
            callback = next(coming, None)
            self._loop.at(after, lambda: send_next(after))

        send_next(now())
        return self._finish(lambda: callback is not None)

    def close(self) -> None:
        for caller in [*self._idle, *self._in_hand]:
            caller.close()

    def _begin(self, window: int | None) -> None:
        self._double.forget()
        self._double.heard = self._heard
        self._window = window
        self._passage = Passage(began=now(), ended=now())

    def _finish(self, more_to_come: Callable[[], bool]) -> Passage:
        def over() -> bool:
            if more_to_come() or not (self._on_the_way or self._ready or self._in_hand):
                return not more_to_come()
            return now() - self._passage.ended > PATIENCE

        self._loop.run(over, limit=7200)
        passage = self._passage
        passage.lost = len(self._on_the_way) + sum(len(callback.phones) for callback in self._ready)
        passage.messages = len(passage.latencies) + passage.lost
        passage.doubled = self._double.doubled
        self._on_the_way.clear()
        self._ready.clear()
        return passage

    def _pump(self) -> None:
        while self._ready and self._idle:
            callback = self._ready[0]
            if self._window is not None:
                new = 0 if callback.phones[0] in self._on_the_way else len(callback.phones)
                if new and len(self._on_the_way) + new > self._window:
                    return
                at = now()
                for phone in callback.phones:
                    self._on_the_way.setdefault(phone, at)
            self._ready.popleft()
            caller = self._idle.popleft()
            self._in_hand[caller] = callback
            caller.send(callback.request)

    def _answered(self, caller: Caller, status: int, body: bytes) -> None:
        callback = self._in_hand.pop(caller, None)
        if status == 0:
            # A server closes what has long been idle, and one that stops closes all: both are called anew.
            self._idle = deque(other for other in self._idle if other is not caller)
            caller = Caller(self._loop, self._port, self._answered)
        self._idle.append(caller)
        if callback is not None:
            self._judge(callback, status, body)
        self._pump()

    def _judge(self, callback: Callback, status: int, body: bytes) -> None:
        if status not in (200, 202):
            self._passage.refused += len(callback.phones)
            self._loop.at(now() + RETRY_PAUSE, lambda: self._again(callback))
            return
        if status == 200:  # an answer that says of each message what became of it
            self._passage.refused += len(callback.phones) - body.count(b'"accepted"')
        if not self._submitted:
            self._done(callback.phones, now())

    def _again(self, callback: Callback) -> None:
        self._ready.append(callback)
        self._pump()

    def _heard(self, phones: Sequence[str], at: float) -> None:
        self._done(phones, at)
        self._pump()

    def _done(self, phones: Sequence[str], at: float) -> None:
        passage = self._passage
        for phone in phones:
            if (began := self._on_the_way.pop(phone, None)) is not None:
                passage.latencies.append(at - began)
                passage.ended = at
