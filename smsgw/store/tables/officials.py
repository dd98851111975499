"""Officials, their sessions, and the log of what they did."""

from __future__ import annotations

import sqlalchemy as sa

from smsgw.store.tables.base import UtcTime, metadata

official = sa.Table(
    "official",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("agency", sa.Text),
    sa.Column("phone", sa.Text),
    sa.Column("password", sa.Text),
    sa.Column("totp_secret", sa.Text),
    sa.Column("totp_step", sa.BigInteger, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("disabled_at", UtcTime),
    sa.UniqueConstraint("name", name="uq_official_name"),
    sa.CheckConstraint("role IN ('viewer', 'sender', 'approver', 'admin')", name="ck_official_role"),
)

official_session = sa.Table(
    "official_session",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("official_id", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("seen_at", UtcTime, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["official_id"], ["official.id"], name="fk_official_session"),
    sa.CheckConstraint("stage IN ('password', 'full')", name="ck_official_session_stage"),
    sa.Index("ix_official_session_official", "official_id"),
    sa.Index("ix_official_session_seen", "seen_at"),
)

signin_failure = sa.Table(
    "signin_failure",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_at", UtcTime, nullable=False),
    sa.Index("ix_signin_failure_last", "last_at"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.UniqueConstraint("previous", name="uq_audit_previous"),
    sa.Index("ix_audit_who", "who", "number"),
)

audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.CheckConstraint("id = 1", name="ck_audit_head_id"),
)
