"""Kannel itself, from Debian's packages: its two programs with the files of our guide, and fakesmsc as the phones."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from smsgw.bench.ports import free_port

GUIDE = Path(__file__).parent.parent / "docs/carriers/kannel.md"
FAKESMSC = "/usr/lib/kannel/test/fakesmsc"
PATIENCE = 90.0  # seconds, for machines with much else to do
DOORS = {"bearerbox": "13001", "smsbox": "13013"}
PORTS = ("8080", "10000", "13000", "13001", "13013")


def missing() -> str:
    """What of Kannel is not installed here."""
    programs = [name for name in ("bearerbox", "smsbox", FAKESMSC) if not shutil.which(name)]
    return f"not installed: {', '.join(programs)}; apt-get install kannel kannel-extras" if programs else ""


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Phones:
    """Phones behind Kannel: what they text, and what they hear, as fakesmsc tells it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.heard: list[str] = []
        self._lines: list[subprocess.Popen[str]] = []

    def text(self, message: str) -> None:
        """`SENDER RECEIVER text WORDS`, or `ucs2` and its bytes as in a URL. The line stays for what comes back.

        Bearerbox has one such line at a time.
        """
        self.close()
        line = subprocess.Popen(
            [FAKESMSC, "-r", str(self._port), "-i", "0.1", "-m", "1", message],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._lines.append(line)
        threading.Thread(target=self._listen, args=(line,), daemon=True).start()

    def close(self) -> None:
        while self._lines:
            line = self._lines.pop()
            line.kill()
            line.wait()
            if line.stdout:
                line.stdout.close()

    def _listen(self, line: subprocess.Popen[str]) -> None:
        # Killed at the end, its line closes in the middle of a look.
        with suppress(ValueError):
            for row in line.stdout or ():
                if found := re.search(r"Got message \d+: <(.*)>", row):
                    self.heard.append(found[1])


def settings(ports: Mapping[str, int]) -> str:
    """The guide's settings of our channel, with these ports."""
    [text] = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return _changed(text, ports, {})


def _changed(text: str, ports: Mapping[str, int], changes: Mapping[str, str]) -> str:
    # All at once: a new port may be what another one was before.
    news = {**{port: str(new) for port, new in ports.items()}, **changes}
    olds = "|".join(map(re.escape, news))
    return re.sub(rf"(?<!\d)(?:{olds})(?!\d)", lambda old: news[old[0]], text)


@contextmanager
def running(folder: Path, changes: Mapping[str, str]) -> Iterator[tuple[Phones, dict[str, int]]]:
    """Kannel for as long as the block lasts, by the guide's files with ports of our own: its phones, and those ports.

    `changes`: what else of the files is another here.
    """
    ports = {port: free_port() for port in PORTS}
    files = re.findall(r"```\n(group = core.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    started: list[subprocess.Popen[bytes]] = []
    try:
        for name, text in zip(DOORS, files, strict=True):
            file = folder / f"{name}.conf"
            file.write_text(_changed(text, ports, changes), encoding="utf-8")
            with (folder / f"{name}.log").open("wb") as log:
                started.append(subprocess.Popen([name, "-v", "1", str(file)], stdout=log, stderr=log))
            until(partial(listens, ports[DOORS[name]]), f"{name} to start")
        until(lambda: listens(ports["10000"]), "the SMSC to listen")
        phones = Phones(ports["10000"])
        try:
            yield phones, ports
        finally:
            phones.close()
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()
