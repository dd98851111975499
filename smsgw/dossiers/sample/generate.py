"""Making the sample's dossiers: the same number, seed and day give the same dossiers.

Of 139,012 dossiers exactly those shares come out that An Giang reported for the half year to August 2018: 132,106
resolved, four in five of them ahead of time, 75,758 at service level 3 and 38,887 at level 4. Other numbers get the
same shares.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from smsgw.dossiers.calendar import working_days
from smsgw.dossiers.dossier import Delivery, Status
from smsgw.dossiers.sample import people
from smsgw.dossiers.sample.province import Agency, Procedure, handling, procedures

RECEIVED, RESOLVED, LEVEL_3, LEVEL_4 = 139_012, 132_106, 75_758, 38_887
AHEAD = 0.8
HALF_A_YEAR = timedelta(days=182)
NO_QUOTA_BELOW = 20  # so few dossiers can't show every status

CLOSING = time(16, 30)

_HERE = ZoneInfo("Asia/Ho_Chi_Minh")
_OPEN_SHARES = {
    Status.REGISTERED: 6,
    Status.RECEIVED: 14,
    Status.NOT_ACCEPTED: 6,
    Status.IN_PROGRESS: 52,
    Status.SUPPLEMENT_ASKED: 8,
    Status.FEE_ASKED: 6,
    Status.WITHDRAWN: 4,
    Status.STOPPED: 4,
}
_RETURNED_SHARE = 0.93
_LATE_SHARE = 0.15  # of the resolved that were not ahead; the others were ready to the minute
_OVERDUE_SHARE = 0.25  # of those in progress


@dataclass(frozen=True, slots=True)
class Row:
    """A dossier as the sample's base table has it. Times are aware, in UTC."""

    code: str
    procedure_code: str
    agency_code: str
    service_level: int
    applicant_name: str
    applicant_phone: str
    status: Status
    step_name: str
    step_since: datetime
    received_at: datetime
    due_at: datetime
    delivery: Delivery
    updated_at: datetime
    finished_at: datetime | None = None
    returned_at: datetime | None = None
    new_due_at: datetime | None = None
    delay_reason: str | None = None
    supplement_note: str | None = None
    supplement_due_at: datetime | None = None
    fee_due: int | None = None
    fee_paid_at: datetime | None = None
    post_tracking: str | None = None


def dossiers(n: int, seed: int, today: date) -> Iterator[Row]:
    """`n` dossiers received in the half year up to `today`, in the order of receipt. Nothing lies in its future."""
    chance = random.Random(f"{n}/{seed}/{today}")
    maker = _Maker(chance, today)
    rows = [maker.row(status, level, ahead) for status, level, ahead in _plan(n, chance)]
    rows.sort(key=lambda row: row.received_at)
    yield from _numbered(rows, {agency: maker.changeover(agency) for agency in {row.agency_code for row in rows}})


def _plan(n: int, chance: random.Random) -> list[tuple[Status, int, bool]]:
    """For each dossier its status, service level, and whether it was resolved ahead of time."""
    resolved = round(n * RESOLVED / RECEIVED)
    if n >= NO_QUOTA_BELOW:
        resolved = min(resolved, n - len(_OPEN_SHARES))
    returned = min(round(resolved * _RETURNED_SHARE), max(resolved - 1, 0))
    level_3, level_4 = round(resolved * LEVEL_3 / RESOLVED), round(resolved * LEVEL_4 / RESOLVED)
    levels = [3] * level_3 + [4] * level_4 + [2] * (resolved - level_3 - level_4)
    ahead = [True] * round(resolved * AHEAD)
    ahead += [False] * (resolved - len(ahead))
    chance.shuffle(levels)
    chance.shuffle(ahead)
    statuses = [Status.RETURNED] * returned + [Status.RESOLVED] * (resolved - returned)
    plan = list(zip(statuses, levels, ahead, strict=True))
    for status, count in _shared_out(n - resolved).items():
        plan += [(status, chance.choice((2, 3, 3, 4)), False) for _ in range(count)]
    chance.shuffle(plan)
    return plan


def _shared_out(n: int) -> dict[Status, int]:
    """`n` dossiers over the open statuses: one for each where that is possible, the rest by the largest remainder."""
    counts = dict.fromkeys(_OPEN_SHARES, 1 if n >= len(_OPEN_SHARES) else 0)
    rest, total = n - sum(counts.values()), sum(_OPEN_SHARES.values())
    exact = {status: rest * share / total for status, share in _OPEN_SHARES.items()}
    for status, share in exact.items():
        counts[status] += int(share)
    by_remainder = sorted(exact, key=lambda status: exact[status] % 1, reverse=True)
    for status in by_remainder[: n - sum(counts.values())]:
        counts[status] += 1
    return counts


def _numbered(rows: Sequence[Row], changeovers: dict[str, date]) -> Iterator[Row]:
    """Each row with its code: ordinals run from 1 for every agency and day; agencies changed to the second form."""
    ordinals: dict[tuple[str, date], int] = defaultdict(int)
    agencies = {agency.code: agency for by in {p.by for p in procedures()} for agency in handling(by)}
    for row in rows:
        day = row.received_at.astimezone(_HERE).date()
        ordinals[row.agency_code, day] += 1
        agency = agencies[row.agency_code]
        office = agency.code if day >= changeovers[agency.code] else agency.old_code
        yield replace(row, code=f"{office}-{day:%y%m%d}-{ordinals[row.agency_code, day]:04}")


