"""kopf on the stand-in for the API server: what the operator relies on, and one course a seed."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import kopf
import pytest

from controller.kube import errors
from controller.observability import metrics
from controller.operator import asks_digest, watches
from tests.simulation import virtual_time
from tests.simulation.kube import (
    api_server,
    kopf_operator,
    kube_connection,
    link,
    routes,
)
from tests.simulation.planned_chance import Planned, Wild
from tests.simulation.processes import Process
from tests.simulation.temporal import chance

Json = dict[str, Any]
PATH = "/apis/stackchain.dev/v1alpha1/namespaces/team/stackchains"
MERGE_PATCH = "application/merge-patch+json"
FINALIZER = "stackchain.dev/stop-runs"


class Bench:
    """An operator that notes how kopf calls its handlers, also in the status; and a person."""

    def __init__(self, loop: virtual_time.VirtualLoop, decide: chance.Chance | None = None) -> None:
        self.loop = loop
        self.api = api_server.ApiServer(loop.unix)
        self.api.create_namespace("team")
        planned = Planned()
        self.chance = decide or planned
        self.throttled = planned.next
        self.calls: list[str] = []
        self.failures: list[BaseException] = []
        """What the next calls of a handler raise."""
        self.seconds = 0.0
        """How long a handler takes."""
        self.watches: watches.Watches | None = None
        """Of the operator that was started last."""
        self.link = self._link("operator", self.chance)
        self.person = kube_connection.KubeConnection(self._link("person", Planned()))

    def start(self) -> Process:
        process = self.loop.process("operator")
        process.start(self._operate())
        return process

    async def create(self, **metadata: Any) -> Json:
        body = {"metadata": {"name": "chain", **metadata}, "spec": {"roots": {"stackIds": ["a"]}}}
        return await self.person.request("POST", PATH, body=body)

    async def patch(self, body: Json, *, path: str = f"{PATH}/chain") -> Json:
        return await self.person.request("PATCH", path, body=body, content_type=MERGE_PATCH)

    async def get(self) -> Json:
        return await self.person.request("GET", f"{PATH}/chain")

    async def delete(self) -> None:
        await self.person.request("DELETE", f"{PATH}/chain")

    @contextlib.contextmanager
    def crowded(self) -> Iterator[watches.Watches]:
        """Have as many other resources handled as may be at a time; gives the operator's watches.

        A listing of this one then waits.
        """
        assert self.watches is not None
        with contextlib.ExitStack() as others:
            for _ in range(100):
                others.enter_context(self.watches.passing())
            yield self.watches

    def _link(self, user: str, decide: chance.Chance) -> link.ApiLink:
        return link.ApiLink(self.loop, self.api, user=user, chance=decide)

    async def _operate(self) -> None:
        registry = kopf.OperatorRegistry()
        resource = (routes.STACKCHAINS.group, routes.STACKCHAINS.version, "stackchains")
        kopf.on.login(registry=registry)(kopf_operator.login(self.link))
        kopf.on.event(*resource, registry=registry)(self._on_event)
        kopf.on.resume(*resource, registry=registry, id="resume")(self._noting("resume"))
        kopf.on.create(*resource, registry=registry, id="reconcile")(self._noting("create"))
        kopf.on.update(*resource, registry=registry, id="reconcile")(self._noting("update"))
        kopf.on.delete(*resource, registry=registry, id="release")(self._noting("delete"))
        self.watches = watches.Watches((), metrics.Metrics())
        await kopf_operator.watch(registry, self.watches, lambda _: True)

    def _note(self, what: str) -> None:
        self.calls.append(f"{self.loop.time():.2f} {what}")

    def _noting(self, what: str) -> Callable[..., Awaitable[None]]:
        async def handle(**_: Any) -> None:
            self._note(what)
            if self.seconds:
                await asyncio.sleep(self.seconds)
            if self.failures:
                raise self.failures.pop(0)
            if what != "delete":
                await self._note_taken_in()
            self._note(f"{what} done")

        return handle

    async def _note_taken_in(self) -> None:
        """Write what a pass writes when it has decided on all that is asked."""
        with contextlib.suppress(errors.ObjectNotFound):
            digest = asks_digest.digest_of(await self.get())
            await self.patch({"status": {"observedDigest": digest}}, path=f"{PATH}/chain/status")

    async def _on_event(self, event: Json, **_: Any) -> None:
        self._note(f"event {event['type']}")

    def done(self) -> list[str]:
        """The handlers that came to their end, in order."""
        words = [call.split() for call in self.calls]
        return [word[1] for word in words if word[-1] == "done"]

    def of(self, what: str) -> list[float]:
        """When a handler was called."""
        return [float(call.split()[0]) for call in self.calls if call.split()[1:] == [what]]


def run(
    main: Callable[[Bench], Awaitable[object]],
    *,
    seed: int = 1,
    make_chance: Callable[[random.Random], chance.Chance] | None = None,
) -> Bench:
    rng = random.Random(seed)
    loop = virtual_time.VirtualLoop(rng)
    bench = Bench(loop, make_chance(rng) if make_chance else None)

    async def started() -> None:
        await main(bench)

    try:
        with kopf_operator.virtual_kopf():
            loop.run(started())
    finally:
        loop.close()
    assert loop.unhandled == []
    return bench


def test_a_resource_is_created_changed_and_deleted() -> None:
    async def main(bench: Bench) -> None:
        bench.start()
        await bench.create()
        await asyncio.sleep(10)
        assert (await bench.get())["metadata"]["finalizers"] == [FINALIZER]
        await bench.patch({"spec": {"parallelism": 3}})
        await asyncio.sleep(10)
        await bench.delete()
        await asyncio.sleep(10)

        assert bench.done() == ["create", "update", "delete"]
        assert bench.api.store.select("stackchains", "team") == []

    run(main)


def test_a_status_calls_no_handler() -> None:
    async def main(bench: Bench) -> None:
        bench.start()
        await bench.create()
        await asyncio.sleep(10)
        await bench.patch({"status": {"phase": "Running"}}, path=f"{PATH}/chain/status")
        await asyncio.sleep(10)

        assert bench.done() == ["create"]
        assert len([call for call in bench.calls if "event" in call]) >= 4

    run(main)


def test_a_handler_is_called_again_after_the_pause_that_it_asks_for() -> None:
    async def main(bench: Bench) -> None:
        bench.start()
        bench.failures += [kopf.TemporaryError("later", delay=30), ValueError("unforeseen")]
        await bench.create()
        await asyncio.sleep(120)

        first, second, third = bench.of("create")
        assert second - first == pytest.approx(30, abs=0.5)
        assert third - second == pytest.approx(15, abs=0.5)
        assert bench.done() == ["create"]

    run(main)


def test_what_a_crash_has_cut_off_is_handled_once_more() -> None:
    async def main(bench: Bench) -> None:
        bench.seconds = 5
        operator = bench.start()
        await bench.create()
        await asyncio.sleep(3)
        operator.kill()
        await asyncio.sleep(60)
        assert bench.done() == []
        bench.start()
        await asyncio.sleep(60)

        assert len(bench.of("create")) == 2
        assert bench.done() == ["create"]

    run(main)


def test_after_a_restart_only_resume_is_called() -> None:
    async def main(bench: Bench) -> None:
        operator = bench.start()
        await bench.create()
        await asyncio.sleep(10)
        operator.kill()
        bench.start()
        await asyncio.sleep(10)

        assert bench.done() == ["create", "resume"]

    run(main)


def test_a_deletion_while_no_operator_is_there_is_handled_by_the_next_one() -> None:
    async def main(bench: Bench) -> None:
        operator = bench.start()
        await bench.create()
        await asyncio.sleep(10)
        operator.kill()
        await bench.delete()
        await asyncio.sleep(10)
        bench.start()
        await asyncio.sleep(10)

        assert bench.done() == ["create", "delete"]

    run(main)


def test_a_deletion_in_a_gap_of_the_watch_is_never_seen() -> None:
    async def main(bench: Bench) -> None:
        bench.start()
        await bench.create()
        await asyncio.sleep(10)
        bench.link.cut()
        await bench.patch({"metadata": {"finalizers": None}})
        await bench.delete()
        bench.api.store.compact()
        await asyncio.sleep(5)
        bench.link.restore()
        await bench.create(annotations={"which": "the second"})
        await asyncio.sleep(120)

        assert bench.done() == ["create", "create"]
        assert not any("DELETED" in call for call in bench.calls)

    run(main)


def test_a_change_while_the_watch_is_broken_is_seen_afterwards() -> None:
    async def main(bench: Bench) -> None:
        bench.start()
        await bench.create()
        await asyncio.sleep(10)
        bench.link.cut()
        await bench.patch({"spec": {"parallelism": 3}})
        await asyncio.sleep(40)
        bench.link.restore()
        await asyncio.sleep(60)

        assert bench.done() == ["create", "update"]

    run(main)


def test_a_listing_that_the_watch_finds_too_old_is_made_again_once_and_at_once() -> None:
    """It was held back for long, since many resources are being handled."""

    async def main(bench: Bench) -> None:
        await bench.create()
        bench.start()
        await asyncio.sleep(0)
        with bench.crowded() as ours:
            for number, seconds in enumerate((100, 150, 150, 150, 150), 1):
                await asyncio.sleep(seconds)
                await bench.patch({"spec": {"parallelism": number}})
                bench.api.store.compact()
            await asyncio.sleep(10)

        assert ours.listings == 2
        listed = [float(call.split()[0]) for call in bench.calls if call.endswith("event None")]
        assert listed == [pytest.approx(200, abs=0.5), pytest.approx(201, abs=0.5)]
        assert bench.done() == ["create", *["update"] * 4]

    run(main)


def test_a_listing_that_is_held_back_outlasts_the_time_out_of_the_watch_before_it() -> None:
    async def main(bench: Bench) -> None:
        bench.start()
        await bench.create()
        await asyncio.sleep(10)
        with bench.crowded() as ours:
            bench.link.cut()
            await bench.patch({"spec": {"parallelism": 3}})
            bench.api.store.compact()
            bench.link.restore()
            for _ in range(199):
                await asyncio.sleep(1)
                assert await ours.check() is None
            assert bench.done() == ["create"]
            await asyncio.sleep(10)

        assert ours.listings == 2
        assert bench.done() == ["create", "update"]

    run(main)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        pytest.param("0", 1, id="none"),
        pytest.param("7", 7, id="seven seconds"),
        pytest.param("86400", 300, id="a day"),
        pytest.param("1e18", 300, id="a number that no timer takes"),
        pytest.param("Fri, 31 Dec 2100 23:59:59 GMT", 300, id="a date"),
        pytest.param("soon", 1, id="junk"),
    ],
)
def test_a_pause_that_the_api_server_asks_for_lasts_minutes_at_most(
    asked: str, seconds: float
) -> None:
    """Of kopf's own requests, here the first listing."""

    async def main(bench: Bench) -> None:
        bench.link.retry_after = asked
        bench.throttled.append(link.THROTTLED)
        bench.start()
        await bench.create()
        await asyncio.sleep(600)

        assert bench.of("create") == [pytest.approx(seconds, abs=0.5)]

    run(main)


