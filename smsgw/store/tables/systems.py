"""Other systems: their keys, what they asked for, and the messages that they sent."""

from __future__ import annotations

import sqlalchemy as sa

from smsgw.store.tables.base import UtcTime, metadata, partial_index

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("agency", sa.Text),
    sa.Column("daily", sa.Integer, nullable=False),
    sa.Column("secret_hash", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("used_at", UtcTime),
    sa.Column("revoked_at", UtcTime),
    sa.UniqueConstraint("secret_hash", name="uq_api_key_secret"),
    sa.CheckConstraint("role IN ('viewer', 'sender')", name="ck_api_key_role"),
)
partial_index("uq_api_key_name", api_key.c.name, where=api_key.c.revoked_at.is_(None), unique=True)

api_request = sa.Table(
    "api_request",
    metadata,
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("made", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("key_id", "name", name="pk_api_request"),
    sa.ForeignKeyConstraint(["key_id"], ["api_key.id"], name="fk_api_request"),
    sa.Index("ix_api_request_at", "at"),
)

api_message = sa.Table(
    "api_message",
    metadata,
    sa.Column("message_id", sa.Text, primary_key=True),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("reference", sa.Text),
    sa.ForeignKeyConstraint(["key_id"], ["api_key.id"], name="fk_api_message"),
    sa.Index("ix_api_message_key", "key_id", "at"),
    sa.Index("ix_api_message_at", "at", "message_id"),
)
partial_index("ix_api_message_reference", api_message.c.reference, where=api_message.c.reference.is_not(None))
