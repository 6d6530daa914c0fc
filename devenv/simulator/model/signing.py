"""The headers of a delivery: its signatures, over the exact bytes that are sent, and the rest."""

import hashlib
import hmac
import random

from devenv.simulator.model.delivery_behavior import DeliveryBehavior
from devenv.simulator.model.webhooks import Delivery

_WRONG = "not the secret of this webhook"


def headers(delivery: Delivery, body: bytes, behavior: DeliveryBehavior) -> dict[str, str]:
    """Return all headers of a delivery (API facts, 6.4); there is none that names it."""
    # Datadog's ids are 63-bit numbers in decimal; each request has its own.
    rng = random.Random(f"{delivery.id}/{len(delivery.attempts)}")  # noqa: S311 - only look alike
    return {
        "Content-Type": "application/json",
        "User-Agent": "Go-http-client/2.0",
        "Accept-Encoding": "gzip",
        "X-Datadog-Trace-Id": str(rng.getrandbits(63)),
        "X-Datadog-Parent-Id": str(rng.getrandbits(63)),
        "X-Datadog-Sampling-Priority": "1",
        **delivery.headers,
        **_signed(delivery.secret, body, behavior),
    }


def signatures(secret: str, body: bytes) -> dict[str, str]:
    """Return both signature headers of a body."""
    return {
        "X-Signature": f"sha1={_hex(secret, body, 'sha1')}",
        "X-Signature-256": f"sha256={_hex(secret, body, 'sha256')}",
    }


def _signed(secret: str, body: bytes, behavior: DeliveryBehavior) -> dict[str, str]:
    if behavior.signature == "none" or (not secret and behavior.empty_secret == "unsigned"):  # noqa: S105
        return {}
    made = signatures(_WRONG if behavior.signature == "wrong-secret" else secret, body)
    if behavior.signature == "sha256-only":
        del made["X-Signature"]
    return made


def _hex(secret: str, body: bytes, name: str) -> str:
    return hmac.new(secret.encode(), body, getattr(hashlib, name)).hexdigest()
