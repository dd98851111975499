"""Reading what carriers call us with: forms, JSON, required fields, and keys in the address."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from providers.contract import BadSignature, Callback, Malformed

LONGEST_ID = 255  # characters of an id, a number or the like
MOST_FIELDS = 100
VIETNAM = timezone(timedelta(hours=7))
_WITH_COUNTRY = re.compile(r"[1-9]\d{9,14}", re.ASCII)


def form(callback: Callback) -> dict[str, str]:
    """The fields of a form that was posted, or of the query where nothing was."""
    if callback.method != "POST":
        return dict(callback.query)
    try:
        pairs = parse_qsl(
            callback.body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError:
        raise Malformed([("body", f"must be a form in UTF-8 with at most {MOST_FIELDS} fields")]) from None
    return dict(pairs)


def raw_query(callback: Callback) -> dict[str, bytes]:
    """The query of the address as bytes, for carriers that write it in a charset of the message's."""
    query = urlsplit(callback.url).query
    return {
        name: value.encode("latin-1") for name, value in parse_qsl(query, keep_blank_values=True, encoding="latin-1")
    }


def document(callback: Callback) -> dict[str, Any]:
    """The JSON object that was posted."""
    try:
        read = json.loads(callback.body)
    except (ValueError, RecursionError):
        raise Malformed([("body", "must be JSON")]) from None
    if not isinstance(read, dict):
        raise Malformed([("body", "must be a JSON object")])
    return read


def required(fields: Mapping[str, Any], *names: str, text: str | None = None) -> dict[str, str]:
    """These fields as texts; numbers, which some carriers send bare, become such.

    `text` names the one that holds what the citizen wrote and may be of any length, also empty.
    """
    values, wrong = {}, []
    for name in (*names, *((text,) if text else ())):
        value = fields.get(name)
        value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(value, str):
            wrong.append((name, "must be a text" if name in fields else "is missing"))
        elif name != text and not (0 < len(value) <= LONGEST_ID and value.isprintable()):
            wrong.append((name, f"must have 1 to {LONGEST_ID} characters, all of them printable"))
        else:
            values[name] = value
    if wrong:
        raise Malformed(wrong)
    return values


def optional(fields: Mapping[str, Any], name: str) -> str | None:
    """A field that may be missing, and is of no use if it is not a short text or a number."""
    value = fields.get(name)
    if isinstance(value, str | int) and not isinstance(value, bool) and str(value).isprintable():
        return str(value)[:LONGEST_ID] or None
    return None


def international(number: str) -> str:
    """A number of which the carrier says that it has its country's code, with the plus that tells us so.

    A name, a short code, and what can't have one whatever is said of it, such as +0912345678, are without it.
    """
    bare = number.removeprefix("+")
    return f"+{bare}" if _WITH_COUNTRY.fullmatch(bare) else bare


def dialled(number: str) -> str:
    """A number of which the carrier says by a plus that it has its country's code; else as it came."""
    return international(number) if number.startswith("+") else number


def moment(value: object, form: str, zone: timezone = VIETNAM) -> datetime | None:
    """A carrier's time by a form of `strptime`; None for one that is not of that form, which costs no message."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.strptime(value, form)  # noqa: DTZ007 - it gets its zone in the next line
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def check_key(callback: Callback, key: str) -> None:
    """For carriers that sign nothing: the address that they were told has `?key=...` in it. Raises BadSignature."""
    if not hmac.compare_digest(callback.query.get("key", "").encode(), key.encode()):
        raise BadSignature("the key in the address is missing or wrong")


def check(signature: str, given: str, what: str) -> None:
    """Compare a signature in constant time. Raises BadSignature. `what`: where it stood, for the log."""
    if not given:
        raise BadSignature(f"{what} is missing")
    if not hmac.compare_digest(signature.encode(), given.encode("utf-8", "replace")):
        raise BadSignature(f"{what} does not match")
