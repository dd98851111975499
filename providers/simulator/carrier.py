"""The carrier itself: messages taken once by ref, phones with their conversations, callbacks to the gateway."""

from __future__ import annotations

import hashlib
import heapq
import hmac
import itertools
import json
import logging
import re
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import requests

from providers.simulator.faults import Faults
from providers.simulator.worker import Worker

REMEMBERED = 24 * 3600.0  # seconds that a ref is known
MOST_REFS = 500_000
MOST_BUBBLES = 300  # in one conversation
MOST_PHONES = 5_000
MOST_IN_A_CALLBACK = 500

_PHONE = re.compile(r"84\d{9,10}", re.ASCII)
_GSM7 = re.compile(
    "[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,\\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà^{}\\\\\\[~\\]|€\f]*"
)

log = logging.getLogger("smsgw.simulator")

Post = Callable[[str, bytes, dict[str, str]], int]  # url, body, headers: the status of the answer
Kind = Literal["inbound", "receipts"]


@dataclass(frozen=True)
class SimulatorConfig:
    """Whose carrier this is. `receipt_delay` and `longest_pause`, between two tries of a callback, in seconds."""

    gateway_url: str
    token: str
    secret: str
    channel: str = "sms"
    short_code: str = "8188"
    receipt_delay: float = 0.5
    longest_pause: float = 60.0
    most_tries: int = 12  # of one callback


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message in a phone's conversation. `direction`: out is what the citizen wrote, in what came back."""

    seq: int
    id: str
    direction: Literal["out", "in"]
    text: str
    at: str
    state: Literal["sending", "sent", "failed", "delivered"]
    encoding: str | None = None
    segments: int | None = None


@dataclass(order=True, slots=True)
class _Callback:
    due: float
    order: int
    kind: Kind
    item: dict[str, Any]
    tries: int = 0


