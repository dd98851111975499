"""Whether a dossier gives occasion to a reminder, and what it says. Pure."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from smsgw.answers import status
from smsgw.answers.template import Template
from smsgw.answers.wording import Wording
from smsgw.clock import midnight
from smsgw.dossiers.candidates import Load
from smsgw.dossiers.dossier import Dossier
from smsgw.reminders.rules import Rule
from smsgw.store.people import Preference
from smsgw.text.accents import unaccented
from smsgw.text.languages import LANGUAGES

_PRIVATE = frozenset({"supplement_note", "fee_due", "post_tracking", "delay_reason"})
_AT_LENGTH = ("missing", "reason")  # what agencies write in their own words
_ROOM = {1: 40, 2: 120, 3: 250}  # characters of it that so many messages surely hold beside the rest


def due(rule: Rule, dossier: Dossier, now: datetime, since: datetime, zone: ZoneInfo) -> bool:
    """Whether a dossier is to be told of by a rule that has been on since then."""
    if not rule.conditions.hold(dossier, now):
        return False
    if rule.offset is None:
        return True
    moment = due_at(rule, dossier, zone)
    return moment is not None and max(since, now - rule.max_age) < moment <= now


def due_at(rule: Rule, dossier: Dossier, zone: ZoneInfo) -> datetime | None:
    """When a rule with a date is due for a dossier; None if the dossier does not have that date."""
    if rule.offset is None or rule.cron is None:
        return None
    anchor: datetime | None = getattr(dossier, rule.offset.column)
    if anchor is None:
        return None
    return rule.cron.at_or_after(midnight(rule.offset.day(anchor.astimezone(zone).date()), zone))


def too_old(rule: Rule, dossier: Dossier, now: datetime) -> bool:
    """Whether a change was so long ago that it is no news any more."""
    happened: datetime | None = getattr(dossier, rule.age_of) or dossier.updated_at
    return rule.offset is None and happened is not None and now - happened > rule.max_age


def occasion(rule: Rule, dossier: Dossier, *, owner: bool) -> str:
    """What sets a reminder apart from the rule's others of the same dossier, by what this person may know of it."""
    return "/".join(_part(getattr(dossier, name)) for name in rule.occasion if owner or name not in _PRIVATE)


def _part(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y%m%dT%H%M}"
    if isinstance(value, str) and value:
        # What an agency writes may be long, and is nobody else's business.
        return hashlib.sha256(value.encode()).hexdigest()[:12]
    return str(value) if value else "-"


class Texts:
    """The rules' texts, filled in for a person."""

    def __init__(self, rules: Mapping[str, Rule], wording: Wording, *, timezone: str, hotline: str) -> None:
        texts = {(language, rule.name): rule.texts[language] for rule in rules.values() for language in LANGUAGES}
        self._wording = Wording(
            {key: Template(text) for key, text in texts.items()},
            {key: Template(unaccented(text)) for key, text in texts.items()},
            {},
            wording.abbreviations,
            segments={rule.name: rule.segments for rule in rules.values()},
        )
        self._shortened = lru_cache(maxsize=1024)(wording.shortened)
        self._zone = ZoneInfo(timezone)
        self._hotline = hotline

    def samples(self) -> Iterator[tuple[str, str]]:
        """Where each text stands, and what it says with values as they usually are, without accents."""
        for where, text in self._wording.samples():
            language, _, rule = where.partition(".")
            yield f"{rule}.{language}", text

    def of_dossier(self, rule: Rule, dossier: Dossier, wish: Preference, *, owner: bool) -> str:
        """What a rule says of a dossier, without what is only for the owner if this is somebody else."""
        language = wish.language
        names = self._wording.names(language, rule.name)
        values = status.values(dossier, self._zone, names if owner else names - status.PRIVATE)
        values |= {name: _begun(values.get(name), _ROOM[rule.segments]) for name in _AT_LENGTH}
        values |= {"agency": self._shortened(dossier.agency_name), "hotline": self._hotline}
        return self._wording.text(language, rule.name, values, accents=wish.accents)

    def of_load(self, rule: Rule, load: Load, wish: Preference) -> str:
        """What an official is told of an agency's day."""
        values = {
            "agency": self._shortened(load.agency_name),
            "today": str(load.due),
            "late": str(load.late),
            "codes": ", ".join(load.latest) or None,
        }
        return self._wording.text(wish.language, rule.name, values, accents=wish.accents)


def _begun(text: str | None, size: int) -> str | None:
    """A text, or where it is too long its beginning: a part that has no room would be left out whole."""
    return text and textwrap.shorten(text, size, placeholder="...")
