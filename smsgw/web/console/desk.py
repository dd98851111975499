"""What the console's pages work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from smsgw.clock import Clock
from smsgw.dispatch.channel import Roads
from smsgw.dossiers.source import OneStop
from smsgw.intake.voices import VoiceDesk
from smsgw.notices.audience.lines import Limits
from smsgw.notices.office import Notices
from smsgw.officials.accounts import Accounts
from smsgw.officials.activity import Activity
from smsgw.officials.conversations import Conversations
from smsgw.officials.signing_in import SigningIn
from smsgw.officials.steering import Steering
from smsgw.officials.systems import Systems
from smsgw.reminders.reminders import Reminders
from smsgw.retention.limits import Limits as Kept
from smsgw.store.database import Database
from smsgw.web.openid import Provider


@dataclass(frozen=True, slots=True)
class Desk:
    """The rooms below, as far as pages need them."""

    public_url: str
    timezone: ZoneInfo
    clock: Clock
    database: Database
    onestop: OneStop
    roads: Roads
    accounts: Accounts
    systems: Systems
    signing_in: SigningIn
    conversations: Conversations
    reminders: Reminders
    tariffs: Mapping[str, int]
    steering: Steering
    activity: Activity
    voices: VoiceDesk
    notices: Notices
    limits: Limits
    kept: Kept
    openid: Provider | None
