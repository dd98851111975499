"""What is wrong with the settings, said with the file and key, or the variable, that it is to be mended in."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError as UnreadableVariable

PREFIX = "SMSGW_"
DIVIDER = "__"
# Environment variables of ours that are no settings.
NO_SETTINGS = frozenset({"SMSGW_PG_BINDIR"})


def unknown_variables(environment: Mapping[str, str], tables: Collection[str]) -> list[str]:
    """Pydantic passes over a variable whose first name it does not know, so a misspelt one would be lost."""
    known = {name.upper() for name in tables}
    return [
        f"{name}: no such setting; expected {PREFIX}TABLE{DIVIDER}KEY with TABLE one of {', '.join(sorted(known))}"
        for name in sorted(environment)
        if name.upper().startswith(PREFIX)
        and name.upper() not in NO_SETTINGS
        and name.upper().removeprefix(PREFIX).split(DIVIDER)[0] not in known
    ]


def not_utf8(environment: Mapping[str, str]) -> list[str]:
    """Bytes that are no UTF-8 are halves of characters in a variable, which nobody can sign with, send or store."""
    return [
        f"{name}: expected a text in UTF-8"
        for name, value in sorted(environment.items())
        if name.upper().startswith(PREFIX) and any("\ud800" <= character <= "\udfff" for character in value)
    ]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the settings came from: a file with this content, and variables."""

    file: Path
    document: Mapping[str, Any]

    def of(self, path: tuple[str, ...], *, missing: bool = False) -> str:
        """The file and key, or the variable, that a fault at that path is to be mended in."""
        wanted = DIVIDER.join(path).upper()
        # Of a table that stands only in variables, something may be missing.
        above = DIVIDER.join(path[:-1]).upper() if missing and not self._has(path[:-1]) else wanted
        for name in sorted(os.environ):
            rest = name.upper().removeprefix(PREFIX)
            if not name.upper().startswith(PREFIX):
                continue
            # A variable may also hold the whole table, as JSON.
            whole = wanted.startswith(rest + DIVIDER) and not self._has(path)
            if whole or rest == wanted or f"{rest}{DIVIDER}".startswith(above + DIVIDER):
                return f"{name}: {'.'.join(path)}" if rest != wanted else name
        return f"{self.file}: {'.'.join(path)}"

    def _has(self, path: tuple[str, ...]) -> bool:
        table: Any = self.document
        for part in path:
            if not isinstance(table, Mapping) or part not in table:
                return False
            table = table[part]
        return True


def other_kinds(given: object, taken: object, source: Source, above: tuple[str, ...]) -> list[str]:
    """Variables can't but be texts, and so numbers in quotes are read; in the file they are the wrong type."""
    if isinstance(taken, bool) and not isinstance(given, bool):
        return [f"{source.file}: {'.'.join(above)}: {_YES_OR_NO}, without quotes"]
    if isinstance(given, str | bool) and isinstance(taken, int | float) and not isinstance(taken, bool):
        return [f"{source.file}: {'.'.join(above)}: expected a number, without quotes"]
    if not isinstance(given, Mapping):
        return []
    values = taken if isinstance(taken, Mapping) else dict(taken) if isinstance(taken, BaseModel) else {}
    return [
        fault for name, value in given.items() for fault in other_kinds(value, values.get(name), source, (*above, name))
    ]


def faults_of(error: ValidationError, source: Source, above: tuple[str, ...]) -> list[str]:
    """One line a fault, never with the value: it may be a secret."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        path = (*above, *(str(part) for part in fault["loc"] if part != "[key]"))
        origin = source.of(path, missing=fault["type"] == "missing")
        # The only keys that anybody may choose, and not only their values, are names of channels.
        told = _CHANNEL_NAME if "[key]" in fault["loc"] else _expectation(fault["type"], fault["msg"])
        lines.append(f"{origin}: {_ROUTES if path == ('routes',) else told}")
    return lines


def unreadable(error: UnreadableVariable) -> str:
    """A whole table in one variable, which has to be JSON. The error names the table and quotes no value."""
    table = re.search(r'field "(\w+)"', str(error))
    name = f"{PREFIX}{table[1].upper()}" if table else PREFIX
    if table and table[1] == "routes":
        return f"{name}: {_ROUTES}"
    return f"{name}: expected a table as JSON; better set single keys: {name}{DIVIDER}KEY"


_ROUTES = "expected tables that begin with [[routes]], or a list of them as JSON in a variable"
_YES_OR_NO = "expected true or false"
_CHANNEL_NAME = "expected a lower-case letter, then letters, digits and dashes, 31 at the most"
_EXPECTATIONS = {
    "missing": "is missing; it has no default",
    "extra_forbidden": "no such key; see docs/settings.md for those there are",
    "unexpected_keyword_argument": "no such key; see docs/settings.md for those there are",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "dataclass_type": "expected a table",
    "tuple_type": 'expected a list of texts, such as ["HS", "TRA CUU"]',
    "bool_type": _YES_OR_NO,
    "bool_parsing": _YES_OR_NO,
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "url_type": "expected a URL, in quotes",
    "path_type": "expected the name of a file, in quotes",
    "string_type": "expected a text, in quotes",
    "float_parsing": "expected a number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "url_parsing": "expected a URL, such as http://127.0.0.1:9101",
    "finite_number": "expected a number that is finite",
}

# Pydantic counts a secret's characters as items; of a list or table it says that it is one.
_SECRETS_LENGTH = re.compile(r"Value should have (at (?:least|most) \d+) items?")

# Signs of the patterns that texts have to have, in words.
_PATTERNS = {
    r"\d": "expected digits, and nothing else",
    "[!-~]": "expected letters, digits and signs of ASCII, without blanks or line breaks",
    "openid": "expected words of which the first one is openid",
}


def _expectation(kind: str, message: str) -> str:
    if length := _SECRETS_LENGTH.match(message):
        return "expected some text" if length[1] == "at least 1" else f"expected {length[1]} characters"
    if kind == "too_short":
        return f"expected at least one{' table such as [channels.sms]' if 'Dictionary' in message else ''}"
    if kind == "string_pattern_mismatch":
        return next((told for pattern, told in _PATTERNS.items() if pattern in message), message)
    if kind in _EXPECTATIONS:
        return _EXPECTATIONS[kind]
    return re.sub("Input should be|String should have", "expected", message.removeprefix("Value error, "))
