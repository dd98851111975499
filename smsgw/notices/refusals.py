"""Why something can't be done with a notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from smsgw.failure import ExpectedFailure
from smsgw.notices.life import Move

# What officials call the moves: the commands under `smsgw notice`, and where the console has other words than these.
COMMANDS = {move: move.value for move in (Move.SUBMIT, Move.APPROVE, Move.PAUSE, Move.RESUME, Move.CANCEL)}
COMMANDS |= {Move.SEND_BACK: "return"}
ON_THE_CONSOLE = {Move.EDIT: "change", Move.SEND_BACK: "send back"}


class NoticeRefused(ExpectedFailure):
    """Something was not done. `reason` is a word for it, for pages that say it in their language; the text is English.

    Reasons: name, text, long, time, nobody, placeholder, registered, budget, role, own, state, changed, phone, tries,
    removed, unknown.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class NoSuchNotice(NoticeRefused):
    """There is none, or it is another agency's."""

    def __init__(self, id: str) -> None:
        super().__init__("unknown", f"there is no notice {id}; smsgw notice list shows those there are")


class NotNow(NoticeRefused):
    """A notice is in no state for a move. `stands`: in which it is; `moves`: those that can be made now."""

    def __init__(self, stands: str, moves: Sequence[Move]) -> None:
        self.stands, self.moves = stands, moves
        super().__init__("state", self.said(COMMANDS))

    def said(self, own: Mapping[Move, str]) -> str:
        """The same for a reader who can make the moves in `own`, under these names, and the others on the console."""
        here = ", ".join(own[move] for move in self.moves if move in own)
        there = ", ".join(ON_THE_CONSOLE.get(move, move.value) for move in self.moves if move not in own)
        possible = "; ".join(filter(None, (here, there and f"on the console: {there}")))
        return f"{self.stands}; what can be done with it now: {possible or 'nothing'}"


class MessageRefused(NoticeRefused):
    """A message to one person is not sent. Further reasons: opted_out, daily."""


class EnoughToday(MessageRefused):
    """A key has sent its messages of a day. `wait`: until the next one begins."""

    def __init__(self, text: str, wait: timedelta) -> None:
        super().__init__("daily", text)
        self.wait = wait
