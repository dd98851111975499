"""Queueing the messages of approved notices, chunk by chunk, and only as far ahead as each channel sends in a while.

A chunk is one transaction under the lock of its notice: messages and the recipients that they belong to. So any number
of nodes feed, a kill loses nothing and doubles nothing, and citizens' messages get in between. A notice that is not any
more what was approved is paused instead.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import sqlalchemy as sa

from smsgw.dispatch.channel import Channel
from smsgw.notices.budget import drop, give_back
from smsgw.notices.life import MOVES, Move, State
from smsgw.notices.means import Means
from smsgw.notices.office import GATEWAY, HELD_FOR
from smsgw.notices.places import Places
from smsgw.notices.reckoning import worded
from smsgw.notices.seal import Seal, seal
from smsgw.notices.vetting import OPTED_OUT
from smsgw.officials import audit
from smsgw.store import notice_sending as sending
from smsgw.store import notices as rows
from smsgw.store import opt_outs, outbox
from smsgw.store.notices import Addressee, Event, Notice
from smsgw.store.outbox import NewMessage
from smsgw.store.states import State as MessageState
from smsgw.store.tables import Lane
from smsgw.store.wakes import Bell

CHUNK = 2000  # recipients in one transaction
AHEAD = 30.0  # seconds of a channel's rate that wait in its queue
RECEIPTS_FOR = timedelta(hours=1)  # after the last was handed over, a notice is done whatever is not reported yet
LOADING_FOR = timedelta(hours=1)  # without another row, a notice that is coming in was given up

log = logging.getLogger("smsgw.notices")


class Feeder:
    """Feeds notices. `feed` and `tend` are the work of a tick, on any number of nodes."""

    def __init__(self, means: Means, bell: Bell) -> None:
        self._means = means
        self._bell = bell
        self._seals: dict[str, Seal] = {}
        self._places: dict[str, Places] = {}

    def feed(self) -> int:
        """Queue what is due and has room; how many messages."""
        now = self._means.clock()
        if not self._means.hours.allow(now):
            return 0
        with self._means.database.reading() as connection:
            ids = sending.due(connection, now)
            room = self._room(connection) if ids else {}
        self._seals = {id: self._seals[id] for id in ids if id in self._seals}
        self._places = {id: self._places[id] for id in ids if id in self._places}
        fed = 0
        for id in ids:
            while room and (chunk := self._chunk(id, room)) is not None:
                fed += chunk
        return fed

    def _chunk(self, id: str, room: dict[str, int]) -> int | None:
        """Queue the next of a notice; how many, or None if nobody else can be now.

        `room`: of the channels that are not full. What they send meanwhile is for the next round.
        """
        known = self._known(id)
        if known is None:
            return None
        with self._means.database.writing("feed notice") as connection:
            notice = sending.lock(connection, id)
            if notice is None or notice.fingerprint != known.notice.fingerprint:
                return None  # stopped, or edited and approved again
            before = self._place(id)
            page = sending.next_rows(connection, id, before.first(room), CHUNK)
            if not page:
                if room.keys() >= {*before.ways}:  # and yet somebody waits: a row that was put in behind our place
                    self._places.pop(id, None)
                return None
            chosen, places = before.choose(page, lambda phone: self._means.road(phone)[0], room)
            if not known.holds(notice, (item for item, _ in chosen)):
                self._void(connection, notice)
                return None
            self._start(connection, notice)
            refusing = opt_outs.among(connection, "notice", (item.phone for item, _ in chosen))
            sending.skip(connection, id, sorted(refusing), OPTED_OUT)
            now = self._means.clock()
            told = [(item, channel) for item, channel in chosen if item.phone not in refusing]
            messages = [self._message(notice, item, channel, now) for item, channel in told]
            outbox.add(connection, messages)
            lines = (item.line for item, _ in told)
            sending.queued(connection, id, [*zip(lines, (message.id for message in messages), strict=True)])
            channels = {message.channel for message in messages}
            for name in channels:
                self._bell.tell(connection, name, Lane.NOTICE)
        self._places[id] = places  # whoever was not queued after all is found again
        for name in channels:
            self._bell.ring(name, Lane.NOTICE)
        return len(chosen)

    def _known(self, id: str) -> Seal | None:
        """What each chunk is held to, made once; None if nobody is left to be queued."""
        with self._means.database.reading() as connection:
            notice = rows.by_id(connection, id)
            if notice is None or not sending.has_more(connection, id):
                return None
        known = self._seals.get(id)
        if known is None or known.notice.fingerprint != notice.fingerprint:
            known = self._seals[id] = seal(self._means, notice)
        return known

    def _void(self, connection: sa.Connection, notice: Notice) -> None:
        log.error("notice %s is not what was approved: it was changed in the database, and is paused", notice.id)
        now = self._means.clock()
        del self._seals[notice.id]  # whoever resumes it has it looked at again
        _move(connection, notice, Move.VOID, self._means)
        sending.hold(connection, notice.id, now + HELD_FOR)
        self._record(connection, notice, Move.VOID, now)

    def _start(self, connection: sa.Connection, notice: Notice) -> None:
        if notice.state == State.APPROVED:
            _move(connection, notice, Move.START, self._means)

    def _room(self, connection: sa.Connection) -> dict[str, int]:
        """How many more messages each channel takes that notices take now, if any."""
        ahead, roads = sending.queued_ahead(connection), self._means.roads
        names = {*roads.firsts(Lane.NOTICE)}
        return {name: left for name in names if (left := _ahead(roads.channels[name]) - ahead[name]) > 0}

    def _place(self, id: str) -> Places:
        ways = self._means.roads.firsts(Lane.NOTICE)
        known = self._places.get(id)
        return known if known is not None and known.ways == ways else Places(ways)

    def _message(self, notice: Notice, to: Addressee, channel: Channel, now: datetime) -> NewMessage:
        text = worded(notice.text, to.values, accents=notice.accents)
        return self._means.message(channel, Lane.NOTICE, to.phone, text, now)

    def tend(self) -> None:
        """Hold what came back to the queue of a stopped notice, end notices that are done, give up those left lying."""
        now = self._means.clock()
        with self._means.database.reading() as connection:
            strays = sending.strays(connection)
            done = [id for id in sending.being_sent(connection) if self._is_done(connection, id)]
            half_loaded = rows.left(connection, State.LOADING, now - LOADING_FOR)
            left = rows.left(connection, State.PAUSED, now - HELD_FOR)
        if not (strays or done or half_loaded or left):
            return
        with self._means.database.writing("tend notices") as connection:
            for id in strays:
                self._restrain(connection, id, now)
            for id in done:
                notice = sending.lock(connection, id)
                if notice is not None and self._is_done(connection, id):
                    _move(connection, notice, Move.FINISH, self._means)
            for id in half_loaded:
                rows.forget(connection, id)
            for id in left:
                self._give_up(connection, id, now)

    def _restrain(self, connection: sa.Connection, id: str, now: datetime) -> None:
        """Hold or end what came back to the queue of a stopped notice.

        Its lock keeps it from being resumed meanwhile: nobody would then let go of what is held here.
        """
        notice = sending.lock(connection, id, sending.STOPPED)
        if notice is None:
            return
        if notice.state == State.PAUSED:
            sending.hold(connection, id, now + HELD_FOR)
        else:
            give_back(connection, self._means, notice, sending.cancel(connection, id, now))

    def _give_up(self, connection: sa.Connection, id: str, now: datetime) -> None:
        """Cancel what was paused for so long that nobody wants it any more."""
        notice = sending.lock(connection, id, (State.PAUSED,))
        if notice is None or notice.changed_at >= now - HELD_FOR:
            return
        _move(connection, notice, Move.CANCEL, self._means)
        drop(connection, self._means, notice, now)
        self._record(connection, notice, Move.CANCEL, now)

    def _record(self, connection: sa.Connection, notice: Notice, what: Move, now: datetime) -> None:
        said = {"name": notice.name, "state": MOVES[what].after}
        audit.record(connection, GATEWAY, f"notice.{what}", notice.id, said, now)

    def _is_done(self, connection: sa.Connection, id: str) -> bool:
        if sending.has_more(connection, id):
            return False
        state = sending.unsettled(connection, id)
        if state is None:
            return True
        if state not in (MessageState.SUBMITTED, MessageState.UNKNOWN):
            return False
        lately = self._means.clock() - RECEIPTS_FOR
        # Where nothing was, because all is in doubt, it takes a look at every message to know: so it is asked first.
        return sending.handed_over(connection, id) and not sending.handed_over(connection, id, lately)


def _ahead(channel: Channel) -> int:
    return max(channel.batch, int(channel.pace.tps * AHEAD))


def _move(connection: sa.Connection, notice: Notice, what: Move, means: Means) -> None:
    rule, now = MOVES[what], means.clock()
    if rows.move(connection, notice.id, rule.before, rule.after, now):
        rows.add_event(connection, notice.id, Event(now, GATEWAY, what, rule.after, ""))
