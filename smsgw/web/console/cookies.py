"""The console's one cookie: what it is called and how it is guarded depends on how the console is reached.

A name that begins with `__Host-` makes browsers refuse the cookie unless it came over TLS, for this host only. On plain
HTTP, as on one's own machine, some browsers would not keep it at all, so there it has a plain name.
"""

from __future__ import annotations

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface

NAME = "smsgw"


class HostCookie(SecureCookieSessionInterface):
    """Signed, kept from scripts, sent to this host only, and gone when the browser is closed."""

    def __init__(self, public_url: str) -> None:
        self._always_secure = public_url.startswith("https:")

    def get_cookie_name(self, app: Flask) -> str:
        return f"__Host-{NAME}" if self.get_cookie_secure(app) else NAME

    def get_cookie_secure(self, app: Flask) -> bool:
        return self._always_secure or request.is_secure

    def get_cookie_httponly(self, app: Flask) -> bool:
        return True

    def get_cookie_samesite(self, app: Flask) -> str:
        # Strict would leave it at home when the identity provider sends somebody back.
        return "Lax"
