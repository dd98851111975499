"""Messages in and out, what carriers reported of them, and how people want to be written to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from smsgw.store.tables.base import UtcTime, metadata, partial_index

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
    sa.Column("misses", sa.SmallInteger, nullable=False, server_default="0"),
    sa.UniqueConstraint("channel", "carrier_message_id", name="uq_inbound_carrier_message"),
    sa.CheckConstraint("state IN ('answered', 'waiting', 'ignored')", name="ck_inbound_state"),
    sa.Index("ix_inbound_sender", "sender", "received_at"),
    sa.Index("ix_inbound_received", "received_at"),
)
FINAL_STATES = "'delivered', 'undelivered', 'expired', 'rejected', 'cancelled'"


def _message_columns() -> list[sa.Column[Any]]:
    """What a message to a citizen has, live or in history."""
    return [
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
        sa.Column("carrier_message_id", sa.Text),
        sa.Column("submitted_at", UtcTime),
        sa.Column("error_code", sa.Text),
    ]


outbound = sa.Table(
    "outbound",
    metadata,
    *_message_columns(),
    sa.Column("not_before", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.Column("deadline", UtcTime, nullable=False),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("doubts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("lease", sa.Text),
    sa.Column("tried_at", UtcTime),
    sa.Column("finished_at", UtcTime),
    sa.ForeignKeyConstraint(["in_reply_to"], ["inbound.id"], name="fk_outbound_in_reply_to"),
    sa.CheckConstraint("lane IN (0, 1, 2)", name="ck_outbound_lane"),
    sa.CheckConstraint("encoding IN ('gsm7', 'ucs2')", name="ck_outbound_encoding"),
    sa.CheckConstraint(
        f"state IN ('held', 'queued', 'sending', 'unknown', 'submitted', {FINAL_STATES})", name="ck_outbound_state"
    ),
    sa.CheckConstraint("(state = 'sending') = (lease IS NOT NULL)", name="ck_outbound_lease"),
    sa.CheckConstraint(f"(finished_at IS NOT NULL) = (state IN ({FINAL_STATES}))", name="ck_outbound_finished"),
    sa.Index("ix_outbound_deadline", "state", "deadline"),
    sa.Index("ix_outbound_recipient", "recipient", "created_at"),
)

history = sa.Table(
    "outbound_history",
    metadata,
    *_message_columns(),
    sa.Column("attempts", sa.SmallInteger, nullable=False),
    sa.Column("doubts", sa.SmallInteger, nullable=False),
    sa.Column("finished_at", UtcTime, nullable=False),
    sa.UniqueConstraint("in_reply_to", name="uq_outbound_history_in_reply_to"),
    sa.ForeignKeyConstraint(["in_reply_to"], ["inbound.id"], name="fk_outbound_history_in_reply_to"),
    sa.CheckConstraint(f"state IN ({FINAL_STATES})", name="ck_outbound_history_state"),
    sa.Index("ix_outbound_history_recipient", "recipient", "created_at"),
)

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("outbound_id", sa.Text, nullable=False),
    sa.Column("number", sa.SmallInteger, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("code", sa.Text),
    sa.Column("detail", sa.Text),
    sa.PrimaryKeyConstraint("outbound_id", "number", "outcome", name="pk_attempt"),
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
    sa.CheckConstraint(
        "status IN ('buffered', 'delivered', 'undelivered', 'expired', 'rejected')", name="ck_receipt_status"
    ),
)


def names_several(codes: sa.ColumnElement[str | None]) -> sa.ColumnElement[bool]:
    """Whether a message is about more than one dossier, in the words of the index that knows those."""
    return sa.func.replace(codes, sa.text("' '"), sa.text("''")) != codes


partial_index("ix_inbound_codes", inbound.c.codes, where=inbound.c.codes.is_not(None))
partial_index("ix_inbound_several", inbound.c.received_at, where=names_several(inbound.c.codes))
partial_index("ix_inbound_waiting", inbound.c.received_at, where=inbound.c.state == "waiting")
partial_index(
    "ix_outbound_claim",
    outbound.c.channel,
    outbound.c.lane,
    outbound.c.not_before,
    outbound.c.id,
    where=outbound.c.state == "queued",
)
partial_index("uq_outbound_in_reply_to", outbound.c.in_reply_to, where=outbound.c.in_reply_to.is_not(None), unique=True)
for _table in (outbound, history):
    partial_index(
        f"ix_{_table.name}_carrier_message",
        _table.c.channel,
        _table.c.carrier_message_id,
        where=_table.c.carrier_message_id.is_not(None),
    )
partial_index("ix_receipt_parked", receipt.c.received_at, where=receipt.c.outbound_id.is_(None))
partial_index("ix_receipt_outbound", receipt.c.outbound_id, where=receipt.c.outbound_id.is_not(None))

preference = sa.Table(
    "preference",
    metadata,
    sa.Column("phone", sa.Text, primary_key=True),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("accents", sa.Boolean, nullable=False),
    sa.Column("updated_at", UtcTime, nullable=False),
    sa.CheckConstraint("language IN ('vi', 'en')", name="ck_preference_language"),
)

opt_out = sa.Table(
    "opt_out",
    metadata,
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("since", UtcTime, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("phone", "purpose", name="pk_opt_out"),
    sa.CheckConstraint("purpose IN ('reminder', 'notice')", name="ck_opt_out_purpose"),
)
