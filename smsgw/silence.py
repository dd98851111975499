"""How soon whoever falls silent is given up: a database or a node that can't be reached any more."""

from __future__ import annotations

SILENCE = 10  # seconds


def noticed() -> dict[str, int]:
    """What libpq is told, so that a connection to a server that vanishes ends with an error."""
    return {
        "tcp_user_timeout": SILENCE * 1000,
        "keepalives_idle": max(1, SILENCE // 2),
        "keepalives_interval": max(1, SILENCE // 5),
        "keepalives_count": 2,
    }
