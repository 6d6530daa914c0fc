"""Has the runs stopped that Spacelift queues on its own and that the chain does not use.

`chain.run.unwanted_runs` knows which these are; this says when they are stopped, next to the work
of the chain. A stack that no longer counts on a native run gets a run of the chain (ADR 0014 and
0017).
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta

import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller.api import reasons
    from controller.chain.graph import resolve
    from controller.chain.run import native_stops, progress, unwanted_runs
    from controller.temporal import messages
    from controller.temporal.activities import stack_operations
    from controller.temporal.workflows import activity_calls

# Spacelift may be away: then the running stacks are not kept from being stopped any longer.
_NATIVE_RUNS_LIMIT = timedelta(seconds=60)

# Between two looks for what is late or being stopped; new requests are looked for at once.
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.25, 2.0

# What a status has room for, with one to spare.
_LONGEST_MESSAGE = 1024

_OTHER_RUN_NOTE = "another run is used here"
_BYPASSED_NOTE = "a person vouches for the stack"


class UnwantedRunStopper:
    """A native run continues only on a stack that adopts it.

    Until the graph is known there are no stacks, and so there is nothing to stop.
    One activity at a time looks for all that is open, so that no two of them take the same run for
    two different origins. The chain waits for the last one before it closes.
    """

    def __init__(self, connection: messages.AccountRef, on_change: Callable[[], None]) -> None:
        self._connection = connection
        self._on_change = on_change
        self._stacks: Mapping[str, progress.StackProgress] = {}
        self._permits: Mapping[str, str] = {}
        self._queued = unwanted_runs.QueuedByRuns(resolve.EMPTY)
        # Stacks that got their own run instead of the native one that they adopted.
        self._left: list[str] = []
        self._stops = native_stops.OpenStops()
        self._is_asked = False
        self._looking: asyncio.Task[None] | None = None

    def set_graph(
        self,
        resolved: resolve.ChainGraph,
        stacks: Mapping[str, progress.StackProgress],
        permits: Mapping[str, str],
    ) -> None:
        """Take in the graph, the stacks of the chain in its order, and what lets runs be stopped.

        The worker that read the stacks gave out the permits.
        """
        self._stacks, self._permits = stacks, permits
        self._queued = unwanted_runs.QueuedByRuns(resolved, stacks.values())

    @property
    def queued(self) -> unwanted_runs.QueuedByRuns:
        """What runs of the chain have made Spacelift queue so far."""
        return self._queued

    @property
    def open_stacks(self) -> Collection[str]:
        """The stacks on which an unwanted run may still continue."""
        return self._stops.open_stacks

    def add_new_runs(self, *, is_suspended: bool) -> None:
        """Of what new runs of the chain made Spacelift queue, stop what no stack adopts."""
        for stack in self._stacks.values():
            if stack.uses_ahead_run:
                self._give_up_wave(stack.id)
            if self._queued.add(stack) and stack.run_id is not None:
                for stack_id in self._queued.unwanted_stacks(stack.id, self._stacks):
                    self._ask(stack_id, [stack.run_id], note=_OTHER_RUN_NOTE)
                if is_suspended:
                    self.stop_on_suspend()
                # What Spacelift queued here too late to be seen would hold the new run back.
                if self._stops.ask_for_missing(stack.id):
                    self._start_looking()

    def _give_up_wave(self, stack_id: str) -> None:
        """No run of the chain starts a wave here, so no stack can adopt from it."""
        for stack in self._stacks.values():
            if stack.adopts_from == stack_id and not stack.is_started:
                stack.adopts_from = None

    def leave_failed(self) -> None:
        """A stack whose run failed gets another one: native runs behind it would not wait."""
        for stack in self._stacks.values():
            is_retried = stack.reason == reasons.StackReason.RETRY_PENDING or stack.attempts > 1
            if is_retried and stack.id not in self._left:
                self._left.append(stack.id)
                stack.adopts_from = None
                self.stop_behind(stack.id)

    def stop_behind(self, stack_id: str, *, note: str = _OTHER_RUN_NOTE) -> None:
        """Stop the native runs behind a stack.

        Spacelift would start them without waiting for the run that the stack gets, or would start
        them although there is none.
        """
        behind = unwanted_runs.adopting_beyond(self._queued.reach(stack_id), self._stacks)
        self._stop_adopting(behind, note=note)

    def stop_on_suspend(self) -> None:
        """Stop what Spacelift would start while the chain is suspended."""
        known = [
            stack
            for stack in unwanted_runs.adopting_beyond(self._stacks, self._stacks)
            if self._stacks[stack.adopts_from or stack.id].run_id is not None
        ]
        self._stop_adopting(known, note="the chain is suspended")

    def _stop_adopting(self, stacks: Iterable[progress.StackProgress], *, note: str) -> None:
        """Stop the native runs of stacks, which get runs of the chain when their turn comes."""
        left = list(stacks)
        for stack in left:
            stack.adopts_from = None
        self.stop([stack.id for stack in left], note=note)

    def stop(self, stack_ids: Iterable[str], *, note: str) -> None:
        """Start to stop the unwanted runs on stacks."""
        for stack_id in stack_ids:
            origins = self._queued.unwanted_origins(stack_id, self._stacks)
            self._ask(stack_id, origins, note=note)

    def stop_unused(self, stack: progress.StackProgress) -> None:
        """Stop the run that a stack was to adopt if the stack has ended without it.

        Its execution was refused, or was ended from outside, before it had the run.
        """
        if stack.adopts_from is not None and stack.run_id is None:
            self.stop([stack.id], note="its stack ended without it")

    def release(self, stack_id: str) -> None:
        """Have a stack that was to run have no run: it leaves the wave that it was in."""
        self.stop([stack_id], note=_BYPASSED_NOTE)
        self.stop_behind(stack_id, note=_BYPASSED_NOTE)

    def stop_late(self, stack_id: str) -> None:
        """Stop the run that a stack was to adopt and that has been waited for in vain."""
        self._ask(
            stack_id,
            self._queued.unwanted_origins(stack_id, self._stacks),
            note=_OTHER_RUN_NOTE,
            since=0.0,
        )

    def _ask(
        self,
        stack_id: str,
        origin_run_ids: Iterable[str],
        *,
        note: str,
        since: float | None = None,
    ) -> None:
        text, now = f"stackchain: {note}", _now() if since is None else since
        if self._stops.ask(stack_id, origin_run_ids, note=text, now=now):
            self._start_looking()

    def _start_looking(self) -> None:
        self._is_asked = True
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def await_ends_behind(self, *stack_ids: str) -> None:
        """Return once nothing is being stopped behind stacks, or Spacelift is away for too long."""
        behind = {other for stack_id in stack_ids for other in self._queued.reach(stack_id)}
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._stops.open_stacks.isdisjoint(behind),
                timeout=_NATIVE_RUNS_LIMIT,
                timeout_summary="native runs first",
            )

    async def wait(self) -> None:
        """Return once nothing is being stopped any more, however long that takes.

        It looks once more for what Spacelift queued too late to be seen then.
        """
        await self._await_looking()
        if self._stops.ask_for_missing():
            self._start_looking()
            await self._await_looking()

    async def _await_looking(self) -> None:
        await workflow.wait_condition(lambda: self._looking is None or self._looking.done())
        if self._looking is not None:
            self._looking.result()

    async def _look(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while self._stops.open_stacks:
            if self._is_asked:
                self._is_asked, pause = False, _FIRST_PAUSE_SECONDS
            await self._look_once()
            if self._stops.open_stacks and not self._stops.has_unseen:
                with contextlib.suppress(TimeoutError):
                    await workflow.wait_condition(
                        lambda: self._is_asked,
                        timeout=pause,
                        timeout_summary="until native runs are looked for again",
                    )
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _look_once(self) -> None:
        def ignore(_: tuple[str, str] | None) -> None:
            """The stacks' own executions report what is wrong with Spacelift."""

        targets = self._stops.targets(self._describe, now=_now())
        try:
            result = await activity_calls.persist(
                stack_operations.StackOperations.stop_native_runs,
                messages.StopNativeRunsInput(connection=self._connection, targets=targets),
                summary=f"stop unwanted runs of {len(targets)} stacks",
                on_problem=ignore,
                start_to_close=activity_calls.BULK_TIMEOUT,
            )
            found = result.runs
        except temporalio.exceptions.ActivityError as error:
            found = _not_stopped(targets, activity_calls.cause_of(error)[1])
        for run in self._stops.take(found, now=_now()):
            self._note(run)
        self._on_change()

    def _describe(self, stack_id: str, origin_run_ids: Sequence[str]) -> native_stops.UnwantedRuns:
        known = self._queued.describe(stack_id, origin_run_ids, self._stacks.get(stack_id))
        return dataclasses.replace(known, permit=self._permits.get(stack_id, ""))

    def _note(self, run: native_stops.NativeRun) -> None:
        """Keep what was carried out all the same; the stack may still use it, or says so.

        And what may be of others.
        """
        stack = self._stacks.get(run.stack_id)
        is_used = stack is not None and run.run_id in (stack.run_id, stack.earlier_run_id)
        if is_used or self._queued.was_adopted(run.run_id):
            return
        teller = stack or self._stacks[self._queued.origin_stack(run.origin_run_id)]
        if run.is_to_be_told:
            unwanted_runs.keep_ahead(run, teller, self._stacks.values())
        elif run.problem and teller.phase.is_over:
            text = f" A run that Spacelift queued here could not be stopped: {run.problem}"
            teller.message = f"{teller.message}{text}"[:_LONGEST_MESSAGE]


def _now() -> float:
    return workflow.now().timestamp()


def _not_stopped(
    targets: Iterable[native_stops.UnwantedRuns], why: str
) -> list[native_stops.NativeRun]:
    return [
        native_stops.NativeRun(stack_id=target.stack_id, origin_run_id=origin, problem=why)
        for target in targets
        for origin in target.origin_run_ids
    ]
