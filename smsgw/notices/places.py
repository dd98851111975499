"""Whom of a notice's list to queue next by each channel that has room. Pure.

Who has a channel that is full is passed over, however many they are, and those behind them go on by another. Where the
next one of each channel stands is remembered, so that nobody who was passed over is read again before there is room.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from smsgw.dispatch.channel import Channel
from smsgw.store.notices import Addressee


@dataclass(frozen=True, slots=True)
class Places:
    """Where a node is in a list: the line of each channel up to which nobody waits for it.

    `ways`: the channels that notices took meanwhile, route by route. When they take others it begins anew.
    """

    ways: tuple[str, ...]
    lines: Mapping[str, int] = field(default_factory=dict)

    def first(self, room: Collection[str]) -> int:
        """The line after which the next one of these channels stands."""
        return min(self.lines.get(name, 0) for name in room)

    def choose(
        self, page: Sequence[Addressee], end: int, road: Callable[[str], Channel], room: dict[str, int]
    ) -> Chosen:
        """Those of a page from `first` on whose channel has room, and the places behind them. `end`: the page's line.

        What they take of the room is gone from it, and a channel that is full is no longer there.
        """
        free, filled_at = [*room], dict[str, int]()
        chosen: list[tuple[Addressee, Channel]] = []
        passed_over: dict[int, str] = {}
        for item in page:
            channel = road(item.phone)
            if channel.name not in room:
                passed_over[item.line] = channel.name
            else:
                chosen.append((item, channel))
                room[channel.name] -= 1
                if not room[channel.name]:
                    del room[channel.name]
                    filled_at[channel.name] = item.line
        moved = {name: max(self.lines.get(name, 0), filled_at.get(name, end)) for name in free}
        return Chosen(chosen, passed_over, Places(self.ways, {**self.lines, **moved}))


class Chosen(NamedTuple):
    """Who of a page is to be queued, by which channel; the lines of the others, with the channel that is full."""

    now: list[tuple[Addressee, Channel]]
    passed_over: dict[int, str]
    places: Places
