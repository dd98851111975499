"""Of a document about many messages, the part about one. Pure.

Carriers and we tell each other of up to 500 messages in one call. Whoever looks into one of them is to see that one,
and nobody else's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator

LEFT_OUT = "…"
_MOST_TRIES = 50  # objects that may lie in one another, or braces in a text

_decode = json.JSONDecoder().raw_decode


def about(document: str, names: Collection[str]) -> str:
    """Its first line, and the innermost JSON objects that hold one of these names; the rest is left out."""
    head, _, body = document.partition("\n")
    if not body:
        return document
    parts = {start: body[start:end] for name in names for start, end in _objects(body, name)}
    shown = [LEFT_OUT]
    for start in sorted(parts):
        shown += [parts[start], LEFT_OUT]
    return "\n".join([head, *shown])


def _objects(body: str, name: str) -> Iterator[tuple[int, int]]:
    value = re.compile(rf"(?<![\w.\-]){re.escape(json.dumps(name)[1:-1])}(?![\w.\-])")
    for found in value.finditer(body):
        start = found.start()
        for _ in range(_MOST_TRIES):
            if (start := body.rfind("{", 0, start)) < 0:
                break
            try:
                _, end = _decode(body, start)
            except (ValueError, RecursionError):
                continue
            if end > found.start():
                yield start, end
                break
