"""The role of `stackchain ui`: the page in the cluster, for each viewer with their own token.

The API server decides for each person and namespace: every request to it has the token that came
with the viewer's request. The role itself has no rights to fall back on. See ADR 0060.
"""

import asyncio
import contextlib
import dataclasses
import hashlib
import logging
import signal
import weakref
from collections.abc import AsyncIterator, Sequence
from typing import NoReturn, Protocol

from aiohttp import web

from controller import clock
from controller.config import settings, shell_settings
from controller.kube import chain_watch, errors, viewer_client
from controller.observability import health
from controller.observability import logging as log_setup
from controller.plugin import chain_page, cluster, page_actions, page_sources
from controller.plugin.exit_codes import CommandError
from controller.ui import chain_feed, page_server, site_guard
from controller.ui.page_documents import Document

logger = logging.getLogger(__name__)

# What is kept for a token is dropped once no one has looked for this long.
_IDLE_SECONDS = 120.0
_REAP_SECONDS = 30.0
# Where others need the place; a page that loads has no stream yet.
_LEAST_KEPT_SECONDS = 10.0
MOST_SOURCES = 200
# Who may look in many namespaces, and not in all, has a watch in each.
MOST_WATCHES = 1000
# If this many requests wait for the API server, another one is refused at once.
MOST_OPENING = 100
# A token that was refused stays so: a page that asks again and again costs the API server nothing.
_REFUSED_SECONDS = 10.0
_MOST_REFUSED = 1000
_MOST_NAMESPACES = 500
_REVIEWS_AT_ONCE = 10
_OPENED_AT_ONCE = 20
_UNNAMED = (
    "This page needs your own token for the cluster, as `Authorization: Bearer`: the proxy in "
    "front of it has to send that. Load the page again to log in."
)
_ENDED = "Your login has ended. Load the page again to log in."
_NOTHING = (
    "You may not list and watch StackChains in any namespace that this page shows; ask for a Role "
    "with these verbs on stackchains.stackchain.dev."
)
_TOO_MANY_NAMESPACES = (
    f"You may view more than {MOST_WATCHES} namespaces, but not all of them: ask for the right "
    "to list stackchains in all namespaces, or have `UI_NAMESPACES` name fewer."
)
_FULL = "Too many people are viewing this page right now; try again in a few minutes."


class _ViewerRequests(chain_watch.WatchRequests, Protocol):
    """What a viewer's requests go over."""

    async def close(self) -> None:
        """End what belongs to this viewer alone."""


@dataclasses.dataclass(kw_only=True, slots=True)
class _Kept:
    """What is kept for a token while someone looks."""

    source: page_server.PageSource
    kube: _ViewerRequests
    following: asyncio.Task[None]
    used_at: float
    watches: int

    @property
    def is_over(self) -> bool:
        """Whether it no longer shows anything new."""
        is_unknown = isinstance(self.source.feed.error, errors.Unauthenticated)
        return is_unknown or self.following.done()

    def is_unused_since(self, before: float) -> bool:
        """Whether no one is looking, and no one has asked for anything lately."""
        source = self.source
        return source.streams == 0 and source.asked == 0 and self.used_at < before

    async def close(self) -> None:
        self.following.cancel()
        [ended] = await asyncio.gather(self.following, return_exceptions=True)
        if isinstance(ended, Exception):
            logger.error("The chains of a viewer were not followed", exc_info=ended)
        await self.kube.close()


