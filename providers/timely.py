"""HTTP connections whose answers must have come, head and body, when the time limit is over.

A socket's own limit is for each piece that comes: a carrier that says a byte every few seconds would never pass it, and
hold its sender for hours. And it is for each address of a host: one of them that swallows what is sent would use it up.

What fails before a connection stands, TLS included, is said to: no message was on its way then.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from http.client import HTTPResponse, parse_headers
from typing import Any, cast

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family


class _Timely(io.RawIOBase):
    """What is read from a socket, each time with no more patience than is left of the one it had at first."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._socket, self._raw = sock, raw
        patience = sock.gettimeout()
        self._end = None if patience is None else time.monotonic() + patience

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._end is not None:
            if (left := self._end - time.monotonic()) <= 0:
                raise TimeoutError("the answer did not end within the time limit")
            self._socket.settimeout(left)
        return cast("int | None", self._raw.readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Timely(sock, self.fp.detach()))

    def _read_status(self) -> tuple[str, int, str]:
        """The last one: a proxy in between may first say that it is at it (RFC 9110, 15.2)."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc] # its stubs don't have it
            if not 100 <= status < 200:
                return version, status, reason
            parse_headers(self.fp)


class NoTls(NewConnectionError):
    """The host can be reached, and TLS with it comes to nothing."""


class _Plain(HTTPConnection):
    response_class = _Answer
    _held: list[bytes] | None = None  # of a request that is not whole yet

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Sends head and body at once, and not as two packets of which the carrier wakes up for the first in vain."""
        self._held = held = list[bytes]()
        try:
            super().request(*args, **kwargs)
        finally:
            self._held = None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        if self._held is None:
            super().send(data)
        else:
            self._held.append(data)

    def connect(self) -> None:
        limit = cast(float, self.timeout)  # a number, as `Line` has it
        end = time.monotonic() + limit
        try:
            super().connect()
        except ssl.SSLCertVerificationError:
            raise
        except OSError as error:
            raise NoTls(self, f"no TLS: {error}") from None
        if time.monotonic() >= end:  # what is sent now could not be answered any more
            self.close()
            raise ConnectTimeoutError(self, f"connecting took more than {limit} s")

    def _new_conn(self) -> socket.socket:
        """Within half of the time, so that the answer has the other; of that half each address has its share."""
        name, limit = self._dns_host, cast(float, self.timeout)
        end = time.monotonic() + limit / 2
        try:
            found = socket.getaddrinfo(name, self.port, allowed_gai_family(), socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:  # the latter for what can't be a name, such as `sms..vn`
            raise NameResolutionError(self.host, self, socket.gaierror(str(error))) from None
        failed: HTTPError = NewConnectionError(self, "no address")
        for number, (*_, address) in enumerate(found):
            self._dns_host = str(address[0])
            self.timeout = max(0.001, (end - time.monotonic()) / (len(found) - number))
            try:
                line = super()._new_conn()
                line.settimeout(limit / 2)  # for TLS
                return line
            except (ConnectTimeoutError, NewConnectionError) as error:
                failed = error
            finally:
                self._dns_host, self.timeout = name, limit
        raise failed


class _Secure(_Plain, HTTPSConnection):
    """The same, and then TLS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class TimelyAdapter(HTTPAdapter):
    """What `requests` sends by. A call's `urllib3.Timeout(total=...)` is then for all of it."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
