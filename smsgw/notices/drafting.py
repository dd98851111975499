"""Drafting a notice: its audience comes in row by row, each is checked, counted and written down."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from smsgw.notices.audience import problems
from smsgw.notices.audience.refusals import Language
from smsgw.notices.means import Means
from smsgw.notices.recipients import Recipient, RowError
from smsgw.notices.reckoning import Reckoning, Weighed, weighed, worded
from smsgw.notices.refusals import NoticeRefused
from smsgw.notices.sheets import Sheets, fingerprint
from smsgw.store import notices as rows
from smsgw.store import opt_outs
from smsgw.store.notices import DOSSIER, Addressee, Notice

CHUNK = 2000  # rows in one transaction, so that citizens' messages get in between
LONGEST_NAME, LONGEST_TEXT = 120, 1000  # characters, placeholders as they are written
YEARS = range(2000, 2200)  # within these, no reckoning leaves the calendar

Progress = Callable[[int], object]


class Audience(Protocol):
    """Recipients and errors, and how many rows of what it read there were, and numbers that no SMS reaches."""

    rows: int
    unreachable: int
    language: Language

    def __iter__(self) -> Iterator[Recipient | RowError]: ...


@dataclass(frozen=True, slots=True)
class Draft:
    """What an official writes. `audience`: the file's name or the filter; `send_at`: None as soon as it may."""

    name: str
    text: str
    audience: str
    send_at: datetime | None = None
    accents: bool = False

    def check(self) -> None:
        """Raises NoticeRefused."""
        if not self.name.strip():
            raise NoticeRefused("name", "the notice has no name; give it one by which others know it")
        if (length := len(self.name.strip())) > LONGEST_NAME:
            raise NoticeRefused("name", f"the notice's name has {length} characters; {LONGEST_NAME} are allowed")
        if not self.text.strip():
            raise NoticeRefused("text", "the notice has no text")
        if (length := len(self.text.strip())) > LONGEST_TEXT:
            raise NoticeRefused("text", f"the notice's text has {length} characters; {LONGEST_TEXT} are allowed")
        if self.send_at is not None and self.send_at.year not in YEARS:
            raise NoticeRefused("time", f"the time is not between the years {YEARS[0]} and {YEARS[-1]}; give another")


@dataclass
class Loader:
    """Writes an audience down under a notice, chunk by chunk, and counts it."""

    means: Means
    notice: Notice
    language: Language

    def __post_init__(self) -> None:
        self.reckoning = Reckoning()
        self.sheets = Sheets()

    def load(self, audience: Audience, progress: Progress) -> None:
        """Raises what the audience raises."""
        coming = iter(audience)
        while chunk := list(itertools.islice(coming, CHUNK)):
            self._take(chunk)
            progress(len(chunk))
        self.reckoning.rows = audience.rows
        self.reckoning.unreachable = audience.unreachable

    def _take(self, chunk: list[Recipient | RowError]) -> None:
        checked = [self._checked(item) for item in chunk]
        errors = [item for item in checked if isinstance(item, RowError)]
        wanted = [item for item in checked if isinstance(item, Weighed)]
        first: dict[str, Weighed] = {}
        for item in wanted:
            first.setdefault(item.recipient.phone, item)
        with self.means.database.writing("load notice") as connection:
            if not rows.touch(connection, self.notice.id, self.means.clock()):
                raise NoticeRefused("state", "the notice took too long to come in and was given up; try again")
            refusing = opt_outs.among(connection, "notice", first)
            asked = [(item, _addressee(item.recipient)) for phone, item in first.items() if phone not in refusing]
            new = rows.add_recipients(connection, self.notice.id, [addressee for _, addressee in asked])
            found = [(error.row, error.column, error.problem) for error in errors]
            rows.add_problems(connection, self.notice.id, self.reckoning.errors, found)
        self.reckoning.errors += len(errors)
        self.reckoning.opted_out += sum(item.recipient.phone in refusing for item in wanted)
        self.reckoning.duplicates += sum(item.recipient.phone not in refusing for item in wanted) - len(new)
        for item, addressee in asked:
            if addressee.phone in new:
                self.sheets.add(addressee)
                self._count(item)

    def _checked(self, item: Recipient | RowError) -> Weighed | RowError:
        if isinstance(item, RowError):
            return item
        found = weighed(self.notice.text, item)
        if channel := self.means.refuses(item.phone, lambda: self._text(item)):
            return self._wrong(item, problems.UNREGISTERED, channel=channel)
        segments, most = found.size(accents=self.notice.accents).segments, self.means.rules.most_segments
        if segments <= most:
            return found
        return self._wrong(item, problems.TOO_LONG, segments=segments, most=most)

    def _wrong(self, item: Recipient, problem: str, **values: object) -> RowError:
        return RowError(item.row, problems.OF_THE_TEXT[self.language], problems.said(problem, self.language, **values))

    def _text(self, item: Recipient) -> str:
        return worded(self.notice.text, item.values, accents=self.notice.accents)

    def _count(self, item: Weighed) -> None:
        channel, tariff = self.means.road(item.recipient.phone)
        self.reckoning.add(item, channel.name, tariff)


_FIELDS = json.JSONEncoder(ensure_ascii=False)


def _addressee(one: Recipient) -> Addressee:
    about = {DOSSIER: one.dossier} if one.dossier else {}
    return Addressee(one.row, one.phone, _FIELDS.encode(one.values | about))


def recounted(means: Means, of: Notice, counted: Reckoning) -> tuple[Reckoning, str]:
    """A notice's figures and fingerprint, from its recipients in the database. `counted`: when it came in.

    Raises NoticeRefused if a carrier that takes only registered texts would get one that is none of them.
    """
    fresh = Reckoning(counted.rows, 0, counted.duplicates, counted.opted_out, counted.unreachable, counted.errors)
    sheets = Sheets()
    for item in rows.recipients(means.database, of.id):
        recipient = Recipient(item.line, item.phone, item.values)
        sheets.add(item)
        text = partial(worded, of.text, recipient.values, accents=of.accents)
        if refusing := means.refuses(recipient.phone, text):
            raise NoticeRefused("registered", problems.said(problems.UNREGISTERED, "en", channel=refusing))
        channel, tariff = means.road(recipient.phone)
        fresh.add(weighed(of.text, recipient), channel.name, tariff)
    return fresh, fingerprint(of.text, of.send_at, sheets.all(), accents=of.accents)
