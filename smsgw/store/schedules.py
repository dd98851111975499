"""What is done again and again: when it is due next, and each run of it.

    meet   write down a schedule that is not known yet
    claim  begin the run that is due, or take over one whose node did not come back
    work   keep the lease while working, and count what was done
    end    the run is over

A run is one row a schedule and due time, and a schedule has at most one that is not ended: constraints hold both. The
lease is looked at in every transaction of the work, so that of two nodes that believe to have it only one gets on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from smsgw.store.batch import InsertNew
from smsgw.store.ids import new_id
from smsgw.store.tables import run, schedule

LEASE = timedelta(minutes=2)
KEPT = timedelta(days=90)  # that runs are remembered
_c = run.c


class LeaseLost(Exception):
    """Another node has taken the run over."""


class Stopped(Exception):
    """The node is told to stop; what is left is done by whoever does such work next."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run, of which `due_at` says what it was due for. `told` messages were queued, `withheld` were not."""

    id: str
    schedule: str
    due_at: datetime
    started_at: datetime
    ended_at: datetime | None
    lease: str
    tries: int
    told: int
    withheld: int
    problem: str | None


_RUN = [_c[name] for name in Run.__dataclass_fields__]
_MEET = InsertNew(schedule.c.name, schedule.c.next_due, returning=schedule.c.name)


def meet(connection: sa.Connection, first_due: Collection[tuple[str, datetime]]) -> None:
    """Write down schedules, each with its first due time; those that are known keep theirs."""
    _MEET.run(connection, first_due)


def next_due(connection: sa.Connection) -> dict[str, datetime]:
    """When each schedule is due next."""
    return dict(connection.execute(sa.select(schedule.c.name, schedule.c.next_due)).all())


def set_back(connection: sa.Connection, name: str, wrong: datetime, due: datetime) -> None:
    """A schedule is due sooner than was written down."""
    wrongly = (schedule.c.name == name, schedule.c.next_due == wrong)
    connection.execute(sa.update(schedule).where(*wrongly).values(next_due=due))


def pending(connection: sa.Connection, now: datetime) -> list[str]:
    """The schedules that may have something to do now."""
    open_runs = sa.select(_c.schedule).where(_c.ended_at.is_(None), _free(now))
    due = sa.select(schedule.c.name).where(
        schedule.c.next_due <= now, ~sa.exists().where(_c.schedule == schedule.c.name, _c.ended_at.is_(None))
    )
    return sorted(connection.execute(sa.union(due, open_runs)).scalars())


Times = Callable[[datetime], tuple[datetime, datetime]]


def claim(connection: sa.Connection, name: str, times: Times, now: datetime) -> Run | None:
    """Begin the run of a schedule that is due, or take one over; None if there is nothing to do, or another has it.

    `times` tells from the due time that stands there which one counts now, and when it is due next.
    """
    lease = {"lease": new_id(), "leased_until": now + LEASE}
    taken_over = sa.update(run).where(_c.schedule == name, _c.ended_at.is_(None), _free(now))
    row = connection.execute(taken_over.values(**lease, tries=_c.tries + 1).returning(*_RUN)).one_or_none()
    if row is not None:
        return Run(*row)
    due = connection.scalar(
        sa.select(schedule.c.next_due)
        .where(schedule.c.name == name, schedule.c.next_due <= now)
        .where(~sa.exists().where(_c.schedule == name, _c.ended_at.is_(None)))
        .with_for_update(skip_locked=True)
    )
    if due is None:
        return None
    due_at, following = times(due)
    connection.execute(sa.update(schedule).where(schedule.c.name == name).values(next_due=following))
    done = connection.scalar(sa.select(_c.id).where(_c.schedule == name, _c.due_at == due_at))
    # It was done already, under a clock that has been set back since.
    return begin(connection, name, due_at, now) if done is None else None


def begin(connection: sa.Connection, name: str, due_at: datetime, now: datetime) -> Run:
    """Begin a run. Raises IntegrityError if that was done already, or another one of this schedule is not ended."""
    new = Run(new_id(), name, due_at, now, None, new_id(), 1, 0, 0, None)
    values = {name: getattr(new, name) for name in Run.__dataclass_fields__}
    connection.execute(sa.insert(run).values(**values, leased_until=now + LEASE))
    return new


def work(connection: sa.Connection, mine: Run, now: datetime, told: int = 0, withheld: int = 0) -> None:
    """Keep the lease, and count what this transaction did. Raises LeaseLost."""
    values = {"leased_until": now + LEASE, "told": _c.told + told, "withheld": _c.withheld + withheld}
    _mine(connection, mine, values)


def end(connection: sa.Connection, mine: Run, now: datetime, problem: str | None = None) -> None:
    """The run is over. `problem`: why it did nothing. Raises LeaseLost."""
    _mine(connection, mine, {"ended_at": now, "problem": problem})


def put_off(connection: sa.Connection, mine: Run, until: datetime, problem: str) -> None:
    """The run can't go on for now; whoever looks at it then may try again. Raises LeaseLost."""
    _mine(connection, mine, {"leased_until": until, "problem": problem})


def _mine(connection: sa.Connection, mine: Run, values: dict[str, object]) -> None:
    still_mine = sa.update(run).where(_c.id == mine.id, _c.lease == mine.lease, _c.ended_at.is_(None))
    if connection.execute(still_mine.values(**values)).rowcount != 1:
        raise LeaseLost(mine.schedule)


def _free(now: datetime) -> sa.ColumnElement[bool]:
    # A lease that is longer than any was given under a clock that has been set back since.
    return sa.or_(_c.leased_until <= now, _c.leased_until > now + LEASE)


def latest(connection: sa.Connection, limit: int, name: str | None = None) -> list[Run]:
    """The latest runs, of one schedule or of all, newest first."""
    query = sa.select(*_RUN).order_by(_c.started_at.desc(), _c.id.desc()).limit(limit)
    if name is not None:
        query = query.where(_c.schedule == name)
    return [Run(*row) for row in connection.execute(query)]


def busy(connection: sa.Connection, limit: int) -> list[Run]:
    """The latest runs that found something to do, went wrong or are not over, newest first."""
    did = sa.or_(_c.told > 0, _c.withheld > 0, _c.problem.is_not(None), _c.ended_at.is_(None))
    query = sa.select(*_RUN).where(did).order_by(_c.started_at.desc(), _c.id.desc()).limit(limit)
    return [Run(*row) for row in connection.execute(query)]


def last_run(connection: sa.Connection) -> dict[str, datetime]:
    """When each schedule's last run began, of those that have had one."""
    of_it = sa.select(_c.started_at).where(_c.schedule == schedule.c.name).order_by(_c.due_at.desc()).limit(1)
    rows = connection.execute(sa.select(schedule.c.name, of_it.scalar_subquery()))
    return {name: at for name, at in rows if at is not None}


def hanging(connection: sa.Connection, since: datetime) -> dict[str, str]:
    """Schedules whose time passed before then and nobody began, or whose run began before then and is not over; why."""
    late = sa.select(schedule.c.name).where(
        schedule.c.next_due < since, ~sa.exists().where(_c.schedule == schedule.c.name, _c.ended_at.is_(None))
    )
    unfinished = sa.select(_c.schedule, _c.problem).where(_c.ended_at.is_(None), _c.started_at < since)
    found = dict.fromkeys(connection.execute(late).scalars(), "is due and nobody does it")
    return found | {name: why or "does not come to its end" for name, why in connection.execute(unfinished)}
