"""The watches of StackChains, one for each served namespace or one for all; none fails for good.

kopf stops completely when the first watch fails: a page of a listing that has expired (410), an
error within a stream, a namespace whose Role is gone. And it never says whether it watches at all.
So `installed` wraps kopf's stream of events (`infinite_watch`) and what hands them out (`watcher`):
both start over after any failure, with growing pauses, and note what comes.

A listed resource at rest does not reach kopf, and of the others only as many as are handled at a
time: kopf keeps a task and the resource itself in memory for each that it has (ADR 0065).
"""

import asyncio
import collections
import contextlib
import dataclasses
import logging
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from typing import Any, cast

import kopf
from kopf._cogs.clients import errors as kopf_errors
from kopf._cogs.clients import watching
from kopf._core.reactor import queueing

from controller import clock
from controller.observability import metrics

logger = logging.getLogger(__name__)

SILENCE_SECONDS = 140.0
"""A watch that is silent for this long is down.

The API server sends a bookmark each minute, kopf reconnects after 70 seconds without one, and then
the next one may take another minute. A listing that is held back here is not silent.
"""
_PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# kopf's own tries before a watch fails. They are few, since the pauses above come after them.
_TRIES_SECONDS = (1.0, 2.0, 4.0)
_RELIST_SECONDS = 1.0
_ERROR_LIMIT = 256
# Twice as many as run at once (`resource_locks`): there is always a next one.
_LISTED_AT_ONCE = 100
# The API server keeps what a listing shows for five minutes; later pages, and a watch from there,
# are refused (410). It may keep less, so this is not for each listing but for all until the watch
# works: otherwise each would be held back until it has expired, without end.
_HELD_BACK_SECONDS = 200.0
ALL_NAMESPACES = "*"


@dataclasses.dataclass(kw_only=True)
class _Watch:
    """What is known of one watch."""

    heard_at: float
    listed_at: float | None = None
    failures: int = 0
    why: str = ""
    is_denied: bool = False
    is_held_back: bool = False
    # For how long listed resources were held back since the watch last worked.
    held_back_seconds: float = 0.0
    # Of the first listing: what the operator has not taken in yet.
    unhandled: set[str] = dataclasses.field(default_factory=set)


