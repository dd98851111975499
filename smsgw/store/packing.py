"""What was said with carriers takes much room and is seldom read, so it is kept packed."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode

_FAST = 1  # of zlib: a third of the time of its usual level, for a tenth more room


def packed(text: str) -> str:
    """A text as it is kept; any characters may be in it."""
    return b64encode(zlib.compress(text.encode("utf-8", "surrogatepass"), _FAST)).decode("ascii")


def unpacked(kept: str) -> str:
    """The text again."""
    return zlib.decompress(b64decode(kept)).decode("utf-8", "surrogatepass")
