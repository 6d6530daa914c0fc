"""One API server as a scenario sees it: the stand-in, or a real one; the same calls for both."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol, TypeVar

from tests.simulation import virtual_time
from tests.simulation.kube import link
from tests.simulation.kube.api_server import ApiServer
from tests.simulation.kube.refusals import Answer
from tests.simulation.kube.watch_stream import WatchStream
from tests.support import kube as kube_support

_T = TypeVar("_T")
_PATIENCE_SECONDS = 60.0

Json = dict[str, Any]


class Watch(Protocol):
    """A watch that is open."""

    async def next(self) -> Json:
        """Return the next event; bookmarks are left out."""


class Cluster(Protocol):
    """What a scenario may do."""

    namespace: str
    """One that is the scenario's own."""

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        user: str = "admin",
    ) -> Answer:
        """Send a request as the administrator, as one without rights, or as a stranger."""

    def watch(self, path: str, since: str) -> contextlib.AbstractAsyncContextManager[Watch]:
        """Watch the changes after a version."""


class RealCluster:
    """A real API server."""

    def __init__(
        self, users: dict[str, kube_support.KubeApi], namespace: str, *, stranger: str
    ) -> None:
        self.namespace = namespace
        self._users = users
        self._stranger = stranger

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        user: str = "admin",
    ) -> Answer:
        """Send a request as the administrator, as one without rights, or as a stranger."""
        headers = {"Content-Type": content_type, "Accept": accept}
        if user == self._stranger:
            headers["Authorization"] = "Bearer nobody-knows-it"
        api = self._users.get(user, self._users["admin"])
        content = None if body is None else json.dumps(body)
        response = await api.request(method, path, params=query, content=content, headers=headers)
        return Answer(
            status=response.status_code, data=response.content, headers=dict(response.headers)
        )

    @contextlib.asynccontextmanager
    async def watch(self, path: str, since: str) -> AsyncIterator[Watch]:
        """Watch the changes after a version."""
        query = {"watch": "true", "resourceVersion": since}
        async with self._users["admin"].stream(path, query) as lines:
            yield _Lines(lines)


class StandInCluster:
    """The stand-in."""

    def __init__(self, loop: virtual_time.VirtualLoop) -> None:
        self.namespace = "team"
        self._api = ApiServer(loop.unix)
        self._api.create_namespace(self.namespace)
        self._api.withdrawn = {("operator", self.namespace), ("operator", "*")}
        self._api.unknown_users = {"stranger"}
        self._loop = loop

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        user: str = "admin",
    ) -> Answer:
        """Send a request as the administrator, as one without rights, or as a stranger."""
        if method == "DELETE" and path == f"/api/v1/namespaces/{self.namespace}":
            self._api.delete_namespace(self.namespace)
            return Answer(status=200, data=b"{}")
        way = self._link(user)
        request = way.request(
            method,
            path,
            query=query or {},
            body=None if body is None else json.dumps(body).encode(),
            content_type=content_type,
            accept=accept,
        )
        return await way.send(request)

    @contextlib.asynccontextmanager
    async def watch(self, path: str, since: str) -> AsyncIterator[Watch]:
        """Watch the changes after a version."""
        way = self._link("admin")
        query = {"watch": "true", "resourceVersion": since}
        stream = await way.watch(way.request("GET", path, query=query, body=None))
        assert isinstance(stream, WatchStream)
        yield _Lines(stream.lines())
        stream.close()

    def _link(self, user: str) -> link.ApiLink:
        return link.ApiLink(self._loop, self._api, user=user, chance=_Plain())


def run_on_stand_in(scenario: Callable[[Cluster], Awaitable[_T]]) -> _T:
    """Run a scenario on the stand-in; not within another event loop's thread."""
    loop = virtual_time.VirtualLoop(random.Random(1))

    async def started() -> _T:
        return await scenario(StandInCluster(loop))

    try:
        return loop.run(started())
    finally:
        loop.close()


class _Plain:
    """Nothing goes wrong."""

    def delay(self, _: str) -> float:
        return 0.01

    def happens(self, _: str) -> bool:
        return False


class _Lines:
    def __init__(self, lines: AsyncIterator[Any]) -> None:
        self._lines = lines

    async def next(self) -> Json:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                event: Json = json.loads(await anext(self._lines))
                if event["type"] != "BOOKMARK":
                    return event
