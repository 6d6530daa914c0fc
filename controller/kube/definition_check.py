"""Whether the cluster serves StackChains as this version needs them.

Their definition can be missing, on its way out, or older than the operator.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from controller.api import definition_fields, v1alpha1, wording
from controller.kube import api_requests, errors

logger = logging.getLogger(__name__)

_NAME = f"{v1alpha1.PLURAL}.{v1alpha1.GROUP}"
_ASK_SECONDS = 1.0
_SHOWN = 5


class Definition:
    """The CustomResourceDefinition, as far as the API server offers what it defines.

    kopf looks once, when it starts, and never serves what is not there by then. So the operator
    waits before it starts kopf. If the definition is removed later, its watch ends, and so does the
    process.
    """

    def __init__(self, kube_client: api_requests.KubeRequests) -> None:
        """Take the client to ask with; discovery needs no extra rights."""
        self._client = kube_client
        self._problem: str | None = "The API server has not been asked yet."

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
        except errors.KubeError as error:
            return str(error)
        try:
            found = await self._client.request("GET", f"/apis/{v1alpha1.API_VERSION}")
        except errors.NotServed:
            found = {}
        except errors.KubeError as error:
            return str(error)
        return unserved(groups, found) or await self._outdated()

    async def _outdated(self) -> str | None:
        """Return which fields the definition lacks; the API server may not say, which is fine."""
        try:
            published = await self._client.request(
                "GET", f"/openapi/v3/apis/{v1alpha1.API_VERSION}"
            )
        except errors.NotServed as error:
            # It is published some time after it is served, and not by each API server.
            logger.info("The definition's fields cannot be read", extra={"why": str(error)})
            return None
        except errors.KubeError as error:
            return str(error)
        return lacking(published)


def unserved(groups: Mapping[str, Any], found: Mapping[str, Any]) -> str | None:
    """Return why StackChains are not served, from the API's groups and the version's resources."""
    versions = {
        version["version"]
        for group in groups.get("groups", [])
        if group["name"] == v1alpha1.GROUP
        for version in group["versions"]
    }
    verbs = next(
        (item["verbs"] for item in found.get("resources", []) if item["name"] == v1alpha1.PLURAL),
        None,
    )
    if versions and v1alpha1.VERSION not in versions:
        served = ", ".join(sorted(versions))
        return (
            f"The definition {_NAME} does not serve {v1alpha1.VERSION}, which this operator needs; "
            f"it serves {served}. Apply the definition of this operator's release, or set "
            f"`served: true` for {v1alpha1.VERSION} in it."
        )
    if verbs is None or not versions:
        return (
            f"The definition {_NAME} is not in this cluster, or serves no version; apply it "
            "(`kubectl apply --server-side -f crds/`), or install with `crds.enabled`."
        )
    if "patch" not in verbs:
        return (
            f"The definition {_NAME} is being deleted, and the finalizers of StackChains block "
            "that; remove the finalizers, then install the definition again."
        )
    return None


def lacking(published: Mapping[str, Any]) -> str | None:
    """Return which fields of this version a published definition lacks."""
    schemas = published.get("components", {}).get("schemas", {})
    schema = next(
        (
            item
            for item in schemas.values()
            for kind in item.get("x-kubernetes-group-version-kind", [])
            if kind.get("kind") == v1alpha1.KIND
        ),
        None,
    )
    if schema is None:
        return None
    missing = sorted(definition_fields.FIELDS - set(fields_of(schema)))
    # What is below a missing field adds nothing to the report about that field.
    outermost = [name for name in missing if name.rpartition(".")[0] not in missing]
    if not outermost:
        return None
    shown = wording.listed(outermost, most=_SHOWN)
    return (
        f"The definition {_NAME} is older than this operator: it lacks {shown}. Apply the "
        "definition of this operator's release (`kubectl apply --server-side -f crds/`)."
    )


def fields_of(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Give the paths of all fields in a schema; those of list items are below the list."""
    for name, below in (schema.get("properties") or {}).items():
        inner = f"{path}.{name}" if path else name
        yield inner
        yield from fields_of(below, inner)
    for below in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(below, Mapping):
            yield from fields_of(below, path)
