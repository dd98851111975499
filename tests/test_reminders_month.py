"""A month of a province: agencies at work, two nodes that die, the one-stop database away for a day, and a count after.

What should have been told, and what was true when it was told, is counted over a journal of what the agencies did, by
conditions that are written here once more and know nothing of the rules. What was told is read at the handsets.
"""

from __future__ import annotations

import random
import re
import tracemalloc
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from smsgw.dossiers.conditions import Conditions
from smsgw.dossiers.dossier import Status
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
A_DAY = timedelta(hours=30)  # for what is not so any more after two
DAYS_OFF = (date(2018, 9, 2), date(2018, 9, 3))


@dataclass(frozen=True, slots=True)
class State:
    """What an agency made of a dossier, from a time on."""

    at: datetime
    received_at: datetime
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
    "uncollected_30": lambda state, now: state.status == 9 and state.delivery == "counter",
    "due_tomorrow": lambda state, now: in_hand(state) and state.new_due_at is None and (state.due_at or now) > now,
    "postponed": lambda state, now: in_hand(state) and state.new_due_at is not None and state.new_due_at > now,
    "overdue": lambda state, now: in_hand(state) and (state.due_at or now) < now and state.new_due_at is None,
    "overdue_again": lambda state, now: in_hand(state) and (state.new_due_at or now) < now,
    "not_accepted": lambda state, now: state.status == 3,
    "stopped": lambda state, now: state.status == 8,
}

# How each is known again at a handset.
WORDS = {
    "received": "tiep nhan ngay",
    "supplement": "can bo sung",
    "supplement_ending": "sap het han bo sung",
    "fee": "can nop phi",
    "ready_counter": "da co ket qua. Moi den",
    "ready_post": "buu dien se phat",
    "ready_online": "cong dich vu cong",
    "uncollected_7": ", chua co nguoi nhan",
    "uncollected_30": "van chua co nguoi nhan",
    "due_tomorrow": "hen tra ket qua ngay",
    "postponed": "khong kip hen",
    "overdue": "tre hen ngay",
    "overdue_again": "chua xong nhu da hen lai",
    "not_accepted": "khong duoc tiep nhan",
    "stopped": "da ngung giai quyet",
}
CODE = re.compile(r"(?:\d{3}\.\d\d\.\d\d\.)?H01[.\d]*-\d{6}-\d{4}")

CHANGES = ("supplement", "fee", "ready_counter", "ready_post", "ready_online", "postponed", "not_accepted", "stopped")


