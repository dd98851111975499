"""The messages in doubt, for those who decide on them: what becomes of each by itself, and which wait for a person."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from smsgw.dispatch.channel import Roads
from smsgw.dispatch.retry import Outlook, outlook
from smsgw.store import pending
from smsgw.store.pending import Doubtful


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message in doubt, and what becomes of it unless a receipt or an official settles it."""

    message: Doubtful
    outlook: Outlook


def listed(connection: sa.Connection, roads: Roads, limit: int) -> list[Doubt]:
    """Messages in doubt, those first that wait for nothing but a decision; of these the oldest first."""
    doubts = [
        Doubt(message, outlook(message, idempotent=roads.honours_ref(message, message.deadline)))
        for message in pending.unresolved(connection, limit)
    ]
    return sorted(doubts, key=lambda doubt: (doubt.outlook != "official", doubt.message.id))
