"""Which column of a table is what: the number, and what the placeholders `((column))` of a text stand for.

Headings and placeholders are compared without regard to case, accents and punctuation: `((Họ tên))` is `ho_ten`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from smsgw.notices.audience.refusals import AudienceRefused
from smsgw.text.accents import fold

PHONE = "phone"
PHONE_HEADINGS = frozenset(
    {
        PHONE, "phone number", "mobile", "tel", "so dien thoai", "dien thoai", "so dt", "sdt", "dtdd",
        "dien thoai di dong", "so dien thoai di dong", "so di dong", "di dong", "so may", "sodienthoai", "so dtdd",
        "dien thoai lien he", "so dien thoai lien he", "so dt lien he", "sdt lien he", "so dien thoai lien lac",
        "dien thoai nguoi nop", "so dien thoai nguoi nop", "so dt nguoi nop", "sdt nguoi nop",
    }
)  # fmt: skip
NAMED_AT_MOST = 12  # headings that a sentence lists

# A heading may have brackets of its own, as in ((Lệ phí (đồng))).
_PLACEHOLDER = re.compile(r"\(\(([^()]+(?:\([^()]*\)[^()]*)*)\)\)")
_OTHER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """Places count from 0. `values`: for each placeholder's key its place, and the heading as it stands there."""

    phone: int
    phone_heading: str
    values: dict[str, tuple[int, str]]
    width: int


@lru_cache(maxsize=1024)  # the same few names come with every row
def key(name: str) -> str:
    """A heading or placeholder as it is compared."""
    return _OTHER.sub(" ", fold(name).casefold()).strip()


def placeholders(text: str) -> dict[str, str]:
    """The placeholders of a text: their keys, and each as it is written first."""
    found: dict[str, str] = {}
    for name in _PLACEHOLDER.findall(text):
        if key(name):
            found.setdefault(key(name), name.strip())
    return found


def filled(text: str, values: dict[str, str]) -> str:
    """The text with the values, which go by their keys, in the places of its placeholders."""
    return _PLACEHOLDER.sub(lambda found: values.get(key(found[1]), found[0]), text)


def unfinished(text: str) -> bool:
    """Whether brackets are left that begin a placeholder and are none, as ((ten with one bracket or none behind it."""
    return "((" in filled(text, dict.fromkeys(placeholders(text), ""))


def is_heading(cells: Sequence[str]) -> bool:
    """Whether a row names the column of the number."""
    return any(key(cell) in PHONE_HEADINGS for cell in cells)


def columns(headings: Sequence[str], wanted: dict[str, str], most: int) -> Columns:
    """What is where. `wanted`: the text's placeholders. Raises AudienceRefused, with the columns that it is about."""
    if len(headings) > most:
        raise AudienceRefused("columns", limit=most)
    keys = [key(heading) for heading in headings]
    places = {name: keys.index(name) for name in keys if name}
    phone = _phone(headings, keys)
    if missing := [written for name, written in wanted.items() if name not in places and name != PHONE]:
        raise AudienceRefused("missing", columns=listed(missing), there=listed(headings))
    if twice := [headings[places[name]] for name in wanted if keys.count(name) > 1]:
        raise AudienceRefused("twice", columns=listed(twice))
    values = {name: (places.get(name, phone), headings[places.get(name, phone)]) for name in wanted}
    return Columns(phone, headings[phone], values, len(headings))


def listed(names: Collection[str]) -> str:
    """Names for a sentence, not more than can be read."""
    there = [name for name in names if name]
    more = ", ..." if len(there) > NAMED_AT_MOST else ""
    return ", ".join(there[:NAMED_AT_MOST]) + more


def _phone(headings: Sequence[str], keys: Sequence[str]) -> int:
    if keys.count(PHONE) == 1:
        return keys.index(PHONE)
    found = [place for place, name in enumerate(keys) if name in PHONE_HEADINGS]
    if not found:
        raise AudienceRefused("no_phone", columns=listed(headings))
    if len(found) > 1:
        raise AudienceRefused("two_phones", columns=listed([headings[place] for place in found]))
    return found[0]
