"""What of notices waits for an official."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smsgw.notices.life import MOVES, Move
from smsgw.notices.means import Means
from smsgw.store import notice_waits
from smsgw.store.notices import Notice
from smsgw.store.officials import Official


@dataclass(frozen=True, slots=True)
class Waits:
    """How many notices are theirs to approve, to write again and to go on with; `held`: messages of these last."""

    approve: int = 0
    write_again: int = 0
    resume: int = 0
    held: int = 0


def waits(means: Means, who: Official) -> Waits:
    """What waits for them."""
    if not who.may(MOVES[Move.RESUME].role or "sender"):
        return Waits()
    with means.database.reading() as connection:
        approve = notice_waits.to_approve(connection, who.agency, who.name) if who.may("approver") else 0
        write_again = notice_waits.to_write_again(connection, who.agency, who.name)
        return Waits(approve, write_again, *notice_waits.paused(connection, who.agency))


def sent_back(means: Means, notices: Iterable[Notice]) -> frozenset[str]:
    """The ids of those of them that were not approved, and are drafts since."""
    with means.database.reading() as connection:
        return notice_waits.sent_back_among(connection, [notice.id for notice in notices])
