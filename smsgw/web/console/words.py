"""What is stored in codes or in the operator's English, in the words of the official who reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from smsgw.dossiers.selection import BELOW
from smsgw.notices.audience.expression import ALL
from smsgw.notices.office import GATEWAY
from smsgw.officials.audit import REMOVE
from smsgw.store import audit
from smsgw.store.systems import SYSTEM
from smsgw.text.languages import Language
from smsgw.web.console import texts
from smsgw.web.console.format import Format
from smsgw.web.console.reasons import reason
from smsgw.web.console.texts import say

_TERM = re.compile(
    r"(?P<list>agency|procedure|status|level)=(?P<values>\S+)"
    r"|(?P<day>received|due|finished)(?P<sign><=|>=|=|<|>)(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<overdue>!?overdue)",
    re.ASCII,
)
_COUNTED = re.compile(r"(\d{1,9}) messages", re.ASCII)
# What the audit log holds for programs, or says as the subject already.
_UNTOLD = frozenset({"name", "state", "message", "messages", "moved", "number"})
_NAMELESS: Mapping[str, str] = MappingProxyType({})
_SIGNS = {"<=": "to", ">=": "from", "=": "on", "<": "before", ">": "after"}
_BROWSERS = (
    ("coc_coc_browser", "Cốc Cốc"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


class Words:
    """In one language."""

    def __init__(self, language: Language, show: Format) -> None:
        self._language = language
        self._show = show

    def of(self, key: str, code: str) -> str:
        """What a code means, by the text `key_code`; the code itself where there is none."""
        page, _, name = key.partition(".")
        return texts.load()[page][self._language].get(f"{name}_{code}", code)

    def reason(self, text: str | None) -> str:
        """Why a channel or a run is as it is."""
        return reason(self._language, text)

    def audience(self, audience: str, names: Mapping[str, str] = _NAMELESS) -> str:
        """To whom a notice goes: the name of its file, or a filter in words if all of it can be said.

        `names`: of agencies and procedures, by their codes.
        """
        if audience == ALL:
            return say(self._language, "notices.all_dossiers")
        terms = [_TERM.fullmatch(term) for term in audience.split()]
        return "; ".join(self._term(term, names) for term in terms if term) if all(terms) else audience

    def _term(self, term: re.Match[str], names: Mapping[str, str]) -> str:
        if name := term["list"]:
            values = [self._called(name, value, names) for value in term["values"].split(",")]
            return f"{say(self._language, f'notices.{name}')}: {', '.join(values)}"
        if name := term["day"]:
            sign = say(self._language, f"notices.{_SIGNS[term['sign']]}")
            return f"{say(self._language, f'notices.{name}')} {sign} {date.fromisoformat(term['date']):%d/%m/%Y}"
        return say(self._language, "notices.overdue_yes" if term["overdue"] == "overdue" else "notices.overdue_no")

    def _called(self, field: str, value: str, names: Mapping[str, str]) -> str:
        """A value of a filter's list: what is known by its code has its name before that."""
        code = value.removesuffix(BELOW)
        said = f"{names[code]} ({code})" if code in names else self.of(f"notices.{field}", code)
        return said if code == value else say(self._language, "notices.with_below", agency=said)

    def source(self, source: str) -> str:
        """Which way somebody opted out."""
        way, _, who = source.partition(" ")
        return say(self._language, "opt_outs.by_official", who=who) if who else self.of("opt_outs.by", way)

    def browser(self, agent: str) -> str:
        """A browser as people name it, by what it calls itself."""
        browser = next((name for mark, name in _BROWSERS if mark in agent), "")
        system = next((name for mark, name in _SYSTEMS if mark in agent), "")
        if browser and system:
            return say(self._language, "account.browser_on", browser=browser, system=system)
        return browser or system or agent or "–"

    def failure(self, code: str) -> str:
        """Why a message failed: a reason of our own in words, a carrier's code behind what it is known to mean."""
        if (own := self.of("conversations.code", code)) != code:
            return own
        if (known := self.of("conversations.known", code)) != code:
            return say(self._language, "conversations.known", what=known, code=code)
        return say(self._language, "conversations.code", code=code)

    def who(self, name: str) -> str:
        """Who did something: an official, or the gateway itself."""
        return say(self._language, "shell.gateway") if name == GATEWAY else name

    def author(self, name: str) -> str:
        """Who wrote a notice or did something with it, which may also be another system, by the name of its key."""
        if name.startswith(SYSTEM):
            return say(self._language, "notices.by_system", name=name.removeprefix(SYSTEM))
        return self.who(name)

    def action(self, entry: audit.Entry) -> str:
        """What somebody did."""
        return self.of("audit_log.did", entry.action.replace(".", "_"))

    def subject(self, entry: audit.Entry) -> str:
        """To what: of a notice its name, as its id says nothing to people."""
        kind = entry.action.partition(".")[0]
        if kind == "notice":
            return _said(entry).get("name") or entry.subject
        if kind == "reminder":
            return self.of("reminders.rule", entry.subject)
        if entry.action == REMOVE:
            return say(self._language, "audit_log.up_to", number=entry.subject)
        if kind == "message" and (counted := _COUNTED.fullmatch(entry.subject)):
            return say(self._language, "audit_log.messages", count=self._show.number(int(counted[1])))
        return self._show.phone(entry.subject)

    def detail(self, entry: audit.Entry) -> str:
        """What an entry says besides who, what and to what. An entry that somebody changed may hold anything."""
        said = _said(entry)
        if not said:
            return "" if entry.detail == "{}" else entry.detail
        kind = entry.action.partition(".")[0]
        told = {name: value for name, value in said.items() if value and name not in _UNTOLD}
        return "; ".join(f"{self.of('audit_log.what', name)}: {self._value(kind, name, told[name])}" for name in told)

    def _value(self, kind: str, name: str, value: str) -> str:
        match name:
            case "role":
                return self.of("keys.role" if kind == "key" else "shell.role", value)
            case "was":
                return self.of("voices.state", value)
            case "daily":
                return self._show.number(int(value)) if value.isdecimal() and len(value) < 10 else value
            case "purpose":
                return self.of("shell.lane", value)
            case "on":
                return say(self._language, "shell.yes" if value == "True" else "shell.no")
            case "reason" if kind == "channel":
                return self.reason(value)
            case _:
                return self._show.phone(value)


def _said(entry: audit.Entry) -> dict[str, str]:
    try:
        said = json.loads(entry.detail)
        return {name: str(value) for name, value in said.items()}
    except (ValueError, AttributeError):
        return {}
