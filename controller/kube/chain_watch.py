"""The StackChains of one namespace, or of all, as they are and as they change; and their Events."""

import dataclasses
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol
from urllib import parse as urlparse

from controller.api import v1alpha1
from controller.kube import api_requests, errors

PAGE_SIZE = 250
# The API server ends a watch after this long; it is continued where it ended.
_WATCH_SECONDS = 240
# It sends a bookmark at least once a minute; twice that without a byte is a dead connection.
_SILENCE_SECONDS = 150.0
_MOST_EVENTS = 500

Json = dict[str, Any]


class WatchRequests(api_requests.KubeRequests, Protocol):
    """What is needed of the connection."""

    def watch(
        self, path: str, *, query: Mapping[str, str], silence_seconds: float
    ) -> AsyncIterator[Json]:
        """Yield the events of a watch."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """All StackChains there are."""

    bodies: tuple[Json, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A StackChain that is new or has changed, or that is gone."""

    body: Json
    is_gone: bool


class ChainWatch:
    """Lists once, then watches; no object is ever read individually."""

    def __init__(self, kube_client: WatchRequests, *, namespace: str | None) -> None:
        """Watch one namespace, or all of them."""
        self._client = kube_client
        self._path = _path(namespace)

    async def changes(self) -> AsyncIterator[Listed | Seen]:
        """Yield all there are, then what changes, until the API server has forgotten the place.

        Raises:
            errors.KubeError: in one of its forms; calling it again starts with a new list.
        """
        bodies, version = await self._list()
        yield Listed(bodies=tuple(bodies))
        # Large, and the watch runs for hours.
        del bodies
        while True:
            query = {
                "watch": "true",
                "allowWatchBookmarks": "true",
                "resourceVersion": version,
                "timeoutSeconds": str(_WATCH_SECONDS),
            }
            try:
                async for event in self._client.watch(
                    self._path, query=query, silence_seconds=_SILENCE_SECONDS
                ):
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        # Taken out: megabytes, which would be held until the next event.
                        yield Seen(body=event.pop("object"), is_gone=event["type"] == "DELETED")
            except errors.Expired:
                return

    async def _list(self) -> tuple[list[Json], str]:
        found: list[Json] = []
        token = ""
        while True:
            query = {"limit": str(PAGE_SIZE)} | ({"continue": token} if token else {})
            try:
                page = await self._client.request("GET", self._path, query=query)
            except errors.Expired:
                if not token:
                    raise
                # The pages so far belong to a snapshot that is compacted.
                found, token = [], ""
                continue
            found.extend(page["items"])
            token = page["metadata"].get("continue") or ""
            if not token:
                return found, str(page["metadata"]["resourceVersion"])


async def list_events(
    kube_client: api_requests.KubeRequests, namespace: str, uid: str
) -> list[Json]:
    """Return the Events of a StackChain that the cluster still has, in no order.

    Raises:
        errors.KubeError: in one of its forms.
    """
    query = {"fieldSelector": f"involvedObject.uid={uid}", "limit": str(_MOST_EVENTS)}
    path = f"/api/v1/namespaces/{urlparse.quote(namespace, safe='')}/events"
    page = await kube_client.request("GET", path, query=query)
    return list(page["items"])


def _path(namespace: str | None) -> str:
    scope = f"/namespaces/{urlparse.quote(namespace, safe='')}" if namespace else ""
    return f"/apis/{v1alpha1.API_VERSION}{scope}/{v1alpha1.PLURAL}"
