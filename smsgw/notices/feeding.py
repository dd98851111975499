"""Queueing the messages of approved notices, turn by turn, and only as far ahead as each channel sends in a while.

A turn is one transaction that begins with a guarded update of its sheet: its messages, and who had their turn. So any
number of nodes feed, each of them other sheets of a notice, a kill loses nothing and doubles nothing, and citizens'
messages get in between. A notice that is not any more what was approved is paused instead. What a sender of this node
can take at once goes into its hand, and is not queued.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa

from smsgw.dispatch.channel import Channel
from smsgw.dispatch.hand import NoRoom, NoticeHand
from smsgw.dispatch.sender import Sender
from smsgw.notices.budget import drop, give_back
from smsgw.notices.life import MOVES, Move, State
from smsgw.notices.means import Means
from smsgw.notices.office import GATEWAY, HELD_FOR
from smsgw.notices.sheets import LONGEST
from smsgw.notices.turns import Turn, Turns
from smsgw.notices.vetting import OPTED_OUT
from smsgw.officials import audit
from smsgw.store import notice_sending as sending
from smsgw.store import notice_turns as turns
from smsgw.store import notices as rows
from smsgw.store import outbox
from smsgw.store.notices import Event, Notice, Sheet
from smsgw.store.outbox import NewMessage
from smsgw.store.removing import Hands
from smsgw.store.states import State as MessageState
from smsgw.store.tables import Lane
from smsgw.store.wakes import Bell

PATIENCE = 0.05  # seconds that a sender may take to come back from a call
AHEAD = 30.0  # seconds of a channel's rate that wait in its queue
RECEIPTS_FOR = timedelta(hours=1)  # after the last was handed over, a notice is done whatever is not reported yet
AT_THE_CARRIER = (None, MessageState.UNKNOWN)  # where a notice has nothing left, or nothing that surely is here
LOADING_FOR = timedelta(hours=1)  # without another row, a notice that is coming in was given up

log = logging.getLogger("smsgw.notices")


class Feeder:
    """Feeds notices. `feed` and `tend` are the work of a tick, on any number of nodes.

    `senders`: of notices here, by channel, where many batches go out in a second.
    """

    def __init__(self, means: Means, bell: Bell, senders: Mapping[str, Sequence[Sender]]) -> None:
        self._means = means
        self._bell = bell
        self._senders = senders
        self._turns = Turns(means)
        self._unreported: dict[str, str] = {}  # by notice, the message of which its carrier had not reported last
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Let go after the turn or page in hand: whoever removes what was given up then raises Stopped."""
        self._stopping.set()

    def feed(self) -> int:
        """Queue what is due and has room; how many messages."""
        now = self._means.clock()
        if not self._means.hours.allow(now):
            return 0
        with self._means.database.reading() as connection:
            ids = turns.due(connection, now)
            room = self._room(connection) if ids else {}
        self._turns.keep(ids)
        return sum(self._feed(id, room) for id in ids)

    def _feed(self, id: str, room: dict[str, int]) -> int:
        """Feed a notice as far as there is room, until told to stop; how many recipients had their turn."""
        fed, lost, waiting = 0, set[int](), self._turns.waiting(id)
        while waiting and waiting[1] and room and not self._stopping.is_set():
            notice, (sheet, *others) = waiting
            turn = self._turns.next(notice, sheet, room, self._most(room))
            if turn is None:
                waiting = notice, others
            elif not turn.whole:
                self._stop(notice)
                break
            elif given := self._give(turn):
                fed += len(turn.chosen.now)
                waiting = given[0], [given[1], *others]
            else:
                lost.add(sheet.last)
                waiting = self._turns.waiting(id, lost)
        return fed

    def _give(self, turn: Turn) -> tuple[Notice, Sheet] | None:
        """Write a turn down; notice and sheet after that, or None if another node, or anybody else, was faster."""
        try:
            with self._hands(turn) as hands, self._means.database.writing("feed notice") as connection:
                sheet = turns.feed(connection, turn.notice, turn.sheet, turn.to, turn.waited)
                turns.pass_over(connection, turn.notice.id, turn.passed_over)
                turns.skip(connection, turn.notice.id, turn.refusing, OPTED_OUT)
                notice = self._started(connection, turn.notice)
                queued = self._store(connection, hands, turn.messages)
        except (turns.Outrun, NoRoom):
            return None
        self._turns.given(turn)
        for name in queued:
            self._bell.ring(name, Lane.NOTICE)
        return notice, sheet

    def _store(
        self, connection: sa.Connection, hands: Mapping[str, NoticeHand], messages: Sequence[NewMessage]
    ) -> frozenset[str]:
        """Store messages, in hands as far as these go; the channels of those that are queued."""
        stored = [*_in_hands(connection, hands, messages)]
        outbox.add(connection, stored)
        for hand in hands.values():  # from here on others wait for the channels' rows
            hand.closes(stored)
            hand.takes_room(connection)
        queued = frozenset(message.channel for message in stored if message.state is MessageState.QUEUED)
        for name in queued:
            self._bell.tell(connection, name, Lane.NOTICE)
        return queued

    def _most(self, names: Iterable[str]) -> int:
        """How many recipients have a turn: as many as senders of this node can take at once, if there are any."""
        channels = self._means.roads.channels
        here = [name for name in names if any(sender.works() for sender in self._senders.get(name, ()))]
        return sum(channels[name].batch for name in here) or LONGEST

    @contextmanager
    def _hands(self, turn: Turn) -> Iterator[dict[str, NoticeHand]]:
        """A sender's hand for each channel that a turn takes, where there is one that has nothing to do.

        There is none for what has to be held to the one-stop database, as it is after a claim.
        """
        names = () if turn.is_of_dossiers else {message.channel for message in turn.messages}
        with ExitStack() as stack:
            held_out = {}
            for name in sorted(names):  # their rows are locked in this order
                if hand := self._hand(stack, name):
                    held_out[name] = hand
            yield held_out

    def _hand(self, stack: ExitStack, name: str) -> NoticeHand | None:
        for patience in (0.0, PATIENCE):
            for sender in self._senders.get(name, ()):
                if hand := stack.enter_context(sender.hand_for_notices(patience)):
                    return hand
        return None

    def _stop(self, notice: Notice) -> None:
        with self._means.database.writing("feed notice") as connection:
            if sending.lock(connection, notice.id) == notice:
                self._void(connection, notice)

    def _void(self, connection: sa.Connection, notice: Notice) -> None:
        log.error("notice %s is not what was approved: it was changed in the database, and is paused", notice.id)
        now = self._means.clock()
        self._turns.look_again(notice.id)
        _move(connection, notice, Move.VOID, self._means)
        sending.hold(connection, notice.id, now + HELD_FOR)
        self._record(connection, notice, Move.VOID, now)

    def _started(self, connection: sa.Connection, notice: Notice) -> Notice:
        if notice.state != State.APPROVED:
            return notice
        _move(connection, notice, Move.START, self._means)
        return rows.locked(connection, notice.id) or notice

    def _room(self, connection: sa.Connection) -> dict[str, int]:
        """How many more messages each channel takes that notices take now, if any."""
        ahead, roads = turns.queued_ahead(connection), self._means.roads
        names = {*roads.firsts(Lane.NOTICE)}
        return {name: left for name in names if (left := _ahead(roads.channels[name]) - ahead[name]) > 0}

    def tend(self) -> None:
        """Hold what came back to the queue of a stopped notice, end notices that are done, give up those left lying.

        Raises Stopped.
        """
        now = self._means.clock()
        with self._means.database.reading() as connection:
            strays = sending.strays(connection)
            under_way = sending.being_sent(connection)
            # All that takes a look at every recipient is read here: who texts meanwhile does not wait for it.
            done = {
                id: (sending.spent(connection, id), turns.listed(connection, id))
                for id in under_way
                if self._is_done(connection, id)
            }
            half_loaded = rows.left(connection, State.LOADING, now - LOADING_FOR)
            left = rows.left(connection, State.PAUSED, now - HELD_FOR)
        if strays or done or left:
            with self._means.database.writing("tend notices") as connection:
                for id in strays:
                    self._restrain(connection, id, now)
                for id, (spent, listed) in done.items():
                    notice = sending.lock(connection, id)
                    if notice is not None and self._left(connection, id) in AT_THE_CARRIER:
                        self._finish(connection, notice, spent, listed)
                for id in left:
                    self._give_up(connection, id, now)
        for id in half_loaded:
            rows.forget(Hands(self._means.database, self._stopping), id)
        self._unreported = {id: one for id, one in self._unreported.items() if id in under_way}

    def _finish(self, connection: sa.Connection, notice: Notice, spent: int, listed: int) -> None:
        """End a notice, unless somebody was put in or taken out where all had had their turn.

        The budget gets back what those would have taken to whom nothing went.
        """
        if listed == notice.recipients:
            _move(connection, notice, Move.FINISH, self._means)
            give_back(connection, self._means, notice, notice.segments - spent)
        else:
            self._void(connection, notice)

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

    def _left(self, connection: sa.Connection, id: str) -> MessageState | None:
        """The state of what no carrier surely has of a notice, nearest to the beginning; None if it has all."""
        return MessageState.QUEUED if turns.has_more(connection, id) else sending.unsent(connection, id)

    def _is_done(self, connection: sa.Connection, id: str) -> bool:
        left = self._left(connection, id)
        if left not in AT_THE_CARRIER:
            return False
        if left is None and not self._awaits_receipt(connection, id):
            return True
        lately = self._means.clock() - RECEIPTS_FOR
        # Where nothing was, because all is in doubt, it takes a look at every message to know: so it is asked first.
        return sending.handed_over(connection, id) and not sending.handed_over(connection, id, lately)

    def _awaits_receipt(self, connection: sa.Connection, id: str) -> bool:
        found = sending.unreported(connection, id, self._unreported.pop(id, None))
        if found is not None:
            self._unreported[id] = found
        return found is not None


def _in_hands(
    connection: sa.Connection, hands: Mapping[str, NoticeHand], messages: Iterable[NewMessage]
) -> Iterator[NewMessage]:
    """Messages as they are to be stored: the first of each channel in its hand, as many as may go out now."""
    left = {name: hand.opens(connection) for name, hand in hands.items()}
    for message in messages:
        if left.get(message.channel):
            left[message.channel] -= 1
            yield hands[message.channel].holding(message)
        else:
            yield message


def _ahead(channel: Channel) -> int:
    return max(channel.batch, int(channel.pace.tps * AHEAD))


def _move(connection: sa.Connection, notice: Notice, what: Move, means: Means) -> None:
    rule, now = MOVES[what], means.clock()
    if rows.move(connection, notice.id, rule.before, rule.after, now):
        rows.add_event(connection, notice.id, Event(now, GATEWAY, what, rule.after, ""))
