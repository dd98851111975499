"""The tables of `schema.sql` as SQLAlchemy knows them; a test proves that the two are the same."""

from smsgw.store.tables.base import Lane, UtcTime, metadata
from smsgw.store.tables.channels import channel, channel_event
from smsgw.store.tables.messages import attempt, history, inbound, opt_out, outbound, preference, receipt
from smsgw.store.tables.zalo import access_key, zalo_link, zalo_user

__all__ = [
    "Lane",
    "UtcTime",
    "access_key",
    "attempt",
    "channel",
    "channel_event",
    "history",
    "inbound",
    "metadata",
    "opt_out",
    "outbound",
    "preference",
    "receipt",
    "zalo_link",
    "zalo_user",
]
