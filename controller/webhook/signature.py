"""Distinguishes a delivery that Spacelift signed from any other; the first check of a body.

Spacelift signs the bytes that it sends with the webhook's secret (HMAC-SHA256), so they are checked
as they came, before anything parses them.
"""

import hashlib
import hmac
from collections.abc import Iterable

HEADER = "X-Signature-256"
"""The signature's header. `X-Signature`, which is SHA-1, is not looked at: it proves less."""

_PREFIX = "sha256="


def sign(body: bytes, secret: str) -> str:
    """Return the value of the header for a body."""
    return _PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(body: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """Return whether the header is the body's signature by one of the secrets.

    A secret without text signs nothing: everyone knows it.
    """
    # Bytes, since the comparison of texts refuses whatever is not ASCII.
    given = (header or "").encode("utf-8", "surrogateescape")
    is_valid = False
    for secret in secrets:
        # Compare all of them, so that the time does not reveal which one it was.
        is_valid |= bool(secret) and hmac.compare_digest(given, sign(body, secret).encode())
    return is_valid
