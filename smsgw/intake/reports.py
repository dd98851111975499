"""From a carrier's delivery reports to committed rows; callbacks that come at the same time are committed together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from providers.contract import Receipt, Refused, Taken
from smsgw import metrics
from smsgw.clock import Clock, utc_now
from smsgw.intake.jointly import Jointly
from smsgw.store import receipts
from smsgw.store.database import Database

MOST_CALLBACKS = 64  # in one transaction


@dataclass(frozen=True, slots=True)
class _Callback:
    """What one callback brought."""

    channel: str
    items: Sequence[Receipt | Refused]


class Reports:
    """Takes delivery reports (DLR) in."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock
        self._together = Jointly(self._record, MOST_CALLBACKS)

    def take(self, channel: str, items: Sequence[Receipt | Refused]) -> Future[list[Taken]]:
        """Keep receipts; later, what became of each, in order. When that is there, everything is committed."""
        return self._together.begin(_Callback(channel, items))

    def _record(self, callbacks: Sequence[_Callback]) -> list[list[Taken] | Exception]:
        by_channel: dict[str, list[receipts.Report]] = defaultdict(list)
        for callback in callbacks:
            by_channel[callback.channel] += [_report(item) for item in callback.items if isinstance(item, Receipt)]
        with self._database.writing("receipts") as connection:
            fresh = {
                channel: iter(receipts.record(connection, channel, reports, self._clock()))
                for channel, reports in sorted(by_channel.items())
            }
        return [[_taken(item, callback.channel, fresh) for item in callback.items] for callback in callbacks]


def _taken(item: Receipt | Refused, channel: str, fresh: Mapping[str, Iterator[bool]]) -> Taken:
    if isinstance(item, Refused):
        return Taken(item.id, "rejected", error=item.error)
    metrics.receipts_in.labels(channel, item.status).inc()
    return Taken(item.as_written or item.carrier_id or item.ref, "accepted" if next(fresh[channel]) else "duplicate")


def _report(item: Receipt) -> receipts.Report:
    return receipts.Report(item.ref, item.carrier_id, item.status, item.error_code, item.at)
