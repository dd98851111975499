"""What must be true of a dossier for somebody to be told something. Pure: data that a file can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from smsgw.dossiers.dossier import Dossier, Status

Test = Literal["set", "unset", "past", "future", "not future"]
TESTS: tuple[Test, ...] = get_args(Test)


@dataclass(frozen=True, slots=True)
class Conditions:
    """The states, the values of columns, and whether other columns have a value, or a time that is past or to come."""

    statuses: frozenset[Status]
    values: Mapping[str, str] = field(default_factory=dict)
    tests: Mapping[str, Test] = field(default_factory=dict)

    def hold(self, dossier: Dossier, now: datetime) -> bool:
        """Whether all of them are true now."""
        return (
            dossier.status in self.statuses
            and all(getattr(dossier, name) == value for name, value in self.values.items())
            and all(_passes(getattr(dossier, name), test, now) for name, test in self.tests.items())
        )


def _passes(value: object, test: Test, now: datetime) -> bool:
    if test == "set" or test == "unset":
        return (value not in (None, "", 0)) == (test == "set")
    if not isinstance(value, datetime):
        return test == "not future"
    return (value > now) == (test == "future")
