"""The page's server with chains that a test makes up, behind a fake watch."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable
from typing import Any

from controller.kube import chain_watch, errors
from controller.plugin import chain_page, page_actions, page_sources
from controller.ui import chain_feed, page_server

Json = dict[str, Any]


class FakeWatch:
    """Lists what a test holds, and passes on what it changes; fails while a test wants it to."""

    def __init__(self, bodies: Iterable[Json] = ()) -> None:
        self.bodies = {key_of(one): one for one in bodies}
        self.failure: errors.KubeError | None = None
        self.lists = 0
        self._queue: asyncio.Queue[chain_watch.Seen | errors.KubeError] = asyncio.Queue()

    async def changes(self) -> AsyncIterator[chain_watch.Listed | chain_watch.Seen]:
        if self.failure is not None:
            raise self.failure
        self.lists += 1
        self._queue = asyncio.Queue()
        yield chain_watch.Listed(bodies=tuple(self.bodies.values()))
        while True:
            change = await self._queue.get()
            if isinstance(change, errors.KubeError):
                raise change
            yield change

    def put(self, body: Json) -> None:
        self.bodies[key_of(body)] = body
        self._queue.put_nowait(chain_watch.Seen(body=body, is_gone=False))

    def remove(self, body: Json) -> None:
        del self.bodies[key_of(body)]
        self._queue.put_nowait(chain_watch.Seen(body=body, is_gone=True))

    def fail(self, failure: errors.KubeError) -> None:
        self.failure = failure
        self._queue.put_nowait(failure)


def key_of(body: Json) -> tuple[str, str]:
    return body["metadata"]["namespace"], body["metadata"]["name"]


class FakeApiServer:
    """Reads and patches what a watch holds; `may_change` is the answer about rights."""

    def __init__(self, watch: FakeWatch) -> None:
        self._watch = watch
        self._versions = itertools.count(10_000)
        self.may_change = True
        self.patches: list[Json] = []

    async def request(self, method: str, path: str, *, body: Json | None = None, **_: Any) -> Json:
        if path.endswith("selfsubjectaccessreviews"):
            return {"status": {"allowed": self.may_change}}
        if self._watch.failure is not None:
            raise self._watch.failure
        namespace, name = path.split("/")[-3], path.split("/")[-1]
        found = self._watch.bodies.get((namespace, name))
        if found is None:
            raise errors.ObjectNotFound(path)
        if method == "PATCH":
            if not self.may_change:
                denied = errors.Denied(path)
                denied.answer = "forbidden: no RBAC policy matched"
                raise denied
            assert body is not None
            self.patches.append(body)
            found = merged(found, body)
            found["metadata"]["resourceVersion"] = str(next(self._versions))
            self._watch.put(found)
        return found


def merged(known: Json, changes: Json) -> Json:
    """A merge patch, without removals."""
    return {
        **known,
        **{
            key: merged(known.get(key) or {}, value) if isinstance(value, dict) else value
            for key, value in changes.items()
        },
    }


async def no_events(_namespace: str, _uid: str) -> list[Any]:
    return []


@contextlib.asynccontextmanager
async def serving(
    watch: FakeWatch,
    list_events: page_server.ListEvents = no_events,
    port: int = 0,
    *,
    kube: FakeApiServer | None = None,
) -> AsyncIterator[page_server.LoopbackServer]:
    """Serve the page until the block ends."""
    feed = chain_feed.ChainFeed(
        [watch],  # type: ignore[list-item]  # the same method
        describe=chain_page.describe,
        problem_of=lambda error: page_sources.problem_text(error, None),
    )
    server = page_server.LoopbackServer(
        page_server.PageSource(
            feed=feed,
            hello={"scope": "all namespaces", "context": "kind"},
            list_events=list_events,
            actions=page_actions.PageActions(
                kube or FakeApiServer(watch), options=("--context", "kind")
            ),
        )
    )
    following = asyncio.create_task(feed.run())
    await server.start(port)
    try:
        yield server
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        await server.stop()
