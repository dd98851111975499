"""The rules: from `rules.toml`, as another file may change them key by key; checked whole when the program starts.

A rule with a date of the dossier is due on a day before or after it; one with only times of the clock is for officials;
every other one is due as soon as a dossier is seen to be so.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from providers.templates import Registered
from smsgw.answers.registering import faults as template_faults
from smsgw.answers.registering import registered
from smsgw.answers.wording import SAVE_AS_UTF8, WITH_OR_WITHOUT_BOM, text_faults
from smsgw.dossiers.conditions import TESTS, Conditions
from smsgw.dossiers.dossier import Delivery, Status
from smsgw.dossiers.source import COLUMNS
from smsgw.failure import ExpectedFailure
from smsgw.reminders.timing import Offset
from smsgw.schedules.cron import Cron
from smsgw.text.languages import LANGUAGES, Language

OFFICIALS = "digest"
_NAME = re.compile("[a-z][a-z0-9_]*", re.ASCII)  # a rule has an address of its own in the console
_TAKEN = frozenset({"changes", "owners", "purge", "runs"})  # what the gateway does by the clock besides, and a page
_TIMES = frozenset(name for name in COLUMNS if name.endswith(("_at", "_since")))
# What a condition may ask of columns that hold no text, or only some: a rule that asks for another would tell nobody.
_POSSIBLE: dict[str, tuple[str, ...]] = {
    "delivery": (*get_args(Delivery), "set", "unset"),
    **dict.fromkeys(("status", "service_level", "fee_due"), ("set", "unset")),
    **dict.fromkeys(_TIMES, TESTS),
}
_NAMES = {"code!", "agency", "received", "due", "new_due", "step", "since", "until", "finished", "hotline"}
_NAMES |= {"reason", "missing", "fee", "tracking"}
_OFFICIALS_NAMES = {"agency!", "today!", "late!", "codes"}

Kind = Literal["changed", "dated", "officials"]


class RulesError(ExpectedFailure):
    """What is wrong with a file of rules: a line for each fault, with file, rule and key, and what was expected."""


class _Offset(BaseModel):
    model_config = ConfigDict(extra="forbid")

    date: Literal["received_at", "due_at", "new_due_at", "finished_at", "supplement_due_at"]
    days: int | None = Field(default=None, ge=0, le=365)
    working_days: int | None = Field(default=None, ge=0, le=90)


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")

    on: bool
    law: str = ""
    urgency: int = Field(ge=0, le=99)
    max_age_days: int = Field(ge=1, le=30)
    vi: str
    en: str
    status: list[int] = []
    past: list[int] = []
    where: dict[str, str] = {}
    occasion: list[str] = []
    age_of: str = "updated_at"
    before: _Offset | None = None
    after: _Offset | None = None
    cron: str | None = None
    followers: bool = False
    templates: dict[str, dict[Language, dict[str, Any]]] = {}
    segments: int = Field(default=1, ge=1, le=3)


@dataclass(frozen=True, slots=True)
class Rule:
    """Whom to tell what, and when.

    `past`: for which dossiers it has already happened, whether or not there is still something to tell of it.
    `occasion`: the columns that set apart several reminders of one dossier. `urgency`: a lower one goes first.
    `age_of`: the column that says how old the news is. `segments`: how many the text may take without accents.
    `law`: the decree that asks for it, if one does.
    `registered`: its texts with carriers, by channel.
    """

    name: str
    kind: Kind
    conditions: Conditions
    past: Conditions
    occasion: tuple[str, ...]
    age_of: str
    max_age: timedelta
    urgency: int
    followers: bool
    is_on: bool
    law: str
    offset: Offset | None
    notation: str | None
    cron: Cron | None
    segments: int
    texts: Mapping[str, str]
    registered: Sequence[tuple[str, Registered]]


def load(file: Path | None, zone: ZoneInfo) -> Mapping[str, Rule]:
    """The shipped rules, as a file changes them. Raises RulesError."""
    return _checked(str(file), _read(file), zone) if file else _shipped(zone)


@cache
def _shipped(zone: ZoneInfo) -> Mapping[str, Rule]:
    return _checked("rules.toml", {}, zone)


def _checked(name: str, changes: Mapping[str, Any], zone: ZoneInfo) -> Mapping[str, Rule]:
    """The shipped rules, as a file of that name changes them."""
    document = tomllib.loads((files(__package__) / "rules.toml").read_text(encoding="utf-8"))
    for rule, keys in changes.items():
        if not isinstance(keys, dict):
            raise RulesError(f"{name}: {rule}: expected a table such as [{rule}]")
        document[rule] = document.get(rule, {}) | keys
    if faults := [f"{name}: {fault}" for rule, keys in document.items() for fault in _faults(rule, keys, zone)]:
        raise RulesError("\n".join(faults))
    return {rule: _made(rule, _Rule(**keys), zone, name) for rule, keys in document.items()}


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding=WITH_OR_WITHOUT_BOM))
    except OSError as error:
        raise RulesError(f"{file}: can't be read: {error.strerror}; reminders.rules names that file") from None
    except UnicodeDecodeError:
        raise RulesError(f"{file}: {SAVE_AS_UTF8}") from None
    except tomllib.TOMLDecodeError as error:
        raise RulesError(f"{file}: is no TOML: {error}") from None


def _made(name: str, given: _Rule, zone: ZoneInfo, file: str) -> Rule:
    offset = _offset(given)
    tests: dict[str, Any] = {column: test for column, test in given.where.items() if test in TESTS}
    values = {column: value for column, value in given.where.items() if value not in TESTS}
    conditions = Conditions(frozenset(map(Status, given.status)), values, tests)
    return Rule(
        name=name,
        kind="dated" if offset else "officials" if given.cron else "changed",
        conditions=conditions,
        past=Conditions(frozenset(map(Status, given.past)), values) if given.past else conditions,
        occasion=tuple(given.occasion),
        age_of=given.age_of,
        max_age=timedelta(days=given.max_age_days),
        urgency=given.urgency,
        followers=given.followers,
        is_on=given.on,
        law=given.law,
        offset=offset,
        notation=given.cron,
        cron=Cron(given.cron, zone) if given.cron else None,
        segments=given.segments,
        texts={language: getattr(given, language) for language in LANGUAGES},
        registered=[
            (channel, registered(f"{file}: {name}.templates.{channel}.{language}", named, getattr(given, language)))
            for channel, languages in given.templates.items()
            for language, named in languages.items()
        ],
    )


def _offset(given: _Rule) -> Offset | None:
    table = given.before or given.after
    if table is None:
        return None
    days = table.days if table.days is not None else table.working_days
    return Offset(table.date, days or 0, working=table.days is None, before=given.before is not None)


_PLAINLY = {"missing": "is missing", "extra_forbidden": "no such key; see docs/reminders.md for those there are"}


def _faults(name: str, keys: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield f"{name}: can't be a rule's name; expected a-z, 0-9 and _, as in [{OFFICIALS}]"
    elif name in _TAKEN:
        yield f"{name}: is a name that the gateway uses itself; give the rule another"
    try:
        rule = _Rule(**keys)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            told = _PLAINLY.get(fault["type"], fault["msg"].replace("Input should be", "expected"))
            yield f"{'.'.join([name, *map(str, fault['loc'])])}: {told}"
        return
    yield from (f"{name}.{fault}" for fault in (*_timing_faults(name, rule, zone), *_column_faults(name, rule)))
    names = _OFFICIALS_NAMES if name == OFFICIALS else _NAMES
    for language in LANGUAGES:
        yield from (
            f"{name}.{language}: {fault}" for fault in text_faults(getattr(rule, language), names, rule.segments)
        )
    for channel, languages in rule.templates.items():
        for language, given in languages.items():
            where = f"{name}.templates.{channel}.{language}"
            yield from (f"{where}: {fault}" for fault in template_faults(given, getattr(rule, language)))


def _timing_faults(name: str, rule: _Rule, zone: ZoneInfo) -> Iterator[str]:
    if rule.before and rule.after:
        yield "after: expected either before or after"
    if (offset := rule.before or rule.after) and (offset.days is None) == (offset.working_days is None):
        yield f"{'before' if rule.before else 'after'}: expected days or working_days beside date"
    if offset and not rule.cron:
        yield 'cron: is missing; a date needs an hour too, such as "0 8 * * *"'
    if (rule.cron is not None and not offset) != (name == OFFICIALS):
        yield f"cron: expected in [{OFFICIALS}], and elsewhere only beside before or after"
    if rule.cron:
        try:
            Cron(rule.cron, zone)
        except ValueError:
            yield 'cron: expected minute, hour, day, month and day of week, of a time that comes, as "0 8 * * mon-fri"'


def _column_faults(name: str, rule: _Rule) -> Iterator[str]:
    if not rule.status and name != OFFICIALS:
        yield "status: expected some of 1 to 10"
    if unknown := [status for status in (*rule.status, *rule.past) if status not in set(Status)]:
        yield f"status: {unknown[0]} is no status; expected some of 1 to 10"
    for key, named in (("where", rule.where), ("occasion", rule.occasion)):
        yield from (f"{key}: {column} is no column of the view" for column in named if column not in COLUMNS)
    if rule.age_of not in _TIMES:
        yield f"age_of: {rule.age_of} is no time"
    for column, test in rule.where.items():
        if test in ("past", "future", "not future") and column not in _TIMES:
            yield f"where.{column}: is no time, and can't be {test}"
        elif test not in _POSSIBLE.get(column, {test}):
            yield f"where.{column}: can't be {test}; expected one of: {', '.join(_POSSIBLE[column])}"
