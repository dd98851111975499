"""The wording of answers: from `wording.toml`, checked whole when the program starts, filled in to fit a message."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from providers.templates import Registered
from smsgw.answers import registering
from smsgw.answers.template import BRACKET, NAME, Template
from smsgw.failure import ExpectedFailure
from smsgw.text.accents import joined_plain, lost, plain, unaccented
from smsgw.text.languages import LANGUAGES, Language
from smsgw.text.segments import fits, measure

WITH_ACCENTS = {1: 3, 2: 5, 3: 7}  # messages that hold with accents what so many hold without
LONGEST_STATE = 40  # characters of a state in a few words
WITH_OR_WITHOUT_BOM = "utf-8-sig"  # Windows' editors put a mark at the beginning
SAVE_AS_UTF8 = "expected UTF-8; save it as that"

_DOSSIER = {"code", "agency", "received", "due", "step", "since", "hotline"}
_COMMANDS = {"follow", "unfollow", "followed", "opt_out", "opt_in", "speak", "rate", "hotline"}
_ACCENTS = {"accents_on", "accents_off"}
_HELP = {"example"} | _COMMANDS

# What each text may name; with an exclamation mark: must name. First those that tell a dossier's state.
_STATES: dict[str, set[str]] = {
    **dict.fromkeys(
        ("registered", "received_no_date", "not_accepted", "in_progress_no_date", "withdrawn", "stopped"),
        {"code!"} | _DOSSIER,
    ),
    **dict.fromkeys(("received", "in_progress"), {"code!", "due!"} | _DOSSIER),
    **dict.fromkeys(("postponed", "overdue"), {"code!", "due!", "new_due!", "reason"} | _DOSSIER),
    "overdue_no_date": {"code!", "due!"} | _DOSSIER,
    "supplement": {"code!", "missing!", "until"} | _DOSSIER,
    **dict.fromkeys(("supplement_private", "supplement_unsaid"), {"code!", "until"} | _DOSSIER),
    "fee": {"code!", "fee!"} | _DOSSIER,
    **dict.fromkeys(("fee_private", "fee_unsaid", "ready_counter", "ready_post", "ready_online"), {"code!"} | _DOSSIER),
    "ready_post_tracked": {"code!", "tracking!"} | _DOSSIER,
    "returned": {"code!", "returned!", "rate"} | _DOSSIER,
    "returned_no_date": {"code!", "rate"} | _DOSSIER,
}
_ALLOWED: dict[str, set[str]] = {
    **_STATES,
    **dict.fromkeys(("not_found", "only_example"), {"code!"} | _HELP),
    "ambiguous": {"options!", "choose!"} | _HELP,
    "suggested": {"code!", "options!", "choose!"} | _HELP,
    **{f"choose_{count}": set() for count in (1, 2, 3)},
    "several_left": {"most"},
    "several_short": set(),
    "thanked": _COMMANDS,
    "supplement_unlinked": {"code!", "until"} | _DOSSIER,
    "fee_unlinked": {"code!"} | _DOSSIER,
    **{key: {"hotline"} for key in ("phone_unlinked", "followed_unlinked")},
    "help": {"example!"} | _HELP | _ACCENTS,
    "not_understood": {"example!", "hotline!"} | _HELP,
    "emergency": {"hotline"},
    **dict.fromkeys(
        ("incomplete", "procedure", "phone", "postal", "citizen_id", "no_question", "none_of_them"),
        {"example!"} | _HELP,
    ),
    "preference": {"form"} | _ACCENTS,
    "greeting": {"example!", "hotline"},
    "link_how": {"hotline"},
    "link_sent": {"phone!", "minutes!"},
    "link_code": {"code!", "minutes!"},
    "link_wrong": {"left!"},
    **{key: set() for key in ("link_closed", "link_expired", "unlinked", "not_linked")},
    "link_too_many": {"hotline"},
    "linked": {"phone!"},
    "refused": {"hotline!"},
    "apology": {"hotline!"},
    **dict.fromkeys(
        ("followed", "followed_silently", "unfollowed", "not_followed", "rated_before", "rate_early", "rate_stranger"),
        {"code!"} | _COMMANDS,
    ),
    "follow_full": {"most!"} | _COMMANDS,
    "follow_usage": {"follow!", "example!"} | _COMMANDS,
    "unfollow_usage": {"unfollow!", "example!"} | _COMMANDS,
    "disown_usage": {"unfollow!", "example!", "hotline!"} | _COMMANDS,
    "followed_none": {"hotline!"} | _COMMANDS,
    "followed_more": {"more!"},
    **dict.fromkeys(("opted_out", "opted_out_notices", "opted_out_reminders"), {"opt_in!"} | _COMMANDS),
    **dict.fromkeys(("opted_in", "opted_in_notices", "opted_in_reminders"), _COMMANDS),
    "receive_usage": {"opt_out!", "opt_in!"} | _COMMANDS,
    "rated": {"code!", "score!"} | _COMMANDS,
    "rate_usage": {"rate!", "example!"} | _COMMANDS,
    "voice_received": {"number!", "speak!", "agency"} | _COMMANDS,
    "voice_usage": {"speak!"} | _COMMANDS,
    "voice_new": {"number!", "agency", "received"} | _COMMANDS,
    "voice_answer": {"number!", "answer!"},
    "voice_closed": {"number!", "agency", "received"} | _COMMANDS,
    "voice_unknown": {"number!"} | _COMMANDS,
    "needs_sms": {"hotline"},
}
_SHORT_KEYS = [*_STATES, "not_found", "ambiguous"]
_TWO_SEGMENTS = {"ambiguous", "suggested", "supplement", "greeting", "linked"}

# Values as long as they usually get; the check that a text fits into its messages is made with them.
_TYPICAL = {
    "code": "000.17.22.H01-180802-0012",
    "example": "000.17.22.H01-180802-0012",
    "agency": "UBND xã Vĩnh Hội Đông, huyện An Phú",
    "step": "Lãnh đạo phòng xem xét",
    "missing": "Giấy chứng nhận quyền sử dụng đất bản chính",
    "reason": "Chờ ý kiến của cơ quan phối hợp",
    "tracking": "EK123456789VN",
    "fee": "1.500.000",
    "hotline": "1022",
    "options": "1) 000.17.22.H01-180802-0012\n2) 000.17.22.H01-180208-0012\n3) H01.22.17-180802-0012",
    "choose": "Xin nhắn 1, 2 hoặc 3 để chọn.",
    "form": "không dấu",
    "phone": "0912***678",
    "minutes": "10",
    "left": "4",
    "today": "12",
    "late": "12",
    "codes": "000.17.22.H01-180802-0012, 000.17.22.H01-180802-0013",
    "most": "20",
    "more": "17",
    "number": "123456",
    "score": "5",
    "answer": "Hồ sơ đã được ký, mời đến nhận từ ngày mai",
    "follow": "DK",
    "unfollow": "HUY",
    "followed": "DS",
    "opt_out": "TC",
    "opt_in": "DKY",
    "accents_on": "CO DAU",
    "accents_off": "KHONG DAU",
    "speak": "PA",
    "rate": "DG",
    **dict.fromkeys(("received", "due", "new_due", "since", "until", "finished", "returned"), "15/08/2018"),
}


class WordingError(ExpectedFailure):
    """What is wrong with a wording file: a line for each fault, with file, key, and what was expected."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Texts by language and key, each as it is written and without accents; and the abbreviations of long names.

    `segments`: how many a text may take without accents, by key, where that is more than one.
    """

    texts: Mapping[tuple[Language, str], Template]
    unaccented: Mapping[tuple[Language, str], Template]
    short: Mapping[tuple[Language, str], Template]
    abbreviations: Mapping[str, str]
    registered: Sequence[tuple[str, Registered]] = ()  # by the channel whose carrier has it registered
    segments: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None = None) -> Wording:
        """The wording of a file; None: the shipped one, which is read once. Raises WordingError."""
        if path is None:
            return _shipped()
        try:
            return cls.read(str(path), path.read_text(encoding=WITH_OR_WITHOUT_BOM))
        except OSError as error:
            raise WordingError(f"{path}: can't be read: {error.strerror}; answers.wording names that file") from None
        except UnicodeDecodeError:
            raise WordingError(f"{path}: {SAVE_AS_UTF8}") from None

    @classmethod
    def read(cls, name: str, text: str) -> Wording:
        """What stands in a file of that name. Raises WordingError."""
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise WordingError(f"{name}: is no TOML: {error}") from None
        if faults := [f"{name}: {fault}" for fault in _faults(document)]:
            raise WordingError("\n".join(faults))
        texts = {(language, key): document[language][key] for language in LANGUAGES for key in _ALLOWED}
        short = {(language, key): document[language]["short"][key] for language in LANGUAGES for key in _SHORT_KEYS}
        return cls(
            {key: Template(text) for key, text in texts.items()},
            {key: Template(unaccented(text)) for key, text in texts.items()},
            {key: Template(text) for key, text in short.items()},
            document.get("abbreviations", {}),
            registering.named(name, document.get("templates", {}), texts),
        )

    def samples(self) -> Iterator[tuple[str, str]]:
        """Where each text stands, and what it says at its fullest: without accents, with values as they usually are."""
        for (language, key), template in self.unaccented.items():
            yield f"{language}.{key}", joined_plain(unaccented(template.fullest(_TYPICAL)))

    def shortened(self, name: str) -> str:
        """An agency's name with its long parts abbreviated."""
        for long, short in self.abbreviations.items():
            name = name.replace(long, short)
        return name

    def names(self, language: Language, key: str, *, short: bool = False) -> frozenset[str]:
        """The values that a text names, or the state in a few words."""
        return (self.short if short else self.texts)[language, key].names

    def text(
        self, language: Language, key: str, values: Mapping[str, str | None], *, accents: bool, whole: bool = False
    ) -> str:
        """A text filled in: parts whose value is missing are left out, then as many as it takes to fit an SMS.

        `whole`: it is no SMS.
        """
        if accents:
            versions = self.texts[language, key].versions(values)
            return next(versions) if whole else _fitting(versions, WITH_ACCENTS[self.segments.get(key, 1)])
        template = self.unaccented[language, key]
        values = {name: unaccented(value) for name in template.names if (value := values.get(name)) is not None}
        return _fitting(map(joined_plain, template.versions(values)), self.segments.get(key, 1))

    def fitting(self, versions: Iterable[str], *, accents: bool, whole: bool = False) -> str:
        """The first of a text's versions that fits an SMS, sent with its accents or without; the last if none does.

        `whole`: it is no SMS, and the first one will do.
        """
        if whole:
            return next(iter(versions))
        return _fitting(versions, WITH_ACCENTS[1]) if accents else _fitting(map(plain, versions), 1)

    def state(self, language: Language, key: str, values: Mapping[str, str | None]) -> str:
        """A dossier's state in a few words."""
        return self.short[language, key].fullest(values)


