"""Memory of operator and worker: idle, with chains running, and with many resources at rest."""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Mapping
from typing import Any

from tests.benchmarks import figures, graphs, machine, rig, starts

POLL_SECONDS = 1.0
RECONCILED_SECONDS, OPERATOR_MIB = 25, 200
_STACKS_PER_CHAIN = 5
_EDITS_AT_ONCE = 20


async def run(*, quick: bool) -> figures.Report:
    chains, idle = (10, 50) if quick else (100, 1000)
    settle_seconds = 1 if quick else 5
    running = await _running(chains, settle_seconds)
    restarts, edit = await _changed(idle, settle_seconds)
    found = [
        figures.Figure(what=f"{role}, {when}", measured=mib, unit="MiB")
        for when, roles in running.items()
        for role, mib in roles.items()
    ]
    for name, restart in restarts.items():
        found += of_operator(
            f"restart over {idle} resources, {name}",
            "all reconciled after",
            seconds=restart.seconds,
            peak=restart.peak,
        )
    found += edit.figures(f"{idle} resources edited while it runs")
    return figures.Report(
        title="Memory, a restart of the operator, and many edits",
        figures=found,
        notes=[
            f"chains of {_STACKS_PER_CHAIN} stacks, all but the first waiting for a person at once",
            "nothing asked: the operator has only to look at each resource, and has come to rest; "
            "each edited: `parallelism` changed meanwhile, so that each status has a new "
            "generation to observe",
            *(f"{name}: {restart.text()}" for name, restart in restarts.items()),
            f"edited while it runs: {_EDITS_AT_ONCE} edits at a time, the last one "
            f"{edit.edited:.1f} s after the first",
        ],
    )


def of_operator(
    what: str,
    done: str,
    *,
    seconds: float,
    peak: float,
    most_seconds: float = RECONCILED_SECONDS,
    most_mib: float = OPERATOR_MIB,
) -> list[figures.Figure]:
    """Return how long an operator took for many resources, and its peak in MiB."""
    return [
        figures.Figure(what=f"{what}: {done}", measured=seconds, unit="s", at_most=most_seconds),
        figures.Figure(
            what=f"{what}: operator's peak", measured=peak, unit="MiB", at_most=most_mib
        ),
    ]


async def _running(chains: int, settle_seconds: float) -> dict[str, Mapping[str, float]]:
    """Return the peaks of each role in MiB, in three situations."""
    names = [f"fan-{number:03d}" for number in range(chains)]
    stacks: dict[str, Any] = {}
    for name in names:
        graph = graphs.fan(name, stacks=_STACKS_PER_CHAIN)
        stacks |= graphs.scenario(graph, is_native=False, durations=0.2, autodeploy=False)
        stacks[graphs.root_of(graph)]["autodeploy"] = True
    async with rig.running(poll_seconds=POLL_SECONDS) as parts, rig.watching(parts) as watch:
        await parts.seed(stacks)
        before = await _peaks(parts, asyncio.sleep(settle_seconds))
        followed = chains * (_STACKS_PER_CHAIN - 1)
        during = await _peaks(parts, _run_all(parts, watch, names, followed))
        await asyncio.sleep(settle_seconds)
        after = await _peaks(parts, asyncio.sleep(1))
    return {
        "nothing to do": before,
        f"{chains} chains, {followed} runs followed": during,
        "nothing to do again": after,
    }


async def _peaks(parts: rig.Rig, work: Awaitable[None]) -> Mapping[str, float]:
    pids = {name: role.process.pid for name, role in parts.parts.roles.items()}
    async with machine.watched(pids) as usage:
        await work
    return usage.peak


