"""Disks on which there is no room, in place of `tempfile.TemporaryFile`."""

from __future__ import annotations

from typing import IO


class FullDisk:
    """Makes temporary files on a disk that is full."""

    def __call__(self, **_: object) -> IO[bytes]:
        return open("/dev/full", "w+b")


class NoFolder:
    """Finds no folder for temporary files."""

    def __call__(self, **_: object) -> IO[bytes]:
        raise FileNotFoundError(2, "No usable temporary directory found")