@cache
def _shipped() -> Wording:
    return Wording.read("wording.toml", (files(__package__) / "wording.toml").read_text(encoding="utf-8"))


def _fitting(versions: Iterable[str], segments: int) -> str:
    """The first of a text's versions that fits; the last one if none does."""
    text = ""
    for text in versions:
        if fits(text, segments):
            break
    return text


def _faults(document: dict[str, Any]) -> Iterator[str]:
    for table in document.keys() - {*LANGUAGES, "abbreviations", "templates"}:
        yield f"[{table}]: no such table; expected [vi], [en], [abbreviations] and [templates]"
    for language in LANGUAGES:
        texts = document.get(language)
        if not isinstance(texts, dict):
            yield f"[{language}]: the table is missing"
            continue
        yield from _table_faults(language, {key: text for key, text in texts.items() if key != "short"}, list(_ALLOWED))
        short = texts.get("short")
        if isinstance(short, dict):
            yield from _table_faults(f"{language}.short", short, _SHORT_KEYS)
        else:
            yield f"[{language}.short]: the table is missing"
    abbreviations = document.get("abbreviations", {})
    if not isinstance(abbreviations, dict) or not all(isinstance(short, str) for short in abbreviations.values()):
        yield '[abbreviations]: expected lines such as "Ủy ban nhân dân" = "UBND"'
    yield from registering.table_faults(document.get("templates", {}), _given(document))


