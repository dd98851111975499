"""What carriers called us with and were answered: kept for a week, and found by the message.

Callbacks of a channel that are committed together are one row, found by its channel and time, which are those of the
messages and receipts that came of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from smsgw.store.history import message
from smsgw.store.ids import new_id
from smsgw.store.packing import packed, unpacked
from smsgw.store.tables import callback_group, inbound, receipt
from smsgw.text.alphabet import storable
from smsgw.text.excerpt import about
from smsgw.text.phones import mask_all

_CALL, _FIELD, _ITEM, _NAME = (
    "\x1d\x1e\x1f\n"  # what stands between these; JSON would cost twice as much as all the rest
)

_g = callback_group.c
_KEEP = sa.insert(callback_group)


@dataclass(frozen=True, slots=True)
class Callback:
    """One call of a carrier, and our answer. `names`: for each message or receipt, its names on the line, by lines."""

    names: Sequence[str]
    request: str
    answer: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What was said of one message in a call, with when and where."""

    channel: str
    at: datetime
    request: str
    answer: str


def joined(callbacks: Iterable[Callback]) -> str:
    """Calls as one text, in which what nobody may read can still be masked."""
    return _CALL.join(
        _FIELD.join((_ITEM.join(map(_name, callback.names)), _line(callback.request), _line(callback.answer)))
        for callback in callbacks
    )


def keep(connection: sa.Connection, channel: str, calls: str, now: datetime) -> None:
    """Keep joined calls. `now`: the time at which what came of them is written down."""
    connection.execute(_KEEP, {"at": now, "channel": channel, "id": new_id(), "packed": packed(calls)})


def of_message(connection: sa.Connection, id: str) -> list[Kept]:
    """The calls that brought a message (MO) or its receipts (MT), or what a reply answers; the oldest first."""
    found: dict[tuple[datetime, str], set[str]] = {}
    for at, channel, name in _brought(connection, id):
        found.setdefault((at, channel), set()).add(name)
    return [kept for (at, channel), names in sorted(found.items()) for kept in _kept(connection, at, channel, names)]


def _brought(connection: sa.Connection, id: str) -> Iterator[tuple[datetime, str, str]]:
    """When and by which channel all came that is about a message, and its name there."""
    answered = sa.select(message.c.in_reply_to).where(message.c.id == id)
    came = sa.select(inbound.c.received_at, inbound.c.channel, inbound.c.carrier_message_id).where(
        sa.or_(inbound.c.id == id, inbound.c.id.in_(answered))
    )
    for at, channel, name in connection.execute(came):
        yield at, channel, name
    reported = sa.select(receipt.c.received_at, receipt.c.channel, receipt.c.subject).where(receipt.c.outbound_id == id)
    for at, channel, subject in connection.execute(reported):
        yield at, channel, subject.partition(":")[2]


def _kept(connection: sa.Connection, at: datetime, channel: str, names: set[str]) -> Iterator[Kept]:
    rows = connection.scalars(sa.select(_g.packed).where(_g.at == at, _g.channel == channel).order_by(_g.id))
    for callback in (callback for group in rows for callback in _calls(group)):
        ours = [item for item in callback.names if names.intersection(item.split(_NAME))]
        if ours:
            yield Kept(channel, at, _part(callback, ours, callback.request), _part(callback, ours, callback.answer))


def _part(callback: Callback, ours: Sequence[str], said: str) -> str:
    """What was said of these items. An official may see this citizen's messages, and not those that came with them."""
    if len(ours) < len(callback.names):
        names, every = ({name for item in items for name in item.split(_NAME)} for items in (ours, callback.names))
        said = about(said, names, every - names)
    return mask_all(storable(said))


def _calls(group: str) -> Iterator[Callback]:
    for call in unpacked(group).split(_CALL):
        names, request, answer = call.split(_FIELD)
        yield Callback(names.split(_ITEM), request, answer)


def _name(said: str) -> str:
    return _line(said).replace(_ITEM, " ")


def _line(said: str) -> str:
    return said.replace(_CALL, " ").replace(_FIELD, " ")
