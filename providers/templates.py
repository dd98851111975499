"""Texts that a carrier has registered, and finding the one that a message was written by. Pure.

Where a carrier takes nothing else, its channel's settings list the templates by the carrier's id for each, with their
parameters in braces: `"1024" = "Ho so {ma} dang duoc {don vi} giai quyet."`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

_PARAMETER = re.compile(r"\{[^{}]*\}")
NO_TEMPLATE = "no_template"


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with what its parameters hold, in their order. `names`: of the parameters, as the settings have them.

    A name that comes twice is two parameters.
    """

    id: str
    names: tuple[str, ...]
    values: tuple[str, ...]


class Templates:
    """The registered texts of one channel, by id."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)

    @cached_property
    def _patterns(self) -> list[tuple[str, tuple[str, ...], re.Pattern[str]]]:
        """The more of a text is fixed, the earlier it is tried, so that one with fewer parameters goes first."""

        def fixed(item: tuple[str, str]) -> int:
            return -len(_PARAMETER.sub("", item[1]))

        return [
            (id, tuple(name.strip("{} ") for name in _PARAMETER.findall(text)), _pattern(text))
            for id, text in sorted(self._texts.items(), key=fixed)
        ]

    def filled(self, text: str) -> Filled | None:
        """The template that a text was written by; None if it is by none of them."""
        for id, names, pattern in self._patterns:
            if found := pattern.fullmatch(text):
                return Filled(id, names, found.groups())
        return None

    def allow(self, text: str) -> bool:
        """Whether a text may be sent: it is by a template, or the carrier has none registered."""
        return not self._texts or self.filled(text) is not None


def _pattern(text: str) -> re.Pattern[str]:
    # A parameter is as short as it can be, and never empty: carriers refuse an empty one.
    return re.compile("(.+?)".join(re.escape(part) for part in _PARAMETER.split(text)), re.DOTALL)
