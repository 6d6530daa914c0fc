"""Whether the cluster serves StackChains: the definition can be missing, or on its way out."""

import asyncio
import logging

from controller.api import v1alpha1
from controller.kube import client, errors

logger = logging.getLogger(__name__)

_NAME = f"{v1alpha1.PLURAL}.{v1alpha1.GROUP}"
_ASK_SECONDS = 1.0


class Definition:
    """The CustomResourceDefinition, as far as the API server offers what it defines.

    kopf looks once, when it starts, and never serves what is not there by then. So the operator
    waits before it starts kopf; a definition that goes later ends its watch, and so the process.
    """

    def __init__(self, kube_client: client.KubeRequests) -> None:
        """Take the client to ask with; discovery needs no rights of its own."""
        self._client = kube_client
        self._problem: str | None = "The API server was not asked yet."

    async def check(self) -> str | None:
        """Return why StackChains were not served when last asked; None once they were."""
        return self._problem

    async def wait(self) -> None:
        """Return once StackChains are served, and log why they are not meanwhile."""
        while True:
            problem = await self._ask()
            if problem is not None and problem != self._problem:
                logger.warning("StackChains are not served", extra={"why": problem})
            self._problem = problem
            if problem is None:
                return
            await asyncio.sleep(_ASK_SECONDS)

    async def _ask(self) -> str | None:
        try:
            # kopf looks for the group first, which the API server may list a moment later.
            groups = await self._client.request("GET", "/apis")
            found = await self._client.request("GET", f"/apis/{v1alpha1.API_VERSION}")
        except errors.NotServed:
            groups, found = {}, {}
        except errors.KubeError as error:
            return str(error)
        verbs = next(
            (
                resource["verbs"]
                for resource in found.get("resources", [])
                if resource["name"] == v1alpha1.PLURAL
            ),
            None,
        )
        is_listed = any(group["name"] == v1alpha1.GROUP for group in groups.get("groups", []))
        if verbs is None or not is_listed:
            return (
                f"The definition {_NAME} is not in this cluster; apply it "
                "(`kubectl apply --server-side -f crds/`), or install with `crds.enabled`."
            )
        if "patch" not in verbs:
            return (
                f"The definition {_NAME} is being deleted, and StackChains hold it by their "
                "finalizer; take that off them, then install the definition anew."
            )
        return None
