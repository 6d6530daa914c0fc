"""Automatic starts, as a test that waits for one sees them."""

from controller.spacelift import endpoints
from controller.temporal.receiver import sweep_wakes
from tests.support import chains
from tests.support.waiting import eventually


async def is_watched(chain: chains.Chain, *stack_ids: str) -> chains.Body:
    """Wait until the first sweep has noted up to which run it need not look at the roots."""

    def has_marks(status: chains.Body) -> bool:
        marks = status.get("lastHandled", {}).get("rootRuns", [])
        return {mark["stackId"] for mark in marks} == set(stack_ids)

    return await chain.until(has_marks, what=f"{chain.name}: the roots are watched")


async def finished_run(account: chains.Account, stack_id: str) -> str:
    """Let a person trigger a run, and return its id when it has finished."""
    run_id: str = (await account.trigger(stack_id))["id"]

    async def is_finished() -> bool:
        return any(run["id"] == run_id and run["state"] == "FINISHED" for run in await runs())

    async def runs() -> list[chains.Body]:
        return await account.runs(stack_id)

    await eventually(is_finished, chains.SECONDS, what=f"the run of {stack_id} has finished")
    return run_id


async def deliver(
    release: chains.Installation, account: chains.Account, stack_id: str, *labels: str
) -> None:
    """Do what the receiver does with a notification about a finished run."""
    client = await release.temporal()

    async def is_woken() -> bool:
        # Another one each time, since it keeps the list of sweeps for a while.
        sweeps = sweep_wakes.TemporalSweepWaker(lambda: client)
        found = await sweeps.find(endpoints.account_of(account.url), stack_id, labels)
        return bool(found) and all([await sweeps.wake(sweep_id) for sweep_id in found])

    await eventually(is_woken, chains.SECONDS, what=f"the sweep of {stack_id} is woken")


def root_runs(status: chains.Body) -> list[tuple[str, str]]:
    """Return below which runs of roots the latest run runs."""
    return [(item["stackId"], item["runId"]) for item in status["latestRun"].get("rootRuns", [])]
