"""Watches over a scripted stream of kopf's: what ends none of them, and what each one reports.

Given: what each stream of a namespace gives before it ends or fails. Asserted: what comes through,
the readiness, and the metric.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import kopf
import pytest
from kopf._cogs.clients import errors as kopf_errors
from kopf._cogs.clients import watching
from kopf._cogs.structs import references
from kopf._core.reactor import queueing

from controller.observability import metrics
from controller.operator import watches
from tests.support.waiting import eventually

LISTED = watching.Bookmark.LISTED
BROKEN = "broken"
GONE = kopf_errors.APIClientError("the continue token has expired", status=410, headers={})
DENIED = kopf_errors.APIForbiddenError("stackchains is forbidden", status=403, headers={})


def event(kind: str | None, uid: str = "u1") -> dict[str, Any]:
    return {"type": kind, "object": {"metadata": {"uid": uid}}}


class Bench:
    """The watches of some namespaces, and the streams that kopf would make for them."""

    def __init__(self, *namespaces: str) -> None:
        self.now = 0.0
        self.counters = metrics.Metrics()
        self.at_rest: set[str] = set()
        """The uids of resources at rest; one of `BROKEN` makes the look at it fail."""
        self.taken_in: list[str] = []
        self.watches = watches.Watches(
            namespaces,
            self.counters,
            take_at_rest=self._take_at_rest,
            clock=lambda: self.now,
            pauses=(0.001, 0.002),
        )
        self.streams: dict[str | None, list[list[Any]]] = {}
        self.came: dict[str | None, list[Any]] = {}
        self.patience: list[Any] = []

    def _take_at_rest(self, body: Mapping[str, Any]) -> bool:
        uid = body["metadata"]["uid"]
        if uid not in self.at_rest:
            return False
        if uid == BROKEN:
            raise ValueError("cannot be read")
        self.taken_in.append(uid)
        return True

    async def stream(
        self, *, settings: kopf.OperatorSettings, namespace: str | None, **_: Any
    ) -> AsyncIterator[Any]:
        self.patience.append(settings.networking.error_backoffs)
        for item in self.streams[namespace].pop(0):
            if isinstance(item, Exception):
                raise item
            yield item
        await asyncio.Event().wait()

    @contextlib.asynccontextmanager
    async def watching(self, **streams: list[list[Any]]) -> AsyncIterator[None]:
        """Watch until all streams have given what they have; `all` is that of all namespaces."""
        self.streams = {None if key == "all" else key: list(of) for key, of in streams.items()}
        tasks = [asyncio.create_task(self._watch(namespace)) for namespace in self.streams]
        await eventually(lambda: not any(self.streams.values()), what="all streams were made")
        await asyncio.sleep(0.001)
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, namespace: str | None) -> None:
        came = self.came.setdefault(namespace, [])
        lasting = self.watches.lasting_stream(
            self.stream, settings=kopf.OperatorSettings(), namespace=namespace
        )
        async for item in lasting:
            came.append(item)

    def is_up(self, served: str) -> float | None:
        return self.counters.registry.get_sample_value("stackchain_watch_up", {"served": served})


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(GONE, id="a page of the listing has expired"),
        pytest.param(watching.WatchingError("etcd"), id="an error within the stream"),
        pytest.param(DENIED, id="a right is missing"),
        pytest.param(ValueError("no JSON"), id="a proxy's junk"),
    ],
)
async def test_a_stream_that_fails_is_started_over(failure: Exception) -> None:
    bench = Bench()

    async with bench.watching(
        all=[[event(None), failure], [failure], [event(None), LISTED, event("ADDED", "u2")]]
    ):
        came = bench.came[None]

    assert came == [event(None), event(None), LISTED, event("ADDED", "u2")]
    # The pauses here are the patience.
    assert bench.patience == [(1.0, 2.0, 4.0)] * 3


async def test_one_namespace_that_fails_costs_the_others_nothing() -> None:
    bench = Bench("gone", "well")

    async with bench.watching(gone=[[DENIED]] * 3 + [[]], well=[[LISTED, event("ADDED")]]):
        bench.watches.note_handled("u1")
        problem = await bench.watches.check()

        assert bench.came["well"] == [LISTED, event("ADDED")]
        assert problem is None
        bench.counters.before_reading[0]()
        assert (bench.is_up("gone"), bench.is_up("well")) == (0, 1)


async def test_who_may_read_nowhere_is_not_ready() -> None:
    bench = Bench("one", "two")

    async with bench.watching(one=[[DENIED], []], two=[[DENIED], []]):
        problem = await bench.watches.check()

    assert problem is not None
    assert "the namespace one may not be read: " in problem
    assert "stackchains is forbidden" in problem


async def test_the_same_failure_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench("gone")

    async with bench.watching(gone=[[DENIED]] * 4 + [[GONE], []]):
        logged = [record for record in caplog.records if record.levelname == "WARNING"]

    assert [record.namespace for record in logged] == ["gone", "gone"]  # type: ignore[attr-defined]


# Resources at rest


async def test_what_is_listed_and_at_rest_does_not_reach_kopf() -> None:
    bench = Bench()
    bench.at_rest = {"u1", "u3"}

    async with bench.watching(
        all=[[event(None, "u1"), event(None, "u2"), event(None, "u3"), LISTED]]
    ):
        waits = await bench.watches.check()
        bench.watches.note_handled("u2")

        assert await bench.watches.check() is None

    assert bench.came[None] == [event(None, "u2"), LISTED]
    assert bench.taken_in == ["u1", "u3"]
    assert (waits or "").startswith("1 listed")


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", "DELETED"])
async def test_what_changes_reaches_kopf_even_if_it_is_at_rest(kind: str) -> None:
    bench = Bench()
    bench.at_rest = {"u1"}

    async with bench.watching(all=[[LISTED, event(kind)]]):
        assert bench.came[None] == [LISTED, event(kind)]
    assert bench.taken_in == []


async def test_what_kopf_still_has_events_of_reaches_it_in_their_order() -> None:
    bench = Bench()

    async with bench.watching(all=[[LISTED, event("MODIFIED"), event("MODIFIED"), GONE], []]):
        pass
    bench.at_rest = {"u1"}
    bench.watches.note_handled("u1")
    async with bench.watching(all=[[event(None), LISTED]]):
        pass
    bench.watches.note_handled("u1")
    bench.watches.note_handled("u1")
    async with bench.watching(all=[[event(None), LISTED]]):
        pass

    assert bench.came[None] == [
        LISTED,
        event("MODIFIED"),
        event("MODIFIED"),
        event(None),
        LISTED,
        LISTED,
    ]
    assert bench.taken_in == ["u1"]


def listed(number: int) -> list[dict[str, Any]]:
    return [event(None, f"u{index}") for index in range(number)]


class Passes:
    """Takes what comes of streams as kopf does: each resource is handled by its own task."""

    def __init__(self, bench: Bench, *streams: list[Any]) -> None:
        bench.streams = {None: list(streams)}
        self.came: list[Any] = []
        self.most = 0
        self._bench = bench
        self._under_way: list[contextlib.ExitStack] = []
        self._task = asyncio.create_task(self._take())

    async def _take(self) -> None:
        lasting = self._bench.watches.lasting_stream(
            self._bench.stream, settings=kopf.OperatorSettings(), namespace=None
        )
        async for item in lasting:
            self.came.append(item)
            if item is not LISTED:
                stack = contextlib.ExitStack()
                stack.enter_context(self._bench.watches.passing())
                self._under_way.append(stack)
            self.most = max(self.most, len(self._under_way))

    def end(self, number: int) -> None:
        """Let some resources be handled."""
        for _ in range(min(number, len(self._under_way))):
            self._under_way.pop().close()

    async def cancel(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_a_listing_waits_while_as_many_are_handled_as_there_may_be() -> None:
    bench, items = Bench(), [*listed(250), LISTED, event("ADDED")]
    passes = Passes(bench, items)

    await eventually(lambda: len(passes.came) == 100, what="as many as may be handled at once")
    passes.end(60)
    await eventually(lambda: len(passes.came) == 160, what="for each that ends another one")
    passes.end(100)
    await eventually(lambda: LISTED in passes.came, what="all are listed")
    await passes.cancel()

    assert passes.most <= 101, "what the watch shows then waits for none"
    assert passes.came == items


async def test_a_listing_does_not_wait_until_the_api_server_has_forgotten_it() -> None:
    bench = Bench()
    passes = Passes(bench, [*listed(250), LISTED])
    await eventually(lambda: len(passes.came) == 100, what="as many as may be handled at once")

    # The next one to end lets it see how late it is.
    bench.now += 300
    passes.end(1)
    await eventually(lambda: LISTED in passes.came, what="all are listed")
    await passes.cancel()

    assert passes.most > 200


@pytest.mark.parametrize(
    "streams",
    [
        pytest.param([[*listed(101), LISTED, *listed(101), LISTED]], id="for the watch after it"),
        pytest.param([[*listed(101), GONE], [*listed(101), LISTED]], id="for its last page"),
    ],
)
async def test_the_listing_after_one_that_took_too_long_is_not_held_back(
    streams: list[list[Any]],
) -> None:
    """It would take too long as well, and so would each one after it."""
    bench = Bench()
    passes = Passes(bench, *streams)
    await eventually(lambda: len(passes.came) == 100, what="as many as may be handled at once")

    bench.now += 300
    passes.end(1)
    await eventually(lambda: len(passes.came) >= 202, 5, what="all are listed again")
    await passes.cancel()

    assert passes.came[-1] is LISTED


async def test_a_listing_is_held_back_again_once_the_watch_has_worked() -> None:
    bench = Bench()
    passes = Passes(bench, [*listed(101), LISTED, event("BOOKMARK"), *listed(101), LISTED])
    await eventually(lambda: len(passes.came) == 100, what="as many as may be handled at once")

    bench.now += 300
    passes.end(1)
    await eventually(lambda: len(passes.came) == 103, what="the watch works")
    passes.end(1)
    await asyncio.sleep(0.05)

    assert len(passes.came) == 103
    await passes.cancel()


async def test_a_resource_that_cannot_be_read_reaches_kopf_and_stops_no_watch() -> None:
    bench = Bench()
    bench.at_rest = {BROKEN, "u1"}

    async with bench.watching(all=[[event(None, BROKEN), event(None, "u1"), LISTED]]):
        assert bench.came[None] == [event(None, BROKEN), LISTED]
    assert bench.taken_in == ["u1"]


# Readiness


async def test_ready_is_who_has_handled_the_first_listing() -> None:
    bench = Bench()
    told = [await bench.watches.check()]

    async with bench.watching(all=[[event(None, "u1"), event(None, "u2"), LISTED]]):
        told.append(await bench.watches.check())
        bench.watches.note_handled("u1")
        told.append(await bench.watches.check())
        bench.watches.note_handled("u2")
        told.append(await bench.watches.check())

    assert [text is None for text in told] == [False, False, False, True]
    assert "not been listed yet" in (told[0] or "")
    assert (told[1] or "").startswith("2 listed")


async def test_a_resource_that_kopf_cannot_handle_does_not_count_for_ever() -> None:
    bench = Bench()

    async with bench.watching(all=[[event(None), LISTED, event("BOOKMARK", "u2")]]):
        assert await bench.watches.check() is not None
        bench.now += watches.SILENCE_SECONDS

        assert await bench.watches.check() is None


async def test_a_listing_in_a_namespace_without_resources_is_one() -> None:
    bench = Bench("empty")

    async with bench.watching(empty=[[LISTED]]):
        assert await bench.watches.check() is None


async def test_a_watch_that_is_silent_for_longer_than_its_time_out_is_down() -> None:
    bench = Bench()

    async with bench.watching(all=[[LISTED]]):
        bench.now += watches.SILENCE_SECONDS
        before = await bench.watches.check()
        bench.now += 1
        after = await bench.watches.check()
        bench.counters.before_reading[0]()

    assert before is None
    assert "has been down for 141 s" in (after or "")
    assert bench.is_up(watches.ALL_NAMESPACES) == 0


async def test_a_watch_is_not_down_while_its_listing_is_held_back() -> None:
    bench = Bench()
    passes = Passes(bench, [LISTED, *listed(101)])
    await eventually(lambda: len(passes.came) == 101, what="as many as may be handled at once")

    bench.now += watches.SILENCE_SECONDS + 1
    meanwhile = await bench.watches.check()
    bench.counters.before_reading[0]()
    was_up = bench.is_up(watches.ALL_NAMESPACES)
    passes.end(1)
    await eventually(lambda: len(passes.came) == 102, what="nothing is held back any longer")
    at_its_end = await bench.watches.check()
    bench.now += watches.SILENCE_SECONDS + 1
    afterwards = await bench.watches.check()
    await passes.cancel()

    assert (meanwhile, was_up, at_its_end) == (None, 1, None)
    assert "has been down for 141 s" in (afterwards or "")


async def test_a_namespace_that_may_be_read_again_is_while_its_listing_is_held_back() -> None:
    bench = Bench()
    passes = Passes(bench, [LISTED, DENIED], [*listed(101)])
    await eventually(lambda: len(passes.came) == 101, what="as many as may be handled at once")

    assert await bench.watches.check() is None
    await passes.cancel()


async def test_a_watch_that_comes_back_is_well_again_and_counts_as_another_listing() -> None:
    bench = Bench()

    async with bench.watching(all=[[LISTED, GONE], [event(None), LISTED, event("BOOKMARK", "")]]):
        problem, listings = await bench.watches.check(), bench.watches.listings

    assert problem is None
    assert listings == 2


# Around kopf


async def test_kopf_watches_through_here_while_it_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Private parts of kopf: a version that has them no longer would never be ready."""
    bench = Bench()
    bench.streams = {None: [[LISTED]]}
    monkeypatch.setattr(watching, "infinite_watch", bench.stream)
    with bench.watches.installed():
        watcher = asyncio.create_task(
            queueing.watcher(
                namespace=None,
                settings=kopf.OperatorSettings(),
                resource=references.Resource("g", "v", "p"),
                processor=None,  # type: ignore[arg-type]
            )
        )
        await eventually(lambda: bench.watches.listings, what="kopf lists")
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)

    assert watching.infinite_watch == bench.stream


async def test_a_watcher_that_an_object_makes_fail_is_started_over() -> None:
    bench, tries = Bench(), []

    async def watcher(*, namespace: str | None) -> None:
        tries.append(namespace)
        if len(tries) < 3:
            # As kopf does when the worker of an object fails.
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                raise RuntimeError("a framework bug") from None
        await asyncio.Event().wait()

    lasting = asyncio.create_task(bench.watches.lasting_watcher(watcher, namespace=None))
    await eventually(lambda: len(tries) == 3, what="the watcher is started over")
    lasting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await lasting


async def test_a_watcher_that_kopf_cancels_is_started_over() -> None:
    """As its time-out for a silent stream does when it hits the watcher outside of the stream."""
    bench, tries = Bench(), []

    async def watcher(*, namespace: str | None) -> None:
        tries.append(namespace)
        task = asyncio.current_task()
        assert task is not None
        if len(tries) < 3:
            task.cancel()
        await asyncio.Event().wait()

    lasting = asyncio.create_task(bench.watches.lasting_watcher(watcher, namespace=None))
    await eventually(lambda: len(tries) == 3, what="the watcher is started over")
    lasting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await lasting
