"""What the console says: a file for each page, with the tables [vi] and [en] of the same keys."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from smsgw.text.languages import Language


def say(language: Language, key: str, **values: object) -> str:
    """The text of a key such as "people.title". Raises KeyError if there is none."""
    page, _, name = key.partition(".")
    text = load()[page][language][name]
    return text.format(**values) if values else text


@cache
def load() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Every text, by page, language and name."""
    found = (file for file in files(__name__).iterdir() if file.name.endswith(".toml"))
    return {file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8")) for file in found}
