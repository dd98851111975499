"""When a message is tried again, and what is done about one whose fate is unknown. Pure: no clock, no database."""

from __future__ import annotations

from datetime import timedelta

from smsgw.store.tables import Lane

FIRST_PAUSE = 1.0  # seconds
LONGEST_PAUSE = 300.0

# A reply that may have gone out and can't be asked about is sent a second time, because a citizen left without an
# answer is worse off than one who reads it twice. A notice is not: it waits for its receipt or an official.
_BLIND_RESENDS = {Lane.REPLY: 1, Lane.REMINDER: 0, Lane.NOTICE: 0}


def pause(attempts: int, chance: float, asked: float | None = None) -> timedelta:
    """How long to wait after the given number of tries (at least 1).

    Doubles with every try up to five minutes. `chance` (0 to 1) spreads it over the upper half of the pause, so that
    what failed together is not tried again together. A carrier that asked for a pause gets at least that one.
    """
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempts - 1, 30))
    return timedelta(seconds=max(longest * (0.5 + chance / 2), asked or 0.0))


def resend_in_doubt(lane: Lane, *, idempotent: bool, doubts: int) -> bool:
    """Whether a message that the carrier may or may not have is sent again, under the same ref.

    `doubts` counts the tries that ended so, the last one included. A carrier that honours our ref can be asked any
    number of times without harm. With another one it depends on the lane; what is not sent again waits for a receipt.
    """
    return idempotent or doubts <= _BLIND_RESENDS[lane]
