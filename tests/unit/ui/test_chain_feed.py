"""How the page follows chains that it cannot follow."""

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest

from controller.kube import chain_watch, errors
from controller.plugin import chain_page
from controller.ui import chain_feed
from tests.support.waiting import eventually
from tests.ui import samples

LEAST_PAUSE = 0.02


class ListOnly:
    """Of a user who may list and not watch."""

    def __init__(self) -> None:
        self.lists: list[float] = []

    async def changes(self) -> AsyncIterator[chain_watch.Listed]:
        self.lists.append(asyncio.get_running_loop().time())
        yield chain_watch.Listed(bodies=(samples.platform(),))
        raise errors.Denied("no watch")


async def test_who_may_not_watch_does_not_list_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chain_feed, "_LEAST_PAUSE_SECONDS", LEAST_PAUSE)
    watch = ListOnly()
    feed = chain_feed.ChainFeed(
        [watch],  # type: ignore[list-item]  # the same method
        describe=chain_page.describe,
        problem_of=str,
    )
    following = asyncio.create_task(feed.run())

    await eventually(lambda: len(watch.lists) > 5)
    shown = len(feed.rows())
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following

    assert (feed.problem, shown) == ("no watch", 1)
    assert watch.lists[5] - watch.lists[0] >= LEAST_PAUSE * (1 + 2 + 4 + 8 + 16)


class Body(dict[str, Any]):
    """A resource that shows whether someone still holds it."""


class Listing:
    """An API server that lists one chain, and then says nothing."""

    def __init__(self, body: Body) -> None:
        self.bodies = [body]
        self.is_watched = asyncio.Event()

    async def request(self, *_: Any, **__: Any) -> Any:
        return {"items": [self.bodies.pop()], "metadata": {"resourceVersion": "1"}}

    async def watch(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        self.is_watched.set()
        await asyncio.Event().wait()
        yield {}


async def test_what_is_not_shown_of_a_chain_is_not_kept_while_it_is_watched() -> None:
    """Spec, annotations and managed fields are most of it, once more for each viewer."""
    body = Body(samples.platform())
    held, listing = weakref.ref(body), Listing(body)
    del body
    feed = chain_feed.ChainFeed(
        [chain_watch.ChainWatch(listing, namespace=None)],
        describe=chain_page.describe,
        problem_of=str,
    )
    following = asyncio.create_task(feed.run())
    await listing.is_watched.wait()

    gc.collect()
    shown, kept = len(feed.rows()), held()
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following

    assert (shown, kept) == (1, None)
