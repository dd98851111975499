"""Who of a notice has the next turn, held to what was approved, and what they are told. Nothing is written here.

All is read and worded before the transaction that stores it, so that this is short. It has to see whether notice and
sheet still are as they were read, since other nodes give turns too.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from smsgw.dispatch.channel import Channel
from smsgw.notices.means import Means
from smsgw.notices.places import Chosen, Places
from smsgw.notices.reckoning import worded
from smsgw.notices.seal import Seal
from smsgw.store import notice_turns as rows
from smsgw.store import notices
from smsgw.store.notice_turns import Next
from smsgw.store.notices import Addressee, Notice, Sheet
from smsgw.store.outbox import NewMessage
from smsgw.store.tables import Lane


@dataclass(frozen=True, slots=True)
class Turn:
    """Some recipients on a sheet of a notice, up to a line, and the messages of those who did not opt out.

    `notice`, `sheet`: as they were read. `whole`: it is what was approved, as far as these recipients go; else there is
    no message.
    """

    notice: Notice
    sheet: Sheet
    whole: bool
    chosen: Chosen
    to: int
    refusing: list[str]
    messages: list[NewMessage]

    @property
    def passed_over(self) -> dict[int, str]:
        """The lines of those whose turn it was for the first time and who now wait, each with the full channel."""
        return {line: name for line, name in self.chosen.passed_over.items() if line > self.sheet.fed_to}

    @property
    def is_of_dossiers(self) -> bool:
        """Whether its recipients were found by their dossiers: all of them are, or none."""
        return any(item.dossier for item, _ in self.chosen.now[:1])

    @property
    def waited(self) -> list[int]:
        """The lines of those who were passed over before."""
        return [item.line for item, _ in self.chosen.now if item.line <= self.sheet.fed_to]


class Turns:
    """The turns of notices that are being sent, as this node gives them."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._seals: dict[str, Seal] = {}
        self._places: dict[tuple[str, int], Places] = {}  # by notice and sheet

    def keep(self, ids: Collection[str]) -> None:
        """Forget what is known of all other notices."""
        self._seals = {id: seal for id, seal in self._seals.items() if id in ids}
        self._places = {key: places for key, places in self._places.items() if key[0] in ids}

    def look_again(self, id: str) -> None:
        """Somebody may have changed a notice in the database: it is read whole before its next turn."""
        self._seals.pop(id, None)

    def waiting(self, id: str, lost: Collection[int] = ()) -> tuple[Notice, list[Sheet]] | None:
        """A notice that is to be sent, as it stands, and the sheets on which somebody waits, by line.

        `lost`: those at which somebody has just been faster, mostly another node. They are left out, and of the others
        those in the middle come first, so that each of the two has sheets of its own.
        """
        with self._means.database.reading() as connection:
            notice = notices.by_id(connection, id)
            if notice is None or notice.state not in rows.FED:
                return None
            left = [sheet for sheet in rows.left(connection, id) if sheet.last not in lost]
        begin = len(left) // 2 if lost else 0
        return notice, left[begin:] + left[:begin]

    def next(self, notice: Notice, sheet: Sheet, room: dict[str, int], most: int) -> Turn | None:
        """The turn of at most so many on a sheet; None if nobody there can have one now.

        `room`: of the channels that are not full, which is less by what is taken of it.
        """
        before = self._place(notice.id, sheet)
        after = max(sheet.after, min(before.first(room), sheet.fed_to))
        if after == sheet.last:
            if room.keys() >= {*before.ways}:  # and yet somebody waits, whom another node passed over
                self._places.pop((notice.id, sheet.last), None)
            return None
        seal = self._seal(notice)
        page = self._page(notice, sheet, seal, after, most)
        end = sheet.last if len(page) < most else [*page][-1].line
        chosen = before.choose([*page], end, lambda phone: self._means.road(phone)[0], room)
        if not chosen.now and end <= sheet.fed_to:  # and nobody is passed over who was not before
            self._places[notice.id, sheet.last] = chosen.places
            return None
        whole = seal.holds(notice, sheet, (item for item, _ in chosen.now))
        now = self._means.clock()
        messages = [
            self._message(notice, item, page[item].message_id, channel, now)
            for item, channel in chosen.now
            if whole and not page[item].refuses  # else there is perhaps nothing that could be worded
        ]
        refusing = [item.phone for item, _ in chosen.now if page[item].refuses]
        return Turn(notice, sheet, whole, chosen, end, refusing, messages)

    def given(self, turn: Turn) -> None:
        """A turn was written down."""
        places = self._places[turn.notice.id, turn.sheet.last] = turn.chosen.places
        if all(places.lines.get(name) == turn.sheet.last for name in places.ways):
            self._seal(turn.notice).put_away(turn.sheet)

    def _page(self, notice: Notice, sheet: Sheet, seal: Seal, after: int, most: int) -> dict[Addressee, Next]:
        """Those on a sheet who wait behind a line. The first time all of it is read, as the seal has to see it."""
        with self._means.database.reading() as connection:
            if seal.has_seen(sheet):
                return rows.waiting(connection, notice.id, sheet, after, most)
            everybody = rows.everybody(connection, notice.id, sheet)
        seal.see(sheet, [*everybody])
        waiting = ((one, following) for one, following in everybody.items() if following and one.line > after)
        return dict(islice(waiting, most))

    def _seal(self, notice: Notice) -> Seal:
        """What each turn is held to, made once. With somebody put in or taken out, nothing holds."""
        known = self._seals.get(notice.id)
        if known is None or known.fingerprint != notice.fingerprint:
            with self._means.database.reading() as connection:
                whole = rows.listed(connection, notice.id) == notice.recipients
                sheets = rows.sheets(connection, notice.id) if whole else ()
            known = self._seals[notice.id] = Seal(notice, sheets)
        return known

    def _place(self, id: str, sheet: Sheet) -> Places:
        ways = self._means.roads.firsts(Lane.NOTICE)
        known = self._places.get((id, sheet.last))
        return known if known is not None and known.ways == ways else Places(ways)

    def _message(self, notice: Notice, to: Addressee, id: str, channel: Channel, now: datetime) -> NewMessage:
        text = worded(notice.text, to.values, accents=notice.accents)
        return self._means.message(channel, Lane.NOTICE, to.phone, text, now, id)