class ViewerSources:
    """One source for each token: all tabs of a viewer share its watches, and no one else does."""

    def __init__(
        self, ui: settings.UiSettings, kubernetes: shell_settings.KubernetesSettings
    ) -> None:
        """Keep nothing yet."""
        self._ui = ui
        self._kubernetes = kubernetes
        self._server = viewer_client.ApiServer(kubernetes)
        self._kept: dict[str, _Kept] = {}
        # One at a time for each token: a browser opens several connections at once.
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        # A viewer does not wait for another's namespaces, and the number of requests is limited.
        self._opening = asyncio.Semaphore(_OPENED_AT_ONCE)
        self._opened_now: set[str] = set()
        self._waiting = 0
        # Digests of tokens, the oldest first, and until when they count as refused.
        self._refused: dict[str, float] = {}
        self._descriptions = chain_feed.SharedDescriptions(chain_page.describe)

    async def find(self, request: web.Request) -> page_server.PageSource:
        """Return what the viewer of a request sees.

        Raises:
            PageRefused: the viewer sees nothing.
        """
        token = bearer_token(request)
        if token is None and not self._ui.anonymous:
            raise page_server.PageRefused(_UNNAMED, status=401)
        key = hashlib.sha256((token or "").encode()).hexdigest()
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            kept = self._kept.get(key)
            if kept is not None and kept.is_over:
                await self._kept.pop(key).close()
                kept = None
            if kept is None:
                kept = await self._wait_and_take_in(key, token)
            kept.used_at = clock.monotonic()
        return kept.source

    async def _wait_and_take_in(self, key: str, token: str | None) -> _Kept:
        if self._refused.get(key, 0.0) > clock.monotonic():
            raise page_server.PageRefused(_ENDED, status=401)
        if self._waiting >= MOST_OPENING:
            raise page_server.PageRefused(_FULL, status=503)
        self._waiting += 1
        try:
            async with self._opening:
                return await self._take_in(key, token)
        except page_server.PageRefused as refused:
            if refused.status == 401:
                self._remember_refused(key)
            raise
        finally:
            self._waiting -= 1

    def _remember_refused(self, key: str) -> None:
        self._refused.pop(key, None)
        self._refused[key] = clock.monotonic() + _REFUSED_SECONDS
        if len(self._refused) > _MOST_REFUSED:
            del self._refused[next(iter(self._refused))]

    async def _take_in(self, key: str, token: str | None) -> _Kept:
        """Open what is kept for a token, if there is room besides what others are opening."""
        # Before anything is waited for: others come meanwhile.
        self._opened_now.add(key)
        try:
            while len(self._kept) + len(self._opened_now) > MOST_SOURCES:
                await self._make_room()
            kept = self._kept[key] = await self._open(token)
        finally:
            self._opened_now.discard(key)
        return kept

    async def _make_room(self) -> None:
        """Drop what was used longest ago.

        Raises:
            PageRefused: someone is looking at each of them.
        """
        before = clock.monotonic() - _LEAST_KEPT_SECONDS
        unseen = [key for key, kept in self._kept.items() if kept.is_unused_since(before)]
        if not unseen:
            raise page_server.PageRefused(_FULL, status=503)
        await self._kept.pop(min(unseen, key=lambda key: self._kept[key].used_at)).close()

    async def reap(self) -> None:
        """Drop what no one looks at; never returns."""
        while True:
            await asyncio.sleep(_REAP_SECONDS)
            now = clock.monotonic()
            for key, kept in list(self._kept.items()):
                # While one is closed, others may come back, or have been given up.
                if self._kept.get(key) is kept and kept.is_unused_since(now - _IDLE_SECONDS):
                    del self._kept[key]
                    await kept.close()

    async def close(self) -> None:
        """Drop everything."""
        while self._kept:
            _, kept = self._kept.popitem()
            await kept.close()
        await self._server.close()

    async def _open(self, token: str | None) -> _Kept:
        async with contextlib.AsyncExitStack() as opened:
            kube = self._connect(token)
            # Also of a viewer who goes before the API server has answered.
            opened.push_async_callback(kube.close)
            try:
                namespaces = await self._namespaces(kube)
            except CommandError as error:
                if isinstance(error.__cause__, errors.Unauthenticated):
                    raise page_server.PageRefused(_ENDED, status=401) from error
                raise page_server.PageRefused(page_sources.sentence(error), status=502) from error
            if not namespaces:
                raise page_server.PageRefused(_NOTHING, status=403)
            if len(namespaces) > MOST_WATCHES:
                raise page_server.PageRefused(_TOO_MANY_NAMESPACES, status=403)
            while (
                len(namespaces) + sum(kept.watches for kept in self._kept.values()) > MOST_WATCHES
            ):
                await self._make_room()
            opened.pop_all()
        return self._follow(kube, namespaces, is_known=token is not None)

    def _connect(self, token: str | None) -> _ViewerRequests:
        if token is not None:
            return viewer_client.ViewerClient(self._server, token)
        # Only a screen on a wall needs it: the official library takes 20 MiB.
        from controller.kube import client

        return client.KubeClient(self._kubernetes)

    def _follow(
        self, kube: _ViewerRequests, namespaces: Sequence[str | None], *, is_known: bool
    ) -> _Kept:
        feed = chain_feed.ChainFeed(
            [chain_watch.ChainWatch(kube, namespace=namespace) for namespace in namespaces],
            describe=self._descriptions.describe,
            problem_of=lambda error: page_sources.problem_text(error, namespaces[0]),
        )
        source = page_server.PageSource(
            feed=feed,
            hello=_hello(namespaces),
            list_events=page_sources.events_of(kube),
            actions=page_actions.PageActions(kube) if is_known else page_actions.LookOnly(),
            ends_with_login=True,
        )
        return _Kept(
            source=source,
            kube=kube,
            following=asyncio.create_task(feed.run()),
            used_at=clock.monotonic(),
            watches=len(namespaces),
        )

    async def _namespaces(self, kube: _ViewerRequests) -> list[str | None]:
        """Return the namespaces that the API server lets the viewer see; [None] is everywhere."""
        wanted = list(self._ui.namespaces)
        if not wanted:
            if await _may_look(kube, ""):
                return [None]
            wanted = await _visible_namespaces(kube)
        limit = asyncio.Semaphore(_REVIEWS_AT_ONCE)

        async def may_look(namespace: str) -> bool:
            async with limit:
                return await _may_look(kube, namespace)

        allowed = await asyncio.gather(*(may_look(one) for one in wanted))
        return [one for one, is_allowed in zip(wanted, allowed, strict=True) if is_allowed]


