"""What has to be so that each transaction of the gateway comes about, and when what came of it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import requests
import sqlalchemy as sa

from smsgw.clock import utc_now
from smsgw.gateway import Gateway
from smsgw.notices.office import Notices
from smsgw.officials.systems import Systems
from smsgw.reminders.running import CHANGES, OWNERS
from smsgw.settings import load
from smsgw.store import channels, officials, outbox, reminders, voices
from smsgw.store.ids import new_id
from smsgw.store.officials import Official, Role
from smsgw.store.outbox import NewMessage, Settled
from smsgw.store.reminders import OWNER, Reminder
from smsgw.store.states import State
from smsgw.store.tables import Lane, access_key, daily, exchange, notice, quota, run, schedule, switch
from smsgw.store.voices import Voice
from tests.agency import Agency
from tests.bulletin import drafted, official, table
from tests.chaos import Chaos, age, until

OFFICIAL, APPROVER = "lan", "mai"


def somebody_works_here(chaos: Chaos) -> None:
    """Officials who can be disabled, and write notices until they are."""
    roles: dict[str, Role] = {OFFICIAL: "sender", APPROVER: "approver"}
    with chaos.database.writing("test") as connection:
        for name, role in roles.items():
            if (there := officials.by_name(connection, name)) is not None:
                officials.change(connection, there.id, disabled_at=None)
            else:
                official(connection, name, role)


def people(chaos: Chaos) -> Path:
    """Who gets a notice."""
    somebody_works_here(chaos)
    file = chaos.folder / "people.csv"
    file.write_text(table(1), encoding="utf-8")
    return file


def draft(chaos: Chaos) -> str:
    """A notice that can be submitted."""
    somebody_works_here(chaos)
    with _office(chaos) as (notices, author, _):
        return drafted(notices, author, 1).notice.id


@contextmanager
def _office(chaos: Chaos) -> Iterator[tuple[Notices, Official, Official]]:
    gateway = Gateway(load(chaos.settings))
    with gateway.database.reading() as connection:
        author, approver = (officials.by_name(connection, name) for name in (OFFICIAL, APPROVER))
    assert author is not None
    assert approver is not None
    yield gateway.notices, author, approver
    gateway.close()


def notice_approved(chaos: Chaos) -> None:
    """A notice that may go out, to somebody whom no other one goes to."""
    somebody_works_here(chaos)
    with _office(chaos) as (notices, author, approver):
        made = drafted(notices, author, file=table(1, first=len(chaos.senders))).notice
        notices.submit(made.id, author)
        notices.approve(made.id, approver)


def notices_are_out(chaos: Chaos) -> bool:
    with chaos.database.reading() as connection:
        going_out = sa.select(notice.c.id).where(notice.c.state.in_(("approved", "sending")))
        return connection.execute(going_out).first() is None


def reminders_are_told(chaos: Chaos) -> bool:
    with chaos.database.reading() as connection:
        open_runs = sa.select(run.c.id).where(run.c.ended_at.is_(None))
        due = sa.select(schedule.c.name).where(schedule.c.name == CHANGES, schedule.c.next_due <= utc_now())
        return connection.execute(open_runs).first() is None and connection.execute(due).first() is None


def complained(chaos: Chaos) -> str:
    """The number of a complaint that nobody has looked at."""
    chaos.text(1, "PA cham qua")

    def new() -> list[Voice]:
        with chaos.database.reading() as connection:
            return voices.page(connection, "new")

    until(new, "a complaint")
    return str(new()[0].number)


def in_doubt(chaos: Chaos) -> str:
    """A message that waits for an official's decision."""
    now, lease = utc_now(), new_id()
    # By a channel that nobody sends to, so that it is nobody else's.
    (id,) = chaos.notices(1, channel="abroad")
    chaos.told.clear()
    with chaos.database.writing("test") as connection:
        claimed = outbox.claim(connection, "abroad", (Lane.NOTICE,), 1, lease=lease, until=now, now=utc_now())
        doubt = Settled(claimed[0], State.UNKNOWN, now + timedelta(days=30), outcome="unknown")
        assert outbox.settle(connection, "abroad", lease, [doubt], now) == 1
    return id


def nothing(chaos: Chaos) -> None:
    """What texts bring is enough."""


def _tripped(chaos: Chaos, rest: float = 0.0) -> None:
    """The first channel is closed while messages wait there; `rest`: seconds until it may be probed."""
    # The faults may have closed it already, and the node have died over that.
    until(
        lambda: chaos.texts_taken() > len(chaos.senders) - 2 or not chaos.nodes[-1].is_alive(),
        "a node that takes texts",
    )
    with chaos.database.writing("test") as connection:
        before = channels.lock(connection, "sms")
        now = utc_now()
        tripped = replace(before, state="tripped", reason="test", resume_at=now + timedelta(seconds=rest))
        channels.write(connection, before, tripped, now)


