"""Tokens: the exchange of an API key, and who a bearer token belongs to.

Claims as clients read them: `aud` with exactly one entry, the base URL of the account (the
provider sends every further call there), `iss` `api-key`, and `exp`. Tokens live by the wall
clock, since a client compares `validUntil` with its own.
"""

import base64
import binascii
import hashlib
import hmac
import json
import math
import time
from collections.abc import Callable
from typing import Any

from devenv.simulator.model.account import Account
from devenv.simulator.model.entities import ApiKey
from devenv.simulator.model.errors import unauthorized

_HEADER = {"alg": "HS256", "typ": "JWT"}


class Tokens:
    """Issues and checks tokens; all issued ones can be revoked at once."""

    def __init__(self, account: Account, *, now: Callable[[], float] = time.time) -> None:
        self._account = account
        self._now = now

    def exchange(self, key_id: str, secret: str, *, audience: str) -> tuple[str, int] | None:
        """Return token and expiry; None for an unknown key, and if `wrong_secret` says so."""
        key = self._account.keys.get(key_id)
        if key is None:
            return None
        if not hmac.compare_digest(key.secret.encode(), secret.encode()):
            if self._account.behavior.wrong_secret == "null":  # noqa: S105 - a mode's name
                return None
            raise unauthorized()
        now = self._now()
        valid_until = math.ceil(now + self._account.behavior.token_life)
        claims = {
            "aud": [audience],
            "exp": valid_until,
            "iat": int(now),
            "iss": "api-key",
            "sub": key.id,
            # A token ends with fractions of a second, though clients get whole ones.
            "end": now + self._account.behavior.token_life,
            "epoch": self._account.token_epoch,
        }
        return self._sign(claims), valid_until

    def owner(self, authorization: str | None) -> ApiKey | None:
        """Return the key behind an `Authorization` header; None without a good token."""
        scheme, _, token = (authorization or "").partition(" ")
        claims = self._claims(token.strip()) if scheme.lower() == "bearer" else None
        if claims is None or claims["end"] <= self._now():
            return None
        if claims["epoch"] != self._account.token_epoch:
            return None
        return self._account.keys.get(claims["sub"])

    def revoke_all(self) -> None:
        """Make all tokens issued so far invalid, from now on."""
        self._account.token_epoch += 1
        self._account.touch("account")

    def _sign(self, claims: dict[str, Any]) -> str:
        text = f"{_encode(_HEADER)}.{_encode(claims)}"
        return f"{text}.{self._signature(text)}"

    def _signature(self, text: str) -> str:
        key = self._account.signing_key.encode()
        return _base64(hmac.new(key, text.encode(), hashlib.sha256).digest())

    def _claims(self, token: str) -> dict[str, Any] | None:
        text, _, signature = token.rpartition(".")
        expected = self._signature(text).encode()
        if not text or not hmac.compare_digest(expected, signature.encode()):
            return None
        payload = text.partition(".")[2]
        try:
            claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
        except (binascii.Error, ValueError):
            return None
        return claims


def _encode(document: dict[str, Any]) -> str:
    return _base64(json.dumps(document, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
