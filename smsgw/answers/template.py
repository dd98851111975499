"""A text with names to be filled in and parts that may be left out: `Hồ sơ {code} đã nộp.[ Nộp ngày {received}.]`"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

BRACKET = re.compile(r"[\[\]]")
NAME = re.compile(r"\{(\w*)\}")


class _Piece(NamedTuple):
    """A run of text without brackets, with %s for each name; and the optional parts that it stands in.

    Parts are numbered from 1 as they open, so the innermost has the highest number; 0 is what is never left out.
    """

    form: str
    names: tuple[str, ...]
    parts: tuple[int, ...]


_Form = tuple[str, tuple[str, ...]]  # a text with %s for each of these names


class Template:
    """A template, taken apart once. Its brackets must be closed."""

    def __init__(self, source: str) -> None:
        self._pieces = tuple(_pieces(source))
        self.names = frozenset(name for piece in self._pieces for name in piece.names)
        # Which values are there hangs on the kind of dossier, so there are few sets of them.
        self._forms = cache(self._forms_with)

    def versions(self, values: Mapping[str, str | None]) -> Iterator[str]:
        """The text filled in, the fullest version first; each that follows lacks one more part, from the last one on.

        A part that names a value which is missing is in none of them.
        """
        there = frozenset([name for name in self.names if values.get(name) is not None])
        for form, names in self._forms(there):
            yield form % tuple([values.get(name) or "" for name in names])

    def _forms_with(self, there: frozenset[str]) -> list[_Form]:
        lacking = {piece.parts[-1] for piece in self._pieces if not there.issuperset(piece.names)} - {0}
        kept = [piece for piece in self._pieces if lacking.isdisjoint(piece.parts)]
        return [
            _joined([piece for piece in kept if piece.parts[-1] <= last])
            for last in sorted({0, *(piece.parts[-1] for piece in kept)}, reverse=True)
        ]

    def fullest(self, values: Mapping[str, str | None]) -> str:
        """The text with every part whose values are there."""
        return next(self.versions(values))

    def barest(self, values: Mapping[str, str | None]) -> str:
        """The text without its optional parts."""
        return list(self.versions(values))[-1]


def _joined(pieces: Sequence[_Piece]) -> _Form:
    return "".join([piece.form for piece in pieces]), tuple([name for piece in pieces for name in piece.names])


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
    if text:
        yield _Piece(NAME.sub("%s", text.replace("%", "%%")), tuple(NAME.findall(text)), tuple(within))