def _given(document: dict[str, Any]) -> dict[tuple[str, str], str]:
    """The texts that are there, in a document that may have any faults."""
    tables = {language: texts for language in LANGUAGES if isinstance(texts := document.get(language), dict)}
    return {
        (language, key): text
        for language, texts in tables.items()
        for key, text in texts.items()
        if key in _ALLOWED and isinstance(text, str)
    }


def _table_faults(table: str, texts: dict[str, Any], keys: list[str]) -> Iterator[str]:
    for key in keys:
        if not isinstance(texts.get(key), str):
            yield f"{table}.{key}: is missing; it must be a text in quotes"
    for key, text in texts.items():
        if key not in keys:
            yield f"{table}.{key}: no such text"
        elif isinstance(text, str):
            yield from (f"{table}.{key}: {fault}" for fault in _text_faults(key, text, short=".short" in table))


def _text_faults(key: str, text: str, *, short: bool) -> Iterator[str]:
    return text_faults(text, _ALLOWED[key], None if short else 2 if key in _TWO_SEGMENTS else 1)


def text_faults(text: str, names: Collection[str], segments: int | None) -> Iterator[str]:
    """What is wrong with a text. `names` may be filled in, and those with an exclamation mark must be.

    `segments`: how many messages it may take without accents; None for a state in a few words.
    """
    if not text.strip():
        yield "is empty"
        return
    if foreign := sorted(lost(unicodedata.normalize("NFC", text))):
        yield f"{' '.join(foreign)} can't be sent in a message without accents; leave it out"
    allowed = {name.rstrip("!") for name in names}
    named = set(NAME.findall(text))
    for name in sorted(named - allowed):
        yield f"{{{name}}} can't be filled in here; there are {', '.join(f'{{{name}}}' for name in sorted(allowed))}"
    depth = 0
    for bracket in BRACKET.findall(text):
        depth += 1 if bracket == "[" else -1
        if depth < 0:
            break
    if depth != 0 or "{" in NAME.sub("", text) or "}" in NAME.sub("", text):
        yield "brackets must be closed: [ ] around what may be left out, { } around a name"
    elif named <= allowed:
        yield from _state_length(text) if segments is None else _needs_and_length(text, names, segments)


def _state_length(text: str) -> Iterator[str]:
    size = len(Template(text).fullest(_TYPICAL))
    if size > LONGEST_STATE:
        yield f"is too long: it takes {size} characters where {LONGEST_STATE} may be used"


def _needs_and_length(text: str, names: Collection[str], most: int) -> Iterator[str]:
    template = Template(text)
    bare = template.barest({name: f"{{{name}}}" for name in _TYPICAL})
    for name in sorted(name.rstrip("!") for name in names if name.endswith("!")):
        if f"{{{name}}}" not in bare:
            yield f"{{{name}}} must be in it, outside of brackets"
    size = measure(plain(template.barest(_TYPICAL)))
    if size.segments > most:
        yield (
            f"is too long: without accents and without the parts in brackets it takes {size.units} characters,"
            f" {size.segments} messages where {most} may be used; shorten it or put parts in brackets"
        )
