"""What a notice comes to, with and without accents: segments, cost, who is left out. Pure."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from smsgw.notices.audience.columns import filled
from smsgw.notices.recipients import Recipient
from smsgw.store.notices import Why
from smsgw.text.accents import joined_plain, unaccented
from smsgw.text.alphabet import Encoding, storable
from smsgw.text.segments import Measure, measure


def worded(text: str, values: dict[str, str], *, accents: bool) -> str:
    """What one person gets."""
    if accents:
        return storable(unicodedata.normalize("NFC", filled(text, values)))
    return joined_plain(filled(_bare(text), {name: unaccented(value) for name, value in values.items()}))


@lru_cache(maxsize=64)  # one text for all of a notice's recipients
def _bare(text: str) -> str:
    return unaccented(text)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A recipient with what their message takes either way."""

    recipient: Recipient
    plain: Measure
    accented: Measure

    def size(self, *, accents: bool) -> Measure:
        return self.accented if accents else self.plain


def weighed(text: str, recipient: Recipient) -> Weighed:
    """What a recipient's message takes without and with accents."""
    plain, accented = (measure(worded(text, recipient.values, accents=accents)) for accents in (False, True))
    return Weighed(recipient, plain, accented)


@dataclass
class Size:
    """All messages one way. `by_segments`: how many messages take so many; `longest`: the phone of the longest."""

    segments: int = 0
    cost: int = 0
    by_encoding: Counter[Encoding] = field(default_factory=Counter)
    by_segments: Counter[int] = field(default_factory=Counter)
    longest: str = ""
    longest_room: tuple[int, int] = (0, 0)  # its segments and units

    def add(self, phone: str, size: Measure, tariff: int) -> None:
        self.segments += size.segments
        self.cost += size.segments * tariff
        self.by_encoding[size.encoding] += 1
        self.by_segments[size.segments] += 1
        if (size.segments, size.units) > self.longest_room:
            self.longest, self.longest_room = phone, (size.segments, size.units)


@dataclass
class Reckoning:
    """A notice in figures. `errors`: faults, of which a row may have several; `by_channel`: recipients.

    `removed`: when its recipients were, as a time in ISO 8601; then `outcomes` says what had become of their messages:
    state, code and how many.
    """

    rows: int = 0
    recipients: int = 0
    duplicates: int = 0
    opted_out: int = 0
    unreachable: int = 0
    errors: int = 0
    by_channel: Counter[str] = field(default_factory=Counter)
    plain: Size = field(default_factory=Size)
    accented: Size = field(default_factory=Size)
    removed: str | None = None
    outcomes: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def removed_at(self) -> datetime | None:
        return datetime.fromisoformat(self.removed) if self.removed else None

    @property
    def wrong(self) -> int:
        """Rows that are left out for their faults."""
        return self.rows - self.recipients - self.duplicates - self.opted_out - self.unreachable

    def size(self, *, accents: bool) -> Size:
        return self.accented if accents else self.plain

    def add(self, weighed: Weighed, channel: str, tariff: int) -> None:
        """Count a recipient who gets a message by a channel of that tariff, in đồng a segment."""
        self.recipients += 1
        self.by_channel[channel] += 1
        self.plain.add(weighed.recipient.phone, weighed.plain, tariff)
        self.accented.add(weighed.recipient.phone, weighed.accented, tariff)

    def leave_out(self, rows: Iterable[Why]) -> None:
        """Count rows that the notice does not go to, by why."""
        counts = Counter(rows)
        self.duplicates += counts["duplicate"]
        self.opted_out += counts["opted_out"]
        self.unreachable += counts["unreachable"]

    def as_json(self) -> str:
        return json.dumps(vars(self) | {"plain": vars(self.plain), "accented": vars(self.accented)})

    @classmethod
    def from_json(cls, document: str) -> Reckoning:
        made: dict[str, Any] = json.loads(document)
        made |= {name: _size(made[name]) for name in ("plain", "accented")}
        return cls(**made | {"by_channel": Counter(made["by_channel"])})


def _size(made: dict[str, Any]) -> Size:
    return Size(
        made["segments"],
        made["cost"],
        Counter(made["by_encoding"]),
        Counter({int(segments): count for segments, count in made["by_segments"].items()}),
        made["longest"],
        (made["longest_room"][0], made["longest_room"][1]),
    )
