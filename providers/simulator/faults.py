"""What the simulated carrier does wrong on demand."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field, fields
from typing import Any

SECONDS = ("latency", "retry_after")
LONGEST = 60.0  # seconds


@dataclass
class Faults:
    """Each fault is a share from 0 (never) to 1 (always); `latency` and `retry_after` are seconds."""

    latency: float = 0.0  # before a submission is answered
    retry_after: float = 1.0  # what a 429 asks for
    error_500: float = 0.0  # refused with a server error, nothing taken
    throttle_429: float = 0.0
    cut_before: float = 0.0  # the connection breaks, nothing taken
    cut_after: float = 0.0  # the connection breaks, everything taken
    undelivered: float = 0.0  # the phone can't be reached
    lost_receipts: float = 0.0
    doubled_receipts: float = 0.0
    disordered_receipts: float = 0.0  # the last one comes first, and before the submission is answered
    doubled_inbound: float = 0.0  # a citizen's message is handed over twice
    chance: random.Random = field(default_factory=random.Random, repr=False)

    def happens(self, name: str) -> bool:
        """Throw the dice for one fault."""
        share: float = getattr(self, name)
        return share > 0 and self.chance.random() < share

    def as_dict(self) -> dict[str, float]:
        """All faults by name."""
        return {name: value for name, value in asdict(self).items() if name != "chance"}

    def change(self, values: dict[str, Any]) -> list[tuple[str, str]]:
        """Set some of them; what is wrong with the values, and nothing is set if anything is."""
        known = {item.name for item in fields(self)} - {"chance"}
        wrong = []
        for name, value in values.items():
            most = LONGEST if name in SECONDS else 1.0
            if name not in known:
                wrong.append((name, f"no such fault; there are {', '.join(sorted(known))}"))
            elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
                wrong.append((name, f"must be a number from 0 to {most:g}"))
        if not wrong:
            for name, value in values.items():
                setattr(self, name, float(value))
        return wrong
