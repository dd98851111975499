"""The tables of `schema.sql` as SQLAlchemy knows them; a test proves that the two are the same."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum

import sqlalchemy as sa
from sqlalchemy.engine import Dialect


class Lane(IntEnum):
    """What a message waits behind: a lower lane always goes first."""

    REPLY = 0
    REMINDER = 1
    NOTICE = 2


class UtcTime(sa.TypeDecorator[datetime]):
    """An aware time, kept as UTC without a zone."""

    impl = sa.TIMESTAMP
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


metadata = sa.MetaData()

inbound = sa.Table(
    "inbound",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("carrier_message_id", sa.Text, nullable=False),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("sent_at", UtcTime),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("kind", sa.Text),
    sa.Column("codes", sa.Text),
    sa.Column("options", sa.Text),
    sa.UniqueConstraint("channel", "carrier_message_id", name="uq_inbound_carrier_message"),
    sa.CheckConstraint("state IN ('answered', 'waiting', 'ignored')", name="ck_inbound_state"),
    sa.Index("ix_inbound_sender", "sender", "received_at"),
)
sa.Index(
    "ix_inbound_waiting",
    inbound.c.received_at,
    sqlite_where=inbound.c.state == "waiting",
    postgresql_where=inbound.c.state == "waiting",
)

outbound = sa.Table(
    "outbound",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("lane", sa.SmallInteger, nullable=False),
    sa.Column("in_reply_to", sa.Text),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("encoding", sa.Text, nullable=False),
    sa.Column("segments", sa.SmallInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("not_before", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.Column("deadline", UtcTime),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("lease", sa.Text),
    sa.Column("carrier_message_id", sa.Text),
    sa.Column("submitted_at", UtcTime),
    sa.Column("finished_at", UtcTime),
    sa.Column("error_code", sa.Text),
    sa.UniqueConstraint("in_reply_to", name="uq_outbound_in_reply_to"),
    sa.ForeignKeyConstraint(["in_reply_to"], ["inbound.id"], name="fk_outbound_in_reply_to"),
    sa.CheckConstraint("lane IN (0, 1, 2)", name="ck_outbound_lane"),
    sa.CheckConstraint("encoding IN ('gsm7', 'ucs2')", name="ck_outbound_encoding"),
    sa.CheckConstraint(
        "state IN ('held', 'queued', 'sending', 'unknown', 'submitted',"
        " 'delivered', 'undelivered', 'expired', 'rejected', 'cancelled')",
        name="ck_outbound_state",
    ),
    sa.CheckConstraint("(state = 'sending') = (lease IS NOT NULL)", name="ck_outbound_lease"),
    sa.CheckConstraint(
        "(deadline IS NULL) = (state IN ('delivered', 'undelivered', 'expired', 'rejected', 'cancelled'))",
        name="ck_outbound_deadline",
    ),
    sa.Index("ix_outbound_recipient", "recipient", "created_at"),
)
for _name, _columns, _where in (
    ("ix_outbound_claim", ("channel", "lane", "not_before", "id"), outbound.c.state == "queued"),
    ("ix_outbound_deadline", ("deadline",), outbound.c.deadline.is_not(None)),
    (
        "ix_outbound_carrier_message",
        ("channel", "carrier_message_id"),
        outbound.c.carrier_message_id.is_not(None),
    ),
):
    sa.Index(_name, *(outbound.c[column] for column in _columns), sqlite_where=_where, postgresql_where=_where)

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("outbound_id", sa.Text, nullable=False),
    sa.Column("number", sa.SmallInteger, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("code", sa.Text),
    sa.Column("detail", sa.Text),
    sa.PrimaryKeyConstraint("outbound_id", "number", "outcome", name="pk_attempt"),
    sa.ForeignKeyConstraint(["outbound_id"], ["outbound.id"], name="fk_attempt_outbound"),
)

receipt = sa.Table(
    "receipt",
    metadata,
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("error_code", sa.Text),
    sa.Column("reported_at", UtcTime),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Column("outbound_id", sa.Text),
    sa.PrimaryKeyConstraint("channel", "subject", "status", name="pk_receipt"),
    sa.ForeignKeyConstraint(["outbound_id"], ["outbound.id"], name="fk_receipt_outbound"),
    sa.CheckConstraint(
        "status IN ('buffered', 'delivered', 'undelivered', 'expired', 'rejected')", name="ck_receipt_status"
    ),
)

preference = sa.Table(
    "preference",
    metadata,
    sa.Column("phone", sa.Text, primary_key=True),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("accents", sa.Boolean, nullable=False),
    sa.Column("updated_at", UtcTime, nullable=False),
    sa.CheckConstraint("language IN ('vi', 'en')", name="ck_preference_language"),
)

channel = sa.Table(
    "channel",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("held_at", UtcTime),
    sa.Column("held_reason", sa.Text),
    sa.Column("resume_at", UtcTime),
    sa.Column("allowance", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
    sa.Column("allowed_at", UtcTime, nullable=False),
)
