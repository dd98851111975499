"""What a carrier says when it brings something, and what we answer, on its way into the trace and the log."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import sqlalchemy as sa

from providers.contract import Inbound, Receipt, Refused, Taken
from providers.exchanges import hidden
from smsgw import metrics
from smsgw.dispatch.channel import Channel
from smsgw.store import callbacks

MOST_TOGETHER = 500  # messages, or reports, in one transaction
LONGEST = 256 * 1024  # characters of a call that are kept: some thousand messages
MOST_NAMED = 3  # kinds of fault of a call's items

Item = TypeVar("Item", Inbound | Refused, Receipt | Refused)

log = logging.getLogger("smsgw.intake")


class Talk(Protocol):
    """A call in hand."""

    def asked(self) -> str:
        """What the carrier said: a line, and below it the body."""

    def answered(self, taken: Sequence[Taken]) -> str:
        """What it is told of what became of each item."""


@dataclass(frozen=True, slots=True)
class Brought(Generic[Item]):
    """What came by a channel at a time. `talk`: how it was said, if that is to be kept."""

    channel: Channel
    items: Sequence[Item]
    talk: Talk | None = None


def size(brought: Brought[Any]) -> int:
    """As how many messages it counts; a call that brings none takes its time, too."""
    return max(1, len(brought.items))


def tell_of_refused(brought: Brought[Any]) -> None:
    """Count the items of a call that can't be taken, and log once which fields are wrong.

    The carrier is told of each, but a program may not listen, and by all else that is watched the call went well.
    """
    name, wrong = brought.channel.name, [item.error for item in brought.items if isinstance(item, Refused)]
    if wrong:
        metrics.callbacks_refused.labels(name, "item").inc(len(wrong))
        told = "; ".join([*dict.fromkeys(wrong)][:MOST_NAMED])
        log.warning("channel %s: rejected %d of %d items: %s", name, len(wrong), len(brought.items), told)


def keep(connection: sa.Connection, brought: Iterable[tuple[Brought[Any], Sequence[Taken]]], now: datetime) -> None:
    """Keep what was said with what came of it; of calls that brought nothing new there is nothing to find them by."""
    said: dict[str, list[callbacks.Callback]] = defaultdict(list)
    secrets: dict[str, Sequence[str]] = {}
    for one, taken in brought:
        if one.talk and any(item.status == "accepted" for item in taken):
            name, answer = one.channel.name, one.talk.answered(taken)
            said[name].append(
                callbacks.Callback([_names(item) for item in one.items], one.talk.asked()[:LONGEST], answer[:LONGEST])
            )
            secrets[name] = one.channel.secrets
    for name, calls in said.items():
        callbacks.keep(connection, name, hidden(callbacks.joined(calls), secrets[name]), now)


def _names(item: Inbound | Receipt | Refused) -> str:
    """What an item is called on the line, and by us."""
    if isinstance(item, Receipt):
        return "\n".join(filter(None, {item.ref, item.carrier_id, item.as_written}))
    return item.id or ""
