"""A digest of what a StackChain asks for: of its spec and its request annotations.

A pass writes it into the status as `observedDigest`. While it matches, nothing was asked since
(ADR 0067).
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from controller.api import v1alpha1


def digest_of(body: Mapping[str, Any]) -> str:
    """Return the digest in hexadecimal.

    The uid is part of it: a status that is restored with a backup is that of another resource.
    """
    metadata = body["metadata"]
    annotations = metadata.get("annotations") or {}
    asks = {
        "uid": metadata.get("uid"),
        "spec": body.get("spec") or {},
        "tokens": [annotations.get(name) for name in v1alpha1.TOKENS],
    }
    text = json.dumps(asks, sort_keys=True, separators=(",", ":"), default=dict)
    return hashlib.sha256(text.encode()).hexdigest()
