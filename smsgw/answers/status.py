"""From a dossier's state to the text that tells it, and the values that fill it in. Pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from smsgw.dossiers.dossier import Dossier, Status

# Values that only the phone on the dossier gets to see.
PRIVATE = ("missing", "fee", "tracking", "reason")

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
        case Status.SUPPLEMENT_ASKED:
            return "supplement_private" if private or not dossier.supplement_note else "supplement"
        case Status.FEE_ASKED if dossier.fee_paid_at is not None:
            return _in_hand(dossier, now)  # nobody is asked to pay twice
        case Status.FEE_ASKED:
            return "fee_private" if private or not dossier.fee_due else "fee"
        case Status.RESOLVED:
            return _ready(dossier, private=private)
        case Status.RETURNED:
            return "returned" if dossier.returned_at else "returned_no_date"
    return _PLAIN_KEYS[dossier.status]


def values(dossier: Dossier, zone: ZoneInfo) -> dict[str, str | None]:
    """What a text may name, dates in that time zone as dd/mm/yyyy. None: the dossier does not have it."""

    def day(moment: datetime | None) -> str | None:
        return f"{moment.astimezone(zone):%d/%m/%Y}" if moment else None

    return {
        "code": dossier.code,
        "step": dossier.step_name or None,
        "since": day(dossier.step_since),
        "received": day(dossier.received_at),
        "due": day(dossier.due_at),
        "new_due": day(dossier.new_due_at),
        "reason": _sentence_part(dossier.delay_reason),
        "missing": _sentence_part(dossier.supplement_note),
        "until": day(dossier.supplement_due_at),
        "fee": f"{dossier.fee_due:,}".replace(",", ".") if dossier.fee_due else None,
        "tracking": dossier.post_tracking or None,
        "returned": day(dossier.returned_at),
    }


def _in_hand(dossier: Dossier, now: datetime) -> str:
    stage = "received" if dossier.status is Status.RECEIVED else "in_progress"
    if dossier.due_at is None:
        return f"{stage}_no_date"
    if dossier.due_at >= now or dossier.finished_at is not None:
        return stage
    # A new date that has passed as well is no news to anybody.
    return "overdue" if dossier.new_due_at is not None and dossier.new_due_at >= now else "overdue_no_date"


def _ready(dossier: Dossier, *, private: bool) -> str:
    if dossier.delivery == "post":
        return "ready_post" if private or not dossier.post_tracking else "ready_post_tracked"
    return "ready_online" if dossier.delivery == "online" else "ready_counter"


def _sentence_part(text: str | None) -> str | None:
    return (text or "").strip().rstrip(".") or None
