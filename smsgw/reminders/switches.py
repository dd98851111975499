"""Where a rule is on. An agency's own switch outranks the one for everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from smsgw.store import reminders
from smsgw.store.reminders import EVERYWHERE, Switch


@dataclass(frozen=True, slots=True)
class Switches:
    """All switches as they stood when they were read."""

    rows: Mapping[tuple[str, str], Switch]

    @classmethod
    def read(cls, connection: sa.Connection) -> Switches:
        return cls(reminders.switches(connection))

    def of(self, rule: str, agency: str) -> Switch | None:
        """The switch that counts for an agency; None for a rule that no scheduler has seen yet."""
        return self.rows.get((rule, agency)) or self.rows.get((rule, EVERYWHERE))

    def on(self, rule: str, agency: str) -> bool:
        """Whether a rule is on in an agency."""
        switch = self.of(rule, agency)
        return switch is not None and switch.is_on

    def since(self, rule: str, agency: str) -> datetime | None:
        """Since when a rule tells an agency's citizens; None if it is off, or what was so before is not known yet."""
        switch = self.of(rule, agency)
        return switch.changed_at if switch is not None and switch.is_on and switch.stock_taken else None

    def anywhere(self, rule: str) -> bool:
        """Whether a rule is on in any agency."""
        return any(switch.is_on for switch in self.of_rule(rule))

    def of_rule(self, rule: str) -> list[Switch]:
        """The switches of a rule, the one for everywhere first."""
        return sorted((item for item in self.rows.values() if item.rule == rule), key=lambda item: item.agency)