class Watches:
    """Keeps the watches going, and knows how they are."""

    def __init__(
        self,
        namespaces: Sequence[str],
        counters: metrics.Metrics,
        *,
        take_at_rest: Callable[[Mapping[str, Any]], bool] = lambda _: False,
        clock: Callable[[], float] = clock.monotonic,
        pauses: Sequence[float] = _PAUSES_SECONDS,
    ) -> None:
        """Take the served namespaces; none: all of them.

        `take_at_rest` takes in a listed resource that kopf need not see, and returns whether it is
        one.
        """
        self._clock = clock
        self._pauses = pauses
        self._counters = counters
        self._take_at_rest = take_at_rest
        # How many events of a resource kopf has, and has not handled yet.
        self._in_kopf: collections.Counter[str] = collections.Counter()
        self._passing = 0
        self._passed = asyncio.Event()
        self._watches = {name: _Watch(heard_at=clock()) for name in namespaces or [ALL_NAMESPACES]}
        self.listings = 0
        """How many listings are over: after another one, a deletion may have gone unseen."""
        counters.before_reading.append(self._update_metrics)

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Have kopf watch through here; all its watches are of StackChains (`kopf_settings`)."""
        stream, watcher = watching.infinite_watch, queueing.watcher

        def lasting_stream(**arguments: Any) -> AsyncIterator[Any]:
            return self.lasting_stream(stream, **arguments)

        async def lasting_watcher(**arguments: Any) -> None:
            await self.lasting_watcher(watcher, **arguments)

        watching.infinite_watch = lasting_stream
        queueing.watcher = lasting_watcher
        try:
            yield
        finally:
            watching.infinite_watch, queueing.watcher = stream, watcher

    async def lasting_stream(
        self,
        stream: Callable[..., AsyncIterator[Any]],
        *,
        settings: kopf.OperatorSettings,
        namespace: str | None,
        **arguments: Any,
    ) -> AsyncIterator[Any]:
        """Give what kopf's stream gives, and start it over when it fails."""
        watch = self._watches[namespace or ALL_NAMESPACES]
        settings = _impatient(settings)
        while True:
            items = stream(settings=settings, namespace=namespace, **arguments)
            try:
                async with contextlib.aclosing(cast(AsyncGenerator[Any, None], items)):
                    async for item in items:
                        is_taken_in = self._is_taken_in(item)
                        self._note(watch, item, is_taken_in=is_taken_in)
                        if not is_taken_in:
                            if _is_of_listing(item):
                                await self._await_room(watch)
                            yield item
            except Exception as error:
                # Whatever failed: other namespaces, and this one later, must still be watched.
                self._note_failure(watch, namespace, error)
            await asyncio.sleep(self._pause(watch))

    async def lasting_watcher(
        self,
        watcher: Callable[..., Coroutine[Any, Any, None]],
        *,
        namespace: str | None,
        **arguments: Any,
    ) -> None:
        """Run kopf's watcher, and start it over when an object makes it fail."""
        watch = self._watches[namespace or ALL_NAMESPACES]
        while True:
            try:
                # A separate task, since a watcher that fails cancels the task that it runs in.
                await asyncio.create_task(watcher(namespace=namespace, **arguments))
            except asyncio.CancelledError:
                if _is_canceled():
                    raise
                # kopf's own time-out for a silent watch, which may hit the watcher elsewhere than
                # in its stream, for example after the process has hung for a minute.
                self._note_failure(watch, namespace, TimeoutError("kopf has canceled its watcher"))
            except Exception as error:
                self._note_failure(watch, namespace, error)
            await asyncio.sleep(self._pause(watch))

    def _pause(self, watch: _Watch) -> float:
        return self._pauses[min(max(watch.failures, 1), len(self._pauses)) - 1]

    @contextlib.contextmanager
    def passing(self) -> Iterator[None]:
        """Handle a resource, or wait to: meanwhile it counts against those that are listed."""
        self._passing += 1
        try:
            yield
        finally:
            self._passing -= 1
            self._passed.set()

    async def _await_room(self, watch: _Watch) -> None:
        """Hold a listing back until few enough resources are handled, or for long enough."""
        seconds = _HELD_BACK_SECONDS - watch.held_back_seconds
        if self._passing < _LISTED_AT_ONCE or seconds <= 0:
            return
        began_at, watch.is_held_back = self._clock(), True
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while self._passing >= _LISTED_AT_ONCE:
                        self._passed.clear()
                        await self._passed.wait()
        finally:
            # It was not silent: we did not listen.
            watch.is_held_back, watch.heard_at = False, self._clock()
            watch.held_back_seconds += watch.heard_at - began_at

    def note_handled(self, uid: str) -> None:
        """Note that the operator has taken in an event of a resource."""
        for watch in self._watches.values():
            watch.unhandled.discard(uid)
        self._in_kopf[uid] -= 1
        if self._in_kopf[uid] <= 0:
            del self._in_kopf[uid]

    async def check(self) -> str | None:
        """Return why StackChains are not watched, for readiness.

        A namespace that may not be read does not count as long as another one is watched. Otherwise
        the deletion of one namespace would make an operator useless to all (see ADR 0035).
        """
        problems = {name: self._problem(name, watch) for name, watch in self._watches.items()}
        denied = [name for name, watch in self._watches.items() if watch.is_denied]
        counting = [
            problem
            for name, problem in problems.items()
            if problem is not None and (name not in denied or len(denied) == len(problems))
        ]
        return " ".join(counting) or None

    def _problem(self, name: str, watch: _Watch) -> str | None:
        where = "all namespaces" if name == ALL_NAMESPACES else f"the namespace {name}"
        why = f": {watch.why}" if watch.why else ""
        if watch.is_denied:
            return f"The StackChains of {where} may not be read{why}."
        if watch.listed_at is None:
            return f"The StackChains of {where} have not been listed yet{why}."
        now = self._clock()
        # An object that kopf cannot handle, for whatever reason, does not count forever.
        if watch.unhandled and now - watch.listed_at < SILENCE_SECONDS:
            return f"{len(watch.unhandled)} listed StackChains of {where} are not taken in yet."
        silence = now - watch.heard_at
        if silence > SILENCE_SECONDS and not watch.is_held_back:
            return f"The watch of {where} has been down for {silence:.0f} s{why}."
        return None

    def _update_metrics(self) -> None:
        for name, watch in self._watches.items():
            is_up = self._problem(name, watch) is None
            self._counters.watch_up.labels(name).set(1 if is_up else 0)

    def _is_taken_in(self, item: Any) -> bool:
        """Take in a listed resource that is at rest, unless kopf still has older events of it."""
        if not _is_of_listing(item):
            return False
        body = item["object"]
        if body["metadata"]["uid"] in self._in_kopf:
            return False
        try:
            return self._take_at_rest(body)
        except Exception:
            # Whatever is wrong with it, the watch must continue; the handlers say so, too.
            self._counters.unforeseen_errors.labels("watch").inc()
            logger.exception("A listed resource cannot be read")
            return False

    def _note(self, watch: _Watch, item: Any, *, is_taken_in: bool) -> None:
        # What comes was read, even if the end of the listing is held back.
        watch.heard_at, watch.is_denied = self._clock(), False
        if item is watching.Bookmark.LISTED:
            self.listings += 1
            watch.listed_at = watch.listed_at or watch.heard_at
        elif item["type"] is not None:
            # It was listed before, and now the watch works, too.
            watch.failures, watch.why, watch.held_back_seconds = 0, "", 0.0
        elif watch.listed_at is None and not is_taken_in:
            watch.unhandled.add(item["object"]["metadata"]["uid"])
        if item is not watching.Bookmark.LISTED and not is_taken_in and item["type"] != "BOOKMARK":
            self._in_kopf[item["object"]["metadata"]["uid"]] += 1

    def _note_failure(self, watch: _Watch, namespace: str | None, error: Exception) -> None:
        why = (str(error) or type(error).__name__)[:_ERROR_LIMIT]
        # Once for each problem: a namespace may be gone for as long as the operator runs.
        if why != watch.why:
            logger.warning(
                "A watch failed, starting it over", extra={"namespace": namespace, "error": why}
            )
        watch.failures += 1
        watch.why = why
        watch.is_denied = isinstance(error, kopf_errors.APIForbiddenError)


def _is_of_listing(item: Any) -> bool:
    """Whether an item of a stream is a listed resource: no change of one, nor the listing's end."""
    return item is not watching.Bookmark.LISTED and item["type"] is None


def _is_canceled() -> bool:
    """Whether the current task itself is to end, and not only one that it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _impatient(settings: kopf.OperatorSettings) -> kopf.OperatorSettings:
    """Return settings for a watch, which is started over here and needs no patience of kopf's."""
    return dataclasses.replace(
        settings,
        networking=dataclasses.replace(settings.networking, error_backoffs=_TRIES_SECONDS),
        watching=dataclasses.replace(settings.watching, reconnect_backoff=_RELIST_SECONDS),
    )
