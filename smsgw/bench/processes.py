"""Processes of a benchmark: starting and stopping them, and what they cost by Linux's own books."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from smsgw.failure import ExpectedFailure
from smsgw.settings import PREFIX

START_LIMIT = 60.0  # seconds
STOP_LIMIT = 30.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class BenchFailed(ExpectedFailure):
    """A benchmark can't go on. The text says why."""


class Process:
    """A command in a folder; what it prints goes to a file there."""

    def __init__(self, name: str, words: Sequence[str], folder: Path) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        environment = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        with self._log.open("w") as log:
            self._running = subprocess.Popen(
                words, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )
        self.pid = self._running.pid

    def wait_for(self, sign: str) -> None:
        """Until a line begins with that. Raises BenchFailed if it ends first, or never says so."""
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end:
            if any(line.startswith(sign) for line in self.said()):
                return
            if self._running.poll() is not None:
                break
            time.sleep(0.02)
        self.stop()
        raise BenchFailed(f"{self.name} did not start: {self.said()[-1:] or 'it said nothing'}")

    def said(self) -> list[str]:
        """What it wrote so far."""
        return self._log.read_text(encoding="utf-8", errors="replace").splitlines()

    def wait(self) -> None:
        """Until it ends by itself."""
        self._running.wait()

    def stop(self) -> None:
        """By SIGTERM, and if that does not help by force."""
        self._running.terminate()
        try:
            self._running.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()


def python(*words: str) -> list[str]:
    """A command of this Python."""
    return [sys.executable, *words]


def smsgw(*words: str) -> list[str]:
    """Our own command."""
    return python("-c", "from smsgw.cli import main; main()", *words)


def stop_all(processes: Iterable[Process]) -> None:
    """The last one first."""
    for process in reversed([*processes]):
        process.stop()


class Costs:
    """CPU seconds of groups of processes between two looks. `trees`: by name one that counts with its children."""

    def __init__(self, groups: Mapping[str, Collection[int]], trees: Mapping[str, int]) -> None:
        self._groups = groups
        self._trees = trees
        self._before = self._now()

    def since(self) -> dict[str, float]:
        """Seconds by group since this was made."""
        return {name: seconds - self._before[name] for name, seconds in self._now().items()}

    def _now(self) -> dict[str, float]:
        groups = {name: sum(map(_own_cpu, pids)) for name, pids in self._groups.items()}
        return {**groups, **{name: sum(map(_whole_cpu, _family(root))) for name, root in self._trees.items()}}


def _family(pid: int) -> list[int]:
    """A process and its children, as they are now."""
    children = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))) and int(fields[1]) == pid:
            children.append(int(folder.name))
    return [pid, *children]


def parent_of(pid: int) -> int | None:
    """The process that started it; None if it does not run on this machine."""
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def _own_cpu(pid: int) -> float:
    return sum(map(int, _stat(pid)[11:13])) / _TICKS


def _whole_cpu(pid: int) -> float:
    """With that of children that have ended."""
    return sum(map(int, _stat(pid)[11:15])) / _TICKS


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third one on: state, parent ... 11 to 14 are CPU ticks, children's too."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []
