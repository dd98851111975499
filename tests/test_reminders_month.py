"""A month of a province: agencies at work, two nodes that die, the one-stop database away for a day, and a count after.

What should have been told, and what was true when it was told, is counted over a journal of what the agencies did, by
conditions that are written here once more and know nothing of the rules.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from smsgw.store import history
from smsgw.store.tables import reminder
from smsgw.text.phones import msisdn
from tests.agency import Agency
from tests.dying import dying_node
from tests.world import World, world

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
FIRST_DAY = date(2018, 8, 16)
HOURS = ("06:30", "07:01", "08:31", "10:15", "17:01", "20:58", "22:10", "02:20")
TIME_TO_TELL = timedelta(days=3)  # a night, a day without the one-stop database, and some


@dataclass(frozen=True, slots=True)
class State:
    """What an agency made of a dossier, from a time on."""

    at: datetime
    status: int = 4
    delivery: str = "counter"
    due_at: datetime | None = None
    new_due_at: datetime | None = None
    finished_at: datetime | None = None
    supplement_note: str | None = None
    supplement_due_at: datetime | None = None
    fee_due: int | None = None
    fee_paid_at: datetime | None = None
    post_tracking: str | None = None


Check = Callable[[State, datetime], bool]


def in_hand(state: State) -> bool:
    return state.status in (2, 4) and state.finished_at is None


# When a reminder is true, in words that owe nothing to the rules.
TRUE: dict[str, Check] = {
    "received": lambda state, now: in_hand(state),
    "supplement": lambda state, now: state.status == 5,
    "supplement_ending": lambda state, now: state.status == 5 and (state.supplement_due_at or now) > now,
    "fee": lambda state, now: state.status == 6 and state.fee_paid_at is None,
    "ready_counter": lambda state, now: state.status == 9 and state.delivery == "counter",
    "ready_post": lambda state, now: state.status == 9 and state.delivery == "post",
    "ready_online": lambda state, now: state.status == 9 and state.delivery == "online",
    "uncollected_7": lambda state, now: state.status == 9 and state.delivery == "counter",
    "due_tomorrow": lambda state, now: in_hand(state) and state.new_due_at is None and (state.due_at or now) > now,
    "postponed": lambda state, now: in_hand(state) and state.new_due_at is not None and state.new_due_at > now,
    "overdue": lambda state, now: in_hand(state) and (state.due_at or now) < now >= (state.new_due_at or now),
    "not_accepted": lambda state, now: state.status == 3,
    "stopped": lambda state, now: state.status == 8,
}

CHANGES = ("supplement", "fee", "ready_counter", "ready_post", "ready_online", "postponed", "not_accepted", "stopped")


@dataclass
class Province:
    """The agencies at work on some dossiers, with a journal of all they do."""

    agency: Agency
    chance: random.Random
    journal: dict[str, list[State]] = field(default_factory=lambda: defaultdict(list))

    def take_up(self, codes: list[str], now: datetime) -> None:
        """These dossiers are in hand, due some time in the next days."""
        for code in codes:
            self.write(code, State(now, due_at=self.closing(now, self.chance.randint(1, 12))))

    def work(self, now: datetime) -> None:
        """Something happens to some dossiers."""
        for code in self.chance.sample(sorted(self.journal), len(self.journal) // 12):
            before = self.journal[code][-1]
            # Most states last, and some don't live to see the morning.
            if now - before.at > timedelta(days=1) or self.chance.random() < 0.1:
                self.write(code, self.after(before, now))

    def after(self, before: State, now: datetime) -> State:
        if before.status in (5, 6):
            paid = now if before.status == 6 else before.fee_paid_at
            return replace(before, at=now, status=4, fee_paid_at=paid)
        if before.status == 9:
            return replace(before, at=now, status=10)
        if before.status != 4:
            return before
        match self.chance.choices(("ready", "papers", "fee", "later", "stop", "refuse"), (8, 5, 3, 4, 1, 1))[0]:
            case "ready":
                delivery = self.chance.choice(("counter", "post", "online"))
                return replace(before, at=now, status=9, finished_at=now, delivery=delivery)
            case "papers":
                until, note = self.closing(now, self.chance.randint(3, 7)), f"To khai {self.chance.randrange(10**6)}"
                return replace(before, at=now, status=5, supplement_note=note, supplement_due_at=until)
            case "fee" if before.fee_due is None:
                return replace(before, at=now, status=6, fee_due=50_000)
            case "later" if before.new_due_at is None:
                return replace(before, at=now, new_due_at=self.closing(now, self.chance.randint(8, 15)))
            case "stop":
                return replace(before, at=now, status=8)
            case "refuse":
                return replace(before, at=now, status=3)
        return before

    def write(self, code: str, state: State) -> None:
        if self.journal[code] and state == self.journal[code][-1]:
            return
        self.journal[code].append(state)
        values = {name: getattr(state, name) for name in State.__dataclass_fields__ if name != "at"}
        self.agency.change(code, state.at, **values, returned_at=state.at if state.status == 10 else None)

    def at(self, code: str, moment: datetime) -> State:
        """What a dossier was like at a time."""
        states = self.journal[code]
        return states[bisect_right([state.at for state in states], moment) - 1]

    def lasting(self, code: str, start: datetime, true: Check) -> bool:
        """Whether something was true of a dossier for long enough to be told."""
        end = start + TIME_TO_TELL
        moments = [start, end, *(state.at for state in self.journal[code] if start < state.at < end)]
        return all(true(self.at(code, moment), moment) for moment in moments)

    @staticmethod
    def closing(now: datetime, days: int) -> datetime:
        """When offices close so many days later, or after the weekend."""
        day = now.astimezone(HERE).date() + timedelta(days=days)
        day += timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
        return datetime.combine(day, time(16, 30), HERE).astimezone(UTC)


def live(made: World, province: Province, days: int) -> None:
    """The days go by."""
    away = days // 2
    for day in range(days):
        if day in (away, away + 1):
            (province.agency.go_away if day == away else province.agency.come_back)()
        for hour in HOURS:
            local = datetime.combine(FIRST_DAY + timedelta(days=day), time.fromisoformat(hour), HERE)
            made.clock.now = local.astimezone(UTC) + timedelta(days=1 if hour < "06" else 0)
            if day != away:
                province.work(made.clock())
            with dying_node(made, lambda *place: province.chance.random() < 0.04) as dying:
                dying.reminders.runs.tick()
                for sender in dying.senders:
                    sender.send_due()
            made.clock.forward(seconds=1)
            made.gateway.reminders.runs.tick()
            made.settle(2)


def due(province: Province, end: datetime) -> set[tuple[str, str]]:
    """What must have been told, by rule and dossier."""
    found = set()
    for code, states in province.journal.items():
        for before, state in pairwise(states):
            new = {rule for rule in CHANGES if TRUE[rule](state, state.at) and not TRUE[rule](before, state.at)}
            if state.at + TIME_TO_TELL < end:
                found |= {(rule, code) for rule in new if province.lasting(code, state.at, TRUE[rule])}
        due_at = states[0].due_at
        assert due_at is not None
        told_at = due_at + timedelta(minutes=30)
        if told_at + TIME_TO_TELL < end and province.lasting(code, told_at, TRUE["overdue"]):
            found.add(("overdue", code))
    return found


def lived(folder: Path, database: str | None, days: int, dossiers: int, seed: int) -> None:
    """Live through some days, and count."""
    with world(folder, database, dossiers=dossiers * 3) as made:
        chance = random.Random(seed)
        made.gateway.reminders.runs.meet()
        for rule in made.gateway.reminders.rules:
            made.gateway.reminders.turn(rule, "", True, "test")
        province = Province(Agency(folder), chance)
        province.take_up([*province.agency.codes("status = 10", dossiers)], made.clock())
        made.gateway.reminders.runs.tick()
        live(made, province, days)
        made.settle(30)
        told = [row for row in _told(made) if row.state == "delivered" and row.dossier in province.journal]
        heard = [
            (phone, bubble.text, datetime.fromisoformat(bubble.at))
            for phone in {msisdn(province.agency.get(code, "applicant_phone")) or "" for code in province.journal}
            for bubble in made.heard(phone)
        ]
        # Each exactly once, at the handset as in the books.
        assert Counter((phone, text) for phone, text, _ in heard) == Counter((row.recipient, row.text) for row in told)
        assert not [
            key for key, count in Counter((row.rule, row.dossier, row.occasion) for row in told).items() if count > 1
        ]
        # Nothing untrue, nothing at night; by when the handset had it, which a killed node did not write down.
        about = {(row.recipient, row.text): (row.rule, row.dossier) for row in told}
        assert not [
            (rule, code, at)
            for phone, text, at in heard
            for rule, code in [about[phone, text]]
            if not TRUE[rule](province.at(code, at), at)
        ]
        assert not [at for _, _, at in heard if not 7 <= at.astimezone(HERE).hour < 21]
        # Nothing missing.
        must = due(province, made.clock())
        missing = must - {(row.rule, row.dossier) for row in told}
        assert not missing, [(rule, code, province.journal[code]) for rule, code in sorted(missing)]
        assert len({rule for rule, _ in must}) >= 5  # so that there was something to miss


def _told(made: World) -> list[sa.Row[tuple[object, ...]]]:
    message = history.message.c
    columns = (reminder.c.rule, reminder.c.dossier, reminder.c.occasion, reminder.c.recipient)
    query = sa.select(*columns, message.text, message.state, message.submitted_at)
    with made.gateway.database.reading() as connection:
        return [*connection.execute(query.join(history.message, message.id == reminder.c.message))]


def test_eight_days_of_a_province_leave_nobody_out_and_tell_nobody_twice(tmp_path: Path) -> None:
    lived(tmp_path, None, days=8, dossiers=48, seed=2018)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_a_month_of_a_province_leaves_nobody_out_and_tells_nobody_twice(
    tmp_path: Path, database_url: str, seed: int
) -> None:
    lived(tmp_path, database_url, days=31, dossiers=400, seed=seed)


@pytest.mark.soak
def test_a_rule_is_done_with_all_dossiers_of_a_province_in_less_than_five_seconds(tmp_path: Path) -> None:
    with world(tmp_path, dossiers=139_012) as made:
        for rule in made.gateway.reminders.rules:
            begun = perf_counter()
            made.gateway.reminders.preview(rule)
            assert perf_counter() - begun < 5, rule
