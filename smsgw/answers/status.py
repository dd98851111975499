"""From a dossier's state to the text that tells it, and the values that fill it in. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from smsgw.dossiers.dossier import Dossier, Status

# Values that only the phone on the dossier gets to see.
PRIVATE = frozenset({"missing", "fee", "tracking", "reason"})

_DAYS = {
    "since": "step_since",
    "received": "received_at",
    "due": "due_at",
    "new_due": "new_due_at",
    "until": "supplement_due_at",
    "finished": "finished_at",
    "returned": "returned_at",
}
_OTHERS: Mapping[str, Callable[[Dossier], str | None]] = {
    "code": lambda dossier: dossier.code,
    "step": lambda dossier: dossier.step_name or None,
    "reason": lambda dossier: _sentence_part(dossier.delay_reason),
    "missing": lambda dossier: _sentence_part(dossier.supplement_note),
    "fee": lambda dossier: f"{dossier.fee_due:,}".replace(",", ".") if dossier.fee_due else None,
    "tracking": lambda dossier: dossier.post_tracking or None,
}

_PLAIN_KEYS = {
    Status.REGISTERED: "registered",
    Status.NOT_ACCEPTED: "not_accepted",
    Status.WITHDRAWN: "withdrawn",
    Status.STOPPED: "stopped",
}


def key(dossier: Dossier, *, private: bool, now: datetime) -> str:
    """Which text tells the dossier's state. `private`: to somebody who may not hear what is the applicant's only."""
    match dossier.status:
        case Status.RECEIVED | Status.IN_PROGRESS:
            return _in_hand(dossier, now)
        case Status.SUPPLEMENT_ASKED if not _sentence_part(dossier.supplement_note):
            return "supplement_unsaid"
        case Status.SUPPLEMENT_ASKED:
            return "supplement_private" if private else "supplement"
        case Status.FEE_ASKED if dossier.fee_paid_at is not None:
            return _in_hand(dossier, now)  # nobody is asked to pay twice
        case Status.FEE_ASKED if not dossier.fee_due:
            return "fee_unsaid"
        case Status.FEE_ASKED:
            return "fee_private" if private else "fee"
        case Status.RESOLVED:
            return _ready(dossier, private=private)
        case Status.RETURNED:
            return "returned" if dossier.returned_at else "returned_no_date"
    return _PLAIN_KEYS[dossier.status]


def values(dossier: Dossier, zone: ZoneInfo, names: Collection[str]) -> dict[str, str | None]:
    """Those of a dossier's values that are named, dates in that time zone as dd/mm/yyyy. None: it does not have it."""
    days = {name: day(getattr(dossier, _DAYS[name]), zone) for name in names if name in _DAYS}
    return days | {name: _OTHERS[name](dossier) for name in names if name in _OTHERS}


def day(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """A moment's day in that time zone, as dd/mm/yyyy."""
    if moment is None:
        return None
    local = moment.astimezone(zone)
    return f"{local.day:02}/{local.month:02}/{local.year}"


def _in_hand(dossier: Dossier, now: datetime) -> str:
    stage = "received" if dossier.status is Status.RECEIVED else "in_progress"
    if dossier.due_at is None:
        return f"{stage}_no_date"
    if dossier.finished_at is not None:
        return stage
    if dossier.due_at >= now:
        return "postponed" if dossier.new_due_at is not None else stage
    # A new date that has passed as well is no news to anybody.
    return "overdue" if dossier.new_due_at is not None and dossier.new_due_at >= now else "overdue_no_date"


def _ready(dossier: Dossier, *, private: bool) -> str:
    if dossier.delivery == "post":
        return "ready_post" if private or not dossier.post_tracking else "ready_post_tracked"
    return "ready_online" if dossier.delivery == "online" else "ready_counter"


def _sentence_part(text: str | None) -> str | None:
    return " ".join((text or "").split()).rstrip(" .") or None