@dataclass
class Province:
    """The agencies at work on some dossiers, with a journal of all they do."""

    agency: Agency
    chance: random.Random
    journal: dict[str, list[State]] = field(default_factory=lambda: defaultdict(list))

    def take_up(self, codes: list[str], now: datetime) -> None:
        """These dossiers are in hand, due some time in the next days; one of four is yet to be received."""
        for code in codes:
            status = self.chance.choices((4, 1), (3, 1))[0]
            self.write(code, State(now, now, status, due_at=self.closing(now, self.chance.randint(1, 12))))

    def work(self, now: datetime) -> None:
        """Something happens to some dossiers."""
        for code in self.chance.sample(sorted(self.journal), len(self.journal) // 12):
            before = self.journal[code][-1]
            # Most states last, and some don't live to see the morning.
            if now - before.at > timedelta(days=1) or self.chance.random() < 0.1:
                self.write(code, self.after(before, now))

    def after(self, before: State, now: datetime) -> State:
        if before.status == 1:
            due_at = self.closing(now, self.chance.randint(2, 12))
            return replace(before, at=now, status=2, received_at=now, due_at=due_at)
        return self.in_hand_after(before, now) if in_hand(before) else self.waited_after(before, now)

    def waited_after(self, before: State, now: datetime) -> State:
        if before.status in (5, 6):
            paid = now if before.status == 6 else before.fee_paid_at
            return replace(before, at=now, status=4, fee_paid_at=paid)
        return replace(before, at=now, status=10) if before.status == 9 else before

    def in_hand_after(self, before: State, now: datetime) -> State:
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
                due = max(now, before.due_at or now)
                return replace(before, at=now, new_due_at=self.closing(due, self.chance.randint(1, 7)))
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

    def lasting(self, code: str, start: datetime, true: Check, time: timedelta) -> bool:
        """Whether something was true of a dossier for long enough to be told."""
        end = start + time
        moments = [start, end, *(state.at for state in self.journal[code] if start < state.at < end)]
        return all(true(self.at(code, moment), moment) for moment in moments)

    @staticmethod
    def closing(now: datetime, days: int) -> datetime:
        """When offices close so many days later, or after the days off."""
        day = now.astimezone(HERE).date() + timedelta(days=days)
        while is_off(day):
            day += timedelta(days=1)
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


@dataclass(frozen=True, slots=True)
class Due:
    """What had to be told of a dossier, and from when until when."""

    rule: str
    code: str
    start: datetime
    end: datetime


def due(province: Province, end: datetime) -> list[Due]:
    """What must have been told."""
    found = []
    for code, states in province.journal.items():
        first: dict[tuple[str, object], datetime] = {}
        for rule, occasion, start, room in sorted(
            (*changed(states), *dated(province, code)), key=lambda event: event[2]
        ):
            # What comes back as it was is not told again, but if there was no time for it before.
            since = first.setdefault((rule, occasion), start)
            if states[0].at < start and start + room < end and province.lasting(code, start, TRUE[rule], room):
                found.append(Due(rule, code, since, start + room))
    return found


Event = tuple[str, object, datetime, timedelta]  # what, on which occasion, since when, and how much time to tell it


def changed(states: list[State]) -> Iterator[Event]:
    """What was so from a change on, and not before it."""
    for before, state in pairwise(states):
        occasions = {"postponed": state.new_due_at, "supplement": state.supplement_note}
        for rule in CHANGES:
            if TRUE[rule](state, state.at) and not TRUE[rule](before, state.at):
                yield rule, occasions.get(rule), state.at, TIME_TO_TELL
        if before.status == 1:
            yield "received", None, state.at, TIME_TO_TELL


def dated(province: Province, code: str) -> Iterator[Event]:
    """What came up by a date that the dossier had at that time."""
    for column, rule, told_at, room in DATED:
        for moment in {getattr(state, column) for state in province.journal[code]} - {None}:
            if getattr(province.at(code, told_at(moment)), column) == moment:
                yield rule, moment, told_at(moment), room


def eight_before(moment: datetime, days: int) -> datetime:
    """Eight o'clock so many working days before."""
    day = moment.astimezone(HERE).date()
    while days:
        day -= timedelta(days=1)
        days -= not is_off(day)
    return datetime.combine(day, time(8), HERE).astimezone(UTC)


def is_off(day: date) -> bool:
    return day.weekday() > 4 or day in DAYS_OFF


def at_five(moment: datetime) -> datetime:
    return moment + timedelta(minutes=30)  # offices close at half past four


def a_week_after(moment: datetime) -> datetime:
    day = moment.astimezone(HERE).date() + timedelta(days=7)
    while is_off(day):
        day += timedelta(days=1)
    return datetime.combine(day, time(8, 30), HERE).astimezone(UTC)


# The date that each hangs on, when it is to be told, and how much time there is for it.
DATED: tuple[tuple[str, str, Callable[[datetime], datetime], timedelta], ...] = (
    ("due_at", "overdue", at_five, TIME_TO_TELL),
    ("due_at", "due_tomorrow", lambda moment: eight_before(moment, 1), A_DAY),
    ("new_due_at", "overdue_again", at_five, TIME_TO_TELL),
    ("supplement_due_at", "supplement_ending", lambda moment: eight_before(moment, 2), A_DAY),
    ("finished_at", "uncollected_7", a_week_after, TIME_TO_TELL),
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a handset shows, and what it is about."""

    phone: str
    text: str
    at: datetime
    rule: str
    code: str


def heard_at_handsets(made: World, province: Province) -> list[Heard]:
    phones = {msisdn(province.agency.get(code, "applicant_phone")) or "" for code in province.journal}
    return [
        Heard(phone, bubble.text, datetime.fromisoformat(bubble.at), *about(bubble.text))
        for phone in phones
        for bubble in made.heard(phone)
    ]


def about(text: str) -> tuple[str, str]:
    """Which rule said a text, and of which dossier."""
    (rule,) = [rule for rule, words in WORDS.items() if words in text]
    (code,) = set(CODE.findall(text))
    return rule, code


def lived(folder: Path, database: str | None, days: int, dossiers: int, seed: int) -> set[str]:
    """Live through some days, and count; the rules by which something was due."""
    with world(folder, database, dossiers=dossiers * 3) as made:
        made.gateway.reminders.runs.meet()
        for rule in made.gateway.reminders.rules:
            made.gateway.reminders.turn(rule, "", True, "test")
        province = Province(Agency(folder), random.Random(seed))
        province.take_up([*province.agency.codes("status = 10", dossiers)], made.clock())
        made.gateway.reminders.runs.tick()
        live(made, province, days)
        made.settle(30)
        heard = heard_at_handsets(made, province)
        # Each exactly once, at the handset as in the books.
        assert Counter((item.phone, item.text) for item in heard) == Counter(_delivered(made, province))
        assert not [key for key, count in Counter((item.phone, item.text) for item in heard).items() if count > 1]
        # Nothing untrue, nothing at night; by when the handset had it, which a killed node did not write down.
        assert not [item for item in heard if not TRUE[item.rule](province.at(item.code, item.at), item.at)]
        assert not [item for item in heard if not 7 <= item.at.astimezone(HERE).hour < 21]
        assert not [item for item in heard if item.at.astimezone(HERE).date() in DAYS_OFF]
        # Not too many a day.
        assert max(Counter((item.phone, item.at.astimezone(HERE).date()) for item in heard).values()) <= 3
        # Nothing missing, and in time.
        must = due(province, made.clock())
        times: dict[tuple[str, str], list[datetime]] = defaultdict(list)
        for item in heard:
            times[item.rule, item.code].append(item.at)
        missing = [item for item in must if not any(item.start <= at <= item.end for at in times[item.rule, item.code])]
        assert not missing, [(item, province.journal[item.code]) for item in missing]
        return {item.rule for item in must}


def _delivered(made: World, province: Province) -> list[tuple[str, str]]:
    message = history.message.c
    query = sa.select(reminder.c.recipient, message.text).where(message.state == "delivered")
    query = query.join(history.message, message.id == reminder.c.message).where(
        reminder.c.dossier.in_(province.journal)
    )
    with made.gateway.database.reading() as connection:
        return [(phone, text) for phone, text in connection.execute(query)]


@pytest.mark.long
def test_eight_days_of_a_province_leave_nobody_out_and_tell_nobody_twice(tmp_path: Path) -> None:
    assert len(lived(tmp_path, None, days=8, dossiers=48, seed=2018)) >= 8


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_a_month_of_a_province_leaves_nobody_out_and_tells_nobody_twice(
    tmp_path: Path, database_url: str, seed: int
) -> None:
    told = lived(tmp_path, database_url, days=31, dossiers=400, seed=seed)
    assert told >= set(WORDS) - {"uncollected_7", "uncollected_30"}  # few lie so long


@pytest.mark.soak
def test_a_rule_goes_through_a_provinces_dossiers_and_holds_few_at_a_time(tmp_path: Path) -> None:
    with world(tmp_path, dossiers=139_012) as made:
        rules, now = made.gateway.reminders.rules, made.clock()
        looked_at = 0
        tracemalloc.start()
        for item in (*rules.values(), replace(rules["received"], conditions=Conditions(frozenset(Status)))):
            for page in made.gateway.office.finder.everywhere(item, now, lambda agency: now):
                looked_at += len(page)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert looked_at >= 139_012  # the last of them finds all there are
        assert most < 30 * 1024 * 1024
