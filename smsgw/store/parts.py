"""The parts of messages that went out in several, where the carrier has ids for these and none for the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from smsgw.store.batch import Batch, InsertOrUpdate
from smsgw.store.tables import outbound_part, receipt

_o, _r = outbound_part.c, receipt.c


def owners(connection: sa.Connection, channel: str, carrier_ids: Sequence[str]) -> dict[str, str]:
    """By those of the carrier's ids that are parts', the message of each, by our id."""
    rows = _OWNERS.rows(connection, [(id,) for id in carrier_ids], at_channel=channel) if carrier_ids else ()
    return dict(map(tuple, rows))


_OWNERS = Batch(
    (_o.carrier_message_id,),
    lambda given: (
        sa.select(_o.carrier_message_id, _o.outbound_id)
        .join(given, given.c.carrier_message_id == _o.carrier_message_id)
        .where(_o.channel == sa.bindparam("at_channel"))
    ),
)


def named(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    """Those of these messages whose parts have names."""
    return set(_NAMED.run(connection, [(id,) for id in ids]).scalars()) if ids else set()


_NAMED = Batch(
    (_o.outbound_id,),
    lambda given: sa.select(_o.outbound_id).join(given, given.c.outbound_id == _o.outbound_id),
)


def said(connection: sa.Connection, channel: str, ids: Sequence[str]) -> list[Any]:
    """Every part of these messages with each receipt of it that is kept: our id, the carrier's, status, error code."""
    return _SAID.rows(connection, [(id,) for id in ids], at_channel=channel)


_SAID = Batch(
    (_o.outbound_id,),
    lambda given: (
        sa.select(_o.outbound_id, _o.carrier_message_id, _r.status, _r.error_code)
        .join(given, given.c.outbound_id == _o.outbound_id)
        .outerjoin(receipt, sa.and_(_r.channel == _o.channel, _r.subject == "id:" + _o.carrier_message_id))
        .where(_o.channel == sa.bindparam("at_channel"))
    ),
)


def name(connection: sa.Connection, channel: str, parts: Mapping[str, Sequence[str]]) -> None:
    """Messages went out in parts. `parts`: our id of each to the carrier's ids of its parts; earlier ones are void."""
    if parts:
        forget(connection, parts)
        # A carrier whose ids begin anew means the latest message, of which earlier receipts say nothing.
        names = {name: id for id, names in parts.items() for name in names}
        _DISOWN.run(connection, ((f"id:{name}", id) for name, id in names.items()), at_channel=channel)
        _NAME.run(connection, ((channel, name, id) for name, id in names.items()))


_NAME = InsertOrUpdate(outbound_part)
_DISOWN = Batch(
    (_r.subject, _r.outbound_id),
    lambda given: (
        sa.delete(receipt)
        .where(_r.channel == sa.bindparam("at_channel"), _r.subject.in_(sa.select(given.c.subject)))
        # Those that are nobody's yet came before their message had a name.
        .where(_r.outbound_id.is_not(None))
        .where(sa.tuple_(_r.subject, _r.outbound_id).not_in(sa.select(given.c.subject, given.c.outbound_id)))
    ),
)


def forget(connection: sa.Connection, ids: Iterable[str]) -> None:
    """The carrier's names for parts of these messages mean nothing any more."""
    _FORGET.run(connection, ((id,) for id in ids))


_FORGET = Batch(
    (_o.outbound_id,),
    lambda given: sa.delete(outbound_part).where(_o.outbound_id.in_(sa.select(given.c.outbound_id))),
)
