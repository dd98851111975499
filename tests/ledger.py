"""The simulated carrier as the chaos suite needs it: it writes down when it was called and who got what."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any

import requests

from providers.simulator import Carrier, SimulatorConfig
from providers.simulator.carrier import Kind

PUMPS = 3  # callbacks that a carrier makes at a time
PATIENCE = 90.0  # seconds


class Ledger(Carrier):
    """The simulated carrier with several lines to the gateway, that writes down when it was called and who got what.

    Its ids are in hexadecimal with leading zeros where it takes a message, and in decimal in receipts, half of which
    have nothing else to say whose they are. `forgetful`: it takes every submission for a new message, whatever its ref.
    """

    def __init__(self, config: SimulatorConfig, *, forgetful: bool = False) -> None:
        self.answers: Counter[int] = Counter()  # what the gateway said to callbacks, by status
        super().__init__(config, post=self._call)
        self._forgetful = forgetful
        self.calls: list[tuple[float, int]] = []  # when, and how many messages
        self.delivered: dict[str, tuple[str, str]] = {}  # by our id: the gateway's, and the phone
        self.reported: dict[str, str] = {}  # by the gateway's id: how a message ended, as the gateway is told
        self.answering = threading.Event()  # not set, it takes calls and keeps them waiting
        self.answering.set()
        self._at_work = 0  # pumps
        self._pumps = [threading.Thread(target=self._pump, daemon=True) for _ in range(PUMPS)]

    def start(self) -> None:
        for pump in self._pumps:
            pump.start()

    def stop(self) -> None:
        super().stop()
        for pump in self._pumps:
            pump.join(20)

    def submit(self, messages: list[Any]) -> list[dict[str, Any]]:
        self.calls.append((time.monotonic(), len(messages)))
        self.answering.wait(PATIENCE)
        if self._forgetful:
            self._taken.clear()
        results = super().submit(messages)
        for message, result in zip(messages, results, strict=True):
            if result["status"] == "accepted":
                self.delivered[result["id"]] = (message["ref"], message["to"])
        return [{**result, "id": f"{_number(result):016X}"} if "id" in result else result for result in results]

    def report(self, ref: str) -> None:
        """Tell the gateway that a message arrived."""
        with self._lock:
            self._call_back("receipts", {"ref": ref, "id": None, "status": "delivered"}, 0.0)

    def _call_back(self, kind: Kind, item: dict[str, Any], delay: float) -> None:
        if kind == "receipts" and item["id"]:
            if item["status"] != "buffered":
                self.reported[item["ref"]] = item["status"]
            item = {**item, "id": str(_number(item)), "ref": item["ref"] if self.faults.chance.random() < 0.5 else None}
        super()._call_back(kind, item, delay)

    def is_idle(self) -> bool:
        """Whether no callback is left, nor one that waits for its answer."""
        with self._lock:
            return not self._callbacks and not self._at_work

    def _pump(self) -> None:
        while not self._stopping.is_set():
            self._works(1)
            done = self.run_due()
            self._works(-1)
            if not done:
                self._stopping.wait(0.01)

    def _works(self, more: int) -> None:
        with self._lock:
            self._at_work += more

    def _call(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        status = 0
        # A connection for each call, so that every node gets its part of them.
        with suppress(requests.RequestException), requests.Session() as session:
            session.trust_env = False
            status = session.post(url, data=body, headers=headers, timeout=15).status_code
        self.answers[status] += 1
        return status


def _number(item: dict[str, Any]) -> int:
    """Of a message, by the simulator's id."""
    return int(item["id"].removeprefix("mt-"))
