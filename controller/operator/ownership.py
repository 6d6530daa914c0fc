"""Before all else: whether a resource belongs to this installation, or to another that serves it.

Two releases that watch one namespace from two Temporals know nothing of each other's runs. The one
that the resource's status names keeps it; the other one leaves it alone and says so. See ADR 0030.
"""

import logging
from collections.abc import Mapping
from typing import Any

from controller.api import v1alpha1
from controller.kube import stackchains

logger = logging.getLogger(__name__)

OTHER_INSTALLATION = "OtherInstallation"
"""The reason of the Event."""


class Ownership:
    """Says once of each resource of others that it is left alone."""

    def __init__(self, installation: str, stack_chains: stackchains.StackChains) -> None:
        self._installation = installation
        self._stack_chains = stack_chains
        self._noted: set[tuple[str, str]] = set()

    def is_ours(self, body: Mapping[str, Any]) -> bool:
        """Whether no other installation has the resource."""
        return self._other_owner(body) is None

    async def find_other_owner(self, body: Mapping[str, Any]) -> str | None:
        """Return which other installation has the resource, after saying so; None: it is ours."""
        owner = self._other_owner(body)
        ref = v1alpha1.read_ref(body)
        if owner is None:
            self._noted = {noted for noted in self._noted if noted[0] != ref.uid}
            return None
        if (ref.uid, owner) not in self._noted:
            self._noted.add((ref.uid, owner))
            logger.warning(
                "Another installation serves a StackChain that this one also watches",
                extra={"namespace": ref.namespace, "chain": ref.name, "installation": owner},
            )
            await self._stack_chains.emit_event(
                body, type="Warning", reason=OTHER_INSTALLATION, message=self._message(owner)
            )
        return owner

    def _other_owner(self, body: Mapping[str, Any]) -> str | None:
        owner = v1alpha1.owner_of(body)
        return owner if owner not in ("", self._installation) else None

    def _message(self, owner: str) -> str:
        return (
            f"The installation '{owner}' owns this StackChain, as its status says; "
            f"'{self._installation}', which also watches the namespace, leaves it alone. Let one "
            f"of the two watch other namespaces. If '{owner}' no longer exists, hand the "
            f"StackChain over: set its annotation `{v1alpha1.INSTALLATION_ANNOTATION}` to "
            f"'{self._installation}'."
        )
