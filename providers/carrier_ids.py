"""Carriers' message ids in one spelling, so that a receipt finds its message.

Many a carrier names a message one way when it takes it and another way in its receipt: in other case, without leading
zeros, in hexadecimal here and in decimal there (SMPP 3.4 leaves the form of `message_id` to the SMSC).
"""

from __future__ import annotations

from typing import Literal

Form = Literal["exact", "caseless", "decimal", "hexadecimal"]

_BASES = {"decimal": 10, "hexadecimal": 16}


def canonical(id: str, form: Form) -> str:
    """An id in the spelling that all forms of it share; what is not of that form stays as it is, to the letter."""
    if form == "exact":
        return id
    if form == "caseless":
        return id.strip().lower()
    digits = id.strip()
    try:
        # int() takes signs, underscores and digits of every script, which no carrier's number has.
        return str(int(digits, _BASES[form])) if digits.isascii() and digits.isalnum() else id
    except ValueError:
        return id
