"""A notice before it goes out: real texts of real recipients, its size and cost either way, its course and budget."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from smsgw.notices import forecast
from smsgw.notices.audience.columns import unfinished
from smsgw.notices.forecast import Budget, Course
from smsgw.notices.means import Means
from smsgw.notices.reckoning import Reckoning, worded
from smsgw.store import notices as rows
from smsgw.store.notices import Addressee, Notice
from smsgw.text.accents import lost
from smsgw.text.segments import Measure, measure

RANDOM_ONES = 3
SAME_TEXT_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Shown:
    """A text one way."""

    text: str
    size: Measure


@dataclass(frozen=True, slots=True)
class Sample:
    """What one recipient gets, without and with accents. `why`: first, longest or random.

    `dossier`: the code of the one that they were found by, or empty.
    """

    why: str
    line: int
    phone: str
    plain: Shown
    accented: Shown
    dossier: str


@dataclass(frozen=True, slots=True)
class ToldBefore:
    """Another notice of the same text that so many of the same people were sent lately."""

    id: str
    name: str
    people: int


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything to look at before a notice is approved."""

    notice: Notice
    reckoning: Reckoning
    samples: list[Sample]
    course: Course
    budget: Budget
    told_before: list[ToldBefore]

    @property
    def lost(self) -> list[str]:
        """Characters of the text that go out as question marks, as they have no place in one without accents."""
        return [] if self.notice.accents else lost(self.notice.text)

    @property
    def put_off(self) -> datetime | None:
        """When it begins, if the time that it is to wait for is one at which nothing goes out."""
        at, starts = self.notice.send_at, self.course.starts
        return starts if at is not None and starts > at else None

    @property
    def unfinished(self) -> bool:
        """Whether citizens would read brackets that were to be a placeholder."""
        return unfinished(self.notice.text)


def preview(means: Means, notice: Notice, chance: random.Random | None = None) -> Preview:
    """The preview of a notice that was found. The random recipients are others each time, unless `chance` is given."""
    reckoning, now = Reckoning.from_json(notice.reckoning), means.clock()
    with means.database.reading() as connection:
        used = rows.used_budget(connection, notice.agency or "", means.month(now))
        limit = means.rules.budget(notice.agency)
        takes = 0 if notice.approved_at else notice.segments
        return Preview(
            notice,
            reckoning,
            _samples(connection, notice, reckoning, chance or random.SystemRandom()),
            course(means, notice, reckoning.by_channel),
            Budget(means.month(now), used, used + takes, limit),
            [ToldBefore(*other) for other in rows.told_before(connection, notice, now - SAME_TEXT_WITHIN)],
        )


def course(means: Means, notice: Notice, messages: Counter[str]) -> Course:
    """The course of what is left of a notice."""
    paces = {name: channel.pace for name, channel in means.roads.channels.items()}
    start = max(means.clock(), notice.send_at or notice.created_at)
    return forecast.course(messages, paces, means.hours, start)


def _samples(connection: sa.Connection, notice: Notice, reckoning: Reckoning, chance: random.Random) -> list[Sample]:
    if not notice.recipients:
        return []
    longest = rows.recipient(connection, notice.id, reckoning.size(accents=notice.accents).longest)
    places = chance.sample(range(notice.recipients), min(RANDOM_ONES, notice.recipients))
    chosen = [
        *(("first", item) for item in rows.recipients_at(connection, notice.id, [0])),
        *([("longest", longest)] if longest else []),
        *(("random", item) for item in rows.recipients_at(connection, notice.id, places)),
    ]
    samples = [_sample(notice, why, item) for why, item in chosen]
    told = {sample.accented.text: sample for sample in reversed(samples)}  # who gets the same text is shown once
    return [sample for sample in samples if told[sample.accented.text] is sample]


def _sample(notice: Notice, why: str, item: Addressee) -> Sample:
    plain, accented = (worded(notice.text, item.values, accents=accents) for accents in (False, True))
    return Sample(
        why, item.line, item.phone, Shown(plain, measure(plain)), Shown(accented, measure(accented)), item.dossier
    )
