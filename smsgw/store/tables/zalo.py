"""People who are known by an id of Zalo's and not by a phone, and which phones they have shown to hold."""

from __future__ import annotations

import sqlalchemy as sa

from smsgw.store.tables.base import UtcTime, metadata, partial_index

zalo_user = sa.Table(
    "zalo_user",
    metadata,
    sa.Column("address", sa.Text, primary_key=True),
    sa.Column("follows", sa.Boolean, nullable=False),
    sa.Column("seen_at", UtcTime, nullable=False),
    sa.Column("phone", sa.Text),
    sa.Column("linked_at", UtcTime),
    sa.CheckConstraint("(phone IS NULL) = (linked_at IS NULL)", name="ck_zalo_user_linked"),
)
partial_index("uq_zalo_user_phone", zalo_user.c.phone, where=zalo_user.c.phone.is_not(None), unique=True)

zalo_link = sa.Table(
    "zalo_link",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("tries", sa.SmallInteger, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.CheckConstraint("state IN ('open', 'used', 'closed')", name="ck_zalo_link_state"),
    sa.CheckConstraint("tries BETWEEN 0 AND 5", name="ck_zalo_link_tries"),
    sa.Index("ix_zalo_link_address", "address", "created_at"),
    sa.Index("ix_zalo_link_phone", "phone", "created_at"),
)
partial_index("uq_zalo_link_open", zalo_link.c.address, where=zalo_link.c.state == "open", unique=True)
