"""The languages in which people are written to, and read the pages."""

from __future__ import annotations

from typing import Literal, get_args

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
