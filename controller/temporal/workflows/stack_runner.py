"""Brings stacks of a chain to their ends: by executions, and by waits for others that have a stack.

A stack that others have, or that is locked or disabled, takes no slot meanwhile (ADR 0018).
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, TypeVar

import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller import times
    from controller.api import reasons
    from controller.api.v1alpha1 import Phase
    from controller.chain.run import (
        gates,
        holds,
        policy,
        progress,
        reports_without_reading,
        stack_lines,
    )
    from controller.temporal import ids, messages, search_attributes
    from controller.temporal.activities import stack_operations
    from controller.temporal.workflows import (
        activity_calls,
        chain_messages,
        interruption,
        stack_execution,
        unwanted_runs,
    )

# What a workflow task sends to Temporal may have 4 MiB, or Temporal terminates the chain; an input
# at its longest (`docs/limits.md`) has some 150 kB.
MOST_STARTS_AT_ONCE = 25

_PAUSE_AT_WINDOW_SECONDS = 1.0

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AwaitedEnd:
    """A stack whose execution is waited for, and what ends the wait if Temporal does not tell."""

    stack: progress.StackProgress
    execution: messages.AwaitedExecution
    end: "asyncio.Future[progress.StackReport | None]"


class StackRunner:
    """Each stack that was started is one task, until it has ended or is as if it were not started.

    `interruptible` ends the executions and the waits.
    """

    def __init__(
        self,
        argument: messages.ChainInput,
        run: progress.ChainProgress,
        unwanted: unwanted_runs.UnwantedRunStopper,
        interruptible: interruption.Interruption,
        *,
        may_start: Callable[[], bool],
        on_change: Callable[[], None],
    ) -> None:
        self._input = argument
        self._may_start = may_start
        self._run = run
        self._unwanted = unwanted
        self._interruptible = interruptible
        self._on_change = on_change
        # What the worker that read the stacks handed out for them; set before one is started.
        self.permits: Mapping[str, str] = {}
        # Lists, not sets: the order of cancel commands must be the same on replay.
        self._tasks: list[asyncio.Task[None]] = []
        # By stack: the wait for its turn, and what lets its execution stop its run.
        self._waits: dict[str, asyncio.Task[Any]] = {}
        self._leaves: dict[str, asyncio.Task[None]] = {}
        self._ended_leaves: list[asyncio.Task[None]] = []
        # Only looked up in: the order of a set is not that of a replay.
        self._open: set[str] = set()
        # What tells executions that they have a slot for their next run.
        self._grants: list[asyncio.Task[None]] = []
        # Those whose executions run, and those where one before a reset has left something.
        self._followed: set[str] = set()
        self._left: set[str] = set()
        # By stack: what ends the wait for its execution if Temporal tells another one how it ended.
        self._awaited: dict[str, AwaitedEnd] = {}
        self._starting = asyncio.Semaphore(MOST_STARTS_AT_ONCE)
        # By stack that others have, or had: since when it is waited for, and who comes after.
        self._since: dict[str, float] = {}
        self._behind: dict[str, list[stack_lines.WaitingChain]] = {}

    def start(self, stack: progress.StackProgress) -> None:
        """Start an execution of a stack."""
        stack.is_started = True
        stack.phase, stack.reason = Phase.WAITING, reasons.StackReason.STARTING
        self._tasks.append(asyncio.create_task(self._work_on(stack)))

    def take_over(self, stack: progress.StackProgress) -> None:
        """Have an execution stop what one before a reset has left; the chain is canceled."""
        self._left.add(stack.id)
        self.start(stack)

    def take_end(self, stack: progress.StackProgress, report: progress.StackReport) -> None:
        """Take over the end of a stack."""
        if not report.phase.is_over:
            report = reports_without_reading.ended_unknown(report)
        report = policy.with_cause(self._run, report)
        progress.apply_report(stack, report, now=times.rfc3339(workflow.now()))
        self._unwanted.stop_unused(stack)

    @property
    def awaited_ends(self) -> "list[AwaitedEnd]":
        """The executions whose ends are waited for."""
        return list(self._awaited.values())

    def take_end_from_elsewhere(self, awaited: "AwaitedEnd", end: messages.StackEnd) -> None:
        """Take the end of an execution that was told to another one, unless it has come by now."""
        if awaited.end.done():
            return
        report = end.report
        if end.is_from_outside:
            report = self._ended_from_outside(awaited.stack, "the chain's workflow was reset")
        awaited.end.set_result(report)

    async def settle(self) -> None:
        """Return once no stack is being started or waited for; the chain is canceled."""
        for waiting in self._waits.values():
            waiting.cancel()
        await workflow.wait_condition(lambda: self._open <= self._followed)

    @property
    def open_stacks(self) -> Collection[str]:
        """The stacks that a task still has; one of them may have ended and be asked for again."""
        return self._open

    def reopen(self, stack_id: str) -> None:
        """Have a stack that has ended be started once more; it may ask to stop that run, too."""
        if (leave := self._leaves.pop(stack_id, None)) is not None:
            self._ended_leaves.append(leave)

    def give_up(self, stack_id: str) -> None:
        """End the wait for a stack that is no longer to run, if there is one."""
        if (waiting := self._waits.get(stack_id)) is not None:
            waiting.cancel()

    def let_stop(self, stack: progress.StackProgress) -> None:
        """Let a stack stop its run, after what waits behind it."""
        if stack.id not in self._leaves:
            self._leaves[stack.id] = asyncio.create_task(self._let_stop(stack))

    def let_trigger(self, stack: progress.StackProgress) -> None:
        """Give a stack a slot for its next run."""
        progress.give_slot(stack)
        self._grants.append(asyncio.create_task(self._let_trigger(stack.id)))

    async def _let_trigger(self, stack_id: str) -> None:
        await self._signal(stack_id, ids.MAY_TRIGGER_SIGNAL)

    async def wait(self) -> None:
        """Return once all that was started has ended."""
        await asyncio.gather(*self._tasks)
        await asyncio.gather(*self._grants)
        # An execution asks before it ends.
        await asyncio.gather(*self._ended_leaves, *self._leaves.values())

    async def _let_stop(self, stack: progress.StackProgress) -> None:
        self._unwanted.stop_behind(stack.id, note="the run of an upstream stack is stopped")
        await self._unwanted.await_ends_behind(stack.id)
        await self._signal(stack.id, ids.MAY_STOP_SIGNAL)

    async def _signal(self, stack_id: str, name: str) -> None:
        await self.signal(chain_messages.execution_id(self._input, stack_id), name)

    async def signal(self, workflow_id: str, name: str) -> None:
        """Signal a stack's execution; it may have ended meanwhile.

        Not as its parent: after a reset Temporal takes the execution before for the parent, and
        lets no other one signal or cancel the child. Another chain's execution of the stack ignores
        signals that are not from its own chain run.
        """
        execution = workflow.get_external_workflow_handle(workflow_id)
        with contextlib.suppress(temporalio.exceptions.FailureError):
            await execution.signal(name, workflow.info().first_execution_run_id)

    async def _work_on(self, stack: progress.StackProgress) -> None:
        self._open.add(stack.id)
        try:
            await self._execute(stack)
        finally:
            self._open.discard(stack.id)
            self._followed.discard(stack.id)
            self._awaited.pop(stack.id, None)

    async def _execute(self, stack: progress.StackProgress) -> None:
        """Bring one stack to its end, or until others have to finish with it first."""
        while (handle := await self._try_start(stack)) is None:
            if not stack.is_started:
                return
            await self._await_turn(stack)
            if stack.id not in self._left:
                return
            stack.is_started = True
        report = await self._await_end(stack, handle)
        if report is None:
            self._start_over(stack)
        elif report.reason == reasons.StackReason.WINDOW_CLOSED and not report.phase.is_over:
            await self._leave_to_window(stack, report.opens_at)
        elif report.phase is Phase.WAITING:
            await self._await_release(stack, report)
        else:
            self.take_end(stack, report)
        self._on_change()

    async def _await_end(
        self,
        stack: progress.StackProgress,
        handle: workflow.ChildWorkflowHandle[Any, progress.StackReport | None],
    ) -> progress.StackReport | None:
        self._followed.add(stack.id)
        elsewhere: asyncio.Future[progress.StackReport | None]
        elsewhere = asyncio.get_running_loop().create_future()
        self._awaited[stack.id] = AwaitedEnd(
            stack=stack,
            execution=messages.AwaitedExecution(
                workflow_id=handle.id, first_run_id=handle.first_execution_run_id or ""
            ),
            end=elsewhere,
        )
        if not await self._interruptible.until_any_is_done(handle, elsewhere):
            await self._signal(stack.id, ids.CANCEL_SIGNAL)
            await workflow.wait([handle, elsewhere], return_when=asyncio.FIRST_COMPLETED)
        try:
            return handle.result() if handle.done() else elsewhere.result()
        except temporalio.exceptions.FailureError as error:
            return self._ended_from_outside(stack, activity_calls.cause_of(error)[1])

    def _ended_from_outside(self, stack: progress.StackProgress, why: str) -> progress.StackReport:
        now = times.rfc3339(workflow.now())
        return reports_without_reading.execution_ended(stack, why, now=now)

    async def _try_start(
        self, stack: progress.StackProgress
    ) -> workflow.ChildWorkflowHandle[Any, progress.StackReport | None] | None:
        """Start the stack's execution; None: another chain has the stack, or it is not started.

        A start is never interrupted: whether there is a child to wait for must be known.
        """
        async with self._starting:
            if not self._may_start():
                # It was reset meanwhile, and the run may be over.
                await workflow.wait_condition(
                    lambda: self._may_start() or self._run.is_canceling or stack.id in self._left
                )
            if self._is_given_up(stack):
                self._start_over(stack)
                return None
            return await self._start_execution(stack)

    def _is_given_up(self, stack: progress.StackProgress) -> bool:
        return self._run.is_canceling and stack.id not in self._left

    async def _start_execution(
        self, stack: progress.StackProgress
    ) -> workflow.ChildWorkflowHandle[Any, progress.StackReport | None] | None:
        """Start the stack's execution; None: another chain has the stack."""
        line = self._behind.get(stack.id, [])
        try:
            return await workflow.start_child_workflow(
                stack_execution.StackExecutionWorkflow.run,
                self._execution_input(stack, line),
                memo={ids.LINE_MEMO: line} if line else None,
                search_attributes=search_attributes.of_stack(
                    workflow.info().typed_search_attributes, stack.id
                ),
                id=chain_messages.execution_id(self._input, stack.id),
                parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
                static_summary=f"{stack.id} for {chain_messages.title(self._input)}",
            )
        except temporalio.exceptions.WorkflowAlreadyStartedError:
            return None

    def _execution_input(
        self, stack: progress.StackProgress, line: list[stack_lines.WaitingChain]
    ) -> messages.StackExecutionInput:
        stacks = {item.id: item for item in self._run.stacks}
        origin = stacks[stack.adopts_from].run_id if stack.adopts_from is not None else None
        return chain_messages.stack_execution(
            self._input,
            stack,
            self._unwanted.queued,
            stacks,
            permits=self.permits,
            origin=origin,
            line=line,
            is_canceled=stack.id in self._left,
        )

    async def _await_turn(self, stack: progress.StackProgress) -> None:
        """Another chain has the stack: wait for its end in activities, not by retrying.

        An activity that returns earlier says which chain has it now, and what that chain's run
        waits for.
        """
        waiting = stack_lines.WaitingChain(
            workflow_id=workflow.info().workflow_id,
            since=self._since.setdefault(stack.id, workflow.now().timestamp()),
        )
        known: holds.HoldingChain | None = None
        while True:
            meaning = holds.of_chain(stack.id, known)
            result = await self._stand_aside(
                stack,
                meaning,
                stack_operations.StackOperations.await_turn,
                messages.AwaitTurnInput(
                    workflow_id=chain_messages.execution_id(self._input, stack.id),
                    chain=waiting,
                    asking=chain_messages.chain_execution(),
                    known=known,
                ),
            )
            if result is None or result.is_turn or stack.phase.is_over:
                break
            known = result.holder
        self._behind[stack.id] = result.behind if result is not None else []
        self._have_again(stack)

    async def _await_release(
        self, stack: progress.StackProgress, report: progress.StackReport
    ) -> None:
        """The stack is locked or disabled, so its execution has ended without a run."""
        await self._stand_aside(
            stack,
            progress.StackMeaning(
                phase=report.phase,
                reason=report.reason,
                message=report.message,
                held_by=report.held_by,
            ),
            stack_operations.StackOperations.await_stack_release,
            messages.AwaitStackReleaseInput(
                target=chain_messages.target(self._input, stack, self.permits),
                hold_message=report.message,
                is_patient=True,
            ),
        )
        self._have_again(stack)

    async def _leave_to_window(self, stack: progress.StackProgress, opens_at: str | None) -> None:
        """Its window has closed since the stack was started: the chain waits for that, as a gate.

        Not within the same second, in which clocks may differ on whether it is open.
        """
        progress.set_pending(stack)
        if opens_at is not None:
            now = times.rfc3339(workflow.now())
            gates.take_refusal(self._run, stack, opens_at, now=now)
        self._on_change()
        await asyncio.sleep(_PAUSE_AT_WINDOW_SECONDS)

    async def _stand_aside(
        self,
        stack: progress.StackProgress,
        meaning: progress.StackMeaning,
        activity: Callable[[stack_operations.StackOperations, _Argument], Awaitable[_Result]],
        argument: _Argument,
    ) -> _Result | None:
        """Wait in an activity for what others do; None once the stack is skipped or canceled.

        Meanwhile the stack counts as not started.
        """
        if self._is_given_up(stack):
            self._start_over(stack)
            return None
        progress.set_aside(stack, meaning)
        self._on_change()
        waiting = workflow.start_activity_method(
            activity,
            argument,
            **activity_calls.wait_options(f"wait for {stack.id}", is_for_others=True),
        )
        self._waits[stack.id] = waiting
        try:
            if stack.id not in self._left:
                return await self._interruptible.wait_for(waiting)
            result: _Result = await waiting
            return result
        except (temporalio.exceptions.ActivityError, asyncio.CancelledError) as error:
            if not temporalio.exceptions.is_cancelled_exception(error):
                raise
            return None
        finally:
            del self._waits[stack.id]

    def _have_again(self, stack: progress.StackProgress) -> None:
        """Others are done with the stack: it is as ready as any other."""
        if not stack.phase.is_over:
            progress.set_pending(stack)
            self._on_change()

    def _start_over(self, stack: progress.StackProgress) -> None:
        """There is no run here: the chain triggers one when a slot is free, if it still runs.

        Or there was one that Spacelift skipped for a reason that is not the chain's.
        """
        stack.adopts_from = None
        progress.start_over(stack)
        self._unwanted.stop_late(stack.id)
        self._unwanted.stop_behind(stack.id)
