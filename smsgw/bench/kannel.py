"""Kannel beside us, where Debian's package `kannel` is installed: the same load, through its file store.

A message comes in over its HTTP door, is answered by a trivial service (`get-url`), and goes out to the same loop that
plays the carrier. It speaks plain GET requests, one message each, so it has no "100 a callback".
"""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs, urlencode, urlsplit

from smsgw.bench.double import Double
from smsgw.bench.load import SHORT_CODE, Callback, Citizens
from smsgw.bench.place import Place
from smsgw.bench.ports import free_port
from smsgw.bench.processes import BenchFailed, Process, stop_all
from smsgw.bench.wire import HOST, Loop, Server, now

PROGRAMS = ("bearerbox", "smsbox")
REPLY = b"Ho so dang duoc giai quyet. Hen tra ket qua: 14/12/2026. Hien o buoc: Lanh dao phong xem xet."
LOGIN = {"username": "bench", "password": "bench"}
START_LIMIT = 20.0  # seconds


def installed() -> bool:
    """Whether both of its programs are on the PATH."""
    return all(shutil.which(name) for name in PROGRAMS)


def requests(citizens: Citizens, messages: int, each: int) -> Iterator[Callback]:
    """The same messages as Kannel's HTTP door takes them. Raises ValueError if `each` is not 1: it knows no other."""
    if each != 1:
        raise ValueError("Kannel takes one message a request")
    for _ in range(messages):
        phone = citizens.phone()
        query = urlencode({**LOGIN, "from": phone, "to": SHORT_CODE, "text": f"HS {citizens.code()}"})
        yield Callback(f"GET /sms?{query} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode(), (phone,))


class Carrier:
    """Both ends of Kannel: the service that it asks for a reply, and the carrier that it sends that to."""

    def __init__(self, loop: Loop, double: Double) -> None:
        self._double = double
        self._server = Server(loop, self._take)
        self.port = self._server.port

    def close(self) -> None:
        self._server.close()

    def _take(self, head: bytes, body: bytes) -> bytes:
        address = urlsplit(head.split(b" ", 2)[1].decode())
        if address.path == "/service":
            return REPLY
        phone = parse_qs(address.query)["to"][0]
        self._double.took([phone], [phone], now())
        return b"Sent."


@contextmanager
def running(place: Place, carrier: Carrier) -> Iterator[tuple[int, list[int]]]:
    """Kannel for as long as the block lasts: the port that it listens on, and its processes."""
    port = free_port()
    file = place.folder / "kannel.conf"
    file.write_text(_configuration(place, port, carrier.port), encoding="utf-8")
    processes: list[Process] = []
    try:
        for name in PROGRAMS:
            processes.append(Process(name, [name, "-v", "4", str(file)], place.folder))
            _wait_for(port, processes)
        yield port, [process.pid for process in processes]
    finally:
        stop_all(processes)


def _wait_for(port: int, processes: Sequence[Process]) -> None:
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.1)
    raise BenchFailed(f"Kannel did not start: {processes[-1].said()[-1:]}")


def _configuration(place: Place, port: int, carrier_port: int) -> str:
    return f"""
group = core
admin-port = {free_port()}
admin-password = bench
smsbox-port = {(box := free_port())}
box-allow-ip = {HOST}
store-type = file
store-location = {place.folder}/kannel.store

group = smsc
smsc = http
smsc-id = bench
system-type = kannel
port = {port}
connect-allow-ip = {HOST}
smsc-username = bench
smsc-password = bench
send-url = http://{HOST}:{carrier_port}/mt
max-pending-submits = 256

group = smsbox
bearerbox-host = {HOST}
bearerbox-port = {box}
sendsms-port = {free_port()}

group = sms-service
keyword = default
catch-all = true
max-messages = 1
get-url = "http://{HOST}:{carrier_port}/service?to=%p&text=%r"
"""
