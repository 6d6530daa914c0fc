"""StackChains in the Kubernetes API: read, list, and the one place that writes their status."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib import parse as urlparse

from controller.api import v1alpha1
from controller.kube import api_requests, errors, event_recorder

logger = logging.getLogger(__name__)

PAGE_SIZE = 100
"""Resources in one answer: each may have 256 KiB of annotations, and a status as large again."""
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

Json = dict[str, Any]
_Taken = TypeVar("_Taken")


class StackChains:
    """Writes a status only onto the very object and version that it was computed from."""

    def __init__(
        self,
        kube_client: api_requests.KubeRequests,
        *,
        namespaces: Sequence[str] = (),
        reporting_instance: str = event_recorder.REPORTING_COMPONENT,
        page_size: int = PAGE_SIZE,
    ) -> None:
        """Serve some namespaces, or all when none is named."""
        self._client = kube_client
        self._namespaces = tuple(namespaces)
        self._events = event_recorder.EventRecorder(kube_client, reporting_instance)
        self._page_size = page_size

    async def get(self, namespace: str, name: str) -> Json | None:
        """Return a StackChain; None only if the API server says that it does not exist.

        Raises:
            errors.KubeError: any other failure, a 404 that does not name the resource included.
        """
        try:
            return await self._client.request("GET", _path(namespace, name))
        except errors.ObjectNotFound:
            return None

    async def list(self) -> list[Json]:
        """Return all StackChains of the served namespaces."""
        found: list[Json] = []
        for namespace in self._namespaces or [None]:
            path = _path(namespace)
            found.extend(await _list_pages(self._client, path, self._page_size, take=dict))
        return found

    async def list_names(self) -> Sequence[str]:
        """Return the names of all StackChains of the served namespaces, without what they hold."""
        found: list[str] = []
        for namespace in self._namespaces or [None]:
            found += await _list_metadata(self._client, _path(namespace), self._page_size, "name")
        return found

    async def list_uids(self) -> tuple[set[str], set[str]]:
        """List the uids of the StackChains of the served namespaces, as they are now.

        Returns:
            The uids; and the served namespaces that could not be listed.

        Raises:
            errors.KubeError: when all namespaces are listed at once.
        """
        uids: set[str] = set()
        unread: set[str] = set()
        for namespace in self._namespaces or [None]:
            try:
                found = await _list_metadata(self._client, _path(namespace), self._page_size, "uid")
            except errors.KubeError as error:
                if namespace is None:
                    raise
                # One namespace that is gone or withdrawn must not prevent reading the others.
                logger.info(
                    "A namespace could not be listed",
                    extra={"namespace": namespace, "error": str(error)},
                )
                unread.add(namespace)
            else:
                uids.update(found)
        return uids, unread

    async def patch(self, namespace: str, name: str, changes: Mapping[str, Any]) -> Json:
        """Change a StackChain's metadata or spec as a person does, whatever its version is.

        Raises:
            errors.ObjectNotFound: there is no such StackChain.
        """
        return await self._client.request(
            "PATCH",
            _path(namespace, name),
            body=dict(changes),
            content_type=api_requests.MERGE_PATCH,
        )

    async def hold(self, body: Mapping[str, Any]) -> Json:
        """Add the finalizer to a StackChain that has not changed since it was read.

        Raises:
            errors.Conflict: it has.
        """
        metadata = body["metadata"]
        changes = {
            "resourceVersion": metadata["resourceVersion"],
            "finalizers": [*metadata.get("finalizers", ()), v1alpha1.FINALIZER],
        }
        return await self.patch(metadata["namespace"], metadata["name"], {"metadata": changes})

    async def create(self, body: Mapping[str, Any], *, is_dry_run: bool = False) -> Json:
        """Create a StackChain in its namespace; a dry run only says what it would be.

        Raises:
            errors.Invalid: the schema refuses it, or does not have one of its fields.
        """
        path = _path(body["metadata"]["namespace"])
        # As kubectl asks: otherwise a misspelled field would be dropped silently.
        query = {"fieldValidation": "Strict"} | ({"dryRun": "All"} if is_dry_run else {})
        return await self._client.request("POST", path, query=query, body=dict(body))

    async def delete(self, namespace: str, name: str) -> None:
        """Delete a StackChain; one that is gone is fine."""
        try:
            await self._client.request("DELETE", _path(namespace, name))
        except errors.ObjectNotFound:
            return

    async def patch_status(
        self,
        namespace: str,
        name: str,
        *,
        uid: str,
        resource_version: str,
        old_status: Mapping[str, Any],
        new_status: Mapping[str, Any],
    ) -> Json | None:
        """Write what has changed in the status, in one request.

        Returns:
            The resource as written; None if there was nothing to write.

        Raises:
            errors.Conflict: someone wrote in between; read again and compute anew.
            errors.ObjectNotFound: the resource is gone, or another one has its name.
        """
        changes = merge_patch(old_status, new_status)
        if not changes:
            return None
        # The version also guards the identity, as no two objects ever share one. A uid in the patch
        # would not: the API server takes the metadata of a status patch from the stored object.
        body = {"metadata": {"resourceVersion": resource_version}, "status": changes}
        try:
            return await self._client.request(
                "PATCH",
                f"{_path(namespace, name)}/status",
                body=body,
                content_type=api_requests.MERGE_PATCH,
            )
        except errors.ApiUnreachable:
            # Perhaps only the answer was lost. If so, the status is written and there is nothing
            # new to write.
            if (written := await self._find_written(namespace, name, uid, new_status)) is not None:
                return written
            raise
        except errors.Conflict as conflict:
            # Changed, or deleted and created again: both are a wrong version.
            current = await self.get(namespace, name)
            if current is None or current["metadata"]["uid"] != uid:
                raise errors.ObjectNotFound(
                    f"StackChain {namespace}/{name} with uid {uid} is gone"
                ) from conflict
            raise

    async def _find_written(
        self, namespace: str, name: str, uid: str, status: Mapping[str, Any]
    ) -> Json | None:
        """Return the resource if it has this status; None also if that cannot be read."""
        try:
            current = await self.get(namespace, name)
        except errors.KubeError:
            return None
        if current is None or current["metadata"]["uid"] != uid:
            return None
        is_written = not merge_patch(current.get("status") or {}, status)
        return current if is_written else None

    async def emit_event(
        self,
        resource: Mapping[str, Any],
        *,
        type: Literal["Normal", "Warning"],  # noqa: A002 (Kubernetes' name of the field)
        reason: str,
        message: str,
    ) -> None:
        """Report a transition. Best effort: an Event that fails must not stop the work."""
        await self._events.record(resource, type=type, reason=reason, message=message)

    async def get_namespace_uid(self, name: str) -> str:
        """Return the uid of a namespace; that of kube-system identifies the cluster."""
        namespace = await self._client.request("GET", f"/api/v1/namespaces/{_quoted(name)}")
        return str(namespace["metadata"]["uid"])


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> Json:
    """Return the smallest JSON merge patch (RFC 7386) that turns one object into another.

    A key that is gone becomes null, which deletes it; a list is replaced whole; a null in the new
    object means that the key is not there. Equal objects give an empty patch.
    """
    patch: Json = {key: None for key in old if old[key] is not None and new.get(key) is None}
    for key, value in new.items():
        before = old.get(key)
        if value is None or value == before:
            continue
        if not isinstance(value, Mapping):
            patch[key] = value
        elif not isinstance(before, Mapping):
            patch[key] = merge_patch({}, value)
        elif changes := merge_patch(before, value):
            patch[key] = changes
    return patch


async def _list_metadata(
    kube_client: api_requests.KubeRequests, path: str, page_size: int, field: str
) -> list[str]:
    def take(item: Json) -> str:
        value: str = item["metadata"][field]
        return value

    return await _list_pages(kube_client, path, page_size, take=take, accept=_METADATA_ONLY)


async def _list_pages(
    kube_client: api_requests.KubeRequests,
    path: str,
    page_size: int,
    *,
    take: Callable[[Json], _Taken],
    accept: str = api_requests.JSON,
) -> list[_Taken]:
    """Return what `take` returns of each resource: of many thousands, the rest must not be kept."""
    found: list[_Taken] = []
    token = ""
    while True:
        query = {"limit": str(page_size)} | ({"continue": token} if token else {})
        try:
            page = await kube_client.request("GET", path, query=query, accept=accept)
        except errors.Expired:
            if not token:
                raise
            # The pages so far belong to a snapshot that is compacted: start a new one.
            found, token = [], ""
            continue
        # An empty list of metadata has null for its items.
        found.extend(take(item) for item in page["items"] or [])
        token = page["metadata"].get("continue") or ""
        if not token:
            return found


def _path(namespace: str | None, name: str | None = None) -> str:
    scope = f"/namespaces/{_quoted(namespace)}" if namespace else ""
    suffix = f"/{_quoted(name)}" if name else ""
    return f"/apis/{v1alpha1.API_VERSION}{scope}/{v1alpha1.PLURAL}{suffix}"


def _quoted(segment: str) -> str:
    # Text that is not Unicode comes from a file or a command line, and names nothing.
    return urlparse.quote(segment, safe="", errors="replace")
