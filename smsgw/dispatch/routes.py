"""Which channel a message takes. Pure: the settings' routes, and which channels are open."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from smsgw.store.tables import Lane


@dataclass(frozen=True, slots=True)
class Route:
    """Channels for some lanes and numbers, the best one first. `prefixes`: of E.164 digits; none: every number."""

    lanes: frozenset[Lane]
    channels: tuple[str, ...]
    prefixes: tuple[str, ...] = ()

    def serves(self, lane: Lane, recipient: str) -> bool:
        return lane in self.lanes and (not self.prefixes or recipient.startswith(self.prefixes))


class Routes:
    """The routes of the settings, the first that serves a message being its. `default`: for what none serves."""

    def __init__(self, routes: Sequence[Route], default: str) -> None:
        self._routes = routes
        self._default = default

    def candidates(self, lane: Lane, recipient: str, at: str | None = None) -> tuple[str, ...]:
        """The channels for a message, in order. `at`: the one that it is at, or that brought what it replies to."""
        route = next((route.channels for route in self._routes if route.serves(lane, recipient)), ())
        first = (at,) if at is not None else route or (self._default,)
        return tuple(dict.fromkeys((*first, *route)))

    def first(self, lane: Lane, recipient: str, usable: Collection[str], at: str | None = None) -> str:
        """Where a new message goes: the first usable channel, or the first one of all to wait there."""
        candidates = self.candidates(lane, recipient, at)
        return next((name for name in candidates if name in usable), candidates[0])

    def instead(self, lane: Lane, recipient: str, usable: Collection[str], failed: str) -> str | None:
        """Where a message goes whose channel failed; None if no other one can take it now."""
        candidates = self.candidates(lane, recipient, failed)
        return next((name for name in candidates if name in usable and name != failed), None)

    def has_detour(self, name: str) -> bool:
        """Whether any message of a channel could take another one."""
        return any(set(route.channels) - {name} for route in self._routes)