def test_new_credentials_are_taken_when_the_old_ones_are_refused() -> None:
    async def main(bench: Bench) -> None:
        bench.start()
        await bench.create()
        await asyncio.sleep(10)
        bench.api.unknown_users.add("operator")
        bench.link.break_watches()
        await asyncio.sleep(30)
        bench.api.unknown_users.clear()
        await bench.patch({"spec": {"parallelism": 3}})
        await asyncio.sleep(60)

        assert bench.done() == ["create", "update"]

    run(main)


def test_a_handler_is_never_called_while_it_runs_for_the_same_object() -> None:
    async def main(bench: Bench) -> None:
        bench.seconds = 20
        bench.start()
        await bench.create()
        for number in range(1, 6):
            await asyncio.sleep(7)
            await bench.patch({"spec": {"parallelism": number}})
        await asyncio.sleep(200)

        words = [call.split()[1:] for call in bench.calls if "event" not in call]
        assert [word[-1] == "done" for word in words] == [False, True] * (len(words) // 2)

    run(main)


async def live_wildly(bench: Bench) -> None:
    operator = bench.start()
    await bench.create()
    for number in range(1, 8):
        await asyncio.sleep(5)
        await bench.patch({"spec": {"parallelism": number}})
        if number % 3 == 0:
            operator.kill()
            operator = bench.start()
    await asyncio.sleep(300)
    await bench.delete()
    await asyncio.sleep(600)


@pytest.mark.parametrize("seed", range(5))
def test_a_seed_is_one_course_with_all_that_goes_wrong_in_it(seed: int) -> None:
    first, second = (run(live_wildly, seed=seed, make_chance=Wild) for _ in range(2))

    assert first.calls == second.calls
    assert first.loop.steps == second.loop.steps
    assert first.done()[-1] == "delete"
