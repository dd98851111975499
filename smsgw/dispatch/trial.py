"""One message by one channel, sent at once and by ourselves: does the channel work?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from smsgw.clock import Clock
from smsgw.dispatch.channel import Channel
from smsgw.dispatch.handing import handed_over, outgoing
from smsgw.dispatch.sender import LEASES
from smsgw.dispatch.settling import NotTaken, Settler
from smsgw.store import exchanges, history, outbox
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.states import FINAL, State
from smsgw.store.tables import Lane

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a test message so far. `detail`: what the carrier said, if it did not take it."""

    id: str
    state: str
    detail: str = ""
    final: bool = False


def send(database: Database, channel: Channel, phone: str, text: str, clock: Clock) -> Trial:
    """Send a text to a phone by a channel, also if that is held. It is a message like any other, in every list."""
    now, lease = clock(), new_id()
    until = now + timedelta(seconds=LEASES * channel.provider.time_limit)
    message = channel.message(Lane.REPLY, phone, text, now, now + LIFETIME)
    message = outbox.in_hand(message, lease=lease, until=until)
    with database.writing("try out") as connection:
        outbox.add(connection, [message])
    claimed = outbox.claimed(message)
    answer, said = handed_over(channel.provider, [outgoing(claimed)])
    settler = Settler(channel.provider.abilities.idempotent_by_ref, lambda _: None, lambda *_: None, lambda: 1.0)
    now = clock()
    (settled,) = settler.settled([claimed], answer, {}, now)
    with database.writing("settle") as connection:
        exchanges.keep(connection, channel.name, said, now)
        outbox.settle(connection, channel.name, lease, [settled], now)
    detail = answer.reason if isinstance(answer, NotTaken) else settled.detail
    return Trial(message.id, settled.state, " ".join(filter(None, (settled.code, detail))), settled.state in FINAL)


def wait(database: Database, trial: Trial, more: Callable[[], bool]) -> Trial:
    """The same once the carrier has reported how it ended; as it is when there is no more time."""
    while not trial.final and more():
        with database.reading() as connection:
            trial = _now(connection, trial)
    return trial


def _now(connection: sa.Connection, trial: Trial) -> Trial:
    (row,) = history.by_id(connection, [trial.id])
    return Trial(trial.id, row.state, row.error_code or trial.detail, State(row.state) in FINAL)
