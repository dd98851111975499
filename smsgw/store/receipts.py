"""Delivery reports: each is kept once, and counts as soon as its message can take it.

The row of the message is locked before its state is read, here and when a sender settles it, so that of a receipt and
a settlement that meet, the later one always sees the earlier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from smsgw.store.database import insert_new
from smsgw.store.states import FINAL, State, reported
from smsgw.store.tables import outbound, receipt

_SETTLE_WITHIN = timedelta(hours=72)  # a message that the carrier still buffers is waited for so long


@dataclass(frozen=True, slots=True)
class Report:
    """A receipt as a provider read it. At least one of `ref` (our id) and `carrier_id` (theirs) is set."""

    ref: str | None
    carrier_id: str | None
    status: str
    error_code: str | None
    at: datetime | None

    @property
    def subject(self) -> str:
        """What it is about, as the table's key has it."""
        return f"ref:{self.ref}" if self.ref is not None else f"id:{self.carrier_id}"


def record(connection: sa.Connection, channel: str, reports: Sequence[Report], now: datetime) -> list[bool]:
    """Keep receipts and apply those that can be; for each whether it is new."""
    if not reports:
        return []
    new = {
        (subject, status)
        for subject, status in connection.execute(
            insert_new(connection, receipt).returning(receipt.c.subject, receipt.c.status),
            [
                {
                    "channel": channel,
                    "subject": report.subject,
                    "status": report.status,
                    "error_code": report.error_code,
                    "reported_at": report.at,
                    "received_at": now,
                }
                for report in reports
            ],
        )
    }
    _apply(connection, channel, {subject for subject, _ in new}, now)
    fresh = []
    for report in reports:
        key = (report.subject, report.status)
        fresh.append(key in new)
        new.discard(key)  # said twice in one callback, it is new once
    return fresh


def apply_parked(connection: sa.Connection, channel: str, messages: Mapping[str, str | None], now: datetime) -> None:
    """Apply what was reported of messages while they were being sent. `messages`: our id to the carrier's."""
    subjects = [f"ref:{id}" for id in messages]
    subjects += [f"id:{carrier_id}" for carrier_id in messages.values() if carrier_id is not None]
    _apply(connection, channel, subjects, now)


def _apply(connection: sa.Connection, channel: str, subjects: Iterable[str], now: datetime) -> None:
    subjects = list(subjects)
    parked = connection.execute(
        sa.select(receipt.c.subject, receipt.c.status, receipt.c.error_code)
        .where(receipt.c.channel == channel, receipt.c.subject.in_(subjects), receipt.c.outbound_id.is_(None))
        .order_by(receipt.c.received_at)
    ).all()
    if not parked:
        return
    by_message = defaultdict(list)
    messages = _locked(connection, channel, {row.subject for row in parked})
    for row in parked:
        if message := messages.get(row.subject):
            by_message[message].append(row)
    for (id, before), rows in by_message.items():
        _apply_to(connection, channel, id, before, rows, now)


def _locked(connection: sa.Connection, channel: str, subjects: set[str]) -> dict[str, tuple[str, State]]:
    refs = [subject.removeprefix("ref:") for subject in subjects if subject.startswith("ref:")]
    carrier_ids = [subject.removeprefix("id:") for subject in subjects if subject.startswith("id:")]
    rows = connection.execute(
        sa.select(outbound.c.id, outbound.c.carrier_message_id, outbound.c.state)
        .where(
            outbound.c.channel == channel,
            sa.or_(outbound.c.id.in_(refs), outbound.c.carrier_message_id.in_(carrier_ids)),
        )
        .order_by(outbound.c.id)  # as in outbox.settle
        .with_for_update()
    )
    messages = {}
    for id, carrier_id, state in rows:
        messages[f"ref:{id}"] = messages[f"id:{carrier_id}"] = (id, State(state))
    return messages


def _apply_to(
    connection: sa.Connection,
    channel: str,
    id: str,
    before: State,
    rows: Sequence[Any],
    now: datetime,
) -> None:
    state, code = before, None
    for row in rows:
        after = reported(state, row.status)
        if after is None:
            return
        if after is not state:
            state, code = after, row.error_code
    if state is not before:
        final = state in FINAL
        connection.execute(
            sa.update(outbound)
            .where(outbound.c.id == id, outbound.c.state == before)
            .values(
                state=state,
                error_code=code,
                deadline=None if final else now + _SETTLE_WITHIN,
                finished_at=now if final else None,
                submitted_at=sa.func.coalesce(outbound.c.submitted_at, now),
            )
        )
    connection.execute(
        sa.update(receipt)
        .where(receipt.c.channel == channel, receipt.c.subject.in_({row.subject for row in rows}))
        .where(receipt.c.outbound_id.is_(None))
        .values(outbound_id=id)
    )
