"""Drafting a notice: its audience comes in row by row, each is checked, counted and written down."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Collection, Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from smsgw.notices.audience import problems
from smsgw.notices.means import Means
from smsgw.notices.recipients import OfRow, Recipient, RowError
from smsgw.notices.reckoning import Reckoning, Weighed, weighed, worded
from smsgw.notices.refusals import NoticeRefused
from smsgw.notices.sheets import Sheets, fingerprint
from smsgw.store import notices as rows
from smsgw.store import opt_outs
from smsgw.store.notices import DOSSIER, Addressee, LeftOut, Notice, Why
from smsgw.text.languages import Language
from smsgw.text.phones import national

CHUNK = 2000  # rows in one transaction, so that citizens' messages get in between
LONGEST_NAME, LONGEST_TEXT = 120, 1000  # characters, placeholders as they are written
YEARS = range(2000, 2200)  # within these, no reckoning leaves the calendar

Progress = Callable[[int], object]


class Audience(Protocol):
    """What is said of each row, and how many of them there were."""

    rows: int
    language: Language

    def __iter__(self) -> Generator[OfRow]: ...


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
        with closing(iter(audience)) as coming:  # before whoever brought it closes its file
            while chunk := list(itertools.islice(coming, CHUNK)):
                self._take(chunk)
                progress(len(chunk))
        self.reckoning.rows = audience.rows

    def _take(self, chunk: list[OfRow]) -> None:
        checked = [self._checked(item) if isinstance(item, Recipient) else item for item in chunk]
        errors = [item for item in checked if isinstance(item, RowError)]
        left_out = [item for item in checked if isinstance(item, LeftOut)]
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
            gets = {phone: item for phone, item in first.items() if phone in new}
            others = (item.recipient for item in wanted if gets.get(item.recipient.phone) is not item)
            left_out += [_left_out(one, refusing) for one in others]
            rows.add_left_out(connection, self.notice.id, left_out)
        self.reckoning.errors += len(errors)
        self.reckoning.leave_out(one.why for one in left_out)
        for item, addressee in asked:
            if addressee.phone in new:
                self.sheets.add(addressee)
                self._count(item)

    def _checked(self, item: Recipient) -> Weighed | RowError:
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


def _left_out(one: Recipient, refusing: Collection[str]) -> LeftOut:
    """Of a row that brings nobody new. `refusing`: phones that want no notices."""
    why: Why = "opted_out" if one.phone in refusing else "duplicate"
    return LeftOut(one.row, why, national(one.phone), one.dossier)


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
