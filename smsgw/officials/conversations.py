"""Conversations with citizens, as far as an official may see them; who looks into one is kept in the audit log.

Who is bound to an agency sees what was asked about its dossiers and no others, the replies to that, and what it sent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from smsgw.clock import Clock
from smsgw.dossiers.reading import read
from smsgw.dossiers.source import OneStop
from smsgw.officials import audit
from smsgw.store import callbacks, exchanges, systems
from smsgw.store import conversations as rows
from smsgw.store.conversations import Talk, Thread
from smsgw.store.database import Database
from smsgw.store.officials import Official
from smsgw.text.alphabet import storable
from smsgw.text.phones import msisdn


@dataclass(frozen=True, slots=True)
class Opened:
    """What was written to and by a phone. `senders`: for what other systems sent, the name of its key."""

    phone: str
    thread: Thread
    senders: Mapping[str, str]


class Conversations:
    """All conversations. `who` looks for them or into them, and what `who` may not see is as if it were not there."""

    def __init__(self, database: Database, onestop: OneStop, clock: Clock) -> None:
        self._database = database
        self._onestop = onestop
        self._clock = clock

    def found(self, query: str, who: Official) -> list[Talk]:
        """Whom a search means: a phone, a sender as stored, or those who asked about a dossier and the one on it."""
        return [talk for talk in self._meant(query, who) if self.seen(talk.phone, who) is not None]

    def opened(self, id: str, who: Official) -> Opened | None:
        """The conversation that has a message, and the entry that it was looked into."""
        with self._database.reading() as connection:
            phone = rows.phone_of(connection, id)
        thread = self.seen(phone, who) if phone else None
        if phone is None or thread is None:
            return None
        self._record(phone, who)
        with self._database.reading() as connection:
            return Opened(phone, thread, systems.senders(connection, [sent.row.id for sent in thread.went]))

    def trace(self, id: str, who: Official) -> list[callbacks.Kept | exchanges.Kept] | None:
        """What was said with the carrier about a message, the oldest first, and the entry that it was looked at."""
        with self._database.reading() as connection:
            phone = rows.phone_of(connection, id)
            said: list[callbacks.Kept | exchanges.Kept] = [*exchanges.of_message(connection, id)]
            said += callbacks.of_message(connection, id)
        thread = self.seen(phone, who) if phone else None
        if phone is None or thread is None:
            return None
        if id not in {row.id for row in [*thread.came, *(sent.row for sent in thread.went)]}:
            return None
        self._record(phone, who)
        return sorted(said, key=lambda one: one.at)

    def seen(self, phone: str, who: Official) -> Thread | None:
        """What was written to and by a phone; None if that is nothing."""
        with self._database.reading() as connection:
            thread = rows.thread(connection, phone)
        if who.agency is not None:
            thread = self._of_agency(thread, who, who.agency)
        return thread if thread.came or thread.went else None

    def _record(self, phone: str, who: Official) -> None:
        with self._database.writing("officials") as connection:
            audit.record(connection, who.name, "conversation.view", phone, {}, self._clock())

    def _meant(self, query: str, who: Official) -> list[Talk]:
        phone = msisdn(query)
        with self._database.reading() as connection:
            talks = rows.with_phones(connection, [phone or storable(query)])
        if phone or talks:
            return talks
        codes = [code for reading in read(query).readings for code in reading.candidates]
        dossiers = {
            code: dossier for code, dossier in self._onestop.find(codes).items() if who.sees(dossier.agency_code)
        }
        owners = {phone for dossier in dossiers.values() if (phone := dossier.owner)}
        # A dossier may have left the one-stop database; then nobody knows any more whose agency's it was.
        asked = codes if who.agency is None else dossiers
        with self._database.reading() as connection:
            talks = rows.about(connection, asked)
            return talks + rows.with_phones(connection, owners - {talk.phone for talk in talks})

    def _of_agency(self, thread: Thread, who: Official, agency: str) -> Thread:
        ids = [sent.row.id for sent in thread.went]
        with self._database.reading() as connection:
            own = rows.notices_of(connection, ids, agency) | systems.messages_of(connection, ids, agency)
            reminders = rows.reminders_of(connection, ids)
        codes = {code for row in thread.came for code in (row.codes or "").split()}
        dossiers = self._onestop.find([*codes, *reminders.values()])
        ours = {code for code, dossier in dossiers.items() if who.sees(dossier.agency_code)}
        return part_of(thread, ours, own | {id for id, code in reminders.items() if code in ours})


def part_of(thread: Thread, dossiers: Collection[str], sent: Collection[str]) -> Thread:
    """What was asked about these dossiers and no others, the replies to it, and these messages."""
    came = [row for row in thread.came if row.codes and set(row.codes.split()) <= {*dossiers}]
    asked = {row.id for row in came}
    went = [one for one in thread.went if one.row.in_reply_to in asked or one.row.id in sent]
    return Thread(came, went, thread.older)
