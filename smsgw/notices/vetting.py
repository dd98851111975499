"""The last look at a notice's messages before they are handed over: may they still go out?

They may have waited for a morning, for a channel, or under a pause, and the notice for its day. Somebody may have opted
out meanwhile, and a dossier that somebody was found by may have another phone: what it says is for that one only. And
what came back to the queue of a notice that was stopped may be claimed before `tend` has held or ended it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from smsgw.clock import Clock
from smsgw.dispatch.vetting import Vetted, put_off, withdrawn
from smsgw.dossiers.source import OneStop, OneStopUnavailable
from smsgw.notices.audience.numbers import number
from smsgw.store import notice_sending, opt_outs, owners
from smsgw.store.database import Database
from smsgw.store.notices import Addressee
from smsgw.store.outbox import Claimed, Settled
from smsgw.store.tables import Lane

OPTED_OUT = "opted_out"
OTHER_PHONE = "other_phone"
DOSSIER_GONE = "dossier_gone"
SAMPLE = 100  # dossiers
AGAIN_IN = timedelta(minutes=1)  # should nobody tend to notices for so long, or while the one-stop database is away

log = logging.getLogger("smsgw.notices")


class NoticeVet:
    """Vets what the senders are about to hand over."""

    def __init__(self, database: Database, onestop: OneStop, clock: Clock) -> None:
        self._database = database
        self._onestop = onestop
        self._clock = clock

    def __call__(self, lease: str, messages: Sequence[Claimed]) -> Vetted:
        """What goes out of a batch. Raises the database's error; nothing was handed over then."""
        ours = [message for message in messages if message.lane is Lane.NOTICE]
        if not ours:
            return Vetted(messages, ())
        with self._database.reading() as connection:
            refusing = opt_outs.among(connection, "notice", {message.recipient for message in ours})
            again = [item.id for item in ours if item.attempts > 1]
            strays = notice_sending.stopped_among(connection, again)
            # What a notice sends again may be the last of it, when it is not under way any more.
            asked = [item.id for item in ours] if notice_sending.any_of_dossiers(connection) else again
            addressees = notice_sending.dossiers_among(connection, asked)
        now, stopped = self._clock(), dict[str, Settled]()
        for item in ours:
            if item.recipient in refusing:
                stopped[item.id] = withdrawn(item, OPTED_OUT, "the person wants no notices any more", now)
            elif item.id in strays:
                stopped[item.id] = put_off(item, now + AGAIN_IN)
        stopped |= self._astray([item for item in ours if item.id not in stopped], addressees, now)
        return Vetted([item for item in messages if item.id not in stopped], [*stopped.values()])

    def _astray(
        self, messages: Sequence[Claimed], addressees: Mapping[str, Addressee], now: datetime
    ) -> dict[str, Settled]:
        """Of messages to people who were found by their dossiers: those that must not go there, or not yet."""
        concerned = [(item, addressees[item.id]) for item in messages if item.id in addressees]
        try:
            phones = self._phones({addressee.dossier for _, addressee in concerned})
        except OneStopUnavailable as error:
            log.warning("notices wait: %s", error)
            return {item.id: put_off(item, now + AGAIN_IN) for item, _ in concerned}
        gone = {
            item.id: withdrawn(item, DOSSIER_GONE, "the dossier is not in the one-stop database any more", now)
            for item, addressee in concerned
            if addressee.dossier not in phones
        }
        moved = {
            item.id: withdrawn(item, OTHER_PHONE, "the dossier has another phone now", now)
            for item, addressee in concerned
            if item.id not in gone and number(phones[addressee.dossier].strip()) != addressee.phone
        }
        return gone | moved

    def _phones(self, codes: set[str]) -> dict[str, str]:
        """What stands as the phone in those dossiers of these codes that there are. Raises OneStopUnavailable."""
        phones = self._onestop.phones(codes)
        if phones.keys() >= codes:
            return phones
        with self._database.reading() as connection:
            lately = owners.sample(connection, SAMPLE)
        # One that is just being filled, or another one, knows nothing of what was there last night.
        if lately and not self._onestop.phones(lately):
            raise OneStopUnavailable("the one-stop database has none of the dossiers that were noted last night")
        return phones
