"""A citizen's handset at the carrier simulator: texting from the command line as from its page."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import requests

from smsgw.failure import ExpectedFailure

LONGEST_POLL = 10.0  # seconds that one request waits for a new bubble


class HandsetError(ExpectedFailure):
    """The simulator could not be asked, or no answer came. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back to the handset."""

    text: str
    encoding: str
    segments: int


class Handset:
    """One phone at the simulator under that URL."""

    def __init__(self, url: str, phone: str) -> None:
        self._url = url.rstrip("/")
        self._phone = phone
        self._session = requests.Session()
        self._session.trust_env = False

    def ask(self, text: str, wait: float) -> Answer:
        """Text something and wait so many seconds for the answer. Raises HandsetError."""
        seen = max((bubble["seq"] for bubble in self._bubbles(0, 0)), default=0)
        self._call("POST", "/handset/texts", json={"from": self._phone, "text": text})
        until = time.monotonic() + wait
        while (left := until - time.monotonic()) > 0:
            for bubble in self._bubbles(seen, min(left, LONGEST_POLL)):
                seen = bubble["seq"]
                if bubble["direction"] == "in":
                    return Answer(bubble["text"], bubble["encoding"], bubble["segments"])
        raise HandsetError(f"no answer within {wait:g} s: is the gateway running? smsgw doctor tells")

    def _bubbles(self, after: int, wait: float) -> list[dict[str, Any]]:
        answer = self._call(
            "GET", f"/handset/conversations/{self._phone}", params={"after": after, "wait": f"{wait:.1f}"}
        )
        bubbles: list[dict[str, Any]] = answer["bubbles"]
        return bubbles

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer = self._session.request(method, self._url + path, timeout=LONGEST_POLL + 10, **arguments)
            document: dict[str, Any] = answer.json()
        except requests.RequestException:
            raise HandsetError(f"no carrier simulator answers at {self._url}: start it with smsgw simulator") from None
        if not answer.ok:
            raise HandsetError(f"the simulator refuses: {document.get('detail', answer.status_code)}")
        return document
