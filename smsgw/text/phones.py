"""Phone numbers: E.164 digits without the plus inside, short codes apart, masked wherever people may read them.

The numbering is that of Viet Nam since the change of 15 September 2018, when mobile numbers of eleven digits got ten
(Ministry of Information and Communications, plan of 22 May 2018); dossiers from before still hold the old ones.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers

COUNTRY, COUNTRY_CODE = "VN", "84"

# Old mobile prefixes without the trunk zero, and what they became.
MIGRATED = {
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
    "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38", "169": "39",
    "186": "56", "188": "58", "199": "59",
}  # fmt: skip

_MOBILE = re.compile(r"84[35789]\d{8}", re.ASCII)
_NATIONAL = re.compile(r"(?:0|(?:\+|00)?84)([35789]\d{8}|2\d{9})", re.ASCII)  # a mobile number, or a fixed line
_OLD_MOBILE = re.compile(r"(?:\+|00)?84(1\d{2})(\d{7})|0(1\d{2})(\d{7})", re.ASCII)
_SUBSCRIBER = re.compile(r"[35789]\d{8}|1[2689]\d{8}", re.ASCII)  # a mobile number whose zero a spreadsheet ate
_HOTLINE = re.compile(r"(?:\+|00)?(?:84|0)?1[89]00\d{4,6}", re.ASCII)  # 1800 and 1900 numbers: companies' hotlines
_WRITTEN = re.compile(r"\(?\+?[\d\s().\-]+", re.ASCII)
_SEPARATORS = re.compile(r"[\s().\-]")
_SHORT_CODE = re.compile(r"[1-9]\d{2,5}", re.ASCII)  # what begins with 0 is the beginning of a longer number

# A run of digits with the separators people use, as long as a phone number or the id of somebody in a chat. Not inside
# a word, a decimal or a dotted or dashed code, so that dossier codes and times stay readable; but behind any label
# ("SDT:"), and behind what is a sign of its own in an address or in JSON (%2B, \n). A mobile number, which no code and
# no time is as long as, wherever it stands. Ids of ours and dates are found first, and left as they are.
_SEPARATED = r"(?:[ .\-+()]|%2[0BbDdEe89]){0,2}\d"
_KEPT = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<!\d)(?:19|20)\d{2}-[01]\d-[0-3]\d(?!\d)"
_IN_TEXT = re.compile(
    rf"(?P<kept>{_KEPT})"
    r"|(?:(?<![A-Za-z0-9%])(?<!\d[.\-:])\+?|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=\\[nrt]))"
    rf"\d(?:{_SEPARATED}){{8,31}}(?!\w|[.\-:]\d)"
    r"|(?<!\d)(?:84|0)[35789]\d{8}(?!\d)",
    re.ASCII,
)
_DOSSIER_TAIL = re.compile(r"\d{6}(?:\d{2})?-\d{4,7}", re.ASCII)
_CHAT_USER = re.compile(r"\b([a-z]{2,12}:)(\d{6,32})\b", re.ASCII)  # as in addresses


def msisdn(text: str) -> str | None:
    """The E.164 digits of a number however it is written, or None for what is no phone number.

    Old eleven-digit mobile numbers come out as the ten-digit ones they became. Hotlines (1800, 1900) are no phones.
    """
    # Carriers and agencies write nearly all numbers in this form.
    if national := _NATIONAL.fullmatch(text):
        return COUNTRY_CODE + national[1]
    return _read(text)


@lru_cache(maxsize=1024)  # one number is read several times for a message, and people write more than one
def _read(text: str) -> str | None:
    if not text.isascii():
        normalised = unicodedata.normalize("NFKC", text)
        # Around a number that was copied there are often marks of direction, which nobody sees.
        text = "".join(character for character in normalised if unicodedata.category(character) != "Cf")
    text = text.strip()
    if not _WRITTEN.fullmatch(text):
        return None
    digits = _SEPARATORS.sub("", text)
    if old := _OLD_MOBILE.fullmatch(digits):
        prefix, rest = (old[1], old[2]) if old[1] else (old[3], old[4])
        digits = f"84{MIGRATED[prefix]}{rest}" if prefix in MIGRATED else digits
    elif _SUBSCRIBER.fullmatch(digits):
        return msisdn("0" + digits)
    # The library takes ten times as long as all else here, and would say the same.
    if national := _NATIONAL.fullmatch(digits):
        return COUNTRY_CODE + national[1]
    return None if _HOTLINE.fullmatch(digits) else _parsed(digits)


def _parsed(digits: str) -> str | None:
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif re.fullmatch(r"84\d{9,10}", digits):
        digits = "+" + digits
    try:
        number = phonenumbers.parse(digits, COUNTRY)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")


def mobile(text: str) -> str | None:
    """The E.164 digits of a mobile number of this country, which can get an SMS; None for any other."""
    number = msisdn(text)
    return number if number and _MOBILE.fullmatch(number) else None


def is_service(digits: str) -> bool:
    """Whether digits are a short code, such as 8188, or a hotline: nobody's phone."""
    return (_SHORT_CODE.fullmatch(digits) or _HOTLINE.fullmatch(digits)) is not None


def national(number: str) -> str:
    """An MSISDN as people here write it, 0912345678; one of another country as it is."""
    return f"0{number.removeprefix(COUNTRY_CODE)}" if number.startswith(COUNTRY_CODE) else number


def takes_texts(number: str) -> bool:
    """Whether an MSISDN can get a text: a mobile number, or one of another country, of which nothing is known."""
    return not number.startswith(COUNTRY_CODE) or _MOBILE.fullmatch(number) is not None


def mask(number: str) -> str:
    """A number as logs may show it: 84912***678. Of one shorter than that no more than half is shown."""
    shown = 8 if len(number) >= 11 else len(number) // 2
    head = shown * 5 // 8
    return f"{number[:head]}***{number[len(number) - (shown - head) :]}"


def mask_all(text: str) -> str:
    """A text with every phone number in it masked; dossier codes, ids and times stay."""
    return _IN_TEXT.sub(_masked, _CHAT_USER.sub(_masked_user, text))


def _masked_user(match: re.Match[str]) -> str:
    return f"{match[1]}***{match[2][-3:]}"


def _masked(match: re.Match[str]) -> str:
    found = match[0]
    if match["kept"] or _DOSSIER_TAIL.fullmatch(found):
        return found
    return mask(re.sub(r"%2\w|\D", "", found))
