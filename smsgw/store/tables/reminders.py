"""Reminders: which rules are on, and who was told what."""

from __future__ import annotations

import sqlalchemy as sa

from smsgw.store.tables.base import UtcTime, metadata, partial_index

switch = sa.Table(
    "reminder_switch",
    metadata,
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("agency", sa.Text, nullable=False),
    sa.Column("is_on", sa.Boolean, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("stock_taken", sa.Boolean, nullable=False),
    sa.PrimaryKeyConstraint("rule", "agency", name="pk_reminder_switch"),
)

reminder = sa.Table(
    "reminder",
    metadata,
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("dossier", sa.Text, nullable=False),
    sa.Column("occasion", sa.Text, nullable=False),
    sa.Column("told_to", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("message", sa.Text),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("sent_on", sa.Text),
    sa.Column("slot", sa.SmallInteger),
    sa.PrimaryKeyConstraint("rule", "dossier", "occasion", "told_to", name="pk_reminder"),
    sa.CheckConstraint(
        "outcome IN ('told', 'past', 'too_old', 'opted_out', 'unreachable')", name="ck_reminder_outcome"
    ),
    sa.CheckConstraint("(message IS NOT NULL) = (outcome = 'told')", name="ck_reminder_message"),
)

mark = sa.Table(
    "onestop_mark",
    metadata,
    sa.Column("onestop", sa.Text, primary_key=True),
    sa.Column("read_to", UtcTime, nullable=False),
)

partial_index("uq_reminder_message", reminder.c.message, where=reminder.c.message.is_not(None), unique=True)
partial_index(
    "uq_reminder_slot",
    reminder.c.recipient,
    reminder.c.sent_on,
    reminder.c.slot,
    where=reminder.c.slot.is_not(None),
    unique=True,
)