async def _run_all(parts: rig.Rig, watch: rig.Watch, names: list[str], followed: int) -> None:
    """Run all chains; all but their roots wait for a person until all are followed."""

    async def are_followed() -> bool:
        values = await parts.metrics("worker", "stackchain_runs_followed")
        return (
            sum(values.values()) >= followed and await parts.count_runs("UNCONFIRMED") == followed
        )

    await starts.apply_all(parts, names)
    await rig.until(are_followed, what=f"{followed} runs are followed")
    for item in await parts.runs(state="UNCONFIRMED"):
        await parts.confirm(item["id"])
    await watch.succeeded(*names)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Restart:
    """What a restart of the operator took; `peak` in MiB."""

    ready: float
    seconds: float
    cpu: float
    peak: float

    def text(self) -> str:
        return f"ready after {self.ready:.1f} s, {self.cpu:.1f} s of processor time"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Edit:
    """What edits of all resources took, in seconds since the first one; `peak` in MiB."""

    edited: float
    seconds: float
    peak: float
    lease_transitions: int

    def figures(self, what: str) -> list[figures.Figure]:
        return [
            *of_operator(
                what,
                "last edit -> all reconciled",
                seconds=self.seconds - self.edited,
                peak=self.peak,
            ),
            figures.Figure(
                what=f"{what}: changes of the Lease's holder",
                measured=self.lease_transitions,
                at_most=0,
            ),
        ]


async def _changed(count: int, settle_seconds: float) -> tuple[dict[str, _Restart], _Edit]:
    """Restart the operator over resources that ran long ago, and edit them, also meanwhile."""
    names = [f"one-{number:04d}" for number in range(count)]
    async with rig.running(poll_seconds=0.2) as parts, rig.watching(parts) as watch:
        stacks = {f"{name}-000": () for name in names}
        await parts.seed(graphs.scenario(stacks, is_native=False, durations=0.1))
        await starts.apply_all(parts, names)
        await watch.succeeded(*names, seconds=1800)
        # The look back at each chain's end is over too.
        await asyncio.sleep(settle_seconds)
        restarts = {
            "nothing asked": await _restart(parts, watch, []),
            "each edited": await _restart(parts, watch, names),
        }
        return restarts, await _edit_while_running(parts, watch, names)


async def _restart(parts: rig.Rig, watch: rig.Watch, edited: list[str]) -> _Restart:
    operator = parts.role("operator")
    await operator.stop()
    await _edit(parts, edited, parallelism=11)
    began = time.monotonic()
    await operator.start()
    ready = time.monotonic() - began
    pids = {"operator": operator.process.pid}
    async with machine.watched(pids) as usage:
        if edited:
            await _until_observed(watch, edited, parallelism=11)
            done = time.monotonic()
        else:
            done = await at_rest(pids["operator"])
    cpu = machine.cpu_seconds(pids["operator"])
    return _Restart(ready=ready, seconds=done - began, cpu=cpu, peak=usage.peak["operator"])


async def _edit_while_running(parts: rig.Rig, watch: rig.Watch, names: list[str]) -> _Edit:
    before = await parts.lease_transitions()
    async with machine.watched({"operator": parts.role("operator").process.pid}) as usage:
        began = time.monotonic()
        await _edit(parts, names, parallelism=12)
        edited = time.monotonic() - began
        await _until_observed(watch, names, parallelism=12)
        seconds = time.monotonic() - began
    return _Edit(
        edited=edited,
        seconds=seconds,
        peak=usage.peak["operator"],
        lease_transitions=await parts.lease_transitions() - before,
    )


async def _edit(parts: rig.Rig, names: list[str], *, parallelism: int) -> None:
    slots = asyncio.Semaphore(_EDITS_AT_ONCE)

    async def edit(name: str) -> None:
        async with slots:
            await parts.chains.set_spec(name, parallelism=parallelism)

    await asyncio.gather(*(edit(name) for name in names))


async def _until_observed(watch: rig.Watch, names: list[str], *, parallelism: int) -> None:
    def are_observed() -> bool:
        return all(_is_observed(watch.bodies[name], parallelism) for name in names)

    await rig.until(are_observed, what=f"all {len(names)} resources are reconciled")


def _is_observed(body: rig.Body, parallelism: int) -> bool:
    observed: bool = body["status"]["observedGeneration"] == body["metadata"]["generation"]
    return observed and body["spec"]["parallelism"] == parallelism


async def at_rest(pid: int) -> float:
    """Wait until a process uses almost no processor, and return since when."""
    since, used = time.monotonic(), machine.cpu_seconds(pid)
    while time.monotonic() - since < 3:
        await asyncio.sleep(0.5)
        now = machine.cpu_seconds(pid)
        if now - used > 0.1:
            since = time.monotonic()
        used = now
    return since
