"""What Zalo tells an Official Account: its events, signed over the raw body.

`X-ZEvent-Signature: mac=<hex>`, SHA-256 (no HMAC) over the app's id, the raw body, the event's own timestamp and the
account's secret key, one after the other (Zalo for Developers, "Webhook", 2026). Integrators report events where the
account's id stands in the place of the app's, so that is taken too: nobody can make either without the key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

from providers.callbacks import LONGEST_ID, document
from providers.contract import BadSignature, Callback, Event, Inbound, Malformed, Receipt

SCHEME = "zalo"
# Zalo calls again after 30 s, 5, 15, 30 and 60 min, each time with the event's first timestamp.
OLDEST_EVENT = timedelta(hours=2)
FARTHEST_AHEAD = timedelta(minutes=5)

_SIGNATURE = re.compile(r"\s*mac\s*=\s*([0-9a-f]{64})\s*", re.ASCII | re.IGNORECASE)
_USER = re.compile(r"\d{1,32}", re.ASCII)
_MILLISECONDS = re.compile(r"\d{12,14}", re.ASCII)


def mac(first: str, body: bytes, timestamp: str, secret: str) -> str:
    """The signature of an event. `first`: the app's id, or the account's."""
    return hashlib.sha256(first.encode() + body + timestamp.encode() + secret.encode()).hexdigest()


def read(callback: Callback, app_id: str, secret: str, now: datetime) -> dict[str, Any]:
    """An event whose signature is right. Raises CallbackError."""
    given = _SIGNATURE.fullmatch(callback.headers.get("x-zevent-signature", ""))
    if given is None:
        raise BadSignature("X-ZEvent-Signature is missing or is not mac=<hex>")
    event = document(callback)
    timestamp = str(event.get("timestamp", ""))
    if not _MILLISECONDS.fullmatch(timestamp):
        raise Malformed([("timestamp", "must be milliseconds since 1970")])
    signatures = [mac(first, callback.body, timestamp, secret) for first in (app_id, *_accounts(event))]
    if not any(hmac.compare_digest(signature, given[1].lower()) for signature in signatures):
        raise BadSignature("X-ZEvent-Signature does not match the body")
    if not now - OLDEST_EVENT <= _time(event) <= now + FARTHEST_AHEAD:
        raise BadSignature("the event is of another time")
    return event


def inbound(event: dict[str, Any]) -> list[Inbound]:
    """What a person did: wrote, sent a picture or the like (which is a text without words), came or went."""
    match event:
        case {"event_name": "follow" | "unfollow" as name, "follower": {"id": user}}:
            person, account = _person(user, "follower.id"), _id(event.get("oa_id")) or ""
            # These have no id of their own, and a person can't come twice in a millisecond.
            return [_inbound(f"{name}:{person}:{event['timestamp']}", person, account, "", event, name)]
        case {"event_name": str(name), "sender": {"id": user}, "message": dict(message)} if name.startswith(
            "user_send"
        ):
            said, text = _id(message.get("msg_id")), message.get("text", "")
            if said is None:
                raise Malformed([("message.msg_id", f"must be a string of up to {LONGEST_ID} printable characters")])
            if not isinstance(text, str):
                raise Malformed([("message.text", "must be a string")])
            reached = event.get("recipient")
            to = _id(reached.get("id")) or "" if isinstance(reached, dict) else ""
            return [_inbound(said, _person(user, "sender.id"), to, text if name == "user_send_text" else "", event)]
        case {"event_name": "user_send_text" | "follow" | "unfollow" as name}:
            where = "sender, message" if name == "user_send_text" else "follower"
            raise Malformed([(where, f"is missing or no object, which {name} needs")])
    return []


def receipts(event: dict[str, Any]) -> list[Receipt]:
    """That messages arrived: of a chat with their ids, of a ZNS notification with our own id too."""
    match event:
        case {"event_name": "user_received_message" | "user_seen_message", "message": dict(message)}:
            seen = message.get("msg_ids")
            ids = [*seen] if isinstance(seen, list) else [message.get("msg_id")]
            arrived = str(message.get("delivery_time", ""))
            at = _moment(arrived if _MILLISECONDS.fullmatch(arrived) else event["timestamp"])
            return [
                Receipt(_id(message.get("tracking_id")), one, "delivered", at=at)
                for one in map(_id, ids)
                if one is not None
            ]
    return []


def _inbound(id: str, person: str, to: str, text: str, event: dict[str, Any], name: Event = "text") -> Inbound:
    # Apple's keyboards send letters and marks apart.
    return Inbound(id, person, to, unicodedata.normalize("NFC", text), _time(event), name)


def _person(user: Any, where: str) -> str:
    if not isinstance(user, str) or not _USER.fullmatch(user):
        raise Malformed([(where, "must be a Zalo user's id, which is digits")])
    return f"{SCHEME}:{user}"


def _id(value: Any) -> str | None:
    """An id of a message or an account; None for what is none, or what no database would take for one."""
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable() else None


def _accounts(event: dict[str, Any]) -> list[str]:
    """Where an event may have the account's id: which end it is depends on who told whom."""
    ends = (event.get(end) for end in ("sender", "recipient"))
    ids = (event.get("oa_id"), *(end.get("id") for end in ends if isinstance(end, dict)))
    return [id for id in ids if isinstance(id, str) and _USER.fullmatch(id)]


def _time(event: dict[str, Any]) -> datetime:
    return _moment(event["timestamp"])


def _moment(milliseconds: str | int) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
