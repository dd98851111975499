"""What was said between us and the carriers, for some days."""

from __future__ import annotations

import sqlalchemy as sa

from smsgw.store.tables.base import Real, UtcTime, metadata

exchange = sa.Table(
    "exchange",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("outbound_id", sa.Text),
    sa.Column("seconds", Real, nullable=False),
    sa.Column("packed", sa.Text, nullable=False),
    sa.Index("ix_exchange_at", "at", "channel"),
)

callback_group = sa.Table(
    "callback_group",
    metadata,
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("packed", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("at", "channel", "id", name="pk_callback_group"),
)
