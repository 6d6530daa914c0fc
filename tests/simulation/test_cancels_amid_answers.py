"""A cancel that reaches a workflow in one task with the answer that it waits for is not lost.

For a cancel the SDK waits for the end of the activity, so a result in the same task would hide it.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import temporalio.activity as activity

from controller.api import v1alpha1
from controller.temporal import ids, messages
from tests.simulation import chain_runs
from tests.simulation.temporal.history import Event, Kind
from tests.workflows.world import World, failure

EXECUTION = ids.execution_workflow_id(account="account", stack_id="a")
# Whether both come in one task depends on the seed; some of these bring them together.
SEEDS = range(6)
STOPPED = {"STOPPED", "CANCELED", "DISCARDED"}


class CanceledAmid(World):
    """The chain is canceled when the answer to an activity is on its way."""

    def __init__(self, *, is_failing: bool = False) -> None:
        super().__init__()
        self.held = {"a"}
        self.cancel: Callable[[], Awaitable[None]] | None = None
        self._is_failing = is_failing

    @activity.defn(name="read_stack_run")
    async def read_stack_run(
        self, argument: messages.FollowStackRunInput
    ) -> messages.ReadStackRunResult:
        self.log.append(("read_stack_run", "a"))
        await self._answer_amid_cancel()
        if self._is_failing:
            raise failure("Unreachable")
        return messages.ReadStackRunResult(news=None)

    @activity.defn(name="confirm_stack_run")
    async def confirm_stack_run(
        self, argument: messages.ConfirmStackRunInput
    ) -> messages.ConfirmStackRunResult:
        self.log.append(("confirm_stack_run", "a"))
        await asyncio.sleep(5)
        await self._answer_amid_cancel()
        run = self.runs[argument.run_id].snapshot()
        return messages.ConfirmStackRunResult(run=run, excess="too large", closed_window=None)

    async def _answer_amid_cancel(self) -> None:
        cancel, self.cancel = self.cancel, None
        if cancel is not None:
            self.canceling = asyncio.ensure_future(cancel())
            await asyncio.sleep(0.05)


def came_together(events: list[Event]) -> bool:
    """Return whether the cancel and the end of an activity came in one workflow task."""
    (at,) = [
        place
        for place, event in enumerate(events)
        if event.kind is Kind.SIGNALED and event.data.name == ids.CANCEL_SIGNAL
    ]
    starts = [place for place, event in enumerate(events) if event.kind is Kind.TASK_STARTED]
    first, last = max(p for p in starts if p < at), min(p for p in starts if p > at)
    ends = {Kind.ACTIVITY_COMPLETED, Kind.ACTIVITY_FAILED}
    return any(event.kind in ends for event in events[first:last])


def play(world: CanceledAmid, seed: int, **policies: object) -> bool:
    """Return whether both came together; the run is stopped in any case."""
    events: list[Event] = []

    async def scenario(run: chain_runs.ChainRun) -> None:
        handle = await run.harness.start(**policies)
        execution = run.harness.client.get_workflow_handle(EXECUTION)

        async def cancel() -> None:
            chain = handle.first_execution_run_id
            await execution.signal(ids.MAY_TRIGGER_SIGNAL, chain)
            await execution.signal(ids.CANCEL_SIGNAL, chain)

        world.cancel = cancel
        if not policies:
            await run.until(lambda: "a" in world.calls("follow_stack_run"))
            await asyncio.sleep(10)
            await execution.signal(ids.WAKE_SIGNAL)
        await run.until(lambda: bool(STOPPED & set(world.states("a"))))
        await handle.result()
        (found,) = [one for one in run.server.executions() if one.workflow_id == EXECUTION]
        events.extend(found.history.events)

    chain_runs.simulate(world, scenario, seed=seed)
    return came_together(events)


@pytest.mark.parametrize("is_failing", [False, True], ids=["an answer", "a failure"])
def test_a_cancel_that_comes_with_what_was_read_stops_the_run(*, is_failing: bool) -> None:
    assert sum(play(CanceledAmid(is_failing=is_failing), seed) for seed in SEEDS) > 0


def test_a_cancel_that_comes_with_the_answer_to_a_confirmation_stops_the_run() -> None:
    def world() -> CanceledAmid:
        made = CanceledAmid()
        made.holds_in = {"a": "UNCONFIRMED"}
        return made

    auto = v1alpha1.ConfirmationPolicy.AUTO
    assert sum(play(world(), seed, confirmation_policy=auto) for seed in SEEDS) > 0