async def _may_look(kube: _ViewerRequests, namespace: str) -> bool:
    chains = cluster.UserChains(kube, namespace=namespace)
    return await chains.may("list") and await chains.may("watch")


async def _visible_namespaces(kube: _ViewerRequests) -> list[str]:
    """Return the namespaces whose names the viewer may read; none without that right."""
    try:
        page = await kube.request(
            "GET", "/api/v1/namespaces", query={"limit": str(_MOST_NAMESPACES)}
        )
    except errors.Denied:
        return []
    except errors.KubeError as error:
        raise cluster.explain_error(error, "list", namespace=None) from error
    return sorted(str(item["metadata"]["name"]) for item in page["items"])


def bearer_token(request: web.Request) -> str | None:
    """Return the token that a request brings; None without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    is_token = token.isascii() and token.isprintable() and bool(token)
    return token if scheme.lower() == "bearer" and is_token else None


def _hello(namespaces: Sequence[str | None]) -> Document:
    named = [one for one in namespaces if one is not None]
    scope = f"{'namespace' if len(named) == 1 else 'namespaces'} {', '.join(named)}"
    return {"scope": scope if named else "all namespaces", "context": ""}


@contextlib.asynccontextmanager
async def serving(
    url: str, ui: settings.UiSettings, kubernetes: shell_settings.KubernetesSettings
) -> AsyncIterator[int]:
    """Serve the page, which browsers see at `url`, until the block ends; yields the port.

    Raises:
        OSError: UI_ADDRESS cannot be listened on.
    """
    sources = ViewerSources(ui, kubernetes)
    server = page_server.PageServer(sources.find, site_guard.SiteGuard(url).middleware)
    reaping = asyncio.create_task(sources.reap())
    host, _, port = ui.address.rpartition(":")
    try:
        yield await server.listen(host.strip("[]"), int(port))
    finally:
        reaping.cancel()
        await server.stop()
        await sources.close()


def run() -> NoReturn:
    """Run the role until a signal.

    Raises:
        SettingsError: before anything is started.
    """
    role = settings.load_ui_settings()
    log_setup.configure_logging(
        level=role.observability.log_level, log_format=role.observability.log_format
    )
    raise SystemExit(asyncio.run(_serve(role)))


async def _serve(role: settings.UiRoleSettings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = health.HealthServer(role.observability.health_address)
    try:
        await server.start()
    except OSError as error:
        logger.error("HEALTH_ADDRESS cannot be listened on", extra={"why": str(error)})
        return 2
    if role.ui.anonymous:
        logger.warning(
            "UI_ANONYMOUS is set: anyone who reaches the page sees all chains that its service "
            "account may see"
        )
    try:
        async with serving(role.page.url, role.ui, role.kubernetes):
            server.add_ready_check("page", _listens)
            logger.info("The page is served", extra={"address": role.ui.address})
            await stop.wait()
    except OSError as error:
        logger.error("UI_ADDRESS cannot be listened on", extra={"why": str(error)})
        return 2
    finally:
        await server.stop()
    return 0


async def _listens() -> str | None:
    """Return no problem: the check is registered once the page listens."""
    return None
