"""What was heard from citizens, in figures."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from smsgw.store import followers, ratings, voices
from smsgw.store.opt_outs import PURPOSES, Purpose
from smsgw.store.ratings import AgencyRatings
from smsgw.store.tables import opt_out


@dataclass(frozen=True, slots=True)
class RatingFigures:
    """`average` with two decimals, 0 without a rating; `scores`: how many of 1, 2, 3, 4 and 5."""

    count: int
    average: float
    scores: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """Complaints and questions by what became of them, and ratings, of a period; who follows and opted out, today."""

    voices: dict[voices.State, int]
    ratings: RatingFigures
    followed: int
    opted_out: dict[Purpose, int]


def heard(connection: sa.Connection, start: datetime | None = None, end: datetime | None = None) -> Heard:
    """The figures from `start` until before `end`."""
    purposes = sa.select(opt_out.c.purpose, sa.func.count()).group_by(opt_out.c.purpose)
    out: dict[Purpose, int] = dict(connection.execute(purposes).all())
    return Heard(
        voices=voices.counts(connection, start, end),
        ratings=together(ratings.by_agency(connection, start, end)),
        followed=followers.followed(connection),
        opted_out={purpose: out.get(purpose, 0) for purpose in PURPOSES},
    )


def together(agencies: Collection[AgencyRatings]) -> RatingFigures:
    """The ratings of several agencies as if they were one."""
    scores = tuple(sum(counts) for counts in zip(*(agency.scores for agency in agencies), strict=True)) or (0,) * 5
    everybody = AgencyRatings("", "", scores)
    return RatingFigures(everybody.count, everybody.average, scores)


def described(figures: Heard) -> str:
    """The figures for people."""
    lines = [f"complaints {state:8} {count:>10,}" for state, count in figures.voices.items()]
    lines.append(f"ratings             {figures.ratings.count:>10,}  (average {figures.ratings.average:.2f})")
    lines.append(f"followed dossiers   {figures.followed:>10,}")
    lines += [f"opted out: {purpose:8} {count:>10,}" for purpose, count in figures.opted_out.items()]
    return "\n".join(lines)
