"""Which channel a message takes. Pure: the settings' routes, and which channels are open."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from smsgw.store.tables import Lane
from smsgw.text.addresses import scheme


@dataclass(frozen=True, slots=True)
class Route:
    """Channels for some lanes and numbers, the best one first. `prefixes`: of E.164 digits; none: every number."""

    lanes: frozenset[Lane]
    channels: tuple[str, ...]
    prefixes: tuple[str, ...] = ()

    def serves(self, lane: Lane, recipient: str) -> bool:
        return lane in self.lanes and (not self.prefixes or recipient.startswith(self.prefixes))


class Routes:
    """The routes of the settings, the first that serves a message being its. `default`: for what none serves.

    `chats`: by scheme, the channels that know people by ids of their own; to such an id no other one can write.
    """

    def __init__(self, routes: Sequence[Route], default: str, chats: Mapping[str, Sequence[str]] | None = None) -> None:
        self._routes = [replace(route, channels=tuple(dict.fromkeys(route.channels))) for route in routes]
        self._default = default
        self._chats = chats or {}

    def candidates(self, lane: Lane, recipient: str, at: str | None = None) -> tuple[str, ...]:
        """The channels for a message, in order. `at`: the one that it is at, or that brought what it replies to."""
        if chat := scheme(recipient):
            able = self._chats.get(chat) or (at or self._default,)
            return (at, *(name for name in able if name != at)) if at and at in able else tuple(able)
        route = next((route.channels for route in self._routes if route.serves(lane, recipient)), ())
        if at is None:
            return route or (self._default,)
        return tuple(dict.fromkeys((at, *route)))

    def reach(self, recipient: str) -> bool:
        """Whether any channel knows such an address."""
        chat = scheme(recipient)
        return chat is None or chat in self._chats

    def first(self, lane: Lane, recipient: str, usable: Collection[str], at: str | None = None) -> str:
        """Where a new message goes: the first usable channel, or the first one of all to wait there."""
        candidates = self.candidates(lane, recipient, at)
        return next((name for name in candidates if name in usable), candidates[0])

    def firsts(self, lane: Lane, usable: Collection[str]) -> tuple[str, ...]:
        """Where new messages of a lane to phones go, route by route: as long as it is the same, so is each one's."""
        return tuple(next((name for name in way if name in usable), way[0]) for way in self._ways(lane))

    def within_reach(self, lane: Lane, names: Collection[str]) -> frozenset[str]:
        """These channels, and those that messages of a lane may take in their stead: the ones behind them."""
        behind = (way[way.index(name) :] for way in self._ways(lane) for name in names if name in way)
        return frozenset(names).union(*behind)

    def _ways(self, lane: Lane) -> list[tuple[str, ...]]:
        """The channels of each route of a lane to phones."""
        routes = [route for route in self._routes if lane in route.lanes]
        default = [(self._default,)] if all(route.prefixes for route in routes) else []
        return [*(route.channels for route in routes), *default]

    def instead(self, lane: Lane, recipient: str, usable: Collection[str], failed: str) -> str | None:
        """Where a message goes whose channel failed; None if no other one can take it now."""
        candidates = self.candidates(lane, recipient, failed)
        return next((name for name in candidates if name in usable and name != failed), None)

    def after(self, lane: Lane, recipient: str, usable: Collection[str], failed: str) -> str | None:
        """Where a message goes whose channel does not reach the person: to one behind it, or to any if it has no place.

        Never back, so that it does not go in circles. If none of them is usable it waits for the first one.
        """
        order = self.candidates(lane, recipient)
        rest = order[order.index(failed) + 1 :] if failed in order else order
        return next((name for name in rest if name in usable), next(iter(rest), None))

    def detours(self, name: str, usable: Collection[str]) -> frozenset[Lane]:
        """The lanes of which messages that wait at a channel could take another one now."""
        others = frozenset(usable) - {name}
        if any(name in able and others.intersection(able) for able in self._chats.values()):
            return frozenset(Lane)
        ways = (route.lanes for route in self._routes if others.intersection(route.channels))
        return frozenset[Lane]().union(*ways)
