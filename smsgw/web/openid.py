"""Signing in by the province's OpenID Connect provider: authorization code with PKCE.

OpenID Connect Core 1.0 section 3.1, Discovery 1.0, and RFC 7636. Authlib is an optional extra and is imported only
where a provider is set up. What the provider says of itself is asked anew each time, so that a key which it changes
counts at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import requests
from flask import session as cookie
from werkzeug.wrappers import Response as AnyResponse

TIME_LIMIT = 5.0  # seconds for one call
MOST_AT_ONCE = 3  # who ask the provider; a provider that hangs must not keep all threads
LEEWAY = 60  # seconds that the provider's clock may differ
# Never `none`, which proves nothing, nor HMAC, whose key is the client's secret.
SIGNATURES = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
_NAME = "openid"

Reason = Literal["away", "busy", "denied", "stale", "wrong", "unverified"]

log = logging.getLogger("smsgw.web")


class NotVouched(Exception):
    """The provider vouched for nobody. `reason` is a word for it; the text is for operators."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Registration:
    """How the gateway is known to the provider. `claim`: what of its word is the account's name; `label`: for people.

    `secret` is empty for a public client.
    """

    issuer: str
    client_id: str
    secret: str
    claim: str
    scope: str
    label: str


class Provider:
    """The province's provider, as far as the console needs it. Every method raises NotVouched, but `fault`."""

    def __init__(self, registration: Registration) -> None:
        self._known_as = registration
        self.label = registration.label
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)

    def leave_for(self, callback: str) -> AnyResponse:
        """Sends the browser to the provider, which will send it to `callback`, an address of ours."""
        with self._asking() as client:
            for name in [name for name in cookie if name.startswith(f"_state_{_NAME}_")]:
                del cookie[name]  # of a try that was given up; a cookie has only so much room
            answer: AnyResponse = client.authorize_redirect(callback)
            return answer

    def vouched(self) -> str:
        """Whom the provider vouches for by the request in hand, which came to the callback: the account's name."""
        with self._asking() as client:
            token = client.authorize_access_token(leeway=LEEWAY, claims_options=self._expected())
            said: Mapping[str, Any] = token.get("userinfo") or {}
            if "sub" not in said:
                raise _noted("wrong", f"{self._known_as.issuer} sent no ID token; does scope begin with openid?")
            if self._known_as.claim not in said:
                more = client.userinfo(token=token)
                # Core 5.3.2: otherwise somebody else's could be put in their place.
                said = {**more, **said} if more.get("sub") == said["sub"] else said
        return self._account(said)

    def fault(self) -> str | None:
        """What is wrong with the provider, for operators; None if it answers as it should."""
        try:
            with self._asking() as client:
                client.fetch_jwk_set()
        except NotVouched as error:
            return str(error)
        return None

    def _account(self, said: Mapping[str, Any]) -> str:
        claim = self._known_as.claim
        name = said.get(claim)
        if not isinstance(name, str) or not name:
            raise _noted("wrong", f"{self._known_as.issuer} said no {claim}; check console.openid.claim and .scope")
        if claim == "email" and said.get("email_verified") is False:
            raise NotVouched("unverified", "the provider has not verified the e-mail address")
        return name

    def _expected(self) -> dict[str, dict[str, object]]:
        """Authlib looks at signature, nonce, expiry and times by itself, and at these two if it is told to."""
        return {
            "iss": {"essential": True, "value": self._known_as.issuer},
            "aud": {"essential": True, "value": self._known_as.client_id},
        }

    @contextmanager
    def _asking(self) -> Iterator[Any]:
        """Authlib's client for one request, and what can go wrong with it."""
        from authlib.integrations.base_client import MismatchingStateError, OAuthError
        from joserfc.errors import JoseError

        if not self._places.acquire(blocking=False):
            raise NotVouched("busy", "too many are signing in at the same time")
        try:
            yield self._client()
        except requests.RequestException as error:
            raise _noted("away", f"{self._known_as.issuer} does not answer ({_shown(error)})") from None
        except MismatchingStateError:
            raise NotVouched("stale", "the browser did not come by way of the button, or by an old one") from None
        except OAuthError as error:
            if error.error == "access_denied":
                raise NotVouched("denied", "the provider let them not in") from None
            if error.error == "invalid_grant":
                raise NotVouched("stale", "the provider's code was used before, or is too old") from None
            raise _noted("wrong", f"{self._known_as.issuer} refused: {str(error.error)[:60]!r}") from None
        except JoseError as error:
            raise _noted("wrong", f"{self._known_as.issuer} sent a token that can't be trusted ({error})") from None
        except (ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
            raise _noted("wrong", f"{self._known_as.issuer} sent what makes no sense ({_shown(error)})") from None
        finally:
            self._places.release()

    def _client(self) -> Any:
        from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App

        known = self._known_as
        client = FlaskOAuth2App(
            FlaskIntegration(_NAME),
            _NAME,
            client_id=known.client_id,
            client_secret=known.secret or None,
            server_metadata_url=known.issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={
                "scope": known.scope,
                "code_challenge_method": "S256",
                "default_timeout": TIME_LIMIT,
                "trust_env": False,
            },
        )
        said = client.load_server_metadata()
        if said["issuer"] != known.issuer:
            raise _noted("wrong", f"{known.issuer} calls itself {said['issuer']}: console.openid.issuer must be that")
        said["id_token_signing_alg_values_supported"] = sorted(
            SIGNATURES.intersection(said.get("id_token_signing_alg_values_supported", ["RS256"]))
        )
        ways = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if known.secret and "client_secret_basic" not in ways:
            client.client_kwargs["token_endpoint_auth_method"] = "client_secret_post"  # noqa: S105 - a way
        return client


def _noted(reason: Reason, text: str) -> NotVouched:
    log.warning("OpenID Connect: %s", text)
    return NotVouched(reason, text)


def _shown(error: Exception) -> str:
    """What went wrong, without an address: it may hold a code."""
    answer = getattr(error, "response", None)
    return f"HTTP {answer.status_code}" if answer is not None else type(error).__name__
