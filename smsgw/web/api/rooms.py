"""What the views of /api work with."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from smsgw.clock import Clock
from smsgw.dossiers.source import OneStop
from smsgw.intake.clerk import Clerk
from smsgw.notices.audience.lines import Limits
from smsgw.notices.office import Notices
from smsgw.notices.personal import Personal
from smsgw.officials.requests import Requests
from smsgw.officials.systems import Systems
from smsgw.retention.limits import Limits as Kept
from smsgw.store.database import Database


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms below, as far as the views need them. `onestop_url`: for what is read in one go, and seldom."""

    timezone: ZoneInfo
    clock: Clock
    database: Database
    onestop: OneStop
    onestop_url: str
    clerk: Clerk
    notices: Notices
    personal: Personal
    systems: Systems
    requests: Requests
    limits: Limits
    kept: Kept
