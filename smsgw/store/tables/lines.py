"""What comes and goes by a line that sends a long text in parts and has no ids for what it brings."""

from __future__ import annotations

import sqlalchemy as sa

from smsgw.store.tables.base import UtcTime, metadata

inbound_part = sa.Table(
    "inbound_part",
    metadata,
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("count", sa.SmallInteger, nullable=False),
    sa.Column("number", sa.SmallInteger, nullable=False),
    sa.Column("carrier_message_id", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.PrimaryKeyConstraint("channel", "sender", "recipient", "reference", "count", "number", name="pk_inbound_part"),
    sa.Index("ix_inbound_part_received", "received_at"),
)

unproved = sa.Table(
    "unproved",
    metadata,
    sa.Column("carrier_message_id", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("session", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Index("ix_unproved_digest", "channel", "digest"),
)

outbound_part = sa.Table(
    "outbound_part",
    metadata,
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("carrier_message_id", sa.Text, nullable=False),
    sa.Column("outbound_id", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("channel", "carrier_message_id", name="pk_outbound_part"),
    sa.Index("ix_outbound_part_outbound", "outbound_id"),
)
