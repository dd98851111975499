"""What a text has that was meant to be a dossier code and is none, so that its sender can be told."""

from __future__ import annotations

import re
from enum import Enum

LETTERS = "AC-HJKMNP-RT-Z"  # what can't be taken for a digit

# A fixed line behind its zero, as "296) 3852 345": an area of two or three digits, and ten in all. Behind the area
# stands no 0 or 1, with which months begin: so hardly any can be a unit and a date.
FIXED_LINE = r"2(?:[48]\)?[ .-]{0,2}[2-8](?:[ .-]?\d){7}|(?:0[3-9]|[1-35-79]\d)\)?[ .-]{0,2}[2-8](?:[ .-]?\d){6})(?!\d)"

# Twelve digits of a citizen, in one group or several: province, sex with century. Where the second and third of three
# groups begin with 00, these are the ordinals of three dossiers.
CITIZEN_NUMBER = (
    r"0\d\d(?:[ .]?[0-3]\d{8}|[0-3]\d\d[ .]\d{6}|[ .][0-3]\d\d(?:[ .]\d{3}){2}"
    r"|[0-3][ .](?!00)\d{4}[ .](?!00)\d{4}|[0-3]\d[ .]\d{5}[ .]\d\d)"
)

_PROCEDURE = re.compile(r"(?<![\d.])\d\.\d{6}(?!\d)")
_POSTAL = re.compile(r"(?<![A-Z0-9])[A-Z]{2}[ ]?\d{9}[ ]?VN(?![A-Z0-9])")  # by the postal union's standard S10
_AGENCY = rf"(?<![A-Z0-9])[{LETTERS}](?:\d[\dOIL]|O\d)"
_MONTH = r"(?:0[1-9]|1[0-2])"
_DAY_LIKE = rf"(?:[12]\d{_MONTH}(?:[0-2]\d|3[01])|(?:[0-2]\d|3[01]){_MONTH}[12]\d)"  # year first, or day first
# Nine digits behind an agency are an old identity number; a code lacks one if it begins with a day.
_CITIZEN_ID = re.compile(
    rf"(?<!\d)(?!84)(?:(?:\d{{3}}[ .]?){{3}}\d{{3}}|{CITIZEN_NUMBER})(?!\d)"
    r"|\b(?:CMND|CMT|CCCD|CAN CUOC)\b\W*(?:SO\b\W*)?(?:\d{3}[ .]?){3}(?!\d)"
    rf"|{_AGENCY}(?:[^A-Z0-9]{{1,3}}\d{{2,3}}){{0,3}}[^A-Z0-9]{{1,3}}(?!{_DAY_LIKE})(?:\d{{3}}[ .]?){{3}}(?!\d)"
)
_NOT_AN_AGENCY = r"(?!(?<=^[A-Z])|(?<=[^A-Z0-9][A-Z]))"  # H01 30 180806 is no 01 30 180806
_PHONE = re.compile(
    rf"(?<!\d){_NOT_AN_AGENCY}(?:0|\+?84)[ .]?\d(?:[ .]?\d){{8,9}}(?![\d-])"
    r"|(?<!\d)0(?:\d{3}-\d{3}-\d{3}|\d{2}-\d{3}-\d{4})(?!\d)"
    rf"|(?<!\d)(?:0|84[ .]?){FIXED_LINE}"
)
_TAIL = re.compile(r"(?<!\d)(?:\d{6}|\d{8})[^A-Z0-9]{0,3}\d{1,7}(?!\d)|^\W*(?:(?:SO|STT)\W+)*(?:\d\W*){1,15}$")
_HEAD_ONLY = re.compile(rf"{_AGENCY}(?:(?:[^A-Z0-9]{{1,3}}\d{{2,9}}){{1,4}}(?![A-Z0-9])|\W*$)")


class Hint(Enum):
    """What a text has in place of a code."""

    NOTHING = "nothing that looks like one"
    PART = "a part of one only: its end without the agency, or the agency without the end"
    PROCEDURE = "the number of a procedure"
    CITIZEN_ID = "a citizen's identity number"
    PHONE = "a phone number"
    POSTAL = "the number of a letter or parcel"


def hint(text: str) -> Hint:
    """What there is in place of a code. `text`: as it is read, in upper case without accents."""
    for kind, pattern in (
        (Hint.PROCEDURE, _PROCEDURE),
        (Hint.POSTAL, _POSTAL),
        (Hint.CITIZEN_ID, _CITIZEN_ID),
        (Hint.PHONE, _PHONE),
        (Hint.PART, _TAIL),
        (Hint.PART, _HEAD_ONLY),
    ):
        if pattern.search(text):
            return kind
    return Hint.NOTHING
