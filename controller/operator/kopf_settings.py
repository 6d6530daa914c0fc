"""How kopf is set up here: what it stores, how it watches, and who it is to the API server."""

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

import kopf

from controller.api import v1alpha1

Login = Callable[..., kopf.ConnectionInfo | None]
"""A login handler of kopf's, or a way to log in."""

_PREFIX = f"kopf.{v1alpha1.GROUP}"


class AsksDigestStorage(kopf.AnnotationsDiffBaseStorage):
    """Keeps a digest of the spec and of the request tokens as the state last handled.

    kopf's own storage leaves annotations out of the comparison, writes the whole spec into one,
    and calls handlers over and over once that passes 256 kB.
    """

    def build(
        self, *, body: kopf.Body, extra_fields: Iterable[Any] | None = None
    ) -> kopf.BodyEssence:
        """Return what is compared: nothing but the digest."""
        asks = {
            "spec": body.get("spec") or {},
            "tokens": [body.metadata.annotations.get(name) for name in v1alpha1.TOKENS],
        }
        text = json.dumps(asks, sort_keys=True, separators=(",", ":"), default=dict)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return kopf.BodyEssence({"spec": {"digest": digest}})


def configure(settings: kopf.OperatorSettings) -> None:
    """Set what differs from kopf's defaults, each with its reason."""
    settings.persistence.finalizer = f"{v1alpha1.GROUP}/stop-runs"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(
        prefix=_PREFIX, v1=False
    )
    settings.persistence.diffbase_storage = AsksDigestStorage(prefix=_PREFIX, v1=False)
    # No watch of CRDs and namespaces: fewer rights are needed.
    settings.scanning.disabled = True
    # Events come from transitions of the status only.
    settings.posting.enabled = False
    settings.peering.standalone = True
    # A hanging API server must not hold a change for minutes.
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.watching.connect_timeout = 10
    # Bounds the memory of a listing.
    settings.watching.chunk_size = 500
    settings.execution.default_backoff = 15


def login(
    *,
    has_kubeconfig: bool,
    with_kubeconfig: Login = kopf.login_with_kubeconfig,
    with_service_account: Login = kopf.login_with_service_account,
) -> Login:
    """Return kopf's login handler: a kubeconfig if one is set, else the pod's service account."""

    def authenticate(**kwargs: Any) -> kopf.ConnectionInfo | None:
        if has_kubeconfig:
            return with_kubeconfig(**kwargs)
        return with_service_account(**kwargs) or with_kubeconfig(**kwargs)

    return authenticate
