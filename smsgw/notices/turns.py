"""Who of a notice has the next turn, held to what was approved, and what they are told. Nothing is written here.

All is read and worded before the transaction that stores it, so that this is short. It has to see whether the notice
still is as it was read, since other nodes give turns too.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from smsgw.dispatch.channel import Channel
from smsgw.notices.means import Means
from smsgw.notices.places import Chosen, Places
from smsgw.notices.reckoning import worded
from smsgw.notices.seal import Seal, seal
from smsgw.store import notice_sending as sending
from smsgw.store import notices as rows
from smsgw.store.notices import Addressee, Notice
from smsgw.store.outbox import NewMessage
from smsgw.store.tables import Lane


@dataclass(frozen=True, slots=True)
class Turn:
    """Some recipients of a notice, up to a line, and the messages of those who did not opt out.

    `notice`: as it was read. `whole`: it is what was approved, as far as these recipients go.
    """

    notice: Notice
    whole: bool
    chosen: Chosen
    to: int
    refusing: list[str]
    messages: list[NewMessage]

    @property
    def passed_over(self) -> dict[int, str]:
        """The lines of those whose turn it was for the first time and who now wait, each with the full channel."""
        return {line: name for line, name in self.chosen.passed_over.items() if line > self.notice.fed_to}

    @property
    def waited(self) -> list[int]:
        """The lines of those who were passed over before."""
        return [item.line for item, _ in self.chosen.now if item.line <= self.notice.fed_to]


class Turns:
    """The turns of notices that are being sent, as this node gives them."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._seals: dict[str, Seal] = {}
        self._places: dict[str, Places] = {}

    def keep(self, ids: Collection[str]) -> None:
        """Forget what is known of all other notices."""
        self._seals = {id: self._seals[id] for id in ids if id in self._seals}
        self._places = {id: self._places[id] for id in ids if id in self._places}

    def look_again(self, id: str) -> None:
        """Somebody may have changed a notice in the database: it is read whole before its next turn."""
        self._seals.pop(id, None)

    def waiting(self, id: str) -> Notice | None:
        """A notice as it stands, if there are recipients who had no turn."""
        with self._means.database.reading() as connection:
            return rows.by_id(connection, id) if sending.has_more(connection, id) else None

    def next(self, notice: Notice, room: dict[str, int], most: int) -> Turn | None:
        """The turn of at most so many recipients; None if nobody can have one now.

        `room`: of the channels that are not full, which is less by what is taken of it.
        """
        before = self._place(notice.id)
        after = min(before.first(room), notice.fed_to)
        with self._means.database.reading() as connection:
            page = sending.next_rows(connection, notice, after, most)
        if not page:
            if room.keys() >= {*before.ways}:  # and yet somebody waits, whom another node passed over
                self._places.pop(notice.id, None)
            return None
        chosen = before.choose([*page], lambda phone: self._means.road(phone)[0], room)
        whole = self._known(notice).holds(notice, (item for item, _ in chosen.now))
        now = self._means.clock()
        messages = [
            self._message(notice, item, page[item].message_id, channel, now)
            for item, channel in chosen.now
            if not page[item].refuses
        ]
        refusing = [item.phone for item, _ in chosen.now if page[item].refuses]
        return Turn(notice, whole, chosen, [*page][-1].line, refusing, messages)

    def given(self, turn: Turn) -> None:
        """A turn was written down."""
        self._places[turn.notice.id] = turn.chosen.places

    def _known(self, notice: Notice) -> Seal:
        """What each turn is held to, made once."""
        known = self._seals.get(notice.id)
        if known is None or known.notice.fingerprint != notice.fingerprint:
            known = self._seals[notice.id] = seal(self._means, notice)
        return known

    def _place(self, id: str) -> Places:
        ways = self._means.roads.firsts(Lane.NOTICE)
        known = self._places.get(id)
        return known if known is not None and known.ways == ways else Places(ways)

    def _message(self, notice: Notice, to: Addressee, id: str, channel: Channel, now: datetime) -> NewMessage:
        text = worded(notice.text, to.values, accents=notice.accents)
        return self._means.message(channel, Lane.NOTICE, to.phone, text, now, id)
