"""Another node of a test's world, that dies where it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count

from smsgw.gateway import Gateway
from tests.world import World

Fate = Callable[[str, str], bool]  # whether it dies at this commit: the transaction's name, and "before" or "after"


class Killed(Exception):
    """A node is no more."""


def at_commit(number: int, side: str) -> Fate:
    """A death at the so-many-th commit, on that side of it."""
    passed = count(1)
    return lambda name, now: now == side and next(passed) == number


@contextmanager
def dying_node(made: World, fate: Fate) -> Iterator[Gateway]:
    """A node on the same databases; the block ends where it dies, and nothing of it is left but what is committed."""

    def boundary(name: str, side: str) -> None:
        if fate(name, side):
            raise Killed(name)

    node = Gateway(made.gateway.settings, made.clock)
    node.onestop.outage.clock = lambda: made.clock().timestamp()
    node.database.boundary = boundary
    try:
        with suppress(Killed):
            yield node
    finally:
        node.close()
