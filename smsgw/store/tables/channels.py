"""The channels to the carriers, as all nodes together know them, and the keys to those whose tokens rotate."""

from __future__ import annotations

import sqlalchemy as sa

from smsgw.store.tables.base import Real, UtcTime, metadata

channel = sa.Table(
    "channel",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("resume_at", UtcTime),
    sa.Column("failures", sa.SmallInteger, nullable=False),
    sa.Column("trips", sa.SmallInteger, nullable=False),
    sa.Column("calls", Real, nullable=False),
    sa.Column("failed", Real, nullable=False),
    sa.Column("counted_at", UtcTime, nullable=False),
    sa.Column("allowance", Real, nullable=False),
    sa.Column("allowed_at", UtcTime, nullable=False),
    sa.CheckConstraint("state IN ('open', 'tripped', 'held', 'paused')", name="ck_channel_state"),
)

quota = sa.Table(
    "quota",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("remaining", sa.Integer, nullable=False),
    sa.Column("daily", sa.Integer, nullable=False),
    sa.Column("asked_at", UtcTime, nullable=False),
)

access_key = sa.Table(
    "access_key",
    metadata,
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("access_token", sa.Text),
    sa.Column("refresh_token", sa.Text, nullable=False),
    sa.Column("renewed_at", UtcTime),
    sa.Column("expires_at", UtcTime),
    sa.Column("lease", sa.Text),
    sa.Column("lease_until", UtcTime),
    sa.Column("fault", sa.Text),
    sa.PrimaryKeyConstraint("channel", "origin", name="pk_access_key"),
    sa.CheckConstraint(
        "(access_token IS NULL) = (expires_at IS NULL) AND (access_token IS NULL) = (renewed_at IS NULL)",
        name="ck_access_key_token",
    ),
    sa.CheckConstraint("lease IS NULL OR lease_until IS NOT NULL", name="ck_access_key_lease"),
)

channel_event = sa.Table(
    "channel_event",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("ix_channel_event", "channel", "at"),
)

daily = sa.Table(
    "daily",
    metadata,
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("messages_in", sa.Integer, nullable=False),
    sa.Column("messages_out", sa.Integer, nullable=False),
    sa.Column("delivered", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("cost", sa.BigInteger, nullable=False),
    sa.Column("counted_at", UtcTime, nullable=False),
    sa.PrimaryKeyConstraint("day", "channel", name="pk_daily"),
)

daily_reply = sa.Table(
    "daily_reply",
    metadata,
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("p50", Real),
    sa.Column("p95", Real),
)
