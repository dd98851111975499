"""ZNS templates: a text is sent as the number of a registered template and the values that stand in its gaps. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field, field_validator

_GAP = re.compile(r"\{([a-z][a-z0-9_]{0,35})\}", re.ASCII)


class Template(BaseModel):
    """A template as Zalo approved it. `text`: our wording of it, with its parameters in braces by Zalo's names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=32)
    text: str = Field(min_length=1, max_length=2000)

    @field_validator("text")
    @classmethod
    def _gaps_are_apart(cls, text: str) -> str:
        names = _GAP.findall(text)
        if len(set(names)) != len(names):
            raise ValueError("names a parameter twice; expected each of them once")
        if re.search(r"\}\{", text):
            raise ValueError("has two parameters side by side; expected words between them")
        return text

    @property
    def names(self) -> tuple[str, ...]:
        """Its parameters."""
        return tuple(_GAP.findall(self.text))

    def values(self, text: str) -> dict[str, str] | None:
        """The parameters in a text, with or without accents; None if it is not of this template."""
        found = self._pattern(self.text).fullmatch(text) or self._pattern(_folded(self.text)).fullmatch(text)
        return found.groupdict() if found else None

    @staticmethod
    def _pattern(text: str) -> re.Pattern[str]:
        parts = _GAP.split(text)
        return re.compile(
            "".join(f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)), re.DOTALL
        )


def filled(templates: Iterable[Template], text: str) -> tuple[str, dict[str, str]] | None:
    """The first template that a text is of, and its values; None if it is of none."""
    composed = unicodedata.normalize("NFC", text)
    for template in templates:
        if (values := template.values(composed)) is not None:
            return template.id, values
    return None


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.translate({ord("đ"): "d", ord("Đ"): "D"}))
    return "".join(c for c in decomposed if not unicodedata.combining(c))
