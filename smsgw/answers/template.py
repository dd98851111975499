"""A text with names to be filled in and parts that may be left out: `Hồ sơ {code} đã nộp.[ Nộp ngày {received}.]`"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

BRACKET = re.compile(r"[\[\]]")
NAME = re.compile(r"\{(\w*)\}")


class _Piece(NamedTuple):
    """A run of text without brackets, with %s for each name if it has any; and the optional parts that it stands in.

    Parts are numbered from 1 as they open, so the innermost has the highest number; 0 is what is never left out.
    """

    form: str
    names: tuple[str, ...]
    parts: tuple[int, ...]


class Template:
    """A template, taken apart once. Its brackets must be closed."""

    def __init__(self, source: str) -> None:
        self._pieces = tuple(_pieces(source))
        self.names = frozenset(name for piece in self._pieces for name in piece.names)

    def versions(self, values: Mapping[str, str | None]) -> Iterator[str]:
        """The text filled in, the fullest version first; each that follows lacks one more part, from the last one on.

        A part that names a value which is missing is in none of them.
        """
        lacking, said = set(), []
        for text, names, parts in self._pieces:
            if names:
                filled = [values.get(name) for name in names]
                if None in filled:
                    lacking.add(parts[-1])
                text %= tuple([value or "" for value in filled])
            said.append((parts, text))
        lacking.discard(0)
        kept = [(parts[-1], text) for parts, text in said if lacking.isdisjoint(parts)]
        for last in sorted({0, *[part for part, _ in kept]}, reverse=True):
            yield "".join([text for part, text in kept if part <= last])

    def fullest(self, values: Mapping[str, str | None]) -> str:
        """The text with every part whose values are there."""
        return next(self.versions(values))

    def barest(self, values: Mapping[str, str | None]) -> str:
        """The text without its optional parts."""
        return list(self.versions(values))[-1]


def _pieces(source: str) -> Iterator[_Piece]:
    within = [0]
    at = opened = 0
    for bracket in BRACKET.finditer(source):
        yield from _piece(source[at : bracket.start()], within)
        at = bracket.end()
        if bracket[0] == "[":
            opened += 1
            within.append(opened)
        else:
            within.pop()
    yield from _piece(source[at:], within)


def _piece(text: str, within: list[int]) -> Iterator[_Piece]:
    if names := tuple(NAME.findall(text)):
        text = NAME.sub("%s", text.replace("%", "%%"))
    if text:
        yield _Piece(text, names, tuple(within))
