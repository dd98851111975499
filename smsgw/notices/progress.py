"""How far a notice is: figures, expected end, what failed and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from smsgw.notices.life import State
from smsgw.notices.means import Means
from smsgw.notices.preview import course
from smsgw.notices.reckoning import Reckoning
from smsgw.store import channels
from smsgw.store import notice_sending as sending
from smsgw.store.notice_sending import Counts
from smsgw.store.notices import Notice
from smsgw.store.tables import Lane


@dataclass(frozen=True, slots=True)
class Failure:
    """So many messages that ended in a state for a reason; `code` is the carrier's, or ours, or empty."""

    state: str
    code: str
    messages: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a notice stands.

    `ends`: when the last message is expected to go out; None if none is on its way, or some wait for channels that
    send nothing now, which `waits_for` names.
    """

    notice: Notice
    counts: Counts
    ends: datetime | None
    waits_for: list[str]
    failures: list[Failure]

    @property
    def sent(self) -> int:
        """Recipients for whom a carrier has, or may have, a message."""
        counts = self.counts
        return counts.submitted + counts.delivered + counts.undelivered + counts.unknown

    @property
    def handed_over(self) -> int:
        """Recipients for whom nothing is left to be done by us."""
        return self.notice.recipients - self.counts.queued


@dataclass(frozen=True, slots=True)
class Spent:
    """What a notice came to: the segments that carriers took, and what they cost in đồng."""

    segments: int
    cost: int


def progress(means: Means, notice: Notice) -> Progress:
    """The progress of a notice that was found."""
    past = Reckoning.from_json(notice.reckoning)
    if past.removed:
        outcomes = Counter({(state, code): count for state, code, count in past.outcomes})
    else:
        with means.database.reading() as connection:
            outcomes = sending.outcomes(connection, notice.id)
    counts = sending.counts(outcomes, cancelled=notice.state == State.CANCELLED)
    failed = sending.failures(outcomes).most_common()
    failures = [Failure(state, code, count) for (state, code), count in failed]
    if notice.state not in (State.APPROVED, State.SENDING) or not counts.queued:
        return Progress(notice, counts, None, [], failures)
    share = counts.queued / max(1, notice.recipients)
    left = Counter({name: round(count * share) for name, count in past.by_channel.items()})
    waits_for = without_way(means, left)
    return Progress(notice, counts, None if waits_for else course(means, notice, left).ends, waits_for, failures)


def without_way(means: Means, names: Collection[str]) -> list[str]:
    """Those of the channels that send nothing now, and in whose stead no other one does."""
    with means.database.reading() as connection:
        closed = {name for name, channel in channels.every(connection).items() if channel.state != "open"}
    here = sorted(closed.intersection(names, means.roads.channels))
    return [name for name in here if means.roads.within_reach(Lane.NOTICE, [name]) <= closed]


def spent(means: Means, notice: Notice) -> Spent | None:
    """What a notice that is over came to; None while it is not, and when its recipients are removed."""
    if notice.state not in (State.DONE, State.CANCELLED) or Reckoning.from_json(notice.reckoning).removed:
        return None
    with means.database.reading() as connection:
        taken = sending.taken(connection, notice.id)
    return Spent(taken.total(), sum(count * means.tariffs.get(name, 0) for name, count in taken.items()))
