"""Room for a body that is too large for memory: on disk, which may be full."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import SpooledTemporaryFile
from typing import IO

IN_MEMORY = 256 * 1024  # bytes of a body that don't go to disk


class NoRoom(Exception):
    """The disk takes no more of a body. The text says why, for the log."""


class Unread:
    """In place of a body that found no room: whoever reads it hears so, and who need not read it goes on without."""

    def __init__(self, full: NoRoom) -> None:
        self._full = full

    def read(self, size: int = -1) -> bytes:
        raise self._full


@contextmanager
def room() -> Iterator[IO[bytes]]:
    """Room for a body: in memory as far as it goes there, and then on disk."""
    body = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - to close it may fail
    try:
        yield body
    finally:
        with suppress(OSError):  # which would be said once more of what found no room
            body.close()


@contextmanager
def spooling() -> Iterator[None]:
    """What is done here writes a body to disk. Raises NoRoom if that fails."""
    try:
        yield
    except OSError as error:
        raise NoRoom(error.strerror or type(error).__name__) from None
