"""Ids of our own rows: UUIDv7 (RFC 9562), whose text order is the order in which this process made them."""

from __future__ import annotations

import os
import random
import threading
import time

_lock = threading.Lock()
_last = 0
# Seeded by the system. To ask it for each would let go of the interpreter, which another thread then keeps for a while.
_chance = random.Random()  # noqa: S311 - ids are no secrets
os.register_at_fork(after_in_child=_chance.seed)


def new_id() -> str:
    """A new id. Later calls give greater ids, also within a millisecond and when the clock is set back."""
    global _last
    with _lock:
        # 48 bits of milliseconds and 12 bits that count within one (RFC 9562, 6.2, method 3).
        _last = max(_last + 1, time.time_ns() * 4096 // 1_000_000)
        stamp = _last
    milliseconds, fraction = stamp >> 12, stamp & 0xFFF
    chance = _chance.getrandbits(62)
    # Written by hand, since the library's UUID takes longer to make than all the rest.
    digits = f"{milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | chance:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
