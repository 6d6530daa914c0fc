"""The big one: many chains while operator and worker are killed over and over."""

import asyncio
import collections
import random
from typing import Any

import pytest

from devenv import simulator_process
from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import eventually

CHAINS = 50
# Kills, then peace: a worker's death is noticed only after ten seconds without a heartbeat.
KILLING_SECONDS = 40.0
ALL_DONE_SECONDS = 500.0
CHAIN_RUNS = "WorkflowType = 'StackDependencyChainWorkflow'"

# Ten stacks each, `{0}` is the chain: what Spacelift connects, and what only labels connect.
SHAPES: list[tuple[str, list[str], dict[str, str]]] = [
    ("line", ["0 -> 1 -> 2 -> 3 -> 4 -> 5 -> 6 -> 7 -> 8 -> 9"], {}),
    ("fan", [f"0 -> {n}" for n in range(1, 10)], {}),
    ("diamonds", ["0 -> 1 -> 3 -> 4 -> 6 -> 7 -> 9", "0 -> 2 -> 3 -> 5 -> 6 -> 8 -> 9"], {}),
    ("labels", ["0 -> 1 -> 2", "0 -> 3"], dict(zip("456789", "243668", strict=True))),
    ("mixed", ["0 -> 1 -> 2 -> 3 -> 4", "0 -> 5 -> 6"], {"7": "6", "3": "6", "8": "4", "9": "8"}),
]  # fmt: skip


# By shape: the stacks on which Spacelift queues a run that the chain does not use. Such a run is
# stopped while it is queued. While no worker lives, nothing stops it, and it takes a second.
SURPLUS = {"mixed": ("3", "4")}


def may_run_by_itself(stack_id: str) -> bool:
    """Whether Spacelift may have run the stack once more when no worker was there."""
    chain, _, name = stack_id.partition("-")
    shape, _, _ = SHAPES[int(chain.removeprefix("c")) % len(SHAPES)]
    return name in SURPLUS.get(shape, ())


def shape_of(number: int) -> tuple[list[str], dict[str, str]]:
    _, edges, labels = SHAPES[number % len(SHAPES)]
    prefix = f"c{number:02d}-"
    arrows = [" -> ".join(prefix + name for name in edge.split(" -> ")) for edge in edges]
    return arrows, {prefix + name: f"dependsOn:{prefix}{up}" for name, up in labels.items()}


def document(durations: random.Random) -> chains.Body:
    edges: list[str] = []
    stacks: dict[str, Any] = {}
    for number in range(CHAINS):
        arrows, labels = shape_of(number)
        edges += arrows
        stacks |= {name: {"labels": [label]} for name, label in labels.items()}
    names = [f"c{number:02d}-{stack}" for number in range(CHAINS) for stack in range(10)]
    for name in names:
        stacks.setdefault(name, {})["durations"] = durations.uniform(0.2, 1.0)
    return account_document(*edges, stacks=stacks)


class Reaper:
    """Kills one role at a time with SIGKILL, and starts it again."""

    def __init__(self, release: chains.Installation, moments: random.Random) -> None:
        self.kills: collections.Counter[str] = collections.Counter()
        self._roles = [release.operator, release.worker]
        self._moments = moments

    async def run(self) -> None:
        until = asyncio.get_running_loop().time() + KILLING_SECONDS
        while asyncio.get_running_loop().time() < until:
            await asyncio.sleep(self._moments.uniform(0.5, 7))
            role = self._moments.choice(self._roles)
            await role.kill()
            self.kills[role.options.role] += 1
            await asyncio.sleep(self._moments.uniform(0, 0.5))
            # The next kill may hit a role that is still starting.
            role.start_without_waiting()


@pytest.fixture
def seed() -> int:
    value = random.SystemRandom().randrange(10**6)
    print(f"seed {value}")
    return value


@pytest.mark.timeout(700)
async def test_every_stack_of_fifty_chains_runs_once_whatever_is_killed(
    release: chains.Installation, seed: int
) -> None:
    moments = random.Random(seed)  # noqa: S311 - not a secret
    account = await release.add_account("kills", document(moments))
    reaper = Reaper(release, moments)

    reaping = asyncio.create_task(reaper.run())
    for number in range(CHAINS):
        await release.create(f"kills-{number:02d}", f"c{number:02d}-0", account=account)
        await asyncio.sleep(moments.uniform(0, 0.4))
    await reaping
    statuses = await all_done(release)
    print(f"kills: {dict(reaper.kills)}")

    assert min(reaper.kills.values()) > 1
    for status in statuses.values():
        assert chains.ready(status)["reason"] == "RunSucceeded", chains.explain(status)
        assert status["latestRun"]["progress"] == "10/10"
        assert set(chains.phases(status).values()) == {"Succeeded"}
    check_runs(statuses, await account.runs())
    started = [item.id for item in await release.executions(CHAIN_RUNS) if "/kills-" in item.id]
    assert len(started) == len(set(started)) == CHAINS


async def all_done(release: chains.Installation) -> dict[str, chains.Body]:
    async def are_done() -> dict[str, chains.Body]:
        await asyncio.sleep(0.3)  # Fifty statuses are much to ask for all the time.
        statuses = await release.statuses()
        mine = {name: statuses[name] for name in statuses if name.startswith("kills-")}
        left = {
            name: chains.ready(status).get("reason")
            for name, status in mine.items()
            if not (status.get("latestRun") or {}).get("completionTime")
            or chains.condition(status, "Reconciling")["status"] != "False"
        }
        assert not left, left
        return mine

    return await eventually(are_done, ALL_DONE_SECONDS, what="all chains are over")


def check_runs(statuses: dict[str, chains.Body], runs: list[dict[str, Any]]) -> None:
    """One run per stack took effect, the status names it, and no other is left."""
    by_stack: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for run in runs:
        by_stack[run["stackId"]].append(run)
    named = {row["id"]: row["runId"] for status in statuses.values() for row in status["stacks"]}
    assert named.keys() == by_stack.keys()
    assert len(named) == 10 * CHAINS
    for stack_id, found in by_stack.items():
        told = [(run["id"], run["state"], run["triggeredBy"]) for run in found]
        triggered = [
            run for run in found if run["triggeredBy"] == f"api::{simulator_process.API_KEY.id}"
        ]
        effective = [run["id"] for run in found if run["state"] not in ("CANCELED", "SKIPPED")]
        if may_run_by_itself(stack_id) and named[stack_id] in effective:
            effective = [named[stack_id]]
        assert effective == [named[stack_id]], (stack_id, told)
        assert len(triggered) <= 1, (stack_id, told)
        assert all(run["finished"] for run in found), (stack_id, told)
