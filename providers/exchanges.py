"""What was said between us and a carrier, kept for whoever asks for it: the caller of `submit`, by `listening`."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

# Characters of a request or an answer that are kept: of a call with one message, and of one with many.
OF_ONE, OF_MANY = 4000, 1024 * 1024
MASK = "***"


@dataclass(slots=True)
class Exchange:
    """One call: what we sent and what came back, secrets masked. `ref`: the message, if the call carried but one."""

    ref: str | None
    secrets: Sequence[str] = field(repr=False)
    request: str = ""
    answer: str = "no answer"
    seconds: float = 0.0

    def asked(self, method: str, url: str, body: bytes | str | None) -> None:
        self.request = self._kept(f"{method} {url}", body or "")

    def answered(self, status: int, body: bytes) -> None:
        self.answer = self._kept(str(status), body)

    def _kept(self, *parts: bytes | str) -> str:
        longest = OF_MANY if self.ref is None else OF_ONE
        # A secret that the cut would halve must still be found, so more is looked at than is kept.
        most = longest + max((len(spelt) for secret in self.secrets for spelt in _spellings(secret)), default=0)
        text = "\n".join(
            part[:most].decode("utf-8", "replace") if isinstance(part, bytes) else part[:most] for part in parts
        )
        text = hidden(text.strip(), self.secrets)
        return text if len(text) <= longest else f"{text[:longest]} ..."


_heard: ContextVar[list[Exchange] | None] = ContextVar("heard", default=None)


@contextmanager
def listening() -> Iterator[list[Exchange]]:
    """The exchanges of this block, those of threads that it lends its context to included."""
    heard: list[Exchange] = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


@contextmanager
def keeping(ref: str | None, secrets: Sequence[str]) -> Iterator[Exchange]:
    """One exchange, kept also when it ends in an error."""
    heard = _heard.get()
    exchange = Exchange(ref, secrets)
    begun = time.monotonic()
    try:
        yield exchange
    except Exception as error:
        exchange.answer = str(error)
        raise
    finally:
        exchange.seconds = time.monotonic() - begun
        if heard is not None:
            heard.append(exchange)


def hidden(text: str, secrets: Iterable[str]) -> str:
    """A text with these secrets masked, in each spelling that they may have in it."""
    for secret in secrets:
        for spelling in _spellings(secret):
            text = text.replace(spelling, MASK)
    return text


@lru_cache(maxsize=64)  # a channel has two or three
def _spellings(secret: str) -> tuple[str, ...]:
    """As it may stand in an address, a form, JSON, XML or HTML, or in an address in one of these; the longest first."""
    once = {secret, *_quoted(secret), base64.b64encode(secret.encode()).decode()}
    twice = {again for spelling in once for again in (spelling, *_quoted(spelling))}
    return tuple(sorted(filter(None, twice), key=len, reverse=True))


def _quoted(text: str) -> Iterator[str]:
    for quoted in (quote(text, safe=""), quote(text), quote_plus(text), quote_plus(text, safe="/")):
        yield quoted
        yield re.sub("%..", lambda sign: sign[0].lower(), quoted)
    yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    yield from (html.escape(text), escape(text), escape(text, {'"': "&quot;", "'": "&apos;"}))
