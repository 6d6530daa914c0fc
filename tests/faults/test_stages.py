"""Stages over twelve stacks: nothing of a later one starts early, whoever is killed meanwhile."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.support import account_runs, chains
from tests.support.account_runs import Run
from tests.support.chains import account_document
from tests.support.waiting import eventually

SOAK_SECONDS = 4
STAGES: list[dict[str, Any]] = [
    {"name": "dev", "labels": ["env:dev"]},
    {"name": "qa", "labels": ["env:qa"], "soakSeconds": SOAK_SECONDS},
    {"name": "prod", "labels": ["env:prod"], "soakSeconds": SOAK_SECONDS, "approval": "Required"},
]
LABELS = {
    "qa-2": "dev-2",
    "qa-3": "dev-3",
    "prod-2": "qa-2",
    "prod-3": "qa-4",
}
"""Upstreams that only a label names; `dev-4` has nothing behind it."""
NATIVE = ("dev-1 -> qa-1 -> prod-1", "dev-1 -> dev-2", "qa-3 -> qa-4", "prod-3 -> prod-4")
# What Spacelift queues behind these in later stages is canceled by then, on any machine.
LONG_SECONDS = 140
SLOW = ("dev-1", "qa-1")


@pytest.fixture(autouse=True)
async def _roles_are_there(release: chains.Installation) -> None:
    for role in (release.operator, release.worker):
        if not role.is_running:
            await role.start()


async def killed(release: chains.Installation) -> None:
    """Kill operator and worker, and start them again."""
    await release.worker.kill()
    await release.operator.kill()
    await started(release)


async def started(release: chains.Installation) -> None:
    await release.operator.start()
    await release.worker.start()


async def natives_are_canceled(account: chains.Account, stack_id: str, count: int) -> None:
    """Wait until so many runs that Spacelift has queued for a stack of a later stage are over."""

    async def are_canceled() -> bool:
        runs = [run for run in await account.runs(stack_id) if run["originId"]]
        return [run["state"] for run in runs] == ["CANCELED"] * count

    await eventually(are_canceled, chains.SECONDS, what=f"native runs of {stack_id} are canceled")


def of_stage(runs: Iterable[Run], stage: str) -> list[Run]:
    return [run for run in account_runs.worked(runs) if run["stackId"].startswith(stage)]


async def test_no_run_of_a_later_stage_leaves_the_queue_early_whoever_is_killed(
    release: chains.Installation,
) -> None:
    """Both are killed while runs are being canceled, while a stage soaks, and before an approval.

    What Spacelift queued itself has to be canceled in time. docs/limits.md says when it may be
    faster: if the stack before it takes less time than it takes to notice a dead worker.
    """
    names = [f"{stage['name']}-{number}" for stage in STAGES for number in range(1, 5)]
    stacks = {
        name: {
            "labels": [
                f"env:{name.partition('-')[0]}",
                *([f"dependsOn:{LABELS[name]}"] if name in LABELS else []),
            ],
            **({"durations": {"planning": LONG_SECONDS}} if name in SLOW else {}),
        }
        for name in names
    }
    account = await release.add_account("gates", account_document(*NATIVE, stacks=stacks))

    chain = await release.create("gates", "dev-1", "dev-3", "dev-4", account=account, stages=STAGES)
    await account.run_in("dev-1", "PLANNING")
    await killed(release)
    for stack_id in ("qa-1", "prod-1"):
        await natives_are_canceled(account, stack_id, 1)
    await account.pass_time(LONG_SECONDS)
    await account.run_in("dev-1", "FINISHED")
    await account.run_in("dev-2", "FINISHED")
    await killed(release)
    await account.run_in("qa-1", "PLANNING")
    await killed(release)
    await natives_are_canceled(account, "prod-1", 2)
    await account.pass_time(LONG_SECONDS)
    await chain.shows("AwaitingApproval")
    before = await account.runs()
    await release.worker.kill()
    await release.operator.kill()
    await release.stackchains.annotate("gates", approve="1: prod")
    await started(release)
    status = await chain.ends("RunSucceeded")

    runs = await account.runs()
    assert of_stage(before, "prod") == [], account_runs.describe(before)
    assert sorted(run["stackId"] for run in account_runs.worked(runs)) == sorted(names)
    for earlier, later in (("dev", "qa"), ("qa", "prod")):
        ended = max(map(account_runs.ended_at, of_stage(runs, earlier)))
        begun = min(map(account_runs.started_at, of_stage(runs, later)))
        # A stage counts whole seconds.
        assert begun - ended >= SOAK_SECONDS - 1, account_runs.describe(runs)
    shown = [(stage["name"], stage["progress"]) for stage in status["latestRun"]["stages"]]
    assert shown == [("dev", "4/4"), ("qa", "4/4"), ("prod", "4/4")]
