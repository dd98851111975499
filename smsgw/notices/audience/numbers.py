"""The number in a cell: whose phone it is, or why no message can go there."""

from __future__ import annotations

import re
from enum import StrEnum

from smsgw.text import phones

_SHORTENED = re.compile(r"\d+(?:[.,]\d+)?E\+?\d+", re.ASCII | re.IGNORECASE)  # 8.49E+10: the digits are gone
_DECIMAL = re.compile(r"\+?\d+\.0", re.ASCII)
_BETWEEN = re.compile(r"[/;,|&]| - | và | or | hoặc ")
_SEPARATORS = re.compile(r"[\s.\-()]")


class NoNumber(StrEnum):
    """Why a cell holds no number that could be read; somebody has to mend it."""

    BLANK = "blank"
    SHORTENED = "shortened"
    SEVERAL = "several"
    UNREADABLE = "no_number"


class Unreachable(StrEnum):
    """A number that is right, and that no SMS of ours reaches."""

    SERVICE = "service"  # a short code or a hotline
    LANDLINE = "landline"
    ABROAD = "abroad"


def number(text: str) -> str | NoNumber | Unreachable:
    """The E.164 digits of a mobile number of the country, or why there are none."""
    text = text.lstrip("'")  # what keeps a spreadsheet program from taking a text for a number
    if not text:
        return NoNumber.BLANK
    if _DECIMAL.fullmatch(text):
        text = text[:-2]
    digits = phones.msisdn(text)
    if digits is None:
        return _no_number(text)
    if not digits.startswith(phones.COUNTRY_CODE):
        return Unreachable.ABROAD
    if phones.takes_texts(digits):
        return digits
    return Unreachable.LANDLINE if digits.startswith("842") else NoNumber.UNREADABLE


def _no_number(text: str) -> NoNumber | Unreachable:
    bare = _SEPARATORS.sub("", text).lstrip("+")
    if phones.is_service(bare):
        return Unreachable.SERVICE
    if _SHORTENED.fullmatch(text):
        return NoNumber.SHORTENED
    if sum(phones.msisdn(part.strip()) is not None for part in _BETWEEN.split(text)) > 1:
        return NoNumber.SEVERAL
    return NoNumber.UNREADABLE