class _Maker:
    """Makes single dossiers around a day. Working days are counted by their place in a list."""

    def __init__(self, chance: random.Random, today: date) -> None:
        self._chance = chance
        self._days = working_days(today - HALF_A_YEAR - timedelta(days=60), today + timedelta(days=90))
        self._now = _at(today, CLOSING)
        self._first = bisect_right(self._days, today - HALF_A_YEAR)
        self._last = bisect_right(self._days, today) - 1
        self._procedures = procedures()
        self._shares = [procedure.share for procedure in self._procedures]

    def changeover(self, agency: str) -> date:
        """The day from which an agency issues codes of the second form; a third always did, a third does not yet."""
        return random.Random(f"changeover {agency}").choice(
            (self._days[self._first], self._days[(self._first + self._last) // 2], date.max)
        )

    def row(self, status: Status, level: int, ahead: bool) -> Row:
        """One dossier, without its code."""
        procedure = self._chance.choices(self._procedures, self._shares)[0]
        agency = self._chance.choice(handling(procedure.by))
        if status in (Status.RESOLVED, Status.RETURNED):
            return self._resolved(procedure, agency, status, level, ahead)
        return self._open(procedure, agency, status, level)

    def _resolved(self, procedure: Procedure, agency: Agency, status: Status, level: int, ahead: bool) -> Row:
        lateness = 0 if ahead or self._chance.random() >= _LATE_SHARE else self._chance.randint(1, 5)
        latest = self._last - procedure.days - lateness - 1
        received_on = self._chance.randint(self._first, max(self._first, latest))
        received, due = self._received(received_on), self._due(received_on, procedure)
        if ahead:
            finished = received + (due - received) * self._chance.uniform(0.1, 0.95)
        else:
            finished = self._due(received_on, procedure, lateness)
        finished = max(self._while_open(finished.replace(microsecond=0)), received)
        collected = finished + timedelta(hours=self._chance.randint(1, 40))
        returned = min(max(self._while_open(collected), finished + timedelta(minutes=5)), self._now)
        row = self._row(procedure, agency, status, level, received, due, finished)
        row = replace(row, finished_at=finished)
        return replace(row, returned_at=returned, step_since=returned, updated_at=returned) if status == 10 else row

    def _open(self, procedure: Procedure, agency: Agency, status: Status, level: int) -> Row:
        overdue = status == Status.IN_PROGRESS and self._chance.random() < _OVERDUE_SHARE
        if overdue:
            received_on = self._last - procedure.days - self._chance.randint(1, 12)
        else:
            received_on = self._last - self._chance.randint(0, max(1, procedure.days - 1))
        received, due = self._received(received_on), self._due(received_on, procedure)
        if not overdue and due <= self._now:
            due = self._due(self._last, procedure, 1)
        since = received + (self._now - received) * self._chance.uniform(0.05, 0.95)
        since = max(self._while_open(since.replace(microsecond=0)), received)
        row = self._row(procedure, agency, status, level, received, due, since)
        if overdue and self._chance.random() < 0.6:
            new_due = self._due(self._last, procedure, self._chance.randint(1, 5))
            return replace(row, new_due_at=new_due, delay_reason=self._chance.choice(people.DELAYS))
        if status == Status.SUPPLEMENT_ASKED:
            until = _at(self._days[self._last + self._chance.randint(1, 10)], time(17))
            return replace(row, supplement_note=self._chance.choice(people.MISSING), supplement_due_at=until)
        if status == Status.FEE_ASKED:
            return replace(row, fee_due=procedure.fee or 50_000, fee_paid_at=None)
        return row

    def _row(
        self,
        procedure: Procedure,
        agency: Agency,
        status: Status,
        level: int,
        received: datetime,
        due: datetime,
        since: datetime,
    ) -> Row:
        delivery: Delivery = self._chance.choices(("counter", "post", "online"), (70, 22, 8))[0]
        posted = delivery == "post" and status in (Status.RESOLVED, Status.RETURNED)
        return Row(
            code="",
            procedure_code=procedure.code,
            agency_code=agency.code,
            service_level=level,
            applicant_name=people.name(self._chance),
            applicant_phone=people.phone(self._chance),
            status=status,
            step_name=self._chance.choice(people.STEPS[status]),
            step_since=since,
            received_at=received,
            due_at=due,
            delivery=delivery,
            updated_at=since,
            fee_due=procedure.fee or None,
            fee_paid_at=received if procedure.fee else None,
            post_tracking=people.tracking(self._chance) if posted else None,
        )

    def _while_open(self, moment: datetime) -> datetime:
        """The moment, or one in the hour before offices last closed: never later, so that what was ahead stays so."""
        here = moment.astimezone(_HERE)
        day = self._days[bisect_right(self._days, here.date()) - 1]
        opens, closes = _at(day, time(7, 30)), _at(day, CLOSING)
        if opens <= moment <= closes:
            return moment
        if moment < opens and day == here.date():
            closes = _at(self._days[bisect_right(self._days, day) - 2], CLOSING)
        return closes - timedelta(seconds=moment.timestamp() % 3600)

    def _received(self, day: int) -> datetime:
        return _at(self._days[day], time(7, 30)) + timedelta(seconds=self._chance.randrange(0, 4 * 3600))

    def _due(self, received_on: int, procedure: Procedure, later: int = 0) -> datetime:
        return _at(self._days[received_on + procedure.days + later], CLOSING)


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, _HERE).astimezone(UTC)
