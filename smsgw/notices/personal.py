"""A message to one person, which another system sends through us: checked like a notice, and sent like a reminder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from smsgw.clock import midnight
from smsgw.dispatch.retry import RULES
from smsgw.notices import budget
from smsgw.notices.audience.columns import placeholders
from smsgw.notices.audience.numbers import NoNumber, Unreachable, number
from smsgw.notices.means import Means
from smsgw.notices.reckoning import worded
from smsgw.notices.refusals import EnoughToday, MessageRefused
from smsgw.officials.requests import Within
from smsgw.store import opt_outs, outbox, systems
from smsgw.store.outbox import NewMessage
from smsgw.store.systems import Key
from smsgw.store.tables import Lane
from smsgw.store.wakes import Bell
from smsgw.text.accents import lost


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent to whom, as it was written. `reference`: what the system calls it."""

    to: str
    text: str
    accents: bool = False
    reference: str | None = None


def check_may_send(key: Key) -> None:
    """Raises MessageRefused for one that only reads."""
    if not key.official.may("sender"):
        raise MessageRefused("role", f"the key {key.name} may only read; one with the role sender may send")


class Personal:
    """Takes such messages. They wait in the lane of reminders, and go to nobody who wants none of those."""

    def __init__(self, means: Means, bell: Bell) -> None:
        self._means = means
        self._bell = bell

    def send(self, order: Order, key: Key, within: Within) -> str:
        """Queue a message; its id. `within`: called with that in the same transaction. Raises NoticeRefused."""
        check_may_send(key)
        now = self._means.clock()
        message = self._message(order, now)
        with self._means.database.writing("send for a system") as connection:
            living = _locked(connection, key)
            within(connection, message.id)  # before what the same request, a moment ago, may have used up
            self._check_daily(connection, living, now)
            if opt_outs.among(connection, "reminder", [message.recipient]):
                raise MessageRefused("opted_out", "this person wants no such messages")
            budget.take(connection, self._means, key.agency, message.segments, now)
            outbox.add(connection, [message])
            systems.sent(connection, key.id, message.id, now, order.reference)
            self._bell.tell(connection, message.channel, message.lane)
        self._bell.ring(message.channel, message.lane)
        return message.id

    def _message(self, order: Order, now: datetime) -> NewMessage:
        phone, means = recipient(order.to), self._means
        text = worded(order.text.strip(), {}, accents=order.accents)
        if not text:
            raise MessageRefused("text", "the message has no text")
        if not order.accents and lost(order.text) and not any(map(str.isalnum, text)):
            raise MessageRefused("text", "only question marks would be left of this text; send it with its accents")
        if left := placeholders(text):
            said = ", ".join(f"(({name}))" for name in left.values())
            raise MessageRefused("placeholder", f"the text has {said}, which nothing fills; write what it stands for")
        if refusing := means.refuses(phone, lambda: text, Lane.REMINDER):
            raise MessageRefused("registered", f"the carrier of channel {refusing} takes only texts registered with it")
        opens = means.hours.next_allowed(now)
        until = means.hours.worth_until(opens, RULES[Lane.REMINDER].lifetime)
        message = means.roads.first(Lane.REMINDER, phone).message(Lane.REMINDER, phone, text, now, until)
        if message.segments > means.rules.most_segments:
            allowed = means.rules.most_segments
            raise MessageRefused("long", f"the text would take {message.segments} segments; {allowed} are allowed")
        return message._replace(not_before=opens)

    def _check_daily(self, connection: sa.Connection, key: Key, now: datetime) -> None:
        begun, over = self._today(now)
        if systems.sent_since(connection, key.id, begun) >= key.daily:
            raise EnoughToday(f"the key {key.name} has sent its {key.daily} messages of today", over - now)

    def sent_today(self, key: Key) -> int:
        """How many messages a key has sent since midnight."""
        begun, _ = self._today(self._means.clock())
        with self._means.database.reading() as connection:
            return systems.sent_since(connection, key.id, begun)

    def _today(self, now: datetime) -> tuple[datetime, datetime]:
        """The midnights around a time, by the province's clock."""
        zone = self._means.hours.zone
        day = now.astimezone(zone).date()
        return midnight(day, zone), midnight(day + timedelta(days=1), zone)


def _locked(connection: sa.Connection, key: Key) -> Key:
    """A key as it is now; who else sends with it waits. Raises MessageRefused."""
    living = systems.lock(connection, key.id)
    if living is None:
        raise MessageRefused("role", f"the key {key.name} was revoked")
    return living


def recipient(written: str) -> str:
    """Whose number that is, in digits. Raises MessageRefused for what no text reaches."""
    found = number(written.strip())
    if isinstance(found, NoNumber | Unreachable):
        raise MessageRefused("phone", _NO_RECIPIENT[found])
    return found


# Without the number: what refuses is written down in more places than what is sent.
_NO_RECIPIENT = {
    NoNumber.BLANK: "the phone number is missing",
    NoNumber.SHORTENED: "digits of the number are lost, as a spreadsheet program does it; send it as a text",
    NoNumber.SEVERAL: "more than one phone number; send each a message of its own",
    NoNumber.UNREADABLE: "this is no phone number; expected one such as 0912 345 678",
    Unreachable.SERVICE: "no text reaches this number: it is a short code or a hotline",
    Unreachable.LANDLINE: "no text reaches this number: it is a fixed line",
    Unreachable.ABROAD: "no text reaches this number: it is abroad",
}
