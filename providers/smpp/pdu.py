"""SMPP 3.4 protocol data units and their bytes (specification 3.4 issue 1.2, chapters 4 and 5).

smpplib writes them and reads their fixed fields. Optional parameters (TLVs) are read here: smpplib takes the last
character of an id for the NUL that many an SMSC leaves out, and fails on parameters that a command need not have.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smpplib import command_codes, smpp
from smpplib.exceptions import UnknownCommandError
from smpplib.ptypes import ostr

HEADER = struct.Struct(">4L")  # length, command, status, sequence number
LARGEST = 64 * 1024  # bytes of one
LAST_SEQUENCE = 0x7FFFFFFF
RESPONSE = 0x80000000  # the bit that an answer's command has

RECEIPTED_ID, MESSAGE_STATE, NETWORK_ERROR, PAYLOAD = 0x001E, 0x0427, 0x0423, 0x0424
SAR_REFERENCE, SAR_COUNT, SAR_NUMBER = 0x020C, 0x020E, 0x020F


@dataclass(frozen=True, slots=True)
class Pdu:
    """One unit. `fields` has the fixed ones by the specification's names; `tlvs` the optional ones by their tags."""

    command: str
    status: int
    sequence: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    tlvs: Mapping[int, bytes] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A field of characters."""
        return (self.fields.get(name) or b"").decode("latin-1")

    def number(self, name: str) -> int:
        """A field that is a number; 0 for one that is not there."""
        return int(self.fields.get(name) or 0)


@dataclass
class Unreadable(Exception):
    """A unit whose inside contradicts itself. Its head was readable, so it can be refused by that."""

    head: Pdu
    why: str

    def __str__(self) -> str:
        return f"{self.head.command}: {self.why}"


def written(command: str, sequence: int, status: int = 0, **fields: Any) -> bytes:
    """The bytes of a unit. Values of characters are ASCII and no longer than the specification allows."""
    unit = smpp.make_pdu(command, sequence=sequence, status=status, **fields)
    unit.sequence = sequence  # the constructor takes none, and would count by itself
    raw: bytes = unit.generate()
    return raw


def taken_from(buffer: bytearray) -> bytes | None:
    """The first whole unit of what has come so far, which it then leaves. Raises ValueError for what is no SMPP."""
    if len(buffer) < HEADER.size:
        return None
    length = HEADER.unpack_from(buffer)[0]
    if not HEADER.size <= length <= LARGEST:
        raise ValueError(f"a unit of {length} bytes: this is no SMPP")
    if len(buffer) < length:
        return None
    raw = bytes(buffer[:length])
    del buffer[:length]
    return raw


def read(raw: bytes) -> Pdu:
    """A whole unit. Raises Unreadable; a command that nobody knows is called "unknown", its answer "unknown_resp"."""
    _, code, status, sequence = HEADER.unpack_from(raw)
    try:
        name = command_codes.get_command_name(code)
        unit = smpp.make_pdu(name, sequence=0)
    except UnknownCommandError:
        return Pdu("unknown_resp" if code & RESPONSE else "unknown", status, sequence)
    head, optional = Pdu(name, status, sequence), [b""]
    unit.parse_optional_params = optional.append
    try:
        unit.parse(raw)
    except (struct.error, TypeError) as error:
        raise Unreadable(head, str(error)) from None
    fixed = [param for param in unit.params_order if not unit.field_is_optional(param)]
    fields = {param: value for param in fixed if (value := getattr(unit, param)) is not None}
    # A field without its end is not noticed by smpplib, which goes on reading anywhere.
    size = sum(_size(unit.params[param], value) for param, value in fields.items())
    if HEADER.size + size + len(optional[-1]) != len(raw) or len(fields.get("short_message", b"")) != fields.get(
        "sm_length", 0
    ):
        raise Unreadable(head, "its fields are not as long as they say")
    return Pdu(name, status, sequence, fields, _tlvs(head, optional[-1]))


def _size(param: Any, value: Any) -> int:
    if param.type is int:
        return int(param.size)
    return len(value) + (0 if param.type is ostr else 1)


def _tlvs(head: Pdu, data: bytes) -> dict[int, bytes]:
    found = {}
    while data:
        tag, length = struct.unpack_from(">HH", data) if len(data) >= 4 else (0, len(data))
        if len(data) < 4 + length:
            raise Unreadable(head, "an optional parameter is cut short")
        found[tag] = data[4 : 4 + length]
        data = data[4 + length :]
    return found
