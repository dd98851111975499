"""The tables of `schema.sql` as SQLAlchemy knows them; a test proves that the two are the same."""

from smsgw.store.tables.base import Lane, Real, UtcTime, metadata
from smsgw.store.tables.channels import access_key, channel, channel_event, daily, daily_reply, quota
from smsgw.store.tables.exchanges import callback_group, exchange
from smsgw.store.tables.lines import inbound_part, outbound_part, unproved
from smsgw.store.tables.messages import attempt, history, inbound, opt_out, outbound, preference, receipt
from smsgw.store.tables.notices import (
    notice,
    notice_budget,
    notice_event,
    notice_left_out,
    notice_problem,
    notice_recipient,
    notice_sheet,
)
from smsgw.store.tables.officials import audit, audit_head, official, official_session, signin_failure
from smsgw.store.tables.reminders import mark, reminder, switch
from smsgw.store.tables.schedules import run, schedule
from smsgw.store.tables.systems import api_key, api_message, api_request
from smsgw.store.tables.voices import follower, owner, rating, voice
from smsgw.store.tables.zalo import zalo_link, zalo_user

__all__ = [
    "Lane",
    "Real",
    "UtcTime",
    "access_key",
    "api_key",
    "api_message",
    "api_request",
    "attempt",
    "audit",
    "audit_head",
    "callback_group",
    "channel",
    "channel_event",
    "daily",
    "daily_reply",
    "exchange",
    "follower",
    "history",
    "inbound",
    "inbound_part",
    "mark",
    "metadata",
    "notice",
    "notice_budget",
    "notice_event",
    "notice_left_out",
    "notice_problem",
    "notice_recipient",
    "notice_sheet",
    "official",
    "official_session",
    "opt_out",
    "outbound",
    "outbound_part",
    "owner",
    "preference",
    "quota",
    "rating",
    "receipt",
    "reminder",
    "run",
    "schedule",
    "signin_failure",
    "switch",
    "unproved",
    "voice",
    "zalo_link",
    "zalo_user",
]
