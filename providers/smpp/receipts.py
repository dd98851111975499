"""Delivery receipts in their usual spellings (SMPP 3.4, appendix B, and what SMSCs make of it).

The text has `id:`, `stat:`, `err:` and `done date:` in any order and case; the optional parameters
`receipted_message_id`, `message_state` and `network_error_code` say the same in numbers, and are believed first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from providers.callbacks import LONGEST_ID
from providers.carrier_ids import Form, canonical
from providers.contract import Receipt, ReceiptStatus
from providers.smpp.pdu import MESSAGE_STATE, NETWORK_ERROR, PAYLOAD, RECEIPTED_ID, Pdu

TYPE, RECEIPT, INTERMEDIATE = 0x3C, 0x04, 0x20  # of esm_class

STATES: Mapping[int, ReceiptStatus] = {
    0: "buffered",  # scheduled
    1: "buffered",  # en route
    2: "delivered",
    3: "expired",
    4: "undelivered",  # deleted
    5: "undelivered",
    6: "buffered",  # accepted
    7: "undelivered",  # the SMSC does not know any more
    8: "rejected",
    9: "undelivered",  # skipped
}
# By the first letters, since these words come with seven letters, eight, or all of them.
WORDS: Mapping[str, ReceiptStatus] = {
    "DELIV": "delivered",
    "EXPIR": "expired",
    "DELET": "undelivered",
    "UNDEL": "undelivered",
    "ACCEP": "buffered",
    "UNKNO": "undelivered",
    "REJEC": "rejected",
    "ENROU": "buffered",
    "SCHED": "buffered",
    "BUFFE": "buffered",
    "BUFFR": "buffered",
    "ACKED": "buffered",
    "FAILE": "undelivered",
    "SKIPP": "undelivered",
}
_NONE = ("", "0", "000", "00", "0000")

# Some SMSCs end the text with the NUL that ends it in their own memory, or leave fields empty before the next one.
_NEXT = r"(?:id|sub|dlvrd|(?:submit|done)[ _]?date|stat|err|text)\s*:"
_FIELD = re.compile(rf"\b(id|stat|err|done[ _]?date)\s*:\s*(?!{_NEXT})([^\s,;\0]+)", re.IGNORECASE)
# A time of SMPP's own (7.1.1), with quarters of hours from UTC.
_ABSOLUTE = re.compile(r"(\d{12})\d(\d\d)([+-])", re.ASCII)
_DATES = ("%y%m%d%H%M", "%y%m%d%H%M%S", "%Y%m%d%H%M%S")


def is_receipt(unit: Pdu) -> bool:
    """Whether a delivered message tells of one of ours. A text that only looks like it may be anybody's."""
    kind = unit.number("esm_class") & TYPE
    return kind in (RECEIPT, INTERMEDIATE) or RECEIPTED_ID in unit.tlvs


def receipt(unit: Pdu, form: Form, zone: ZoneInfo) -> Receipt:
    """The receipt in a unit. `zone`: of the times in its text. Raises ValueError for one that can't be read."""
    said = {key.lower()[:4]: value for key, value in reversed(_FIELD.findall(_text(unit)))}  # the first of each counts
    id = unit.tlvs.get(RECEIPTED_ID, b"").split(b"\0")[0].decode("latin-1") or said.get("id", "")
    if not id:
        raise ValueError("a receipt names no message")
    if len(id) > LONGEST_ID:
        raise ValueError(f"a receipt names a message by more than {LONGEST_ID} characters")
    status = _status(unit, said)
    return Receipt(None, canonical(id, form), status, _error(unit, said), _moment(said.get("done", ""), zone))


def _status(unit: Pdu, said: Mapping[str, str]) -> ReceiptStatus:
    state, word = unit.tlvs.get(MESSAGE_STATE), said.get("stat", "")
    status = STATES.get(int.from_bytes(state)) if state else None
    status = status or WORDS.get(word.upper()[:5])  # a number of the SMSC's own has a word beside it that all know
    if status is None:
        stated = word or (state or b"").hex()
        raise ValueError(f"a receipt has the state {stated!r}; expected one of {', '.join(WORDS)}")
    return "buffered" if unit.number("esm_class") & TYPE == INTERMEDIATE else status


def _error(unit: Pdu, said: Mapping[str, str]) -> str | None:
    if (code := said.get("err", "")) not in _NONE:
        return code[:LONGEST_ID]
    network = unit.tlvs.get(NETWORK_ERROR, b"")
    return str(int.from_bytes(network[1:])) if len(network) == 3 and any(network[1:]) else None


def _moment(date: str, zone: ZoneInfo) -> datetime | None:
    if absolute := _ABSOLUTE.fullmatch(date):
        date, quarters = absolute[1], int(f"{absolute[3]}{absolute[2]}")
        zone_of_it: tzinfo = timezone(timedelta(minutes=15 * quarters)) if abs(quarters) <= 48 else zone
        return _moment_in(date, zone_of_it)
    return _moment_in(date, zone)


def _moment_in(date: str, zone: tzinfo) -> datetime | None:
    for form in _DATES:
        if len(date) == len(datetime(2000, 1, 1, tzinfo=UTC).strftime(form)):
            try:
                return datetime.strptime(date, form).replace(tzinfo=zone)
            except ValueError:
                return None
    return None


def _text(unit: Pdu) -> str:
    octets = unit.fields.get("short_message") or unit.tlvs.get(PAYLOAD, b"")
    return octets.decode("utf-16-be" if unit.number("data_coding") == 8 else "latin-1", "replace")
