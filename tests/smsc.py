"""An SMSC that is not ours: npm's `smpp` in a process of its own, which may be killed, with phones behind it.

What it has to deliver it delivers again after each bind until that is acknowledged, as SMSCs do.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from smsgw.bench.ports import free_port
from tests.kannel import until

PACKAGE = "smpp@0.5.1"
SCRIPT = Path(__file__).with_suffix(".js")
SYSTEM_ID, PASSWORD = "smsgw", "pa ss&77"
RECEIPT = 0x04  # esm_class of a receipt
UDH = 0x40


def installed(config: pytest.Config) -> Path:
    """Where the npm package lies, once it is there; skips the test where it can't be had."""
    folder: Path = config.cache.mkdir(f"npm-{PACKAGE}")
    if not (folder / "node_modules/smpp").exists():
        if not (shutil.which("node") and shutil.which("npm")):
            pytest.skip("not installed: node and npm; apt-get install nodejs npm")
        fresh = folder.with_name(f"{folder.name}-{os.getpid()}")
        fresh.mkdir()
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(fresh), PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, cwd=fresh)
        if done.returncode:
            shutil.rmtree(fresh)
            pytest.skip(f"npm can't install {PACKAGE}: {done.stderr.strip()[-200:]}")
        with suppress(OSError):  # another run has just done the same
            (fresh / "node_modules").rename(folder / "node_modules")
        shutil.rmtree(fresh)
    return folder / "node_modules"


@dataclass(frozen=True, slots=True)
class Submitted:
    """One submit_sm as the SMSC's library read it."""

    fields: dict[str, Any]

    @property
    def to(self) -> str:
        return str(self.fields["destination_addr"])

    @property
    def text(self) -> str:
        return str(self.fields["message"])


class Smsc:
    """See above. `events` is all that it told, in order."""

    def __init__(self, modules: Path, secure: tuple[Path, Path] | None = None) -> None:
        self.port = free_port()
        self.events: list[dict[str, Any]] = []
        self._modules = modules
        self._secure = {"key": str(secure[0]), "cert": str(secure[1])} if secure else {}
        self._lock = threading.RLock()
        self._waiting: dict[int, dict[str, Any]] = {}  # deliveries that are not acknowledged
        self._tag = 0
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        before = len(self.of("up"))
        options = {"port": self.port, "system_id": SYSTEM_ID, "password": PASSWORD, "first": 26 + len(self.events)}
        self._process = subprocess.Popen(
            ["node", str(SCRIPT), json.dumps(options | self._secure)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "NODE_PATH": str(self._modules)},
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        until(lambda: len(self.of("up")) > before, "the SMSC to listen")

    def kill(self) -> None:
        """With -9; what it had to deliver it still has."""
        if self._process and self._reader:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe:
                    with suppress(OSError):
                        pipe.close()
            self._process = None

    def order(self, what: str, **more: Any) -> None:
        with self._lock:
            if self._process and self._process.stdin:
                with suppress(OSError):
                    self._process.stdin.write(json.dumps({"do": what, **more}) + "\n")
                    self._process.stdin.flush()

    def deliver(self, **fields: Any) -> None:
        """Deliver something, until it is acknowledged."""
        with self._lock:
            self._tag += 1
            self._waiting[self._tag] = fields
            self.order("deliver", tag=self._tag, fields=fields)

    def text(self, phone: str, text: str, **more: Any) -> None:
        """Somebody texts something."""
        coding, octets = (0, text.encode("ascii")) if text.isascii() else (8, text.encode("utf-16-be", "surrogatepass"))
        head = bytes.fromhex(more.pop("udh", ""))
        self.deliver(
            source_addr=phone,
            destination_addr="8188",
            data_coding=coding,
            esm_class=UDH if head else 0,
            short_message={"hex": (head + octets).hex()},
            **more,
        )

    def receipt(self, id: str, state: str = "DELIVRD", phone: str = "84912345678", **more: Any) -> None:
        """Tell what became of a message."""
        said = f"id:{id} sub:001 dlvrd:001 submit date:2611250930 done date:2611250931 stat:{state} err:000 text:Ho so"
        message = {"short_message": {"hex": said.encode().hex()}, "data_coding": 0, **more}
        self.deliver(source_addr=phone, destination_addr="8188", esm_class=RECEIPT, **message)

    def of(self, event: str) -> list[dict[str, Any]]:
        return [item for item in [*self.events] if item["ev"] == event]

    def submitted(self) -> list[Submitted]:
        """What it took."""
        return [Submitted(item) for item in self.of("submit") if item["answer"] == 0]

    def undelivered(self) -> int:
        return len(self._waiting)

    def _read(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            event = json.loads(line)
            with self._lock:
                if event["ev"] == "answered" and event["status"] == 0:
                    self._waiting.pop(event["tag"], None)
                self.events.append(event)
                if event["ev"] == "bind" and not event["status"] and event["as"] == "bind_transceiver":
                    for tag, fields in [*self._waiting.items()]:
                        self.order("deliver", tag=tag, fields=fields)
