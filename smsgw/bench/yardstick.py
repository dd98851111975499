"""How fast the machine is at what the gateway is made of: the interpreter's turns, and reads of memory.

Two runs can be told apart by them that have the same processor and an idle machine by all other accounts: what
neighbours leave of a shared cache is seen by nothing else, and may halve every rate.
"""

from __future__ import annotations

from array import array
from time import perf_counter

TURNS = 10_000_000
STEPS = 300_000
NEAR, FAR = 1 << 11, 1 << 22  # entries of 8 bytes: 16 KiB are in any core's own cache, 32 MiB in none


def turn() -> float:
    """How long the interpreter takes for a turn of an empty loop, ns."""
    begun = perf_counter()
    for _ in range(TURNS):
        pass
    return (perf_counter() - begun) / TURNS * 1e9


def far_read() -> float:
    """How much longer a read takes that none of a core's own caches has, ns."""
    return max(0.0, _chase(FAR) - _chase(NEAR))


def _chase(entries: int) -> float:
    """How long a step takes, ns, from each entry to the one that it names; no cache can tell in advance which.

    All of them are on the way: a linear congruential generator with these numbers has the full period (Knuth, 3.2.1).
    """
    ring = array("q", ((1_103_515_245 * entry + 12_345) % entries for entry in range(entries)))
    entry, begun = 0, perf_counter()
    for _ in range(STEPS):
        entry = ring[entry]
    return (perf_counter() - begun) / STEPS * 1e9
