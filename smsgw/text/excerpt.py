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


def about(document: str, names: Collection[str], others: Collection[str] = ()) -> str:
    """Its first line, and the innermost JSON objects that hold one of these names; the rest is left out.

    `others`: the names of what else it is about. A number that is the same as a name may stand around all of them.
    """
    head, _, body = document.partition("\n")
    if not body:
        return document
    found = {start: end for name in names for start, end in _objects(body, name)}
    items = {*names, *others}
    parts = {start: body[start:end] for start, end in found.items() if not _holds_one(_decode(body, start)[0], items)}
    shown = [LEFT_OUT]
    for start in sorted(parts):
        shown += [parts[start], LEFT_OUT]
    return "\n".join([head, *shown])


def _objects(body: str, name: str) -> Iterator[tuple[int, int]]:
    written = re.escape(json.dumps(name)[1:-1])
    quoted = [*re.finditer(f'"{written}"', body)]
    # What is not quoted is somebody's name only where none is: else it is a count, or a word of a text.
    for found in quoted or re.finditer(rf"(?<![\w.\-]){written}(?![\w.\-])", body):
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


def _holds_one(whole: object, items: Collection[str]) -> bool:
    """Whether an object has others in it of which one holds a name."""
    left = [*_inside(whole)]
    while left:
        one = left.pop()
        if isinstance(one, dict) and any(str(value) in items for value in one.values()):
            return True
        left += _inside(one)
    return False


def _inside(value: object) -> Collection[object]:
    match value:
        case dict():
            return value.values()
        case list():
            return value
        case _:
            return ()
