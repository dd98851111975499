"""Free ports of this machine, for processes that are started to listen there."""

from __future__ import annotations

import os
import socket
from itertools import count

from smsgw.bench.wire import HOST

# Below those that the system gives to whoever connects: one of those may be gone before somebody listens there.
_PORTS = range(10_000, 32_000)
_next = count(os.getpid() * 7919)  # far from where other processes begin that look for ports, too


def free_port() -> int:
    """A port that nobody listens on, and another one each time."""
    return next(port for number in _next if _is_free(port := _PORTS[number % len(_PORTS)]))


def _is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True
