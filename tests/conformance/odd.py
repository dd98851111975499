"""A JSON document with something odd in the place of each of its values, one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

ODD: tuple[Any, ...] = (None, [], {}, [[]], 1.5, True, "", "\ud800\0", "9" * 400, 10**400)

Path = tuple[Any, ...]


def odd_documents(body: str | bytes) -> Iterator[bytes]:
    """None of a body that is no JSON."""
    try:
        document = json.loads(body)
    except ValueError:
        return
    for path in _places(document):
        for odd in ODD:
            yield json.dumps(_put(document, path, odd)).encode()


def _places(document: Any) -> Iterator[Path]:
    yield ()
    below = (
        document.items() if isinstance(document, dict) else enumerate(document if isinstance(document, list) else ())
    )
    for key, value in below:
        yield from ((key, *rest) for rest in _places(value))


def _put(document: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    made = [*document] if isinstance(document, list) else dict(document)
    made[path[0]] = _put(document[path[0]], path[1:], value)
    return made