class Carrier:
    """Thread-safe. Callbacks go out from a thread of its own once started, or whenever `run_due` is called."""

    def __init__(
        self, config: SimulatorConfig, *, clock: Callable[[], float] = time.time, post: Post | None = None
    ) -> None:
        self.config = config
        self.faults = Faults()
        self._clock = clock
        self._post = post or Poster()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._order = itertools.count(1)
        self._callbacks: list[_Callback] = []
        self._taken: OrderedDict[str, tuple[float, dict[str, Any]]] = OrderedDict()
        self._phones: OrderedDict[str, deque[Bubble]] = OrderedDict()
        self._counts: Counter[str] = Counter()
        self._deliveries: Counter[str] = Counter()
        self._worker = Worker("carrier", self.run_due, self._until_due)
        self._stopping = self._worker.stopping

    def start(self) -> None:
        self._worker.start()

    def stop(self) -> None:
        self._stopping.set()
        with self._lock:
            self._changed.notify_all()  # handsets that wait for a bubble
        self._worker.stop()

    def submit(self, messages: list[Any]) -> list[dict[str, Any]]:
        """Take messages from the gateway: one result each. The same ref is taken once, and answered as at first."""
        with self._lock:
            self._forget_old_refs()
            results = [self._take(message) for message in messages]
            self._changed.notify_all()
        self._worker.wake()
        return results

    def text(self, sender: str, text: str, *, id: str | None = None, to: str | None = None) -> str:
        """A citizen texts something; the message's id. The gateway hears of it by callback."""
        with self._lock:
            order = next(self._order)
            id = id or f"mo-{order}-{int(self._clock() * 1000)}"
            item = {
                "id": id,
                "from": sender,
                "to": to or self.config.short_code,
                "text": text,
                "received_at": self._now(),
            }
            self._add_bubble(sender, Bubble(order, id, "out", text, self._now(), "sending"))
            for _ in range(2 if self.faults.happens("doubled_inbound") else 1):
                self._call_back("inbound", item, 0.0)
            self._counts["inbound"] += 1
            self._changed.notify_all()
        self._worker.wake()
        return id

    def conversation(self, number: str, after: int = 0, wait: float = 0.0) -> list[Bubble]:
        """A phone's bubbles that are new or changed since `after`; waits so many seconds for the first of them."""
        with self._lock:
            self._changed.wait_for(lambda: self._bubbles(number, after) or self._stopping.is_set(), wait)
            return self._bubbles(number, after)

    def counters(self) -> dict[str, Any]:
        """What happened so far; `delivered_twice` names refs that a phone got more than once."""
        with self._lock:
            return {
                **{name: self._counts[name] for name in ("inbound", "accepted", "repeated", "rejected", "given_up")},
                "delivered": len(self._deliveries),
                "delivered_twice": [ref for ref, times in self._deliveries.items() if times > 1],
                "callbacks_waiting": len(self._callbacks),
            }

    def run_due(self) -> int:
        """Make every callback that is due by the clock; how many items went through."""
        with self._lock:
            due = []
            while self._callbacks and self._callbacks[0].due <= self._clock():
                due.append(heapq.heappop(self._callbacks))
        done = 0
        for kind in ("inbound", "receipts"):
            items = [callback for callback in due if callback.kind == kind]
            for start in range(0, len(items), MOST_IN_A_CALLBACK):
                done += self._hand_over(kind, items[start : start + MOST_IN_A_CALLBACK])
        return done

    def _until_due(self) -> float:
        with self._lock:
            return self._callbacks[0].due - self._clock() if self._callbacks else 1.0

    def _hand_over(self, kind: Kind, callbacks: list[_Callback]) -> int:
        name = "messages" if kind == "inbound" else "receipts"
        body = json.dumps({name: [callback.item for callback in callbacks]}).encode()
        url = f"{self.config.gateway_url.rstrip('/')}/carrier/{self.config.channel}/{kind}"
        status = self._post(url, body, {"Content-Type": "application/json", "X-Signature": self._signature(body)})
        with self._lock:
            for callback in callbacks:
                if status == 200:
                    self._settle_bubble(callback, "sent")
                else:
                    self._try_again(callback, status)
            self._changed.notify_all()
        return len(callbacks) if status == 200 else 0

    def _try_again(self, callback: _Callback, status: int) -> None:
        callback.tries += 1
        if callback.tries >= self.config.most_tries:
            log.error("a callback was given up after %d tries; the gateway answered %d last", callback.tries, status)
            self._counts["given_up"] += 1
            self._settle_bubble(callback, "failed")
            return
        callback.due = self._clock() + min(self.config.longest_pause, 0.5 * 2**callback.tries)
        heapq.heappush(self._callbacks, callback)

    def _take(self, message: Any) -> dict[str, Any]:
        ref = message.get("ref") if isinstance(message, dict) else None
        if not isinstance(ref, str) or not ref:
            return _rejected("", "invalid_message", "ref is missing")
        if ref in self._taken:
            self._counts["repeated"] += 1
            return self._taken[ref][1]
        result = _refusal(ref, message) or {"ref": ref, "id": f"mt-{next(self._order)}", "status": "accepted"}
        self._taken[ref] = (self._clock(), result)
        self._counts[result["status"]] += 1
        if result["status"] == "accepted":
            self._deliver(message, result["id"])
        return result

    def _deliver(self, message: dict[str, Any], id: str) -> None:
        arrives = not self.faults.happens("undelivered")
        if arrives:
            self._deliveries[message["ref"]] += 1
            bubble = Bubble(
                seq=next(self._order),
                id=id,
                direction="in",
                text=message["text"],
                at=self._now(),
                state="delivered",
                encoding=message["encoding"],
                segments=message.get("segments"),
            )
            self._add_bubble(message["to"], bubble)
        if self.faults.happens("lost_receipts"):
            return
        statuses = ["buffered", "delivered" if arrives else "undelivered"]
        delays = [self.config.receipt_delay / 2, self.config.receipt_delay]
        if self.faults.happens("disordered_receipts"):
            delays = [self.config.receipt_delay, 0.0]
        for status, delay in zip(statuses, delays, strict=True):
            code = "absent_subscriber" if status == "undelivered" else None
            receipt = {"ref": message["ref"], "id": id, "status": status, "error_code": code, "at": self._now()}
            for _ in range(2 if self.faults.happens("doubled_receipts") else 1):
                self._call_back("receipts", receipt, delay)

    def _call_back(self, kind: Kind, item: dict[str, Any], delay: float) -> None:
        heapq.heappush(self._callbacks, _Callback(self._clock() + delay, next(self._order), kind, item))

    def _add_bubble(self, number: str, bubble: Bubble) -> None:
        bubbles = self._phones.setdefault(number, deque(maxlen=MOST_BUBBLES))
        self._phones.move_to_end(number)
        bubbles.append(bubble)
        if len(self._phones) > MOST_PHONES:
            self._phones.popitem(last=False)

    def _settle_bubble(self, callback: _Callback, state: Literal["sent", "failed"]) -> None:
        if callback.kind != "inbound":
            return
        bubbles = self._phones.get(callback.item["from"], deque())
        for place, bubble in enumerate(bubbles):
            if bubble.id == callback.item["id"] and bubble.state == "sending":
                bubbles[place] = replace(bubble, state=state, seq=next(self._order))

    def _bubbles(self, number: str, after: int) -> list[Bubble]:
        return [bubble for bubble in self._phones.get(number, ()) if bubble.seq > after]

    def _forget_old_refs(self) -> None:
        while self._taken:
            at, _ = next(iter(self._taken.values()))
            if at > self._clock() - REMEMBERED and len(self._taken) < MOST_REFS:
                return
            self._taken.popitem(last=False)

    def _signature(self, body: bytes) -> str:
        stamp = int(self._clock())
        digest = hmac.new(self.config.secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={stamp},v1={digest}"

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")


class Poster:
    """Callbacks over HTTP, each in so many seconds at most. A connection that fails counts as status 0."""

    def __init__(self, timeout: float = 15) -> None:
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        try:
            return self._session.post(url, data=body, headers=headers, timeout=self._timeout).status_code
        except requests.RequestException:
            return 0


def _refusal(ref: str, message: dict[str, Any]) -> dict[str, Any] | None:
    """Why a message can't be delivered, in the carrier's words."""
    to, text, encoding = message.get("to"), message.get("text"), message.get("encoding")
    if not isinstance(to, str) or not _PHONE.fullmatch(to):
        return _rejected(ref, "invalid_number", "to is no number of ours")
    if not isinstance(text, str) or not text:
        return _rejected(ref, "invalid_text", "text is empty")
    if encoding not in ("gsm7", "ucs2"):
        return _rejected(ref, "invalid_encoding", "encoding must be gsm7 or ucs2")
    if encoding == "gsm7" and not _GSM7.fullmatch(text):
        return _rejected(ref, "invalid_encoding", "text has characters that GSM-7 lacks")
    return None


def _rejected(ref: str, code: str, message: str) -> dict[str, Any]:
    return {"ref": ref, "status": "rejected", "error": {"code": code, "message": message}}
