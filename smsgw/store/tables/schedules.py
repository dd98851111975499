"""What is done again and again, and the runs of it."""

from __future__ import annotations

import sqlalchemy as sa

from smsgw.store.tables.base import UtcTime, metadata, partial_index

schedule = sa.Table(
    "schedule",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("next_due", UtcTime, nullable=False),
)

run = sa.Table(
    "schedule_run",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("schedule", sa.Text, nullable=False),
    sa.Column("due_at", UtcTime, nullable=False),
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime),
    sa.Column("lease", sa.Text, nullable=False),
    sa.Column("leased_until", UtcTime, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("told", sa.Integer, nullable=False),
    sa.Column("withheld", sa.Integer, nullable=False),
    sa.Column("problem", sa.Text),
    sa.UniqueConstraint("schedule", "due_at", name="uq_schedule_run"),
    sa.Index("ix_schedule_run_started", "started_at"),
)

partial_index("uq_schedule_run_open", run.c.schedule, where=run.c.ended_at.is_(None), unique=True)
