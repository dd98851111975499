"""Notices, whom they go to, what was done with them, and what they take of a budget."""

from __future__ import annotations

import sqlalchemy as sa

from smsgw.store.tables.base import UtcTime, metadata, partial_index

_UNDER_WAY = ("loading", "approved", "sending", "paused")
_STATES = "'loading', 'draft', 'submitted', 'approved', 'sending', 'paused', 'done', 'cancelled'"

notice = sa.Table(
    "notice",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("agency", sa.Text),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("accents", sa.Boolean, nullable=False),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("send_at", UtcTime),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("approver", sa.Text),
    sa.Column("needs_approval", sa.Boolean, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("approved_fingerprint", sa.Text),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("approved_at", UtcTime),
    sa.Column("recipients", sa.Integer, nullable=False),
    sa.Column("segments", sa.BigInteger, nullable=False),
    sa.Column("cost", sa.BigInteger, nullable=False),
    sa.Column("reckoning", sa.Text, nullable=False),
    sa.CheckConstraint(f"state IN ({_STATES})", name="ck_notice_state"),
    sa.CheckConstraint("approver IS NULL OR approver <> author", name="ck_notice_approver"),
    sa.CheckConstraint(
        "state NOT IN ('approved', 'sending', 'paused', 'done')"
        " OR (approved_fingerprint IS NOT NULL AND approved_fingerprint = fingerprint"
        " AND (approver IS NOT NULL OR NOT needs_approval))",
        name="ck_notice_approval",
    ),
    sa.Index("ix_notice_created", "created_at", "id"),
)


def under_way() -> sa.ColumnElement[bool]:
    """Whether something goes on with a notice by itself, in the words of the index that knows those."""
    return notice.c.state.in_(sa.literal_column(f"'{state}'") for state in _UNDER_WAY)


partial_index("ix_notice_under_way", notice.c.state, notice.c.send_at, where=under_way())

notice_sheet = sa.Table(
    "notice_sheet",
    metadata,
    sa.Column("notice_id", sa.Text, primary_key=True),
    sa.Column("last_line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("after_line", sa.Integer, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("fed_to", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name="fk_notice_sheet"),
)

notice_recipient = sa.Table(
    "notice_recipient",
    metadata,
    sa.Column("notice_id", sa.Text, primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("fields", sa.Text, nullable=False),
    sa.Column("message_id", sa.Text, nullable=False),
    sa.Column("waits_for", sa.Text),
    sa.Column("skipped", sa.Text),
    sa.UniqueConstraint("notice_id", "phone", name="uq_notice_recipient_phone"),
    sa.UniqueConstraint("message_id", name="uq_notice_recipient_message"),
    sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name="fk_notice_recipient"),
    sa.CheckConstraint("skipped IS NULL OR waits_for IS NULL", name="ck_notice_recipient_skipped"),
)
partial_index(
    "ix_notice_recipient_waits",
    notice_recipient.c.notice_id,
    notice_recipient.c.line,
    where=notice_recipient.c.waits_for.is_not(None),
)

notice_problem = sa.Table(
    "notice_problem",
    metadata,
    sa.Column("notice_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("heading", sa.Text, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name="fk_notice_problem"),
)

notice_left_out = sa.Table(
    "notice_left_out",
    metadata,
    sa.Column("notice_id", sa.Text, primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("dossier", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name="fk_notice_left_out"),
    sa.CheckConstraint("why IN ('duplicate', 'opted_out', 'unreachable')", name="ck_notice_left_out_why"),
)

notice_event = sa.Table(
    "notice_event",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("notice_id", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("move", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name="fk_notice_event"),
    sa.Index("ix_notice_event", "notice_id", "at"),
)

notice_budget = sa.Table(
    "notice_budget",
    metadata,
    sa.Column("agency", sa.Text, primary_key=True),
    sa.Column("month", sa.Text, primary_key=True),
    sa.Column("segments", sa.BigInteger, nullable=False),
)
