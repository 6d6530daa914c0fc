"""10,000 StackChains at rest: what the operator's restart over them takes, and what it costs then.

One chain really runs. The others are copies of what it left, written by the same rules as the
operator's own: had one of them anything that asks for work, the report would show its requests.
"""

import asyncio
import copy
import dataclasses
import json
import time
from collections import Counter

from controller.operator import asks_digest, kopf_settings
from tests.benchmarks import counts, figures, graphs, machine, memory, rig

RECONCILED_SECONDS, OPERATOR_MIB, IDLE_PERCENT = 60, 512, 2.0
# So often all uids are compared with the API server, which costs more than all else.
_IDLE_SECONDS = 300.0
# As often as Prometheus reads them.
_SCRAPE_SECONDS = 15.0
_STACKS = 5
_COPIES_AT_ONCE = 20


async def run(*, quick: bool) -> figures.Report:
    return await _measured(200, 5.0) if quick else await _measured(10_000, _IDLE_SECONDS)


async def _measured(count: int, idle_seconds: float) -> figures.Report:
    async with rig.running(poll_seconds=0.2) as parts:
        await _let_one_run(parts)
        await parts.role("operator").stop()
        await _copy(parts, await parts.chains.get("one"), count - 1)
        began = await _reading(parts)
        restart = await _restart(parts, count)
        at_rest = await _reading(parts)
        idle_cpu = await _idle(parts, idle_seconds)
        after = await _reading(parts)
    starting, idling = at_rest.counts - began.counts, after.counts - at_rest.counts
    percent = idle_cpu / idle_seconds * 100
    what = f"{count} resources at rest"
    return figures.Report(
        title="Many resources at rest, and a restart of the operator",
        figures=[
            *memory.of_operator(
                what,
                "all reconciled after",
                seconds=restart.seconds,
                peak=restart.peak,
                most_seconds=RECONCILED_SECONDS,
                most_mib=OPERATOR_MIB,
            ),
            figures.Figure(
                what=f"{what}: operator's memory {idle_seconds:g} s later",
                measured=after.rss,
                unit="MiB",
            ),
            figures.Figure(
                what=f"{what}: share of a core when idle",
                measured=percent,
                unit="%",
                at_most=IDLE_PERCENT,
            ),
            figures.Figure(what=f"{what}: passes of reconcile", measured=after.passes, at_most=0),
            figures.Figure(
                what=f"{what}: changes of the Lease's holder",
                measured=after.transitions - at_rest.transitions,
                at_most=0,
            ),
        ],
        notes=[
            f"each is a copy of a chain of {_STACKS} stacks that has run, {restart.size:,} bytes",
            f"ready after {restart.ready:.1f} s, {restart.cpu:.1f} s of processor time",
            f"requests during the restart: {_shown(starting)}",
            f"requests in {idle_seconds:g} s idle: {_shown(idling)}; "
            f"metrics read every {_SCRAPE_SECONDS:g} s",
        ],
    )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """What has been counted so far; `rss` in MiB, `passes` of this operator's reconcile."""

    counts: counts.Counts
    transitions: int
    passes: float
    rss: float


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Restart:
    """What the restart took; `peak` in MiB, `size` of one resource in bytes of JSON."""

    ready: float
    seconds: float
    cpu: float
    peak: float
    size: int


async def _let_one_run(parts: rig.Rig) -> None:
    graph = graphs.fan("one", stacks=_STACKS)
    await parts.seed(graphs.scenario(graph, is_native=False, durations=0.2))
    async with rig.watching(parts) as watch:
        await parts.apply("one", root=graphs.root_of(graph))
        await watch.succeeded("one")

        def is_noted() -> bool:
            return kopf_settings.is_done(watch.bodies["one"])

        await rig.until(is_noted, what="kopf has nothing left to do for it")


async def _copy(parts: rig.Rig, body: rig.Body, number: int) -> None:
    slots = asyncio.Semaphore(_COPIES_AT_ONCE)

    async def one(index: int) -> None:
        async with slots:
            await _copy_one(parts, body, f"copy-{index:05d}")

    await asyncio.gather(*(one(index) for index in range(number)))


async def _copy_one(parts: rig.Rig, body: rig.Body, name: str) -> None:
    """Create a resource in the state that the run of another one has left."""
    created = await parts.kube.create(
        parts.chains.path("").rstrip("/"),
        {
            "apiVersion": body["apiVersion"],
            "kind": body["kind"],
            "metadata": {"name": name, "finalizers": body["metadata"]["finalizers"]},
            "spec": body["spec"],
        },
    )
    path, metadata = parts.chains.path(name), created["metadata"]
    # The ids of the workflows have the resource's.
    text = json.dumps(body["status"])
    text = text.replace(body["metadata"]["uid"], metadata["uid"])
    text = text.replace(f"{rig.NAMESPACE}/{body['metadata']['name']}/", f"{rig.NAMESPACE}/{name}/")
    status = _observing(json.loads(text), created)
    await parts.kube.patch(f"{path}/status", {"status": status})


def _observing(status: rig.Body, body: rig.Body) -> rig.Body:
    """Return the status as the operator would have written it for another resource."""
    observed, generation = copy.deepcopy(status), body["metadata"]["generation"]
    observed["observedGeneration"] = generation
    observed["observedDigest"] = asks_digest.digest_of(body)
    for condition in observed["conditions"]:
        condition["observedGeneration"] = generation
    return observed


async def _reading(parts: rig.Rig) -> _Reading:
    operator = parts.role("operator")
    is_running = operator.process.is_running
    passes = await parts.metrics("operator", "stackchain_reconciles_total") if is_running else {}
    return _Reading(
        counts=await parts.counts(),
        transitions=await parts.lease_transitions(),
        passes=sum(passes.values()),
        rss=machine.rss(operator.process.pid) if is_running else 0.0,
    )


async def _restart(parts: rig.Rig, count: int) -> _Restart:
    operator = parts.role("operator")
    body = await parts.chains.get("copy-00000")
    began = time.monotonic()
    await operator.start()
    pid = operator.process.pid

    async def are_known() -> bool:
        known = await parts.metrics("operator", "stackchain_chains")
        return sum(known.values()) == count

    await rig.until(are_known, what=f"the operator knows {count} resources")
    ready = time.monotonic() - began
    done = await memory.at_rest(pid)
    return _Restart(
        ready=ready,
        seconds=done - began,
        cpu=machine.cpu_seconds(pid),
        peak=machine.peak_rss(pid),
        size=len(json.dumps(body, separators=(",", ":"))),
    )


async def _idle(parts: rig.Rig, seconds: float) -> float:
    """Return the processor time that the operator uses while nothing happens."""
    pid = parts.role("operator").process.pid
    before, deadline = machine.cpu_seconds(pid), time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        await parts.metrics("operator", "stackchain_chains")
        await asyncio.sleep(min(left, _SCRAPE_SECONDS))
    return machine.cpu_seconds(pid) - before


def _shown(found: counts.Counts) -> str:
    temporal = Counter({f"Temporal's {name}": value for name, value in found.temporal.items()})
    for name in counts.POLLS:
        temporal.pop(f"Temporal's {name}", None)
    both = (found.kubernetes + temporal).most_common()
    return ", ".join(f"{value} {name}" for name, value in both) or "none"
