"""An OpenID Connect provider on loopback: it lets in whoever comes, and lies when it is told to."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import JWSRegistry
from werkzeug.wrappers import Response as AnyResponse

from smsgw.web.server import WebServer

CLIENT, SECRET = "smsgw", "a-secret-of-the-provider"
OPEN = JWSRegistry(algorithms=["RS256", "HS256", "none"])  # what a lying provider may sign with


@cache
def a_key(name: str) -> RSAKey:
    """A key to sign with, made once. All have the same id, as where somebody forges one."""
    return RSAKey.generate_key(2048, {"kid": "the-key"})


@dataclass
class Door:
    """What somebody came to the provider with, kept until their code is brought."""

    redirect_uri: str
    challenge: str
    nonce: str


@dataclass
class OpenIdProvider:
    """`claims`: what it says of whom it lets in. The other fields are what it does wrong."""

    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "7", "email": "lan@angiang.example"})
    in_token: tuple[str, ...] = ("email", "email_verified")  # the others are told at the userinfo endpoint
    denies: bool = False
    lies: dict[str, Any] = field(default_factory=dict)  # claims of the ID token in place of the right ones
    userinfo: dict[str, Any] = field(default_factory=dict)  # the same at the userinfo endpoint
    metadata: dict[str, Any] = field(default_factory=dict)
    status: int = 200  # of its discovery document and its token endpoint
    signs_with: str = "RS256"
    key: RSAKey = field(default_factory=lambda: a_key("first"))
    published: RSAKey | None = None  # in place of the key that it signs with
    came: list[dict[str, str]] = field(default_factory=list)
    issuer: str = ""
    _doors: dict[str, Door] = field(default_factory=dict)

    def app(self) -> Flask:
        app = Flask("provider")
        app.get("/.well-known/openid-configuration")(self._discovery)
        app.get("/authorize")(self._authorize)
        app.post("/token")(self._token)
        app.get("/jwks")(self._keys)
        app.get("/userinfo")(self._userinfo)
        return app

    def _discovery(self) -> tuple[Response, int]:
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        return jsonify(said | self.metadata), self.status

    def _authorize(self) -> AnyResponse:
        asked = request.args.to_dict()
        self.came.append(asked)
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self._doors[code] = Door(asked["redirect_uri"], asked["code_challenge"], asked["nonce"])
        answer = {"error": "access_denied"} if self.denies else {"code": code}
        return redirect(f"{asked['redirect_uri']}?{urlencode({**answer, 'state': asked['state']})}")

    def _token(self) -> tuple[Response, int]:
        if self.status != 200:
            return jsonify(error="server_error"), self.status
        given, form = request.authorization, request.form
        basic = (given.username, given.password) if given else (form.get("client_id"), form.get("client_secret"))
        if basic != (CLIENT, SECRET):
            return jsonify(error="invalid_client"), 401
        door = self._doors.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if door is None or door.challenge != challenge or door.redirect_uri != form["redirect_uri"]:
            return jsonify(error="invalid_grant"), 400
        return jsonify(access_token="let-me-ask", token_type="Bearer", id_token=self._id_token(door)), 200

    def _keys(self) -> Response:
        return jsonify(keys=[(self.published or self.key).as_dict(private=False)])

    def _userinfo(self) -> tuple[Response, int]:
        if request.headers.get("Authorization") != "Bearer let-me-ask":
            return jsonify(error="invalid_token"), 401
        return jsonify({**self.claims, **self.userinfo}), 200

    def _id_token(self, door: Door) -> str:
        now = int(time.time())
        right = {"iss": self.issuer, "aud": CLIENT, "sub": self.claims["sub"], "nonce": door.nonce}
        right |= {"iat": now, "exp": now + 300}
        right |= {name: value for name, value in self.claims.items() if name in self.in_token}
        said = {name: value for name, value in (right | self.lies).items() if value is not None}
        key: Any = OctKey.import_key(SECRET) if self.signs_with != "RS256" else self.key
        header = {"alg": self.signs_with} | ({"kid": self.key.kid} if self.signs_with == "RS256" else {})
        return jwt.encode(header, said, key, registry=OPEN)


@contextmanager
def provider() -> Iterator[OpenIdProvider]:
    """One that listens."""
    made = OpenIdProvider()
    server = WebServer(made.app(), "127.0.0.1:0")
    made.issuer = f"http://127.0.0.1:{server.port}"
    server.start()
    try:
        yield made
    finally:
        server.stop()
