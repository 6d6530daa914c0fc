"""Random schedules around runs that Spacelift queues on its own, and what must hold after each.

A schedule is a small account, one chain on it and what happens meanwhile: failures, people,
cancels, answers that take their time, a worker that is away. All of it comes from one seed.
"""

import asyncio
import contextlib
import dataclasses
import json
import random
from collections.abc import Iterable, Iterator
from typing import Any

from temporalio.client import Client

from controller.api.v1alpha1 import Phase
from controller.chain.run import progress, stack_ends, unwanted_runs
from controller.chain.status import stack_rows
from devenv.simulator.model import run_actions
from devenv.simulator.model.errors import Refusal
from devenv.simulator.model.run_entities import Run
from tests.workflows import harness as harnesses
from tests.workflows.simulated_world import SimulatedWorld

# In the account's time: by then all runs of a schedule are over.
_LONGEST_SECONDS = 150.0


@dataclasses.dataclass
class Schedule:
    """What a seed makes: the account, the chain, and what happens when, in seconds."""

    seed: int
    document: dict[str, Any]
    roots: list[str]
    fields: dict[str, Any]
    disturbances: list[tuple[float, str, str]]
    trigger_delays: dict[str, float]

    def describe(self) -> str:
        stacks = self.document["stacks"]
        lines = [f"seed {self.seed}: {self.fields}, {self.disturbances}, {self.trigger_delays}"]
        lines += [f"  {name}: {json.dumps(spec)}" for name, spec in stacks.items()]
        return "\n".join(lines)


def make(seed: int, *, pace: float = 1.0, **fields: Any) -> Schedule:
    """Return the schedule of a seed; `pace` is how long its runs are."""
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    names = [f"s{number}" for number in range(rng.randint(4, 9))]
    stacks: dict[str, dict[str, Any]] = {}
    bases = rng.randint(1, 3)
    for number, name in enumerate(names):
        stacks[name] = _stack(rng, names[:number] if number >= bases else [], pace)
    roots = [
        name
        for name in names
        if not stacks[name].get("dependsOn") and not stacks[name].get("labels")
    ]
    chosen = {
        "failure_policy": rng.choice(["SkipDependents"] * 4 + ["FailFast"]),
        "native_runs": rng.choice(["Adopt"] * 4 + ["Strict", "Replace"]),
        "parallelism": rng.choice([2, 10]),
    }
    return Schedule(
        seed=seed,
        document={"stacks": stacks, "defaults": {"stack": {"autodeploy": True}}},
        roots=roots,
        fields=chosen | fields,
        disturbances=sorted(_disturbances(rng, names, stacks, pace)),
        trigger_delays={
            name: pace * rng.uniform(0.5, 2.0) for name in names if rng.random() < 0.15
        },
    )


def _stack(rng: random.Random, before: list[str], pace: float) -> dict[str, Any]:
    spec: dict[str, Any] = {"durations": _durations(rng, pace)}
    spec["outcomes"] = [rng.choice(["changes"] * 8 + ["no-op", "fail:planning", "fail:applying"])]
    if rng.random() < 0.07:
        spec["disabled"] = True
    upstreams = rng.sample(before, min(len(before), rng.choice([0, 1, 1, 2, 3])))
    if before and not upstreams and rng.random() < 0.7:
        upstreams = [rng.choice(before)]
    labels, native = [], []
    for upstream in upstreams:
        kind = rng.random()
        if kind < 0.2:
            labels.append(f"dependsOn:{upstream}")
            continue
        edge: dict[str, Any] = {"stack": upstream}
        if kind > 0.85:
            edge["references"] = [{"output": "id", "input": f"TF_VAR_{upstream}"}]
        native.append(edge)
    if labels:
        spec["labels"] = labels
    if native:
        spec["dependsOn"] = native
    spec["outputs"] = {"id": "1"}
    return spec


def _durations(rng: random.Random, pace: float) -> dict[str, float]:
    scale = pace * rng.uniform(0.2, 1.5)
    return {
        "ready": 0.1 * scale,
        "preparing": 0.1 * scale,
        "initializing": 0.2 * scale,
        "planning": 0.4 * scale,
        "applying": 0.4 * scale,
    }


def _disturbances(
    rng: random.Random, names: list[str], stacks: dict[str, dict[str, Any]], pace: float
) -> Iterator[tuple[float, str, str]]:
    if rng.random() < 0.3:
        yield (pace * rng.uniform(0.2, 5), "cancel", "")
    if rng.random() < 0.3:
        yield (pace * rng.uniform(0.2, 4), "away", str(pace * rng.uniform(1, 2.5)))
    if rng.random() < 0.2:
        yield (pace * rng.uniform(0.2, 4), "person cancels", rng.choice(names))
    if rng.random() < 0.1:
        yield (pace * rng.uniform(0.2, 3), "disable", rng.choice(names))
    for name in names:
        if stacks[name].get("disabled"):
            yield (pace * rng.uniform(2, 6), "enable", name)
    yield (pace * 15, "enable all", "")


@dataclasses.dataclass
class Outcome:
    """What came of a schedule. `silent` are violations; `told` are runs that the status names."""

    schedule: Schedule
    silent: list[str] = dataclasses.field(default_factory=list)
    told: list[str] = dataclasses.field(default_factory=list)
    requests: int = 0
    stacks: int = 0

    def describe(self) -> str:
        return "\n".join([self.schedule.describe(), *self.silent])


