"""What citizens tell the agencies: whose progress they follow, how they were served, and what they have to say."""

from __future__ import annotations

import sqlalchemy as sa

from smsgw.store.tables.base import UtcTime, metadata

follower = sa.Table(
    "follower",
    metadata,
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("wanted", sa.Boolean, nullable=False),
    sa.Column("since", UtcTime, nullable=False),
    sa.PrimaryKeyConstraint("phone", "code", name="pk_follower"),
    sa.Index("ix_follower_code", "code"),
)

owner = sa.Table(
    "owner",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("noted_at", UtcTime, nullable=False),
    sa.Index("ix_owner_phone", "phone", "changed_at"),
)

rating = sa.Table(
    "rating",
    metadata,
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("score", sa.SmallInteger, nullable=False),
    sa.Column("agency_code", sa.Text, nullable=False),
    sa.Column("agency_name", sa.Text, nullable=False),
    sa.Column("rated_at", UtcTime, nullable=False),
    sa.PrimaryKeyConstraint("code", "phone", name="pk_rating"),
    sa.CheckConstraint("score BETWEEN 1 AND 5", name="ck_rating_score"),
    sa.Index("ix_rating_rated", "rated_at"),
)

voice = sa.Table(
    "voice",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("code", sa.Text),
    sa.Column("agency_code", sa.Text),
    sa.Column("agency_name", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("answered_by", sa.Text),
    sa.Column("answered_at", UtcTime),
    sa.Column("answer_id", sa.Text),
    sa.Column("closed_by", sa.Text),
    sa.Column("closed_at", UtcTime),
    sa.UniqueConstraint("number", name="uq_voice_number"),
    sa.ForeignKeyConstraint(["id"], ["inbound.id"], name="fk_voice_inbound"),
    sa.CheckConstraint("state IN ('new', 'answered', 'closed')", name="ck_voice_state"),
    sa.CheckConstraint("(answer IS NOT NULL) = (answered_at IS NOT NULL)", name="ck_voice_answer"),
    sa.CheckConstraint("state <> 'answered' OR answer IS NOT NULL", name="ck_voice_answered"),
    sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="ck_voice_closed"),
    sa.Index("ix_voice_inbox", "state", "id"),
)
