"""From a carrier's delivery reports to committed rows; callbacks that come at the same time are committed together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

from providers.contract import Receipt, Refused, Taken
from smsgw import metrics
from smsgw.clock import Clock
from smsgw.dispatch.channel import Channel
from smsgw.dispatch.handing import readable
from smsgw.intake import talks
from smsgw.intake.jointly import Jointly, all_or_each
from smsgw.intake.talks import Brought, Talk
from smsgw.store import receipts
from smsgw.store.database import Database


class Reports:
    """Takes delivery reports (DLR) in."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._together = Jointly(self._take_all, talks.MOST_TOGETHER, talks.size)

    def take(
        self, channel: Channel, items: Sequence[Receipt | Refused], talk: Talk | None = None
    ) -> Future[list[Taken]]:
        """Keep receipts; later, what became of each, in order. When that is there, everything is committed."""
        brought = Brought(channel, items, talk)
        talks.tell_of_refused(brought)
        return self._together.begin(brought)

    def _take_all(self, callbacks: Sequence[Brought[Receipt | Refused]]) -> list[list[Taken] | Exception]:
        """What became of each receipt of each callback."""
        return all_or_each(self._record, callbacks)

    def _record(self, callbacks: Sequence[Brought[Receipt | Refused]]) -> list[list[Taken]]:
        by_channel: dict[str, list[receipts.Report]] = defaultdict(list)
        for callback in callbacks:
            by_channel[callback.channel.name] += [_report(item) for item in callback.items if isinstance(item, Receipt)]
        now = self._clock()
        with self._database.writing("receipts") as connection:
            fresh = {
                channel: iter(receipts.record(connection, channel, reports, now))
                for channel, reports in sorted(by_channel.items())
            }
            answers = [
                [_taken(item, fresh[callback.channel.name]) for item in callback.items] for callback in callbacks
            ]
            talks.keep(connection, zip(callbacks, answers, strict=True), now)
        for callback in callbacks:
            for item in callback.items:
                if isinstance(item, Receipt):
                    metrics.receipts_in.labels(callback.channel.name, item.status).inc()
        return answers


def _taken(item: Receipt | Refused, fresh: Iterator[bool]) -> Taken:
    if isinstance(item, Refused):
        return Taken(item.id, "rejected", error=item.error)
    return Taken(item.as_written or item.carrier_id or item.ref, "accepted" if next(fresh) else "duplicate")


def _report(item: Receipt) -> receipts.Report:
    code = item.error_code and readable(item.error_code)
    return receipts.Report(item.ref, item.carrier_id, item.status, code, item.at, item.parts)