class Performance:
    """Plays one schedule: its chain, then a retry of what did not succeed."""

    def __init__(self, client: Client, schedule: Schedule) -> None:
        self._schedule = schedule
        self.world = SimulatedWorld(
            schedule.document, roots=schedule.roots, seed=schedule.seed, poll_seconds=0.2
        )
        self.world.transport.answer_delays["TriggerRun"] = lambda variables: (
            schedule.trigger_delays.get(str(variables["stack"]), 0.005)
        )
        self._harness = harnesses.new_harness(client, self.world)
        self.outcome = Outcome(schedule, stacks=len(schedule.document["stacks"]))
        self._ends: list[tuple[float, progress.ChainProgress]] = []

    async def play(self) -> Outcome:
        async with harnesses.workers(self._harness, has_sandbox=False):
            first = await self._chain("first", [])
            if first.phase is not Phase.SUCCEEDED and first.stacks:
                kept = [
                    progress.Kept(
                        stack_id=stack.id, run_number=1, run_id=stack.run_id, run_url=stack.run_url
                    )
                    for stack in first.stacks
                    if stack_ends.ended_well(stack)
                ]
                await self._chain("again", kept)
        # What was allowed to finish finishes.
        await self._until_quiet()
        self._judge()
        self.outcome.requests = sum(self.world.transport.requests.values())
        await self.world.aclose()
        return self.outcome

    async def _chain(self, name: str, kept: list[progress.Kept]) -> progress.ChainProgress:
        handle = await self._harness.start(name, kept=kept, **self._schedule.fields)
        disturbing = asyncio.create_task(self._disturb(handle if not kept else None))
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                known = progress.unpacked(await handle.result())
        finally:
            disturbing.cancel()
            self.world.transport.is_served.set()
            with contextlib.suppress(asyncio.CancelledError):
                await disturbing
        self._advance()
        self._ends.append((self.world.simulator.engine.now, known))
        return known

    def _advance(self) -> None:
        self.world.simulator.advance()

    async def _disturb(self, handle: Any) -> None:
        began = asyncio.get_running_loop().time()
        for at, what, about in self._schedule.disturbances:
            await asyncio.sleep(max(0.0, began + at - asyncio.get_running_loop().time()))
            self._advance()
            stacks = self.world.simulator.account.stacks
            match what:
                case "cancel" if handle is not None:
                    await handle.cancel()
                case "away":
                    self.world.transport.is_served.clear()
                    asyncio.get_running_loop().call_later(
                        float(about), self.world.transport.is_served.set
                    )
                case "person cancels":
                    self._person_cancels(about)
                case "disable":
                    stacks[about].is_disabled = True
                case "enable":
                    stacks[about].is_disabled = False
                case "enable all":
                    for stack in stacks.values():
                        stack.is_disabled = False

    def _person_cancels(self, stack_id: str) -> None:
        simulator = self.world.simulator
        for run in simulator.account.runs_of(stack_id):
            with contextlib.suppress(Refusal):
                run_actions.cancel(simulator.engine, run, username="jane@example.com")
        self._advance()

    async def _until_quiet(self) -> None:
        async with asyncio.timeout(_LONGEST_SECONDS):
            while self.world.simulator.next_due() is not None:
                self._advance()
                await asyncio.sleep(0.05)

    # What must hold

    def _judge(self) -> None:
        runs = list(self.world.simulator.account.runs.values())
        since = ""
        for closed_at, known in self._ends:
            own = [run for run in runs if run.id > since]
            self._judge_chain(known, own, closed_at)
            since = max((run.id for run in runs if run.created_at <= closed_at), default=since)

    def _judge_chain(
        self, known: progress.ChainProgress, runs: list[Run], closed_at: float
    ) -> None:
        runs = [run for run in runs if run.created_at <= closed_at]
        said = {
            run.run_id
            for stack in known.stacks
            for run in unwanted_runs.unused_runs(stack)[: stack_rows.LISTED_UNUSED_RUNS]
        }
        used = {stack.run_id for stack in known.stacks if stack.run_id}
        for run in runs:
            if run.id in used or not was_applied(run):
                continue
            ended = _started(run)
            line = (
                f"{run.id} on {run.stack_id} (by {run.triggered_by}, {run.state}, created "
                f"{run.created_at - closed_at:.2f}, started {ended - closed_at:.2f}) was carried "
                "out besides"
            )
            is_told = run.id in said
            (self.outcome.told if is_told else self.outcome.silent).append(line)
        self._judge_order(known, {run.id: run for run in runs})

    def _judge_order(self, known: progress.ChainProgress, runs: dict[str, Run]) -> None:
        by_id = {stack.id: stack for stack in known.stacks}
        for stack in known.stacks:
            run = runs.get(stack.run_id or "")
            if run is None or not was_applied(run):
                continue
            for upstream in stack.depends_on:
                above = by_id[upstream]
                other = runs.get(above.run_id or "")
                if other is not None and _ended(other) > _started(run) + 1e-6:
                    self.outcome.silent.append(
                        f"{run.id} on {stack.id} started before {other.id} on {upstream} ended"
                    )
                if not stack_ends.ended_well(above):
                    self.outcome.silent.append(
                        f"{run.id} on {stack.id} was carried out though {upstream} is "
                        f"{above.phase} {above.reason}; its message: {stack.message!r}"
                    )


def was_applied(run: Run) -> bool:
    return any(entry.state == "APPLYING" for entry in run.history)


def _started(run: Run) -> float:
    return next(entry.at for entry in run.history if entry.state == "PREPARING")


def _ended(run: Run) -> float:
    return run.history[-1].at if run.finished else float("inf")


async def play_all(
    temporal_client: Client, seeds: Iterable[int], *, at_once: int, **fields: Any
) -> list[Outcome]:
    """Play the schedules of seeds, some at a time; `fields` replace what is drawn."""
    slots = asyncio.Semaphore(at_once)

    async def play(seed: int) -> Outcome:
        async with slots:
            return await Performance(temporal_client, make(seed, **fields)).play()

    return await asyncio.gather(*(play(seed) for seed in seeds))