def _closed_for_long(chaos: Chaos) -> None:
    _tripped(chaos, 60)


def authorised_anew(chaos: Chaos) -> None:
    """No tokens and no quota of a channel are left, and its first token is good again; losses are tested elsewhere."""
    chaos.authorise()
    chaos.database.create()
    with chaos.database.writing("test") as connection:
        connection.execute(sa.delete(access_key))
        connection.execute(sa.delete(quota))


def one_stop_returns(chaos: Chaos) -> None:
    """Somebody asks while the one-stop database is away, and it comes back."""
    chaos.text(1, f"HS {chaos.dossier.code}")
    until(lambda: chaos.texts_taken("waiting"), "a text that waits")
    (chaos.folder / "away.db").rename(chaos.folder / "onestop.db")


def reminders_due(chaos: Chaos) -> None:
    """What is done once a minute is due now, also if it was done in this minute or a killed node has its lease."""
    with chaos.database.writing("test") as connection:
        connection.execute(sa.delete(run).where(run.c.ended_at.is_not(None)))
        connection.execute(sa.update(run).where(run.c.ended_at.is_(None)).values(leased_until=utc_now()))
        due = utc_now() - timedelta(minutes=1)
        often = schedule.c.name.in_((CHANGES, OWNERS))
        connection.execute(sa.update(schedule).where(often).values(next_due=due))


def _rule_switched_on(chaos: Chaos) -> None:
    with chaos.database.writing("test") as connection:
        connection.execute(sa.update(switch).where(switch.c.rule == "stopped").values(stock_taken=False))
    reminders_due(chaos)


def result_ready(chaos: Chaos) -> None:
    """A dossier that nothing was told of has its result."""
    reminders_due(chaos)
    until(lambda: _stock_is_taken(chaos), "a node that has taken stock")
    agency, now = Agency(chaos.folder), utc_now()
    (code,) = agency.codes("status = 10")
    agency.finish(code, now, delivery="online", returned_at=None)
    reminders_due(chaos)


def _stock_is_taken(chaos: Chaos) -> bool:
    with chaos.database.reading() as connection:
        left = sa.select(sa.func.count()).select_from(switch).where(switch.c.is_on, ~switch.c.stock_taken)
        return connection.scalar(left) == 0


def not_ready_any_more(chaos: Chaos) -> None:
    """A reminder is about to go out whose dossier is not there any more."""
    until(lambda: chaos.texts_taken() > 0, "a node that takes texts")
    now, phone, id = utc_now(), f"848{chaos.chance.randrange(10**8):08}", new_id()
    gone = Reminder("ready_online", f"H01-180101-{phone}", "", OWNER, phone, "told", id)
    until_then = now + timedelta(hours=1)
    message = NewMessage(id, None, phone, "Ho so", 1, "sms", Lane.REMINDER, "8188", "gsm7", now, now, until_then)
    with chaos.database.writing("test") as connection:
        reminders.add(connection, [gone], "test", now)
        outbox.add(connection, [message])


def system_sends(chaos: Chaos) -> None:
    """Another system sends a message, and asks again until it is told that this was taken."""
    until(lambda: chaos.texts_taken() > 0, "a node that takes texts")
    phone = f"8487{chaos.chance.randrange(10**7):07}"
    _, secret = Systems(chaos.database, utc_now).add(f"system-{phone}", "sender", None, 1, "test")
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "once"}
    order = {"to": phone, "text": "Moi ba den."}
    chaos.told.append(phone)

    def taken() -> bool:
        with suppress(requests.RequestException):  # nobody is there, or dies over it
            return requests.post(f"{chaos.url}/api/v1/messages", json=order, headers=headers, timeout=20).ok
        return False

    chaos.meanwhile(lambda: until(taken, "an answer to a system"))


def _a_day_is_not_counted(chaos: Chaos) -> None:
    """What was written down of the last days is gone."""
    with chaos.database.writing("test") as connection:
        connection.execute(sa.delete(daily))


def _something_is_old(chaos: Chaos) -> None:
    """What was said with a carrier is more than a week old."""
    at = utc_now() - timedelta(days=8)
    with chaos.database.writing("test") as connection:
        row = {"id": new_id(), "channel": "sms", "at": at, "seconds": 0.1, "packed": ""}
        connection.execute(sa.insert(exchange).values(**row))


PROVOKED: dict[str, Callable[[Chaos], None]] = {
    "daily": _a_day_is_not_counted,
    "answer late": one_stop_returns,
    "run": reminders_due,
    "note owners": reminders_due,
    "take stock": _rule_switched_on,
    "tell": result_ready,
    "vet": result_ready,
    "withdraw": not_ready_any_more,
    "claim probe": _tripped,
    "probe": _tripped,
    "move on": _closed_for_long,
    "retire": age,
    "forget": _something_is_old,
    "feed notice": notice_approved,
    "send for a system": system_sends,
    "tend notices": notice_approved,
}
