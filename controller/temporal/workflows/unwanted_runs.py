"""Has the runs stopped that Spacelift queues on its own and that the chain does not use.

`chain.run.unwanted_runs` knows which these are; this says when they are stopped, next to the work
of the chain. A stack that no longer counts on a native run gets a run of the chain (ADR 0014 and
0017).
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller.api import reasons
    from controller.chain.graph import resolve
    from controller.chain.run import progress, run_states, unwanted_runs
    from controller.temporal import messages
    from controller.temporal.activities import stack_operations
    from controller.temporal.workflows import activity_calls

# Spacelift may be away: then the running stacks are not kept from being stopped any longer.
_NATIVE_RUNS_LIMIT = timedelta(seconds=60)

_OTHER_RUN_NOTE = "another run is used here"


class UnwantedRunStopper:
    """A native run continues only on a stack that adopts it.

    Until the graph is known there are no stacks, and so nothing to stop. Each stop is a task of its
    own; the chain waits for all of them before it closes.
    """

    def __init__(self, connection: messages.AccountRef, on_change: Callable[[], None]) -> None:
        self._connection = connection
        self._on_change = on_change
        self._stacks: Mapping[str, progress.StackProgress] = {}
        self._queued = unwanted_runs.QueuedByRuns(resolve.EMPTY)
        # Stacks that got a run of their own in place of the native one that they adopted.
        self._left: list[str] = []
        # A list, not a set: the order must be the same on replay.
        self._stops: list[asyncio.Task[None]] = []

    def set_graph(
        self, resolved: resolve.ChainGraph, stacks: Mapping[str, progress.StackProgress]
    ) -> None:
        """Take in the graph, and the stacks of the chain in its order."""
        self._stacks = stacks
        self._queued = unwanted_runs.QueuedByRuns(resolved)

    @property
    def queued(self) -> unwanted_runs.QueuedByRuns:
        """What runs of the chain have made Spacelift queue so far."""
        return self._queued

    def add_new_runs(self, *, is_suspended: bool) -> None:
        """Of what new runs of the chain made Spacelift queue, stop what no stack adopts."""
        for stack in self._stacks.values():
            if self._queued.add(stack):
                unwanted = self._queued.unwanted_stacks(stack.id, self._stacks)
                self.stop(unwanted, note=_OTHER_RUN_NOTE)
                if is_suspended:
                    self.stop_on_suspend()

    def leave_failed(self) -> None:
        """A stack whose run failed gets another one: what is behind it would not wait for that."""
        for stack in self._stacks.values():
            is_retried = stack.reason == reasons.StackReason.RETRY_PENDING or stack.attempts > 1
            if is_retried and stack.id not in self._left:
                self._left.append(stack.id)
                stack.adopts_from = None
                self.stop_behind(stack.id)

    def stop_behind(self, stack_id: str, *, note: str = _OTHER_RUN_NOTE) -> bool:
        """Stop the native runs behind a stack; returns whether there may be any.

        Spacelift would start them without waiting for the run that the stack gets, or would start
        them although there is none.
        """
        behind = unwanted_runs.adopting_beyond(self._queued.reach(stack_id), self._stacks)
        return self._stop_adopting(behind, note=note)

    def stop_on_suspend(self) -> None:
        """Stop what Spacelift would start while the chain is suspended."""
        known = [
            stack
            for stack in unwanted_runs.adopting_beyond(self._stacks, self._stacks)
            if self._stacks[stack.adopts_from or stack.id].run_id is not None
        ]
        self._stop_adopting(known, note="the chain is suspended")

    def _stop_adopting(self, stacks: Iterable[progress.StackProgress], *, note: str) -> bool:
        """Stop the native runs of stacks, which get runs of the chain when their turn comes."""
        left = list(stacks)
        for stack in left:
            stack.adopts_from = None
        return self.stop([stack.id for stack in left], note=note)

    def stop(self, stack_ids: Iterable[str], *, note: str) -> bool:
        """Start to stop the unwanted runs on stacks; returns whether there may be any."""
        targets = self._queued.unwanted(stack_ids, self._stacks)
        if targets:
            stop = self._stop(targets, note=f"stackchain: {note}")
            self._stops.append(asyncio.create_task(stop))
        return bool(targets)

    async def await_ends(self) -> None:
        """Return once nothing is being stopped, or Spacelift is away for too long."""
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: all(stop.done() for stop in self._stops),
                timeout=_NATIVE_RUNS_LIMIT,
                timeout_summary="native runs first",
            )

    async def wait(self) -> None:
        """Return once nothing is being stopped any more, however long that takes."""
        while self._stops:
            stops, self._stops = self._stops, []
            await asyncio.gather(*stops)

    async def _stop(self, targets: list[unwanted_runs.UnwantedRuns], *, note: str) -> None:
        def ignore(_: tuple[str, str] | None) -> None:
            """The stacks' own executions report what is wrong with Spacelift."""

        try:
            result = await activity_calls.persist(
                stack_operations.StackOperations.stop_native_runs,
                messages.StopNativeRunsInput(
                    connection=self._connection, targets=targets, note=note
                ),
                summary=f"stop unwanted runs of {len(targets)} stacks",
                on_problem=ignore,
                start_to_close=activity_calls.BULK_TIMEOUT,
            )
        except temporalio.exceptions.ActivityError as error:
            why = activity_calls.cause_of(error)[1]
            ends = [(target.stack_id, _not_stopped(why)) for target in targets]
        else:
            ends = [(end.stack_id, text) for end in result.runs if (text := _not_prevented(end))]
        for stack_id, text in ends:
            self._append_message(stack_id, text)

    def _append_message(self, stack_id: str, text: str) -> None:
        stack = self._stacks.get(stack_id)
        if stack is not None and stack.phase.is_over:
            stack.message += text
        self._on_change()


def _not_stopped(why: str) -> str:
    return f" A run that Spacelift queued here could not be stopped: {why}"


def _not_prevented(end: messages.NativeRunEnd) -> str:
    """Return what the status says of a run that was carried out all the same; "" if it was not."""
    if end.problem:
        return _not_stopped(end.problem)
    if end.state == run_states.RunState.FINISHED:
        return (
            f" Its run {end.run_id}, which Spacelift had queued, was faster than the chain and "
            f"has finished: {end.run_url}"
        )
    if end.is_left:
        return (
            f" Its run {end.run_id}, which Spacelift had queued, was {end.state} already and is "
            f"allowed to finish: {end.run_url}"
        )
    return ""
