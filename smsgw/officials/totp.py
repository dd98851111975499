"""The second factor: codes that change every half minute (TOTP, RFC 6238), as authenticator apps reckon them. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from datetime import datetime
from urllib.parse import quote, urlencode

SECONDS = 30
DIGITS = 6
DRIFT = 1  # steps that a phone's clock may be off
_SECRET_BYTES = 20  # as long as the hash (RFC 4226, 4)


def new_secret() -> str:
    """A secret of its own for each official, in base32."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def step_of(now: datetime) -> int:
    """The number of the half minute."""
    return int(now.timestamp()) // SECONDS


def code(secret: str, step: int) -> str:
    """The code of a step (RFC 4226, 5.3)."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_matching(secret: str, given: str, now: datetime) -> int | None:
    """The step near now whose code was given, or None. Blanks in it don't matter."""
    given = "".join(given.split())
    near = range(step_of(now) - DRIFT, step_of(now) + DRIFT + 1)
    return next((step for step in near if hmac.compare_digest(code(secret, step).encode(), given.encode())), None)


def uri(secret: str, name: str, issuer: str) -> str:
    """What an authenticator app reads from a QR code (Google Authenticator's key URI format)."""
    label = quote(f"{issuer}:{name}")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer}, quote_via=quote)}"
