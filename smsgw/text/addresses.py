"""Where a person is written to: a phone (E.164 digits), or `<scheme>:<id>` in a chat that knows its people by ids."""

from __future__ import annotations

import re

from smsgw.text import phones

_CHAT = re.compile(r"([a-z]{2,12}):\d{1,32}", re.ASCII)


def scheme(address: str) -> str | None:
    """Which chat an address is of; None for a phone."""
    if ":" not in address:
        return None
    chat = _CHAT.fullmatch(address)
    return chat[1] if chat else None


def person(address: str, of_scheme: str | None) -> str | None:
    """The address of a person as a carrier wrote it, or None for a machine. `of_scheme`: the carrier's chat, if any."""
    if of_scheme is not None and scheme(address) == of_scheme:
        return address
    return phones.msisdn(address)
